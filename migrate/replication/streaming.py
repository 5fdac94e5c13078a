"""The stream of a tap at its target: writes, in their order, onto the log of their group.

    WRITES, WRITES, MARK, ... COMMIT ── the log's commit ── ACK        in this order, always

A tap that comes back goes on where it was, as long as this process lives and the log is sound. Else it
says what it copies again, and until that is whole nothing newer is offered. One tap streams a group; a
pass of one of its disks and a stream keep each other out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from migrate.journal.group import Asked, GroupJournal
from migrate.journal.log import Log
from migrate.journal.state import State, drop_mark, label_mark, streamed_mark, tap_mark, torn_mark
from migrate.journal.writes import Packed
from migrate.replication.channel import Channel
from migrate.replication.link import Link
from migrate.replication.messages import Hello, Taken, Turn, Welcome
from migrate.replication.progress import ProgressLog
from migrate.replication.standing import Standing
from migrate.replication.wire import FLAG_HERE, FLAG_PART, FLAG_TABLES, Frame, Kind, WireError
from migrate.replication.written import covered, opened
from migrate.sites.consistency import Consistency
from planner.errors import BadInput, SiteRefused
from planner.names import visible
from planner.units import MIB

PIECES_MAX: Final = 33 * MIB  # of one write; the largest that NBD has are 32 MiB
_OVER_MAX: Final = 4096
_POINTS: Final = 64  # of which a tap is told again when it comes back


class Groups(Protocol):
    """The journals of a receiver."""

    def group(self, name: str) -> GroupJournal: ...


@dataclass(slots=True)
class Position:
    """How far the stream of one group has come in ``log``: every item up to number ``upto`` is there."""

    session: str
    log: Log
    upto: int = 0
    is_open: bool = False  # a tap has said where it begins
    points: list[tuple[int, int]] = field(default_factory=list)
    pending: set[int] = field(default_factory=set)  # records of checkpoints that may be judged


class Inlet:
    """Takes in the streams of taps. Thread-safe.

    ``open_log`` opens the progress log of a volume, which passes go by.
    """

    def __init__(
        self,
        groups: Groups,
        open_log: Callable[[str], ProgressLog],
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._groups = groups
        self._open_log = open_log
        self._random_bytes = random_bytes
        self._lock = threading.Lock()
        self._positions: dict[str, Position] = {}
        self._over: dict[tuple[str, str], None] = {}  # group and session, the oldest first
        self._live: dict[str, tuple[str, Channel]] = {}

    def volumes(self, hello: Hello) -> tuple[str, ...]:
        """Return the disks of the group that is asked for; raises NotFound, SiteRefused for another tap's."""
        group = self._groups.group(hello.volume)
        if group.is_journalled:
            _must_be_its_tap(group.log.state, hello)
        return group.volumes

    @contextmanager
    def succeed(self, hello: Hello, channel: Channel) -> Iterator[None]:
        """Be this tap's conversation for the block: the one it had before hears nothing any more.

        Raises SiteRefused for a process of it that another one came after: there are two, with one name.
        """
        mine = (hello.tap, channel)
        with self._lock:
            if (hello.volume, hello.session) in self._over:
                raise SiteRefused(
                    f"another process of this tap streams group {visible(hello.volume, 200)}",
                    "end one of them, and give the one that stays a new folder and a newer generation",
                )
            before = self._live.get(hello.volume)
            if before is not None and before[0] != hello.tap:
                before = None  # whoever holds the disks decides
            else:
                self._live[hello.volume] = mine
        if before is not None:
            before[1].close()
        try:
            yield
        finally:
            with self._lock:
                if self._live.get(hello.volume) is mine:
                    del self._live[hello.volume]

    def take(self, link: Link, hello: Hello, flags: int, say_welcome: Callable[[Welcome], None]) -> None:
        """Hold a conversation to its end; the group's disks are held for it. ``flags`` are the HELLO's.

        Raises SiteRefused, BadInput, NoSpace, WireError, ChannelClosed, OSError, and what a log raises.
        """
        if not (hello.tap and hello.session):
            raise WireError("a stream does not say whose it is")
        group = self._groups.group(hello.volume)
        self._must_be_its_disks(group, hello)
        logs = {volume: self._open_log(volume) for volume in group.volumes}
        for volume, progress in logs.items():
            if hello.generation < progress.state.generation:
                raise _overtaken(volume, hello.generation, progress.state.generation)
        log = group.open_stream()
        _own(log, hello)
        for progress in logs.values():
            _put_passes_off(progress, hello.generation)
        position, resumes = self._position(hello, log)
        if resumes:
            log.commit()
        numbers = tuple(group.number(volume) for volume, _size in hello.disks)
        nonce = self._random_bytes(16).hex()
        say_welcome(
            Welcome(
                nonce=nonce,
                numbers=numbers,
                known=_is_known(log, hello),
                resumes=resumes,
                upto=position.upto if resumes else 0,
                points=tuple(position.points) if resumes else (),
                here=bool(flags & FLAG_HERE),
                tables=bool(flags & FLAG_TABLES),
            )
        )
        link.covered = covered if flags & FLAG_TABLES else None
        sizes = {number: size for number, (_volume, size) in zip(numbers, hello.disks, strict=True)}
        with closing(Standing(group, hello.disks, logs, nonce)) as standing:
            _Taking(link, hello, group, position, sizes, standing).run()

    def _position(self, hello: Hello, log: Log) -> tuple[Position, bool]:
        with self._lock:
            kept = self._positions.get(hello.volume)
            sound = kept is not None and kept.log is log and kept.session == hello.session and kept.is_open
            if kept is not None and sound and log.state.streamed == hello.tap and not log.state.torn:
                return kept, True
            if kept is not None and kept.session != hello.session:
                self._over[hello.volume, kept.session] = None
                if len(self._over) > _OVER_MAX:
                    del self._over[next(iter(self._over))]
            fresh = self._positions[hello.volume] = Position(hello.session, log)
            return fresh, False

    def _must_be_its_disks(self, group: GroupJournal, hello: Hello) -> None:
        """Raise unless the stream is of all disks of the group, each no larger than here."""
        shown = visible(hello.volume, 200)
        told = [volume for volume, _size in hello.disks]
        if sorted(told) != sorted(group.volumes):
            other = sorted(set(told) ^ set(group.volumes)) or told
            raise BadInput(
                f"the tap and group {shown} do not have the same disks, see {visible(other[0], 200)}",
                "give the tap every disk that is registered for the group, and no other",
            )
        for volume, size in hello.disks:
            disk = group.open_read(volume)
            try:
                here = disk.size_bytes
            finally:
                disk.close()
            if size > here:
                raise SiteRefused(
                    f"volume {visible(volume, 200)} has {here} bytes here, the tap's has {size}",
                    "create the target disk at least as large as its source",
                )


