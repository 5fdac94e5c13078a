"""A booted copy from 5 Rehearse: which checkpoint of which group is asked, then it is made and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.names import visible
from planner.units import show_bytes
from tui.dialogs.form import Ask
from tui.jobs import orders
from tui.jobs.job import Job
from tui.screens.group_rows import kind, moment
from tui.screens.rehearse_dry import DryRehearsing
from tui.screens.steering import Said, Steering
from tui.text import line

if TYPE_CHECKING:
    from migrate.rehearsals.choosing import GroupKept, Kept

_NEWEST = "latest"
_MOST = 200  # checkpoints of a group that can be picked; older ones by 'wherry rehearse --checkpoint'


class BootRehearsing(Steering, DryRehearsing):
    """A place with a wave under its cursor of which a copy can be booted."""

    def action_rehearse_boot(self) -> None:
        """Ask the receivers for the checkpoints, then the person for one of each group."""
        wave, root = self.wave, self.wherry.session.root

        def look() -> tuple[GroupKept, ...]:
            from planner.store.project import Project
            from tui.acts.booting import bootable

            with Project.open(root) as project:
                return bootable(project, wave)

        self.say("checkpoints are asked for …", "dim")
        self.in_thread(look, lambda groups: self._ask_which(wave, groups), self.say_failed)

    def _ask_which(self, wave: str, groups: tuple[GroupKept, ...]) -> None:
        if wave != self.wave:
            return  # the cursor went elsewhere meanwhile
        self.watched = wave
        lines = [
            line("Disks as they were are copied and started under other names, on isolated"),
            line("networks, probed, and removed again. Replication goes on meanwhile."),
        ]
        if not groups:
            lines.append(line((f"{visible(wave, 20)} keeps no checkpoints: its replicas are copied", "warn")))
        asks = [
            Ask(
                f"group{number}", f"Checkpoint of {visible(one.name, 60)}", choices=_choices(one, len(groups))
            )
            for number, one in enumerate(groups)
        ]

        def do(given: Said) -> None:
            titles = {f"group{number}": one.title for number, one in enumerate(groups)}
            chosen = {title: given[ask] for ask, title in titles.items() if given[ask]}
            order = orders.boot(wave, chosen)
            self.wherry.start(Job(order.argv(self.wherry.session.root), order.title), self._booted)

        self._ask("Boot a copy of", lines, asks, "Boot", do)

    def _booted(self, job: Job) -> None:
        from tui.screens.booted_words import show_booted

        self.look_now()
        show_booted(self, job)


def _choices(group: GroupKept, groups: int) -> list[tuple[str, str]]:
    """Return what can be picked of one group: nothing of its own, its newest, or one by its number."""
    own = [("", "the newest")] if groups == 1 else [
        ("", "the newest, but none newer than one that is picked of another group"),
        (_NEWEST, "the newest in any case"),
    ]  # fmt: skip
    return own + [(str(point["record"]), _words(point)) for point in list(reversed(group.points))[:_MOST]]


def _words(point: Kept) -> str:
    name = f" · {visible(point['name'], 40)}" if point["name"] else ""
    changed = show_bytes(point["written_bytes"])
    return f"{point['record']} · {moment(point):%m-%d %H:%M} UTC · {kind(point)}{name} · {changed} changed"
