"""The journals of a site's receiver: groups are enrolled while it serves, every other disk is plain.

Who enrols a group says which run brings its disks. One whose disks are others than before begins anew,
for its journal is of nothing any more; so does one of which a replica was made anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.journal.allowance import space_of
from migrate.journal.enrolled import Enrolment, empty, load_all, save
from migrate.journal.frames import Kind
from migrate.journal.group import Asked, GroupJournal, Replicas
from migrate.journal.limits import USUAL_RESERVE, Limits, Room
from migrate.journal.mending import Mended
from migrate.journal.state import Checkpoint
from migrate.journal.store import FOLDER, Journals
from migrate.replication.logfile import LogFile
from migrate.replication.progress import ProgressLog
from planner.errors import Blocked, NoSpace, NotFound, ProjectBusy
from planner.names import content_id, visible

Pace = Callable[[int], None]
AFTER_MENDING: Final = "what the disks held"


class SiteJournals(Journals):
    """The journals of the groups that are enrolled in ``store``. Thread-safe; ``close`` it."""

    def __init__(
        self,
        store: Path,
        replicas: Replicas,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Read what is enrolled, and end what was being closed; raises Corrupt, OSError."""
        super().__init__(store, {}, replicas, now_ms)
        self._enrolled: dict[str, Enrolment] = {}
        self.hurried: set[str] = set()  # groups that somebody else moves on: the keeper leaves them
        for one in load_all(store / FOLDER):
            if one.is_open:
                self._know(one)
            else:
                self._enrolled[one.group] = one
                empty(self._folder(one.group), keep=not one.closed.get("dismissed"))

    def enrolment(self, name: str) -> Enrolment | None:
        """Return what is known of a group, None where it is not enrolled."""
        return self._enrolled.get(name)

    def limits(self, name: str) -> Limits:
        """Return what is asked of the journal of a group."""
        if (one := self._enrolled.get(name)) is None:
            return Limits()
        hard, warning = (Room(size) if size else None for size in (one.hard_bytes, one.warning_bytes))
        return Limits(one.history_s, hard, warning, None, USUAL_RESERVE)

    def enrol(self, one: Enrolment, *, anew: bool) -> None:
        """Have passes over the disks of a group go through its journal from now on.

        ``anew`` drops an old one. A disk of another group leaves it with the journal of that. With a base
        nothing is written to the disks themselves: the first pass goes through the journal as well.
        Raises ProjectBusy, NoSpace, OSError.
        """
        for name, other in tuple(self._enrolled.items()):
            if name == one.group:
                if other.is_open and (anew or other.volumes != one.volumes):
                    self.dismiss(name)
            elif other.is_open and set(other.volumes) & set(one.volumes):
                self.dismiss(name)
        with self._lock:
            group = self._open.get(one.group)
            if group is not None and not group.is_journalled:  # it waits for cycles of another run
                self._check_idle(group)
                del self._open[one.group]
            before = self._enrolled.get(one.group)
            if one.base and not (before and before.is_open):
                _check_room(one.group, self._store)
            save(self._folder(one.group), one)
            self._know(one)
            if one.base:
                _stand_on(self._opened(one.group), one.base, self._now_ms())

    def fold(self, name: str, pace: Pace) -> int:
        """Move history into the replicas up to the newest checkpoint; return it, 0 where there is none.

        A group that is closed says where. Raises ProjectBusy while somebody looks at an older one.
        """
        one = self._enrolled.get(name)
        if one is None or not one.is_open:
            return int(one.closed.get("record", 0)) if one is not None else 0
        points = self.group(name).checkpoints()
        if not points:
            return 0
        self._moved(name, points[-1].record, pace)
        return points[-1].record

    def close_at(self, name: str, asked: Asked, pace: Pace) -> Mapping[str, Any]:
        """Make a checkpoint of what is newest, bring the replicas to it, and end the journal there.

        Done already it only says what came of it. Raises Blocked while a cycle is under way, ProjectBusy.
        """
        one = self._enrolled.get(name)
        if one is None or one.closed.get("dismissed"):
            raise NotFound(f"group {visible(name, 200)} has no journal here", "replicate it again")
        if not one.is_open:
            return one.closed
        point = _named(self.group(name), asked)
        self._moved(name, point.record, pace)
        closed = {"record": point.record, "name": point.name, "at_ms": point.at_ms, "cycle": point.cycle}
        self._end(replace(one, closed=closed))
        return closed

    def dismiss(self, name: str) -> bool:
        """Remove a group with its journal; False where none is enrolled. Raises ProjectBusy, OSError."""
        one = self._enrolled.get(name)
        if one is None:
            return False
        if one.is_open:
            with self._lock:
                if name in self._open:
                    self._check_idle(self._open[name])
            for volume in one.volumes:  # a delta would stand on what goes with the journal
                ProgressLog(LogFile(self._store, volume), volume).forget()
            self._end(replace(one, closed={"dismissed": True}))
        empty(self._folder(name), keep=False)
        with self._lock:
            self._enrolled.pop(name, None)
        return True

    def mend(self, name: str) -> Mended:
        """Mend a journal; one that stood on what its disks hold does so again where no checkpoint is left."""
        mended = super().mend(name)
        with self._lock:
            if (one := self._enrolled.get(name)) is not None and one.base:
                _stand_on(self._opened(name), AFTER_MENDING, self._now_ms())
        return mended

    def open_write(self, volume: str) -> WritableDisk:
        """Open a disk for a pass, through the journal of its group where it is in one."""
        with self._lock:
            name = self._group_of.get(volume)
            if name is not None:
                group = self._opened(name)
                if self._enrolled[name].base and not group.checkpoints():
                    raise Blocked(
                        f"the journal of {visible(name, 200)} was not begun, and what its disks hold is kept",
                        "run the verb again",
                    )
                return group.open_write(volume)
        return self._replicas.open_write(volume)

    def open_read(self, volume: str) -> ReadableDisk:
        """Open a disk as it is now, beside its writer."""
        with self._lock:
            name = self._group_of.get(volume)
            if name is not None:
                return self._opened(name).open_read(volume)
        return self._replicas.open_read(volume)

    def resynced(self, volume: str, why: str) -> None:
        """Note a break of lineage of a disk that is in a group."""
        if volume in self._group_of:
            super().resynced(volume, why)

    def _make(self, name: str, volumes: list[str]) -> GroupJournal:
        cycles = self._enrolled[name].cycles
        return GroupJournal(
            name, self._folder(name), volumes, self._replicas, self._state, self._now_ms, cycles
        )

    def _folder(self, name: str) -> Path:
        return self._store / FOLDER / content_id(name)

    def _know(self, one: Enrolment) -> None:
        self._enrolled[one.group] = one
        self._group_of = {**self._group_of, **dict.fromkeys(one.volumes, one.group)}

    def _moved(self, name: str, record: int, pace: Pace) -> None:
        self.hurried.add(name)
        try:
            self.group(name).promote(record, pace)
        finally:
            self.hurried.discard(name)

    def _end(self, closed: Enrolment) -> None:
        """Close a journal for good: durably said first, then its files go."""
        with self._lock:
            group = self._open.get(closed.group)
            if group is not None:
                self._check_idle(group)
                if group.is_journalled and not group.log.end("its group is closed"):
                    raise ProjectBusy(
                        f"history of {visible(closed.group, 200)} is being moved on", "try again"
                    )
            save(self._folder(closed.group), closed)
            self._open.pop(closed.group, None)
            if group is not None:
                group.close()
            self._enrolled[closed.group] = closed
            self._group_of = {volume: name for volume, name in self._group_of.items() if name != closed.group}
        empty(self._folder(closed.group), keep=True)

    def _check_idle(self, group: GroupJournal) -> None:
        if group.is_in_use:
            raise ProjectBusy(
                f"the journal of {visible(group.name, 200)} is in use", "end its passes and close its images"
            )


