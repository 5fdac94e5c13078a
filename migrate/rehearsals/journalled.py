"""The checkpoint that a booted copy is made of: one of each group of the wave that keeps a history.

What a group's journal holds is read through its receiver, one instant for all disks of the group, while
replication goes on and history ages. How the rehearsal went is noted on the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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

LATEST = "latest"


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
def points_of(project: Project, wave: Wave, history: History | None, wanted: str) -> Iterator[Points]:
    """Yield the checkpoint ``wanted`` (number, name or latest) of each group that keeps a history.

    Raises Blocked where there is none, NotFound, Unreachable.
    """
    groups = [one for one in groups_of(project, wave) if history is not None and _has_one(history, one)]
    if not groups:
        if wanted != LATEST:
            raise Blocked(
                f"{visible(wave.name)} keeps no checkpoints now, so none can be chosen",
                "leave --checkpoint out",
            )
        yield Points()
        return
    with keeping(project, groups) as kept:
        found = tuple(_point(kept, one, wanted) for one in groups)
        yield Points(found, kept, {volume: point for point in found for volume in point.volumes})


def _has_one(history: History, group: WaveGroup) -> bool:
    step = next((step for step in history.runbook.steps if step.id == f"{group.part}/journal"), None)
    return step is not None and any(lags(history, volume) for volume in step.params["volumes"])


def _point(kept: Keeping, group: WaveGroup, wanted: str) -> Point:
    told: list[Mapping[str, Any]] = []
    kept.asks.ask("checkpoints", {"group": group.title}, told.append)
    points = list(told[0]["checkpoints"])
    if not points:
        raise Blocked(
            f"{visible(group.title, 200)} has no checkpoint yet, so nothing can be booted",
            "let its first cycle end",
        )
    by_number = [one for one in points if str(one["record"]) == wanted]
    by_name = [one for one in points if wanted and one["name"] == wanted]
    chosen = points[-1:] if wanted == LATEST else by_number or by_name
    if not chosen:
        raise NotFound(
            f"{visible(group.title, 200)} has no checkpoint {visible(wanted, 200)}",
            f"wherry checkpoints {visible(group.title.partition('/')[0])} lists them",
        )
    one = chosen[-1]
    return Point(
        group.title, one["record"], one["name"], one["cycle"], one["at_ms"], tuple(told[0]["volumes"])
    )
