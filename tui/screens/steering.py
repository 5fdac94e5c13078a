"""Asking before an act on a wave, and doing it beside the screen; what is live wants the name typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from planner.names import visible
from tui.screens.threaded import ThreadedPlace
from tui.text import line, stack

if TYPE_CHECKING:
    from migrate.run.execute import Purpose
    from planner.store.project import Project
    from tui.dialogs.form import Ask

Said = dict[str, str]
Work = Callable[["Project", list[str]], str]  # does something; returns what is said, tells more in the list


class Steering(ThreadedPlace):
    """A place that asks, and then acts on a wave. Subclasses know which."""

    watched: str = ""  # the wave

    def _ask(
        self,
        title: str,
        said: Sequence[Content],
        asks: Sequence[Ask],
        yes: str,
        do: Callable[[Said], None],
        typed: bool = True,
    ) -> None:
        """Show what it is about, have the wave's name typed if it is live, then do it."""
        from tui.dialogs.form import Ask, Form

        wave = self.watched
        name = Ask(
            "name", f"Type {visible(wave)} to go on", needed=True, judge=lambda text: _other(text, wave)
        )
        form = Form(f"{title} {visible(wave, 40)}", [*asks, *([name] if typed else [])], yes, stack(said))
        self.app.push_screen(form, lambda given: do(given) if given is not None else None)

    def _act(self, work: Work) -> None:
        """Do something to the run beside the screen; what came of it is said above the keys."""
        root = self.wherry.session.root

        def run() -> str:
            from planner.store.project import Project

            told: list[str] = []
            with Project.open(root) as project:
                words = work(project, told)
            return " · ".join([words, *told])

        def done(words: str) -> None:
            self.say(f"✔ {visible(words)}", "good")
            self.look_now()
            self.wherry.read_again()

        def failed(said: str, hint: str) -> None:
            self.say_failed(said, hint)
            self.look_now()

        self.in_thread(run, done, failed)

    def _order(self, purpose: Purpose, ticket: str = "") -> None:
        """Have the engine carry the wave on, as the verb does."""
        wave = self.watched

        def work(project: Project, told: list[str]) -> str:
            from tui.acts import ordering

            order = ordering.give(project, wave, purpose, ticket=ticket, tell=told.append)
            return f"{purpose.value} {wave} is ordered: order {order.id}; it goes on until a gate is shut"

        self._act(work)

    def _confirm(self, title: str, said: Sequence[Content], yes: str, do: Callable[[], None]) -> None:
        from tui.dialogs.confirm import Confirm

        dialog = Confirm(f"{title} {visible(self.watched, 40)}", stack(said), yes)
        self.app.push_screen(dialog, lambda answer: do() if answer else None)


def no_return(homeward: bool) -> Content:
    """Return what a commit means, of a cutover or of a failback."""
    back = "the way there again is a new cutover" if homeward else "the way back is failback"
    return line((f"✖ The point of no return: the VMs left behind are fenced, and {back}.", "bad"))


def _other(text: str, wave: str) -> str:
    return "" if text.strip() == wave else f"{visible(text, 30)!r} is not the wave's name, nothing was done"
