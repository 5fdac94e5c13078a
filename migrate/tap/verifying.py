"""The target's disks compared with a tap's while guests write: each piece at a place of its own in the order.

    watch ── read ── nobody wrote there: that is place N ── everything up to N ── ask what is there ── digests

At place N both sides are what the writes up to N make them, so they are equal or something is wrong, whatever
guests write before and after. There is no snapshot, and no guest waits but for a piece that is written to all
the time: that one is read between two writes. A piece that was not answered is asked for again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from blake3 import blake3

from migrate.disks.extent import Extent
from migrate.keys.names import Holder, holder_of
from migrate.replication.channel import Channel
from migrate.replication.comparing import Likeness, Runs
from migrate.replication.coverage import full
from migrate.replication.link import Link
from migrate.replication.standing import PIECE_MAX, starts
from migrate.replication.tls import TlsChannel
from migrate.replication.trees import DIGEST_BYTES, NODE, Root, node_digest
from migrate.replication.wire import FLAG_HERE, FLAG_PART, Frame, Kind, WireError
from migrate.replication.zeros import GRAIN
from migrate.tap.recorder import Recorder
from planner.errors import Blocked, Paused, StepFailed, WherryError

PIECE: Final = PIECE_MAX
_A_ROUND: Final = 16  # pieces: more would keep writes from the line
_AHEAD: Final = 16  # questions
_TRIES: Final = 3


class Reads(Protocol):
    """What reads a run of a disk beside the guests; see ``migrate.tap.copying.Copying``."""

    def settled(self, disk: int, offset: int, view: memoryview, *, in_front: bool) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look at a disk: each piece of it was compared at a moment between the two.

    ``peer`` and ``serial`` are who answered last, None where it showed no certificate.
    """

    found: Likeness
    begun_ms: int
    ended_ms: int
    peer: Holder | None
    serial: str

    def dump(self) -> dict[str, Any]:
        """Return it as plain data."""
        found, peer = self.found, self.peer
        return {
            "size_bytes": found.coverage.size_bytes,
            "source_digest": found.here,
            "target_digest": found.there,
            "differing": [[run.offset, run.length] for run in found.differing],
            "exact": found.exact,
            "tail_zero": found.tail_zero,
            "begun_ms": self.begun_ms,
            "ended_ms": self.ended_ms,
            "peer": list(peer.uris()) if peer is not None else None,
            "serial": self.serial,
        }

    @staticmethod
    def load(plain: Mapping[str, Any]) -> Looked:
        """Return what ``dump`` made plain."""
        differing = tuple(Extent(offset, length) for offset, length in plain["differing"])
        found = Likeness(
            full(plain["size_bytes"]),
            plain["source_digest"],
            plain["target_digest"],
            differing,
            plain["exact"],
            plain["tail_zero"],
        )
        peer = holder_of(plain["peer"]) if plain["peer"] is not None else None
        return Looked(found, plain["begun_ms"], plain["ended_ms"], peer, plain["serial"])


@dataclass(slots=True, eq=False)
class Look:
    """A disk that somebody wants to have looked at. ``done`` gets what came of it, or why nothing did."""

    disk: int
    size_bytes: int
    begun_ms: int
    done: Future[Looked] = field(default_factory=Future)
    told_bytes: int = 0  # answered up to there
    asked_bytes: int = 0
    is_unwanted: bool = False


class _Tree:
    """What is known of both sides so far, in ascending pieces."""

    def __init__(self, size_bytes: int) -> None:
        self._coverage = full(size_bytes)
        self._sides = [(Root(self._coverage.area), bytearray()) for _ in range(2)]
        self._runs = Runs()
        self.tail_zero = True

    def add(self, offset: int, end: int, ours: bytes, theirs: bytes) -> None:
        for (root, grains), digests in zip(self._sides, (ours, theirs), strict=True):
            grains += digests
            if end % NODE == 0 or end == self._coverage.size_bytes:
                root.add(node_digest(grains))
                grains.clear()
        for number, at in enumerate(range(offset, end, GRAIN)):
            one = slice(number * DIGEST_BYTES, (number + 1) * DIGEST_BYTES)
            if ours[one] != theirs[one]:
                self._runs.add(at, min(GRAIN, end - at))

    def found(self) -> Likeness:
        here, there = (root.hexdigest() for root, _grains in self._sides)
        runs = self._runs
        return Likeness(self._coverage, here, there, tuple(runs.extents), runs.exact, self.tail_zero)


