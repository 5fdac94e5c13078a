"""An application that has work done elsewhere: it asks the study, and starts jobs, one at a time.

Answers come back as messages, so that screens are touched by their own thread alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from textual.message import Message

from planner.errors import WherryError
from planner.names import visible
from tui.ending import EndingApp
from tui.study.client import Study

if TYPE_CHECKING:
    from tui.jobs.job import Job


class WorkingApp(EndingApp[None]):
    """The part of the application that asks and waits; subclasses read, remark and draw."""

    class Answered(Message):
        """The study answered, or a job ended: what is to be done then."""

        def __init__(self, do: Callable[[], None]) -> None:
            super().__init__()
            self.do = do

    def __init__(self, study: Study, **more: Any) -> None:
        super().__init__(**more)
        self.study = study
        self.job: Job | None = None
        self.unsaved = 0  # edits of the plan by hand that only the study has
        self.aside: list[Job] = []  # what goes on beside the job in hand: images that are served
        self._busy: list[str] = []

    def read_again(self) -> None:
        """Read the project now, after something was changed."""
        raise NotImplementedError

    def remark(self, text: str, tone: str) -> None:
        """Show a remark for a few seconds."""
        raise NotImplementedError

    def show_work(self) -> None:
        """Show on line 1 what is being worked on."""
        raise NotImplementedError

    @property
    def is_working(self) -> bool:
        """True while a job goes on."""
        return self.job is not None and self.job.state.running

    @property
    def work_title(self) -> str:
        """What the job is called, empty when there was none."""
        return visible(self.job.state.title) if self.job is not None else ""

    def stop_working(self) -> None:
        """End the study and the job in hand; neither leaves anything half-stored."""
        self.study.close()
        for job in filter(None, (self.job, *self.aside)):
            job.close()

    def ask(
        self,
        op: str,
        args: Mapping[str, Any] | None = None,
        then: Callable[[Any], None] | None = None,
        busy: str = "",
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Ask the study in a thread; ``then`` gets the answer here, and what went wrong is said."""
        if busy:
            self._busy.append(busy)
            self.show_work()
        given = dict(args or {})

        def work() -> None:
            try:
                answer = self.study.ask(op, **given)
            except WherryError as error:
                said = f"{error.message}  hint: {error.hint}" if error.hint else error.message
                done = self._failure(said, failed)
            else:
                done = self._taking(answer, then)
            self.post_message(self.Answered(self._no_longer(busy, done)))

        self.run_worker(work, thread=True, group="study", exit_on_error=True)

    def _taking(self, answer: Any, then: Callable[[Any], None] | None) -> Callable[[], None]:
        def do() -> None:
            if isinstance(answer, dict) and "unsaved" in answer:  # whichever place asked
                found = answer["unsaved"]
                self.unsaved = found if isinstance(found, int) else len(found)
            if then is not None:
                then(answer)

        return do

    def _failure(self, said: str, failed: Callable[[str], None] | None) -> Callable[[], None]:
        def do() -> None:
            if failed is not None:
                failed(said)
            self.remark(f"✖ {visible(said)}", "bad")

        return do

    def _no_longer(self, busy: str, do: Callable[[], None]) -> Callable[[], None]:
        def done() -> None:
            if busy:
                self._busy.remove(busy)
                self.show_work()
            do()

        return done

    def on_working_app_answered(self, message: Answered) -> None:
        """Do what was waiting for an answer."""
        message.do()

    def start(self, job: Job, then: Callable[[Job], None] | None = None) -> None:
        """Start work of its own process and show it; ``then`` is called once it has ended with a word."""
        if self.is_working:
            self.remark(f"{self.work_title} is going on: ^j shows it", "warn")
            return
        try:
            job.start()
        except WherryError as error:
            self.remark(f"✖ {visible(error.message)}", "bad")
            return
        self.job = job
        self.run_worker(lambda: self._await(job, then), thread=True, group="job", exit_on_error=True)
        self._open(job)

    def start_aside(self, job: Job) -> None:
        """Start work that goes on beside the work in hand until it is stopped, or the application is left."""
        try:
            job.start()
        except WherryError as error:
            self.remark(f"✖ {visible(error.message)}", "bad")
            return
        self.aside = [*(one for one in self.aside if one.state.running), job]

    def _await(self, job: Job, then: Callable[[Job], None] | None) -> None:
        job.wait()

        def ended() -> None:
            self.read_again()
            state = job.state
            if state.succeeded:
                self.remark(f"✔ {visible(state.title)}: {state.done_words}", "good")
                if then is not None:
                    then(job)
            elif state.error is not None:
                self.remark(f"✖ {visible(state.error.message)}", "bad")
            elif (
                state.exit_code in (1, 3) and state.document is not None
            ):  # it was done, and did not end well
                self.remark(f"✖ {visible(state.title)}: not all is well", "bad")
                if then is not None:
                    then(job)
            else:
                self.remark(f"{visible(state.title)}: stopped", "warn")

        self.post_message(self.Answered(ended))

    def work_words(self) -> str:
        """Say on line 1 what is being worked on, empty for nothing."""
        if self.job is not None and self.job.state.running:
            share = self.job.state.share
            far = f" {share:.0%}" if share is not None else ""
            return f"◐ {visible(self.job.state.title, 24)}{far}"
        return f"◐ {self._busy[-1]}" if self._busy else ""

    def _open(self, job: Job) -> None:
        from tui.dialogs.work import Work

        self.push_screen(Work(job))

    def action_show_job(self) -> None:
        """Show the work in hand, or the last that was."""
        if self.job is None:
            self.remark("nothing is being worked on", "dim")
        else:
            self._open(self.job)
