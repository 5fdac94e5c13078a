"""The intake of one pass: frames in, writes to the sink, acknowledgements out.

While one stretch is being flushed the next is being written; its acknowledgement leaves when the flush
and the progress record are durable. At most one flush is under way, and a failed one ends everything.
"""

from __future__ import annotations

from bisect import bisect_right
from concurrent.futures import Executor, Future

from migrate.disks.ports import WritableDisk
from migrate.replication import wire
from migrate.replication.blocks import UNKNOWN_DIGEST, block_digest, zero_digest
from migrate.replication.channel import ChannelClosed
from migrate.replication.dedupe.answering import Answering
from migrate.replication.extents import ExtentSet, aligned, merge, subtract
from migrate.replication.link import Link
from migrate.replication.messages import Ack, Welcome
from migrate.replication.passes import Mode
from migrate.replication.progress import WHOLE, ProgressLog
from migrate.replication.sink import Sink
from migrate.replication.wire import Frame, Kind, WireError
from migrate.replication.zeros import GRAIN
from migrate.sites.ports import Extent
from planner.units import MIB

_ASK_MAX = 16 * MIB


class Intake:
    """One pass being received. ``run`` returns when the sender's COMMIT was answered.

    ``flusher`` runs one flush at a time beside the writes, and is ours to shut down; None flushes between.
    """

    def __init__(
        self,
        link: Link,
        disk: WritableDisk,
        sink: Sink,
        log: ProgressLog,
        welcome: Welcome,
        size_bytes: int,
        *,
        flusher: Executor | None,
        offers: Answering | None = None,
    ) -> None:
        self._link = link
        self._disk = disk
        self._sink = sink
        self._log = log
        self._welcome = welcome
        self._mode = Mode(welcome.mode)
        self._size = size_bytes
        self._offers = offers
        self._key = wire.derive_key("compare", welcome.nonce.encode())
        self._covered = ExtentSet(Extent(*pair) for pair in welcome.held)
        self._stretch = ExtentSet()  # settled since the last flush began
        self._writing: tuple[Extent, ...] = ()  # stays when the write fails, which may have done a part
        self._flushing: tuple[Extent, ...] = ()
        self._flush: Future[None] | None = None
        self._flusher = flusher
        self._weight = 0
        self._acks = 0
        self._data_bytes = 0
        self._buffer = memoryview(bytearray(MIB))
        self._allocated: list[Extent] | None = None
        self._ends: list[int] = []
        self._earlier_lost = False  # writes of an earlier conversation, which nobody remembers
        self.flush_failed = False

    def suspects(self) -> tuple[Extent, ...]:
        """Return what was written since the last flush that succeeded."""
        if self._earlier_lost:
            return tuple(subtract(WHOLE, tuple(Extent(*pair) for pair in self._welcome.held)))
        settled = () if self._offers is None else self._offers.settled()
        return merge((*self._writing, *self._flushing, *self._stretch.extents(), *settled))

    def run(self) -> None:
        """Take frames until COMMIT; raises WireError, ChannelClosed, OSError, NoSpace, FlushFailed."""
        allowed = [Kind.DATA, Kind.ZERO, Kind.KEEP, Kind.ASK_DIGESTS, Kind.COMMIT]
        if self._offers is not None:
            allowed += [Kind.OFFER, Kind.HELD]
        try:
            self._flush_earlier()
            self._clear_tail()
            while not self._take(self._link.receive(*allowed)):
                pass
        except ChannelClosed:
            self._save()
            raise
        finally:
            if self._flusher is not None:
                self._flusher.shutdown(wait=True)

    def _flush_earlier(self) -> None:
        """Flush what a conversation before this one wrote and left, so that a failure is blamed rightly."""
        try:
            self._sink.commit()
        except BaseException:
            self.flush_failed = self._earlier_lost = True
            raise

    def _save(self) -> None:
        """Keep what came before the connection broke, so that a flapping link makes progress."""
        if self._log.state.current is None:
            return  # it broke under the last word: the pass is complete, and recorded so
        if self._flush is not None:
            self._flush.result()
        self._begin_flush()
        self._make_durable()

    def _clear_tail(self) -> None:
        """A disk larger than its source must be zeros behind it; a seed makes it so."""
        tail = self._disk.size_bytes - self._size
        if tail and self._mode is not Mode.DELTA and not self._welcome.fresh:
            self._sink.zero(self._size, tail)

    def _take(self, frame: Frame) -> bool:
        if frame.kind is Kind.COMMIT:
            self._finish(partly=bool(frame.flags & wire.FLAG_PART))
            return True
        if frame.offset + frame.length > self._size:
            raise WireError(f"a frame lies outside the {self._size} bytes of the volume")
        if frame.kind is Kind.ASK_DIGESTS:
            self._answer(frame.offset, frame.length)
            return False
        if frame.kind is Kind.OFFER and self._offers is not None:
            wanted = self._offers.settle(frame.offset, bytes(frame.body), self._sink)
            self._link.send(Kind.WANT, wanted, offset=frame.offset)
            return False
        self._writing = (Extent(frame.offset, frame.length),)
        if frame.kind is Kind.DATA:
            self._sink.write(frame.offset, frame.body)
            self._data_bytes += frame.length
            if self._offers is not None:
                self._offers.learn(frame.offset, frame.grains)
        elif frame.kind is Kind.ZERO:
            self._sink.zero(frame.offset, frame.length)
        elif frame.kind is Kind.HELD and self._offers is not None:
            self._offers.take(frame.offset, frame.length)
        elif self._mode is Mode.SEED and not self._welcome.fresh:
            raise WireError("a seed cannot keep what the target holds")
        self._covered.add(frame.offset, frame.length)
        self._stretch.add(frame.offset, frame.length)
        self._writing = ()
        self._weight += wire.weight(frame.kind, frame.length)
        if self._weight >= self._welcome.ack_bytes:
            self._weight = 0
            self._end_stretch()
        return False

    def _end_stretch(self) -> None:
        if self._flusher is None:
            self._begin_flush()
            self._make_durable()
            self._acknowledge()
            return
        self._await_flush()
        self._begin_flush()
        self._flush = self._flusher.submit(self._make_durable)

    def _begin_flush(self) -> None:
        self._flushing = self._stretch.extents()
        self._stretch = ExtentSet()

    def _await_flush(self) -> None:
        if self._flush is not None:
            self._flush.result()
            self._flush = None
            self._acknowledge()

    def _make_durable(self) -> None:
        """Flush, then record. Runs in the flusher; only one at a time."""
        try:
            self._sink.commit()
        except BaseException:
            self.flush_failed = True
            raise
        self._log.hold(self._flushing)
        self._flushing = ()

    def _acknowledge(self, complete: bool = False) -> None:
        self._acks += 1
        self._link.send(Kind.ACK, Ack(number=self._acks, complete=complete).dump())

    def _finish(self, *, partly: bool) -> None:
        if not partly and not self._covered.covers(self._size):
            raise WireError("a pass ends although parts of the volume were left out")
        self._await_flush()
        self._begin_flush()
        self._make_durable()
        if not partly:
            self._log.finish(self._data_bytes, self._link.received_bytes)
        self._acknowledge(complete=not partly)

    def _answer(self, offset: int, length: int) -> None:
        """Say what we hold in a run, grain by grain; suspect grains get a digest nothing equals."""
        if self._mode is not Mode.COMPARE or offset % GRAIN or not 0 < length <= _ASK_MAX:
            raise WireError("a peer asked for digests it may not ask for")
        if self._allocated is None:
            self._allocated = list(aligned(self._disk.allocated(), MIB, self._disk.size_bytes))
            self._ends = [run.end for run in self._allocated]
        suspects = self._log.state.suspects
        digests = bytearray()
        for start in range(offset, offset + length, MIB):
            end = min(start + MIB, offset + length)
            at = bisect_right(self._ends, start)
            data = at < len(self._allocated) and self._allocated[at].offset < end
            if data:
                self._disk.read_into(self._buffer[: end - start], start)
            for at in range(start, end, GRAIN):
                stop = min(at + GRAIN, end)
                if any(run.offset < stop and run.end > at for run in suspects):
                    digests += UNKNOWN_DIGEST
                elif data:
                    digests += block_digest(self._buffer[at - start : stop - start], self._key)
                else:
                    digests += zero_digest(stop - at, self._key)
        self._link.send(Kind.DIGESTS, bytes(digests), offset=offset)