class _Taking:
    """One conversation. While a tap announces more, a commit runs as the next frames come in."""

    def __init__(
        self,
        link: Link,
        hello: Hello,
        group: GroupJournal,
        position: Position,
        sizes: Mapping[int, int],
        standing: Standing,
    ) -> None:
        self._link = link
        self._hello = hello
        self._group = group
        self._position = position
        self._log = position.log
        self._sizes = sizes
        self._standing = standing
        self._pieces: list[Packed] = []
        self._pieces_bytes = 0
        self._untold: list[tuple[int, int]] = []
        self._commit: tuple[Future[int], Taken] | None = None

    def run(self) -> None:
        with ThreadPoolExecutor(1, "wherry-commit") as committer:
            while True:
                frame = self._link.receive(Kind.WRITES, Kind.MARK, Kind.COMMIT, Kind.BYE, Kind.ASK_DIGESTS)
                if frame.kind is Kind.WRITES:
                    self._write(frame)
                elif frame.kind is Kind.MARK:
                    self._turn(Turn.load(frame.body))
                elif frame.kind is Kind.ASK_DIGESTS:
                    self._standing.tell(self._link, frame)
                elif frame.kind is Kind.BYE:
                    self._log.commit()
                    return
                else:
                    self._answer()
                    self._group.heard()
                    told, self._untold = tuple(self._untold), []
                    taken = Taken(upto=self._position.upto, points=told)
                    self._commit = committer.submit(self._log.commit), taken
                    if not frame.flags & FLAG_PART:
                        self._answer()

    def _answer(self) -> None:
        """Wait for the commit that is under way, and say so."""
        if self._commit is not None:
            (done, taken), self._commit = self._commit, None
            done.result()
            self._link.send(Kind.ACK, taken.dump())

    def _write(self, frame: Frame) -> None:
        """Append a frame; pieces of one write together, so that no checkpoint parts them."""
        written = opened(frame, self._sizes)
        if not self._position.is_open or written.after != self._position.upto:
            raise WireError(f"writes behind {written.after} arrived, expected were those behind another")
        self._pieces.append(written.packed)
        self._pieces_bytes += written.packed.raw_bytes
        if written.upto > written.after:
            self._log.append_packed(self._pieces)
            self._position.upto = written.upto
            self._pieces, self._pieces_bytes = [], 0
        elif self._pieces_bytes > PIECES_MAX or len(self._pieces) > PIECES_MAX // MIB * 8:
            raise WireError(f"a write has more than {PIECES_MAX} bytes")

    def _turn(self, turn: Turn) -> None:
        if turn.what == "torn":
            self._tear(turn)
            return
        if self._pieces or not self._position.is_open or turn.upto != self._position.upto + 1:
            raise WireError("a checkpoint stands where the order of writes has no place for it")
        if turn.what == "judged":
            self._judge(turn)
            return
        if turn.what == "whole":
            self._log.mark(streamed_mark(self._hello.tap))
            self._log.mark(torn_mark(""))
        elif self._log.state.torn or self._log.state.streamed != self._hello.tap:
            raise WireError("a checkpoint stands where the order of writes is not whole")
        asked = Asked(turn.name, Consistency(turn.consistency), turn.pinned)
        point = self._group.instant(asked, turn.at_ms)
        self._position.upto = turn.upto
        made = turn.upto, point.record
        self._untold.append(made)
        self._position.points = [*self._position.points[1 - _POINTS :], made]
        if turn.pending and len(self._position.pending) < _POINTS:
            self._position.pending.add(point.record)

    def _judge(self, turn: Turn) -> None:
        """Say what a checkpoint is worth: one of this stream that waits for it, and no other one, ever.

        Who has the keys of a source must not take back what was kept of it before.
        """
        self._position.upto = turn.upto
        if turn.record not in self._position.pending:
            return
        self._position.pending.discard(turn.record)
        self._log.mark(
            label_mark(turn.record, Consistency(turn.worth)) if turn.worth else drop_mark([turn.record])
        )

    def _tear(self, turn: Turn) -> None:
        """From here on areas are copied again: durable before the first of them is written."""
        if not (turn.full or _is_known(self._log, self._hello)):
            raise WireError("a tap copies less than everything to a target that does not know it")
        self._standing.begin()
        self._log.mark(torn_mark(visible(turn.why, 300) or "its tap catches up"))
        if turn.full:
            self._log.mark(streamed_mark(self._hello.session))
        self._log.commit()
        self._pieces, self._pieces_bytes = [], 0
        self._position.upto, self._position.is_open = turn.upto, True


