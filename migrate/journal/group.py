"""One group at its target: its disks by number, its replicas, and from the first checkpoint on its log.

    passes and streams ──▶ log ──▶ checkpoints ──▶ images            promotion ──▶ replicas

Until there is a checkpoint nothing goes through the log: a first copy is written to the replicas. What
is newest is one instant of the source only between two cycles; a checkpoint asked for meanwhile is made
when the cycle ends, and is never torn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Protocol

from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.journal.allowance import Space, space_of
from migrate.journal.directory import DirectoryFiles
from migrate.journal.disk import JournalledDisk
from migrate.journal.finding import meant
from migrate.journal.held import HeldDisk
from migrate.journal.image import Image
from migrate.journal.limits import Room
from migrate.journal.log import Log, open_log
from migrate.journal.members import Members, load_members, save_members
from migrate.journal.mending import finish
from migrate.journal.merging import Merger
from migrate.journal.overlay import Indexes
from migrate.journal.promotion import promote
from migrate.journal.state import (
    Checkpoint,
    drop_mark,
    epoch_mark,
    note_mark,
    streamed_mark,
    torn_mark,
)
from migrate.journal.waiting import Asked, Later, Waiting
from migrate.replication.progress import VolumeState
from migrate.sites.consistency import Consistency, lowest
from planner.errors import Blocked, NotFound, ProjectBusy
from planner.names import visible

__all__ = ["Asked", "GroupJournal", "Replicas"]


class Replicas(Protocol):
    """The disks a receiver serves, by volume. Each call raises NotFound, SiteRefused, OSError."""

    def open_write(self, volume: str) -> WritableDisk: ...
    def open_read(self, volume: str) -> ReadableDisk: ...


class GroupJournal:
    """The journal of group ``name`` in ``folder``. Thread-safe; ``close`` it.

    ``volumes`` are its disks now; one that joined later has a later number, and none is ever given twice.
    ``state_of`` tells what the receiver's progress log of a volume holds, ``now_ms`` the time. The first
    checkpoint is of a cycle that begins with ``cycles``.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        volumes: Sequence[str],
        replicas: Replicas,
        state_of: Callable[[str], VolumeState],
        now_ms: Callable[[], int],
        cycles: str = "",
    ) -> None:
        """Open the log if there is one; raises Rotten, JournalCorrupt, OSError."""
        self.name = name
        self._folder = folder
        self._volumes = tuple(volumes)
        self._replicas = replicas
        self._state_of = state_of
        self._now_ms = now_ms
        self._cycles = cycles
        self._promoting = threading.Lock()
        self.heard_at_ms = 0  # of a tap
        self._lock = threading.RLock()
        self._writers = 0
        self._waiting = Waiting(self._make)
        self._direct = 0  # of the writers, those past the log
        self._files: DirectoryFiles | None = None
        self._log: Log | None = None
        self._merger: Merger | None = None
        finish(folder, name)  # a mending that was cut off
        members = load_members(folder, name)
        self._members = members or Members()
        if members is not None:
            self._open()

    @property
    def volumes(self) -> tuple[str, ...]:
        """Its disks."""
        return self._volumes

    @property
    def log(self) -> Log:
        """Its log; raises NotFound before the first checkpoint."""
        if self._log is None:
            raise NotFound(
                f"group {visible(self.name, 200)} has no checkpoint yet", "wherry checkpoint GROUP makes one"
            )
        return self._log

    @property
    def is_journalled(self) -> bool:
        """Whether writes go to the log."""
        return self._log is not None

    @property
    def is_in_use(self) -> bool:
        """Whether a pass or an image has it open."""
        return bool(self._writers) or (self._log is not None and self._log.leases.oldest() is not None)

    def number(self, volume: str) -> int:
        """Return the number of a disk in the log; raises NotFound."""
        if volume not in self._members.numbers:
            raise NotFound(
                f"volume {visible(volume, 200)} is not in the journal of {visible(self.name, 200)}"
            )
        return self._members.numbers[volume]

    def open_write(self, volume: str) -> WritableDisk:
        """Open a disk for a pass: through the log where there is one that it is in."""
        with self._lock:
            if self._log is not None and self._log.failed and not self._writers:
                self._open()
            direct = self._log is None or volume not in self._members.numbers
            if self._log is None or direct:
                disk = self._replicas.open_write(volume)
            else:
                disk = JournalledDisk(self.number(volume), self._replicas.open_read(volume), self._log)
            self._writers += 1
            self._direct += direct
        return HeldDisk(disk, self._part, partial(self._let_go, direct))

    def open_stream(self) -> Log:
        """Return a log of all its disks for a stream to append to, a new one where there is none.

        Raises ProjectBusy under a pass, Rotten, JournalCorrupt, OSError.
        """
        with self._lock:
            if self._writers:
                raise ProjectBusy(
                    f"a disk of group {visible(self.name, 200)} is open for a pass", "let the pass end"
                )
            if self._log is None:
                self._begin()
            elif self._log.failed:
                self._open()
            self._join()
            return self.log

    def heard(self) -> None:
        """A tap has spoken: what is newest is of now."""
        self.heard_at_ms = self._now_ms()

    def instant(self, asked: Asked, at_ms: int) -> Checkpoint:
        """Make a checkpoint of what a stream brought, which stood so at ``at_ms``, and those that wait."""
        with self._lock:
            point = self._make(asked, at_ms)
            self._waiting.settle()
            return point

    def open_read(self, volume: str, *, anew: bool = False) -> ReadableDisk:
        """Open a disk as it is now, beside its writer; ``anew`` knows nothing that others read of it."""
        with self._lock:
            replica = self._replicas.open_read(volume)
            if self._log is None or volume not in self._members.numbers:
                return replica
            reader = self._log.reader_anew() if anew else None
            return JournalledDisk(self.number(volume), replica, self._log, reader)

    def resynced(self, why: str) -> None:
        """Begin a new epoch, durably; without a log there is no history to break."""
        if self._log is not None:
            self._log.mark(epoch_mark(why))
            self._log.commit()

    def unrest(self) -> str:
        """Return why what is newest is no instant of the source, empty when it is one."""
        if self._direct:
            return "a disk of it is open for a pass"  # which would go on past a log that it comes into now
        if self._log is not None and self._log.full:
            return self._log.full
        states = {volume: self._state_of(volume) for volume in self._volumes}
        for volume, state in states.items():
            if state.current is not None:
                return f"a pass of {visible(volume, 200)} is under way"
        if self._log is not None and self._log.state.streamed:
            return self._log.state.torn
        for volume, state in states.items():
            if state.unknown or state.done is None:
                return f"{visible(volume, 200)} was never brought here as a whole"
        if self._log is not None and self._log.state.torn:
            return self._log.state.torn
        cycles = {state.done.cycle for state in states.values() if state.done}
        if self._log is None and not all(cycle.startswith(self._cycles) for cycle in cycles):
            return "what was here before is not brought up to date yet"
        if len(states) > 1 and (len(cycles) > 1 or cycles == {""}):
            return "its disks came in passes of different cycles"
        return ""

    def checkpoint(self, asked: Asked, *, wait: bool = False) -> Checkpoint | None:
        """Make a checkpoint of what is newest, durably.

        Raises Blocked when that is no instant of the source; with ``wait`` returns None then, and it is
        made when the cycle ends.
        """
        with self._lock:
            if why := self.unrest():
                if not wait:
                    raise Blocked(
                        f"group {visible(self.name, 200)} is between two points: {why}",
                        "let the cycle end, or ask with --wait",
                    )
                self._waiting.add(asked)
                return None
            return self._make(asked)

    def later(self, asked: Asked) -> Later:
        """Have a checkpoint made now, or when the cycle ends unless it is withdrawn before."""
        with self._lock:
            return self._waiting.add(asked) if self.unrest() else Later(asked, self._make(asked))

    def withdraw(self, later: Later) -> None:
        """Want that checkpoint no more; one that is made stays."""
        with self._lock:
            self._waiting.withdraw(later)

    def checkpoints(self) -> list[Checkpoint]:
        """Return the checkpoints offered, the oldest first."""
        if self._log is None:
            return []
        durable = self._log.durable
        points = self._log.state.checkpoints.values()
        return sorted((point for point in points if point.record <= durable), key=lambda point: point.record)

    def find(self, wanted: str) -> Checkpoint:
        """Return the checkpoint of that number or name, the newest of several, or ``latest``; or NotFound."""
        return meant(self.checkpoints(), wanted, self.name)

    def note(self, record: int, *, pinned: bool | None = None, result: str = "") -> None:
        """Pin or free a checkpoint, or add a result to it; durable when this returns."""
        with self._lock:
            self.log.mark(note_mark(record, pinned=pinned, result=result))
        self.log.commit()

    def drop(self, records: Sequence[int]) -> None:
        """Offer these checkpoints no more; durable when this returns."""
        self.thin(lambda _points: list(records))

    def thin(self, choose: Callable[[list[Checkpoint]], list[int]]) -> None:
        """Drop the checkpoints that ``choose`` names of those offered; nobody pins one meanwhile."""
        with self._lock:
            records = choose(self.checkpoints())
            if records:
                self.log.mark(drop_mark(records))
        if records:
            self.log.commit()

    def merger(self) -> Merger:
        """Return what merges its segments."""
        with self._lock:
            if self._merger is None:
                assert self._files is not None, "a log has files"
                self._merger = Merger(self._files, self.name)
            return self._merger

    def space(self, reserve: Room) -> Space:
        """Return how the file system of its journal stands; raises OSError."""
        return space_of(self._folder, reserve)

    def volumes_at(self, record: int) -> tuple[str, ...]:
        """Return the disks that a checkpoint is of: those that joined later are left out."""
        members = self._members
        return tuple(
            volume
            for volume in self._volumes
            if volume in members.numbers and members.since.get(volume, 0) <= record
        )

    def image(self, record: int, volume: str) -> Image:
        """Return a disk as it was at a checkpoint; raises NotFound, also of a disk that joined later."""
        lease = self.log.lease(record)
        try:
            if record < self._members.since.get(volume, 0):
                raise NotFound(
                    f"volume {visible(volume, 200)} joined {visible(self.name, 200)} "
                    f"after checkpoint {record}",
                    "take a later checkpoint",
                )
            return Image(self.number(volume), self._replicas.open_read(volume), lease, Indexes(lease.reader))
        except BaseException:
            lease.close()
            raise

    def promote(self, record: int, pace: Callable[[int], None] = lambda _bytes: None) -> None:
        """Bring the replicas to a checkpoint and withdraw those before it; see ``promotion``."""
        assert self._files is not None, "what is offered is in files"
        with self._promoting, ExitStack() as opened:
            disks: dict[int, WritableDisk] = {}
            for volume, number in self._members.numbers.items():
                disks[number] = opened.enter_context(closing(self._replicas.open_write(volume)))
            promote(self.log, self._files, disks, record, pace)

    def close(self) -> None:
        """Close the files of the log."""
        with self._lock:
            if self._files is not None:
                self._files.close()

    def _let_go(self, direct: bool) -> None:
        """A pass is over: make what waits for the end of a cycle."""
        with self._lock:
            self._writers -= 1
            self._direct -= direct
            if self._writers or self.unrest():
                return
            self._waiting.settle()  # they stand for the cycle, too
            points = self.checkpoints()
            if (cycle := self._cycle()) and not (points and points[-1].cycle == cycle):
                self._make(Asked())

    def _part(self) -> None:
        """A pass writes: what is newest is no tap's any more, and the passes decide when it is an instant."""
        with self._lock:
            if self._log is None:
                return
            if self._log.state.streamed:
                self._log.mark(streamed_mark(""))
            if self._log.state.torn:
                self._log.mark(torn_mark(""))

    def _cycle(self) -> str:
        done = self._state_of(self._volumes[0]).done
        return done.cycle if done else ""

    def _make(self, asked: Asked, at_ms: int | None = None) -> Checkpoint:
        if self._log is None:
            self._begin()
        self._join()
        if at_ms is None:
            at_ms = self._heard_ms() if self.log.state.streamed else self._now_ms()
        worth = asked.consistency or self._reached()
        point = self.log.checkpoint(at_ms, worth, asked.name, self._cycle())
        if asked.pinned:
            self.note(point.record, pinned=True)
        return self.log.state.checkpoints[point.record]

    def _reached(self) -> Consistency:
        """Return what is known of an instant that came in passes: the least that was said of a disk."""
        if self.log.state.streamed:
            return Consistency.CRASH
        done = (self._state_of(volume).done for volume in self._volumes)
        return lowest(one.consistency if one else Consistency.CRASH for one in done)

    def _heard_ms(self) -> int:
        """Return of when what a tap brought is, as far as known: its line may be down for long."""
        newest = max((point.at_ms for point in self.log.state.checkpoints.values()), default=0)
        return self.heard_at_ms or newest or self._now_ms()

    def _begin(self) -> None:
        """Have a log from now on. The replicas are durable: each pass ended with a flush."""
        self._have(Members().joined(self._volumes, 0))
        self._open()

    def _join(self) -> None:
        """Give numbers to disks that are new here."""
        if not set(self._volumes) <= self._members.numbers.keys():
            self._have(self._members.joined(self._volumes, self.log.commit() + 1))

    def _have(self, members: Members) -> None:
        save_members(self._folder, self.name, members)
        self._members = members

    def _open(self) -> None:
        files = DirectoryFiles(self._folder)
        try:
            log = open_log(files, self.name)
        except BaseException:
            files.close()
            raise
        failed, left = self._log, self._files
        if failed is not None and left is not None:
            log.heed(failed.leases)
            left.retire()  # images of what it had go on
        self._files, self._log, self._merger = files, log, None
