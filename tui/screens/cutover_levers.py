"""The levers of 7 Cutover: hold the run, go on, try again, pass over; each calls what its verb calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.names import visible
from tui.actions.keymap import shown
from tui.actions.table import action_named
from tui.screens.cutover_asking import AskingPlace
from tui.screens.steering import Work
from tui.text import line

if TYPE_CHECKING:
    from migrate.probes.now import Asked
    from planner.store.project import Project


class LeversPlace(AskingPlace):
    """A place with the levers of a run that stands or goes."""

    is_asking = False  # a probe, whose program runs once at a time

    def action_cutover_pause(self) -> None:
        """Hold the run at its next edge."""
        wave = self.watched

        def work(project: Project, told: list[str]) -> str:
            from tui.acts import conducting

            held = conducting.pause(project, wave)
            until = "is not brought up to date any more until m goes on"
            return f"{wave} {until if held.waits else 'stops at the next edge; m goes on'}"

        said = [
            line("It stops between two steps, or two blocks of a transfer. What is done stays done."),
            self._cost(),
        ]
        self._confirm("Hold", said, "Hold", lambda: self._act(work))

    def action_cutover_resume(self) -> None:
        """Go on with the run the way it went."""
        if self.sheet is None:
            return
        wave = self.sheet.run.wave

        def work(project: Project, told: list[str]) -> str:
            from migrate.gates.seeing import under_way
            from migrate.run.resuming import goes_on
            from tui.acts import ordering

            run, history = under_way(project, wave)
            purpose = goes_on(project, run, history)
            order = ordering.give(project, wave, purpose, tell=told.append)
            return f"{wave} goes on: {purpose.value}, order {order.id}"

        said = [line("It goes on from where it stands, forward to its next gate, or back."), self._cost()]
        self._ask("Go on with", said, [], "Go on", lambda given: self._act(work))

    def action_cutover_retry(self) -> None:
        """Try again the step under the cursor, or all that failed."""
        if self.sheet is None:
            return
        wave, here = self.sheet.run.wave, self.step
        one = here.id if here is not None and here.may_retry else ""

        def work(project: Project, told: list[str]) -> str:
            from migrate.gates.seeing import under_way
            from tui.acts import conducting

            run, history = under_way(project, wave)
            again = conducting.retry(project, run, history, one)
            titles = ", ".join(step.title for step in again.steps[:3])
            return f"{titles}: tried again{' at once' if again.driven else ', once m goes on'}"

        failed = [step for step in self.sheet.steps if step.may_retry and one in ("", step.id)]
        said = [line((f"✖ {visible(step.title)}", "bad"), f"  {step.said}") for step in failed[:6]]
        self._confirm("Try again in", said, "Try again", lambda: self._act(work))

    def action_cutover_skip(self) -> None:
        """Pass the step under the cursor over."""
        from tui.dialogs.form import Ask

        step = self.step
        if step is None or self.sheet is None:
            return
        wave = self.sheet.run.wave

        def work(reason: str) -> Work:
            def skip(project: Project, told: list[str]) -> str:
                from migrate.gates.seeing import under_way
                from tui.acts import conducting

                run, history = under_way(project, wave)
                one = conducting.skip(project, run, history, step.id, reason, live=True)
                return f"{one.title} is passed over; m goes on"

            return skip

        said = [
            line(visible(step.title), f"  {step.said}"),
            line(("it stands in the log and the report", "dim")),
        ]
        asks = [Ask("reason", "Why", needed=True)]
        self._ask(
            "Pass a step over in", said, asks, "Pass over", lambda given: self._act(work(given["reason"]))
        )

    def action_cutover_ask(self) -> None:
        """Ask the probe of the step under the cursor once, beside the run; its record stays as it is."""
        step = self.step
        if step is None or self.sheet is None:
            return
        wave, root = self.sheet.run.wave, self.wherry.session.root

        def ask() -> Asked:
            from planner.store.project import Project
            from tui.acts import conducting

            with Project.open(root) as project:
                return conducting.ask_probe(project, wave, step.id)

        def answered(asked: Asked) -> None:
            self.is_asking = False
            answer = asked.answer
            assert answer is not None
            here = self.sheet.step(step.id) if self.sheet is not None else None
            again = f" · {shown(action_named('cutover.retry'), self.wherry.keys)} tries the step again"
            helps = again if answer.ok and here is not None and here.may_retry else ""
            words = f"{visible(step.title, 60)}, asked from here: {visible(answer.detail, 200)}{helps}"
            self.say(f"{'✔' if answer.ok else '✖'} {words}", "good" if answer.ok else "bad")
            self.show_keys()

        def failed(said: str, hint: str) -> None:
            self.is_asking = False
            self.say_failed(said, hint)
            self.show_keys()

        self.is_asking = True
        self.say(f"◐ {visible(step.title, 60)} is asked …", "dim")
        self.in_thread(ask, answered, failed)