def _is_known(log: Log, hello: Hello) -> bool:
    """Tell whether what is newest is this tap's, all but what the tap knows itself.

    While a first copy is under way only the process that makes it knows what is left of it.
    """
    return log.state.streamed in {hello.tap, hello.session}


def _must_be_its_tap(state: State, hello: Hello) -> None:
    """Raise SiteRefused when a group has another tap."""
    if hello.generation < state.generation or (
        state.tap not in {"", hello.tap} and hello.generation == state.generation
    ):
        raise SiteRefused(
            f"group {visible(hello.volume, 200)} has another tap, of generation {state.generation}",
            "stop that one, and take over with a newer generation",
        )


def _own(log: Log, hello: Hello) -> None:
    """Be the tap of a group, durably; raises SiteRefused when it has another one."""
    state = log.state
    _must_be_its_tap(state, hello)
    if (state.tap, state.generation) != (hello.tap, hello.generation):
        log.mark(tap_mark(hello.tap, hello.generation))
        log.commit()


def _put_passes_off(progress: ProgressLog, generation: int) -> None:
    """Have the next pass of a disk compare: what is written here stands on none."""
    state = progress.state
    if not state.unknown or state.current is not None or state.done is not None:
        progress.poison(())
    if state.generation != generation:
        progress.fence(generation)


def _overtaken(volume: str, generation: int, newer: int) -> SiteRefused:
    return SiteRefused(
        f"volume {visible(volume)} was taken over by generation {newer}, "
        f"generation {generation} may not write it any more",
        "stop the older run",
    )
