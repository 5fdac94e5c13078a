"""What runs inside a powered-on VM: one thread that writes numbered records until it is stopped.

Records go out in batches; a batch is acknowledged when every disk it touched was flushed. At a
clean point (quiesce, shutdown) the guest raises the floor in its ring headers, so that the copy
elsewhere knows what it must find.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from migrate.sites.lab.records import Lane, make_record, read_lanes, with_floor, write_header
from migrate.sites.lab.tracked import TrackedVolume

BATCH = 8


class Guest:
    """The workload of one VM. ``fault`` says why it stopped by itself, empty = it did not."""

    def __init__(
        self,
        owner: str,
        places: Sequence[tuple[TrackedVolume, Lane]],
        last: int,
        rate: float,
        writes: AbstractContextManager[object],
        acknowledge: Callable[[int], None],
    ) -> None:
        """Prepare to write record ``last + 1``; ``writes`` is held around every single write."""
        self._owner, self._places = owner, tuple(places)
        self._rate, self._writes, self._acknowledge = rate, writes, acknowledge
        self.last = self.acknowledged = last
        self.fault = ""
        self._turn = threading.Lock()  # held during a batch and its flush
        self._wake = threading.Event()
        self._paused = self._stopping = self._cut = False
        self._thread = threading.Thread(target=self._run, name=f"guest-{owner}", daemon=True)

    @property
    def paused(self) -> bool:
        """True while quiesced."""
        return self._paused

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def _run(self) -> None:
        pause_s = BATCH / self._rate if self._rate > 0 else 3600.0
        due = time.monotonic()
        while not self._stopping:
            if not self._paused and not self.fault and self._rate > 0:
                with self._turn:
                    if not (self._paused or self._stopping):
                        self._batch()
            due = max(due + pause_s, time.monotonic())
            self._wake.wait(max(due - time.monotonic(), 0.0))
            self._wake.clear()

    def _batch(self) -> None:
        try:
            for _ in range(BATCH):
                if self._cut or not self._places:
                    return
                self._write_next()
            self._flush()
        except OSError as error:
            self.fault = f"the guest stopped: {error.strerror or error}"

    def _write_next(self) -> None:
        number = self.last + 1
        page = make_record(self._owner, number, time.time_ns())
        for tracked, lane in self._places:
            if lane.holds(number):
                with self._writes:
                    if not self._cut:
                        tracked.write(page, lane.place(number))
                        self.last = number

    def _flush(self) -> None:
        for tracked, _ in self._places:
            tracked.flush()
        if not self._cut:
            self.acknowledged = self.last
            self._acknowledge(self.last)

    def quiesce(self) -> None:
        """Finish the batch, flush, raise the floor and write nothing more until ``thaw``."""
        self._paused = True
        with self._turn:
            self._settle()

    def thaw(self) -> None:
        """Go on writing."""
        self._paused = False
        self._wake.set()

    def shut_down(self) -> None:
        """Stop in order: everything written is flushed and acknowledged."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._settle()

    def power_off(self) -> None:
        """Stop at once, in the middle of a batch: nothing more is written or acknowledged."""
        with self._writes:
            self._cut = self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _settle(self) -> None:
        if self.fault or self._cut:
            return
        try:
            self._flush()
            for tracked, lane in self._places:
                with self._writes:  # the header is shared: read, change and write it as one
                    lanes = with_floor(read_lanes(tracked), self._owner, self.last)
                    tracked.write(write_header(lanes), lane.offset)
                tracked.flush()
        except OSError as error:
            self.fault = f"the guest stopped: {error.strerror or error}"