def _check_room(name: str, store: Path) -> None:
    """Raise NoSpace where the first pass would find no room."""
    space = space_of(store, USUAL_RESERVE)
    if not space.spare_bytes:
        raise NoSpace(
            f"no room for a journal of {visible(name, 200)}: only {space.told}",
            "make room there; nothing is written to its disks before",
        )


def _stand_on(group: GroupJournal, name: str, now_ms: int) -> None:
    """Make a first checkpoint, pinned, of what the disks hold; a journal that has one goes on as it is."""
    log = group.log if group.is_journalled else group.open_stream()
    first = next(iter(group.checkpoints()), None) or log.checkpoint(now_ms, name=name)
    if first.name == name and not first.pinned:
        group.note(first.record, pinned=True)


def _named(group: GroupJournal, asked: Asked) -> Checkpoint:
    """Return the checkpoint of that name if nothing was written after it, else a new one; raises Blocked."""
    newest = next(reversed(group.checkpoints()), None)
    if newest is not None and newest.name == asked.name and not group.unrest():
        frames = (ref.header for ref in group.log.frames())
        if not any(head.kind is Kind.WRITES and head.last > newest.record for head in frames):
            return newest
    point = group.checkpoint(asked)
    assert point is not None, "who does not wait gets one or an error"
    return point
