"""The intake of one pass: what is covered, what is flushed, what is recorded, for all its connections.

    write (any connection) ── flush (one at a time) ── progress record (who flushed) ── acknowledge

Flushes are numbered. Whoever wants to acknowledge asks for the next one that *begins*: one under way may
have left out what was written meanwhile. A flush is of the disk, so a failed one ends everything.
"""

from __future__ import annotations

from concurrent.futures import Executor

from migrate.disks.extent import Extent
from migrate.disks.ports import Cached, WritableDisk
from migrate.replication import wire
from migrate.replication.dedupe.answering import Answering
from migrate.replication.extents import ExtentSet, merge, subtract
from migrate.replication.messages import Welcome
from migrate.replication.passes import Mode
from migrate.replication.progress import WHOLE, ProgressLog
from migrate.replication.sink import Sink
from migrate.replication.turns import MakeTurns
from migrate.replication.wire import Frame, Kind, WireError


class Intake:
    """One pass being received. Thread-safe, but for the beginning and the end, which are the first one's.

    ``flusher`` is a thread of its own for flushes, ours to end; without one whoever waits for a flush
    does it.
    """

    def __init__(
        self,
        disk: WritableDisk,
        sink: Sink,
        log: ProgressLog,
        welcome: Welcome,
        size_bytes: int,
        *,
        flusher: Executor | None,
        turns: MakeTurns,
        offers: Answering | None = None,
    ) -> None:
        self._disk = disk
        self._sink = sink
        self._log = log
        self._welcome = welcome
        self._mode = Mode(welcome.mode)
        self.size_bytes = size_bytes
        self.offers = offers
        self._turns = turns()
        self._pen = turns()  # held by who writes: a disk is written by one thread at a time
        self._covered = ExtentSet(Extent(*pair) for pair in welcome.held)
        self._stretch = ExtentSet()  # settled since the last flush began
        self._flushing: tuple[Extent, ...] = ()
        self._writing: dict[object, Extent] = {}  # by connection; a write that failed stays
        self._begun = self._done = 0  # numbers of flushes
        self._busy = False
        self._failure: BaseException | None = None
        self._flusher = flusher
        self._weight = 0  # of all connections, since a flush was asked for
        self._data_bytes = 0
        self._earlier_lost = False  # writes of an earlier conversation, which nobody remembers
        self.flush_failed = False
        self.stamp = ""  # of the disk as the pass left it, once that is complete

    def begin(self) -> None:
        """Flush what a conversation before this one wrote and left, and clear what is behind the source."""
        try:
            self._sink.commit()
        except BaseException:  # so that a failure is blamed rightly
            self.flush_failed = self._earlier_lost = True
            raise
        tail = self._disk.size_bytes - self.size_bytes
        if tail and self._mode is not Mode.DELTA and not self._welcome.fresh:
            self._sink.zero(self.size_bytes, tail)  # a disk larger than its source must be zeros there

    def suspects(self) -> tuple[Extent, ...]:
        """Return what was written since the last flush that succeeded; nobody writes any more."""
        if self._earlier_lost:
            return tuple(subtract(WHOLE, tuple(Extent(*pair) for pair in self._welcome.held)))
        settled = () if self.offers is None else self.offers.settled()
        return merge((*self._flushing, *self._stretch.extents(), *self._writing.values(), *settled))

    def take(self, frame: Frame, by: object) -> None:
        """Do what a frame says of its run, once for all connections; raises WireError, OSError."""
        run = Extent(frame.offset, frame.length)
        if frame.kind is Kind.KEEP and self._mode is Mode.SEED and not self._welcome.fresh:
            raise WireError("a seed cannot keep what the target holds")
        if frame.kind is Kind.HELD and self.offers is not None:
            self.offers.take(run.offset, run.length)
        elif frame.kind is not Kind.KEEP:
            self._write(frame, run, by)
        if frame.kind is Kind.DATA and self.offers is not None:
            self.offers.learn(run.offset, frame.grains)
        with self._turns:
            self._writing.pop(by, None)
            self._data_bytes += frame.length if frame.kind is Kind.DATA else 0
            self._covered.add(run.offset, run.length)
            self._stretch.add(run.offset, run.length)
            self._weight += wire.weight(frame.kind, run.length)

    def answer(self, offer: Frame) -> bytes:
        """Write what is held of an offered run, or only look, and return which grains of it are wanted."""
        assert self.offers is not None, "offers are agreed"
        probed = offer.flags & wire.FLAG_PROBE
        with self._pen:
            return self.offers.settle(offer.offset, bytes(offer.body), None if probed else self._sink)

    def _write(self, frame: Frame, run: Extent, by: object) -> None:
        with self._pen:
            with self._turns:  # before it is written: a flush that fails meanwhile endangers it
                self._writing[by] = run
            if frame.kind is Kind.DATA:
                self._sink.write(run.offset, frame.body)
            else:
                self._sink.zero(run.offset, run.length)

    def relieve(self) -> None:
        """Have a flush when all connections together wrote as much as one may before it has one."""
        if self._weight >= self._welcome.ack_bytes:
            number = self.ask()
            if self._flusher is None:
                self.wait(number)

    def ask(self) -> int:
        """Ask for a flush of what was taken so far; returns the number to wait for."""
        with self._turns:
            number = self._next()
            self._weight = 0
        if self._flusher is not None:
            self._flusher.submit(self._flush_to, number)
        return number

    def wait(self, number: int) -> None:
        """Return when that flush and its record are durable; raises what went wrong with it, or before."""
        if self._flusher is None:
            self._flush_to(number)
            return
        with self._turns:
            self._turns.wait_for(lambda: self._done >= number or self._failure is not None)
            self._check()

    def has_ended(self, number: int) -> bool:
        """True when nobody has to wait for that flush any more, however it ended."""
        return self._done >= number or self._failure is not None

    def _next(self) -> int:
        return self._begun + 1

    def _flush_to(self, number: int) -> None:
        """Flush, then record, unless one of that number was done; only one at a time."""
        with self._turns:
            self._turns.wait_for(lambda: not self._busy)
            if self._done >= number:
                return
            self._check()
            self._busy = True
            self._begun += 1
            self._flushing = self._stretch.extents()
            self._stretch = ExtentSet()
        failure: BaseException | None = None
        try:
            self._make_durable()
        except BaseException as error:
            failure = error
            raise
        finally:
            with self._turns:
                self._busy = False
                self._failure = failure
                if failure is None:
                    self._done = self._begun
                    self._flushing = ()
                self._turns.notify_all()

    def _make_durable(self) -> None:
        try:
            self._sink.commit()
        except BaseException:
            self.flush_failed = True
            raise
        self._log.hold(self._flushing)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def save(self) -> None:
        """Keep what came before the connection broke, so that a flapping link makes progress."""
        if self._log.state.current is not None:  # else the pass is complete, and recorded so
            self.wait(self.ask())

    def finish(self, wire_bytes: int) -> None:
        """Make all durable and record the pass as complete; raises WireError when parts were left out."""
        if not self._covered.covers(self.size_bytes):
            raise WireError("a pass ends although parts of the volume were left out")
        before = self._stamp()
        self.wait(self.ask())
        self._log.finish(self._data_bytes, wire_bytes)
        after = self._stamp()
        self.stamp = after if after == before else ""  # else somebody wrote what the flush may have left out

    def _stamp(self) -> str:
        return self._disk.stamp() if isinstance(self._disk, Cached) else ""

    def close(self) -> None:
        """Wait until no flush is under way."""
        if self._flusher is not None:
            self._flusher.shutdown(wait=True)