class Verifying:
    """Looks at disks of these sizes, one after the other. All but ``look`` is for the thread that streams.

    ``bring`` sends what comes up to a place in the order.
    """

    def __init__(
        self,
        reads: Reads,
        recorder: Recorder,
        sizes: Sequence[int],
        bring: Callable[[Link, int], None],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._reads = reads
        self._recorder = recorder
        self._sizes = sizes
        self._bring = bring
        self._now_ms = now_ms
        self._starts = starts(sizes)
        self._lock = threading.Lock()
        self._wanted: deque[Look] = deque()
        self._look: Look | None = None
        self._tree = _Tree(0)
        self._asked: deque[tuple[Look, int, int, bytes]] = deque()
        self._view = memoryview(bytearray(PIECE))
        self._link: Link | None = None
        self._channel: Channel | None = None
        self._is_answered = True
        self._ended = ""

    def look(self, disk: int) -> Look:
        """Have a disk looked at; raises Blocked where the target cannot answer."""
        with self._lock:
            if self._ended:
                raise Blocked(f"nothing is compared any more: {self._ended}", "start the tap again")
            if not self._is_answered:
                raise Blocked(_OLDER, _HINT)
            look = Look(disk, self._sizes[disk], self._now_ms())
            self._wanted.append(look)
            return look

    def begin(self, link: Link, channel: Channel, *, is_answered: bool) -> None:
        """Go on over a new connection, to a target that answers or does not."""
        self.forget()
        self._link, self._channel, self._is_answered = link, channel, is_answered
        if not is_answered:
            self._fail(Blocked(_OLDER, _HINT))

    def forget(self) -> None:
        """The connection is gone: ask again what was not answered."""
        self._asked.clear()
        self._link = None
        if self._look is not None:
            self._look.asked_bytes = self._look.told_bytes

    def end(self, why: str) -> None:
        """Look at nothing any more."""
        with self._lock:
            self._ended = why
        self._fail(Paused(f"not all was compared: {why}", "ask again"))

    def ask(self, hear: Callable[[], object]) -> None:
        """Ask about some pieces, and ``hear`` answers; raises Mapped."""
        if self._link is None or not self._is_answered:
            return
        for _ in range(_A_ROUND):
            look = self._next()
            if look is None:
                return
            if look.asked_bytes == look.size_bytes:
                while self._look is look:
                    hear()
                continue
            while len(self._asked) >= _AHEAD:
                hear()
            if not self._ask(self._link, look):
                return  # guests are faster just now

    def heard(self, frame: Frame) -> None:
        """Take in an answer; raises WireError for one to another question."""
        if not self._asked:
            raise WireError("the target tells digests that nobody asked for")
        look, offset, length, ours = self._asked.popleft()
        if frame.offset != self._starts[look.disk] + offset or len(frame.body) != len(ours):
            raise WireError("the target answers for digests that were not asked for")
        if look is not self._look:
            return
        end = offset + length
        self._tree.add(offset, end, ours, bytes(frame.body))
        look.told_bytes = end
        if end == look.size_bytes:
            self._tree.tail_zero = not frame.flags & FLAG_PART
            self._tell(look)

    def _next(self) -> Look | None:
        """Return what is looked at now; nothing when nobody wants anything."""
        if self._look is not None and self._look.is_unwanted:
            self._look = None  # answers still come, and are of nobody's
        while self._look is None:
            with self._lock:
                if not self._wanted:
                    return None
                look = self._wanted.popleft()
            if look.is_unwanted:
                continue
            self._look, self._tree = look, _Tree(look.size_bytes)
            if not look.size_bytes:
                self._tell(look)
        return self._look

    def _ask(self, link: Link, look: Look) -> bool:
        """Ask about the next piece; False when guests wrote to it all the time."""
        offset = look.asked_bytes
        length = min(PIECE, look.size_bytes - offset)
        view = self._view[:length]
        try:
            places = (
                self._reads.settled(look.disk, offset, view, in_front=number == _TRIES)
                for number in range(_TRIES + 1)
            )
            place = next((place for place in places if place is not None), None)
        except OSError as error:
            self._look = None
            why = f"a disk of the tap cannot be read: {error.strerror or error}"
            look.done.set_exception(StepFailed(why, "look at its storage"))
            return True
        if place is None:
            return False
        ours = b"".join(blake3(view[at : at + GRAIN]).digest() for at in range(0, length, GRAIN))
        self._bring(link, place)
        start = self._starts[look.disk] + offset
        link.send(Kind.ASK_DIGESTS, offset=start, length=length, flags=FLAG_HERE)
        self._asked.append((look, offset, length, ours))
        look.asked_bytes = offset + length
        return True

    def _tell(self, look: Look) -> None:
        self._look = None
        peer, serial = self._channel.peer() if isinstance(self._channel, TlsChannel) else (None, "")
        look.done.set_result(Looked(self._tree.found(), look.begun_ms, self._now_ms(), peer, serial))

    def _fail(self, error: WherryError) -> None:
        with self._lock:
            looks = [*([self._look] if self._look is not None else []), *self._wanted]
            self._wanted.clear()
        self._look = None
        for look in looks:
            look.done.set_exception(error)


_OLDER: Final = "the receiver is of an older release and compares nothing while its group streams"
_HINT: Final = "end the tap, and compare the disk at rest"
