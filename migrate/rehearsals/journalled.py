"""The checkpoint that a booted copy is made of: one of each group of the wave that keeps a history.

What a group's journal holds is read through its receiver, one instant for all disks of the group, while
replication goes on and history ages. How the rehearsal went is noted on the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrate.rehearsals.choosing import LATEST, GroupKept, choose
from migrate.run.wave_groups import WaveGroup, groups_of, keeping
from migrate.transfers.newest import lags
from planner.errors import Blocked, NotFound
from planner.names import visible

if TYPE_CHECKING:
    from migrate.disks.ports import ReadableDisk
    from migrate.run.history import History
    from migrate.run.wave_groups import Keeping
    from planner.plan import Wave
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Point:
    """A checkpoint of a group, and the disks that it is of."""

    group: str
    record: int
    name: str
    cycle: str
    at_ms: int
    volumes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Points:
    """The checkpoints that are meant; ``kept`` is whoever keeps them, None where the wave has no history."""

    found: tuple[Point, ...] = ()
    kept: Keeping | None = None
    by_volume: Mapping[str, Point] = field(default_factory=dict)

    @contextmanager
    def opened(self) -> Iterator[Callable[[str], ReadableDisk]]:
        """Yield what opens a disk as it was; all that is asked for stays there until the block ends."""
        from migrate.journal.serving import open_served

        with ExitStack() as held:
            served: dict[str, tuple[str, str]] = {}
            for point in self.found:
                assert self.kept is not None, "somebody keeps what was found"
                request = {"group": point.group, "checkpoint": str(point.record)}
                told = held.enter_context(self.kept.asks.hold("serve-image", request)).told
                served |= {disk["volume"]: (told["socket"], disk["export"]) for disk in told["disks"]}

            def open_one(volume: str) -> ReadableDisk:
                assert self.kept is not None, "somebody keeps what was found"
                return open_served(self.kept.store, *served[volume])

            yield open_one

    def note(self, result: str) -> None:
        """Note on each checkpoint what came of it; one that went meanwhile needs no note."""
        for point in self.found:
            assert self.kept is not None, "somebody keeps what was found"
            try:
                request = {"group": point.group, "checkpoint": str(point.record), "result": result}
                self.kept.asks.ask("note", request)
            except NotFound:
                continue


@contextmanager
def points_of(
    project: Project, wave: Wave, history: History | None, wanted: Sequence[str]
) -> Iterator[Points]:
    """Yield the checkpoint of each group that keeps a history which ``wanted`` means: see ``choosing``.

    Raises Blocked where there is none, BadInput, NotFound, Unreachable.
    """
    groups = _with_history(project, wave, history)
    if not groups:
        if set(wanted) - {LATEST}:
            raise Blocked(
                f"{visible(wave.name)} keeps no checkpoints now, so none can be chosen",
                "leave --checkpoint out",
            )
        yield Points()
        return
    with keeping(project, groups) as kept:
        told = [_told(kept, one) for one in groups]
        asked = _asked(groups, told)
        found = tuple(
            Point(one.title, at["record"], at["name"], at["cycle"], at["at_ms"], tuple(it["volumes"]))
            for one, it, at in zip(groups, told, choose(asked, wanted), strict=True)
        )
        yield Points(found, kept, {volume: point for point in found for volume in point.volumes})


def kept_of(project: Project, wave: Wave, history: History | None) -> tuple[GroupKept, ...]:
    """Return the groups that keep a history, with their checkpoints; raises Blocked, Unreachable."""
    groups = _with_history(project, wave, history)
    if not groups:
        return ()
    with keeping(project, groups) as kept:
        return tuple(_asked(groups, [_told(kept, one) for one in groups]))


def _with_history(project: Project, wave: Wave, history: History | None) -> list[WaveGroup]:
    return [one for one in groups_of(project, wave) if history is not None and _has_one(history, one)]


def _asked(groups: Sequence[WaveGroup], told: Sequence[Mapping[str, Any]]) -> list[GroupKept]:
    return [GroupKept(one.title, one.part, it["checkpoints"]) for one, it in zip(groups, told, strict=True)]


def _has_one(history: History, group: WaveGroup) -> bool:
    step = next((step for step in history.runbook.steps if step.id == f"{group.part}/journal"), None)
    return step is not None and any(lags(history, volume) for volume in step.params["volumes"])


def _told(kept: Keeping, group: WaveGroup) -> Mapping[str, Any]:
    told: list[Mapping[str, Any]] = []
    kept.asks.ask("checkpoints", {"group": group.title}, told.append)
    return told[0]
