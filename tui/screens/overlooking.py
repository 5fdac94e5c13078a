"""Overlooking snapshots of others from a screen: the site is asked which, a person says why, the run goes on.

It does what 'wherry run overlook WAVE' does, by the same functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.names import visible
from tui.screens.steering import Said, Steering
from tui.text import line, plural

if TYPE_CHECKING:
    from migrate.run.overlooking import Foreign
    from planner.store.project import Project

_SHOWN = 8


class Overlooking(Steering):
    """A place from which a run is let go on beside snapshots that are there now."""

    def overlook(self) -> None:
        """Ask the site for foreign snapshots of the wave's VMs, then ask whether to go on beside them."""
        wave, root = self.watched, self.wherry.session.root

        def look() -> tuple[Foreign, ...]:
            from migrate.gates.seeing import under_way
            from migrate.run import overlooking
            from planner.store.project import Project

            with Project.open(root) as project:
                return overlooking.foreign_now(project, *under_way(project, wave))

        self.say(f"the site is asked for snapshots of {visible(wave, 40)} …", "dim")
        self.in_thread(look, self._found_foreign, self.say_failed)

    def _found_foreign(self, found: tuple[Foreign, ...]) -> None:
        from tui.dialogs.form import Ask

        wave = self.watched
        new = [one for one in found if not one.overlooked]
        if not new:
            beside = "all of them are overlooked already" if found else "nobody else has one"
            self.say(f"{visible(wave, 40)} waits for no foreign snapshot: {beside}", "dim")
            return
        said = [
            line((f"{one.vm_name}  ", "accent"), one.name, (f"  {visible(one.snapshot)}", "dim"))
            for one in new[:_SHOWN]
        ]
        if len(new) > _SHOWN:
            said.append(line((f"and {plural(len(new) - _SHOWN, 'snapshot')} more", "dim")))
        said.append(line("Only these are overlooked, until the run ends. A new one is waited for again."))
        asks = [Ask("reason", "Why; it stands in the log and the report", needed=True)]

        def do(given: Said) -> None:
            self._act(lambda project, told: _overlooked(project, wave, tuple(found), given["reason"]))

        self._ask("Overlook snapshots of others in", said, asks, "Overlook", do)


def _overlooked(project: Project, wave: str, found: tuple[Foreign, ...], reason: str) -> str:
    from migrate.gates.seeing import under_way
    from migrate.run import overlooking
    from migrate.run import store as runs

    run, history = under_way(project, wave)
    done = overlooking.overlook(project, run, history, found, reason)
    on = "goes on beside" if runs.is_held(project, run.wave) else "goes on, once somebody drives it, beside"
    return f"{wave} {on} {plural(len(done), 'snapshot')} of others"
