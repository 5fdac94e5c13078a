"""The stream of a group's writes from a tap to its target, by itself and for ever.

    streaming ── line cut, target full, buffer full ──▶ mapped ── connected ──▶ catching up ──▶ streaming

A line that was cut for a moment costs nothing: what is not acknowledged is kept and sent again. Whatever
happens, guests do not wait for it. Why it does not stream is kept for people.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from migrate.replication.channel import Channel
from migrate.replication.link import Link
from migrate.replication.messages import Hello, Taken, Turn
from migrate.replication.sender import greet
from migrate.replication.wire import FLAG_HERE, FLAG_PART, HELLO_MAX, Kind, WireError
from migrate.replication.written import covered, frames_of
from migrate.tap.asking import Asking
from migrate.tap.chunks import Batch, Judged, Point
from migrate.tap.copying import PIECE, Copying
from migrate.tap.packing import Packer
from migrate.tap.recorder import Mapped, Mode, Recorder
from migrate.tap.rpo import Ages
from migrate.tap.streamed import Streamed, StreamStatus
from migrate.tap.verifying import Verifying
from planner.errors import BadInput, Blocked, WherryError
from planner.names import visible
from planner.units import MIB, show_duration

_log = logging.getLogger(__name__)
LINGER_S: Final = 0.05  # for so long writes come together before they leave
IDLE_S: Final = 60.0  # a checkpoint is made at least so often, though nothing was written
BEAT_S: Final = 5.0  # the line is tried at least so often
TARGET_S: Final = 5.0
_BATCH: Final = 4 * MIB
_COMMIT: Final = 8 * MIB
_COMMIT_S: Final = 1.0  # what was copied is not copied again when it is acknowledged
_PACKERS: Final = 2
_AHEAD: Final = 4  # commits under way
_BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Streaming:
    """Streams what a recorder holds, in a thread of its own; ``start`` it, and ``stop`` it.

    ``connect`` returns a channel to the target or raises. ``now_ms`` is the time of day.
    """

    def __init__(
        self,
        streamed: Streamed,
        recorder: Recorder,
        copying: Copying,
        connect: Callable[[], Channel],
        *,
        target_s: float = TARGET_S,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock: Callable[[], float] = time.monotonic,
        backoff_s: tuple[float, ...] = _BACKOFF_S,
        random_bytes: Callable[[int], bytes] = os.urandom,
        packer: Packer | None = None,
    ) -> None:
        """Without a ``packer`` writes are packed by threads of this process, also while guests write."""
        self._packer = packer
        self._streamed = streamed
        self._recorder = recorder
        self._copying = copying
        self._connect = connect
        self._target_s = target_s
        self._now_ms = now_ms
        self._clock = clock
        self._backoff_s = backoff_s
        self._random_bytes = random_bytes
        self._session = random_bytes(16).hex()
        if len(self._hello().dump()) > HELLO_MAX:
            raise BadInput(
                f"group {visible(streamed.group, 200)} has too many disks for one stream",
                "make two groups of it",
            )
        self._numbers: Sequence[int] = range(len(streamed.disks))
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._channel: Channel | None = None
        self._thread = threading.Thread(target=self._run, name="wherry-stream", daemon=True)
        self._packing = ThreadPoolExecutor(_PACKERS, "wherry-pack")
        self._packed: deque[tuple[Batch, Iterator[tuple[int, bytes]]]] = deque()
        self._ages = Ages()
        self._why = "nobody answered yet"
        self._cause = ""  # of the last catch-up
        self._failures = 0
        self._catches_up = False
        self._is_up, self._was_whole = False, recorder.was_whole
        sizes = [size for _volume, size in streamed.disks]
        self.verifying = Verifying(copying, recorder, sizes, self._bring)
        self._asking: Asking | None = None
        self._may_ask = True  # the target was not of a release that does not know the question
        self._commits = self._unsaid = 0  # commits not answered, bytes not committed
        self._spoke_at = self._pointed_at = self._committed_at = 0.0
        self._pointed = -1
        self._sent_bytes = self._checkpoints = self._connections = 0

    def start(self) -> None:
        """Begin to stream."""
        self._thread.start()

    def stop(self) -> None:
        """End it; what is not acknowledged stays hot."""
        self._stopping.set()
        self._recorder.wake()
        with self._lock:
            channel = self._channel
        if channel is not None:
            channel.close()
        self._thread.join()

    def checkpoint(self, point: Point) -> Point:
        """Put a checkpoint of everything written so far into the order; raises Blocked.

        Its ``made`` is the number it has at the target, when it is durable there.
        """
        self._recorder.mark(point)
        return point

    def settle(self, patience_s: float) -> bool:
        """Wait until the target has everything; False when that did not come."""
        deadline = self._clock() + patience_s
        while self._recorder.mode is not Mode.STREAMING or self._recorder.held_bytes:
            if self._clock() > deadline or self._stopping.wait(0.01):
                return False
        return True

    def status(self) -> StreamStatus:
        """Return how it stands."""
        recorder = self._recorder
        age = recorder.age_s()
        return StreamStatus(
            recorder.mode,
            self._is_up,
            self._reason(age),
            age,
            self._ages.quantile(0.5),
            self._ages.quantile(0.99),
            self._target_s,
            recorder.held_bytes,
            recorder.limit_bytes,
            self._copying.left_bytes if self._catches_up else 0,
            self._sent_bytes,
            self._checkpoints,
            self._connections,
            recorder.overflows,
        )

    def _reason(self, age_s: float | None) -> str:
        if not self._is_up:
            return self._why
        if self._recorder.mode is not Mode.STREAMING:
            return self._cause or self._recorder.why
        if age_s is None or age_s <= self._target_s:
            return ""
        if self._recorder.held_bytes > self._recorder.limit_bytes // 4:
            return "more is written than the line and the target take"
        return f"the target has said nothing for {show_duration(self._clock() - self._spoke_at)}"

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                channel = self._connect()
                with self._lock:
                    self._channel = channel
                try:
                    if not self._stopping.is_set():
                        self._converse(channel)
                finally:
                    channel.close()
            except WherryError as error:
                if self._asking is not None and self._asking.is_refused:
                    self._may_ask = False  # what it may hold is copied without asking
                self._failed(error.message)
            except OSError as error:
                self._failed(f"a disk cannot be read: {error.strerror or error}")
            except Exception as error:  # noqa: BLE001
                # A defect must not leave a group unprotected in silence.
                _log.exception("the stream of a tap failed")
                self._failed(f"it failed here: {error}")
        self._recorder.let_go("the tap ends")
        self.verifying.end("the tap ends")
        self._packing.shutdown()

    def _failed(self, why: str) -> None:
        """Remember why, and wait before the next try."""
        self._is_up = False
        self._why = visible(why, 300)
        self.verifying.forget()
        wait_s = self._backoff_s[min(self._failures, len(self._backoff_s) - 1)]
        self._failures += 1
        deadline = self._clock() + wait_s
        while (left := deadline - self._clock()) > 0 and not self._stopping.wait(min(left, 0.5)):
            self._measure()

    def _converse(self, channel: Channel) -> None:
        link, welcome = greet(channel, self._hello(), here=True, tables=True)
        link.covered = covered if welcome.tables else None
        if len(welcome.numbers) != len(self._streamed.disks):
            raise WireError("the target does not number the disks of the stream")
        self._numbers = welcome.numbers
        self._commits = self._unsaid = 0
        self._forget_packed()
        sizes = [size for _volume, size in self._streamed.disks]
        self._asking = Asking(link, sizes, welcome.nonce, lambda: self._hear(link))
        self._copying.ask(None)
        self.verifying.begin(link, channel, is_answered=welcome.here)
        self._spoke_at = self._clock()
        for number, record in welcome.points:
            self._recorder.made(number, record)
        if not (welcome.resumes and self._recorder.resume(welcome.upto)):
            is_mapped = self._recorder.mode is Mode.MAPPED
            self._tear(link, self._recorder.why if is_mapped else self._why, full=not welcome.known)
        self._is_up, self._connections = True, self._connections + 1
        while not self._stopping.is_set():
            try:
                self._carry(link)
            except Mapped:
                self._tear(link, self._recorder.why, full=False)
        link.send(Kind.BYE)

    def _hello(self) -> Hello:
        streamed = self._streamed
        return Hello(
            purpose="stream",
            volume=streamed.group,
            size_bytes=sum(size for _volume, size in streamed.disks),
            nonce=self._random_bytes(16).hex(),
            generation=streamed.generation,
            tap=streamed.tap,
            session=self._session,
            disks=streamed.disks,
        )

    def _tear(self, link: Link, why: str, *, full: bool) -> None:
        """Begin to catch up."""
        self._forget_packed()
        number = self._copying.begin(full=full)
        self._was_whole = self._was_whole and not full
        # What was lost since all was whole is known to differ, what a map or nobody knows may not.
        self._copying.ask(self._asking if self._may_ask and not self._was_whole else None)
        self._catches_up, self._cause = True, why
        link.send(Kind.MARK, Turn(what="torn", upto=number, why=why[:1000], full=full).dump())

    def _forget_packed(self) -> None:
        """Send nothing of what is being packed, and see that nobody reads it any more."""
        if self._catches_up:  # threads may
            for _batch, frames in self._packed:
                deque(frames, maxlen=0)
        self._packed.clear()

    def _carry(self, link: Link) -> None:
        """Send what there is, once around; raises Mapped."""
        self._measure()
        self._copy()
        self._point()
        if not (self._catches_up or self._packed):
            self.verifying.ask(lambda: self._hear(link))
        batch = self._recorder.batch(_BATCH, 0.0 if self._catches_up else LINGER_S)
        self._packed.append((batch, self._frames(batch)))
        while len(self._packed) > self._catches_up:  # then one is packed as the one before is sent
            self._send(link, *self._packed.popleft())
        stuck = self._catches_up and not self._recorder.has_room(PIECE)
        much = self._unsaid >= _COMMIT or self._clock() - self._committed_at >= _COMMIT_S
        if self._unsaid and (much or not self._catches_up or stuck):
            self._commit(link, more=self._catches_up and not stuck)
        elif not self._commits and self._clock() - self._spoke_at >= BEAT_S:
            self._commit(link)
        idle = batch.upto == batch.after and (stuck or not self._catches_up)
        while self._commits and (self._commits >= _AHEAD or idle):
            self._hear(link)

    def _bring(self, link: Link, upto: int) -> None:
        """Send what comes up to a number that a batch ends with; raises Mapped."""
        while self._recorder.sent < upto:
            batch = self._recorder.batch(_BATCH, 0.0)
            self._send(link, batch, self._frames(batch))

    def _send(self, link: Link, batch: Batch, frames: Iterator[tuple[int, bytes]]) -> None:
        for reached, body in frames:
            link.send(Kind.WRITES, body, offset=reached)
            self._unsaid += len(body)
            self._sent_bytes += len(body)
        if batch.point is not None:
            link.send(Kind.MARK, _turn(batch.point, batch.upto).dump())
            self._unsaid += 1

    def _frames(self, batch: Batch) -> Iterator[tuple[int, bytes]]:
        """Return the frames of a batch. To catch up takes all processors, to stream none of the guests'."""
        level = self._streamed.level
        if self._packer is not None and not self._catches_up:
            behind = self._recorder.held_bytes > self._recorder.limit_bytes // 4
            return self._packer.frames(batch, self._numbers, level, is_behind=behind)
        return frames_of(batch.writes, batch.after, self._numbers, level, self._packing)

    def _copy(self) -> None:
        """Copy some of what is hot, as far as the guests leave room; then the order is whole."""
        copied = 0
        while self._catches_up and copied < _BATCH and self._recorder.has_room(PIECE):
            if not self._copying.step():
                self._pointed = self._copying.finish(Point(self._now_ms(), whole=True))
                self._pointed_at = self._clock()
                self._catches_up, self._was_whole, self._may_ask = False, True, True
            copied += PIECE

    def _point(self) -> None:
        """Put a checkpoint into the order when it is time."""
        if self._catches_up or self._recorder.mode is not Mode.STREAMING:
            return
        since = self._clock() - self._pointed_at
        due = self._recorder.last != self._pointed and since >= self._streamed.every_s
        if due or since >= max(IDLE_S, self._streamed.every_s):
            with contextlib.suppress(Blocked):  # the buffer was full a moment ago
                self._pointed = self._recorder.mark(Point(self._now_ms()))
                self._pointed_at = self._clock()

    def _commit(self, link: Link, *, more: bool = False) -> None:
        link.send_parts(link.pack(Kind.COMMIT, flags=FLAG_PART if more else 0))
        self._commits, self._unsaid, self._committed_at = self._commits + 1, 0, self._clock()

    def _hear(self, link: Link) -> None:
        """Take in an acknowledgement, or digests."""
        frame = link.receive(Kind.ACK, Kind.DIGESTS)
        if frame.kind is Kind.DIGESTS:
            assert self._asking is not None, "it is there before anybody is heard"
            (self.verifying.heard if frame.flags & FLAG_HERE else self._asking.heard)(frame)
            return
        taken = Taken.load(frame.body)
        self._measure()
        self._commits -= 1
        self._spoke_at = self._clock()
        self._failures = 0
        for number, record in taken.points:
            self._recorder.made(number, record)
            self._checkpoints += 1
        self._recorder.done(taken.upto)

    def _measure(self) -> None:
        age = self._recorder.age_s()
        if age is not None:
            self._ages.saw(self._clock(), age)


def _turn(point: Point | Judged, upto: int) -> Turn:
    if isinstance(point, Judged):
        worth = point.consistency
        return Turn(what="judged", upto=upto, record=point.record, worth="" if worth is None else worth.value)
    return Turn(
        what="whole" if point.whole else "point",
        upto=upto,
        at_ms=point.at_ms,
        consistency=point.consistency.value,
        name=point.name,
        pinned=point.pinned,
        pending=point.pending,
    )
