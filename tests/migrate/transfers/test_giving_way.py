"""A pass ahead stops between two blocks when a cutover wants its place, and goes on where it was."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from migrate.replication.channel import Channel
from migrate.replication.leases import Leases
from migrate.replication.passes import Mode
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.sites.vsphere.transports.through import LiveDisk
from migrate.transfers.ports import Wanted
from migrate.transfers.streamed import StreamedTransfers
from planner.errors import Paused, WherryError
from tests.migrate.replication.model import KIB, MemoryDisk, MemoryLog, pipe

BLOCK = 64 * KIB
BLOCKS = 32


class Side:
    """A source whose disk is read ahead, and a target; ``wanted_at`` is the read from which it is wanted."""

    def __init__(self, wanted_at: int) -> None:
        self.source = MemoryDisk(random.Random(3).randbytes(BLOCKS * BLOCK))
        self.target = MemoryDisk(BLOCKS * BLOCK)
        self.log = MemoryLog()
        self.reads = 0
        self.wanted_at = wanted_at
        self.closed = 0

    def open_live(self, volume: str) -> LiveDisk:
        side = self

        class Counted(MemoryDisk):
            def read_into(self, buffer: memoryview, offset: int) -> None:
                side.reads += 1
                super().read_into(buffer, offset)

            def close(self) -> None:
                side.closed += 1

        return LiveDisk(Counted(bytes(self.source.seen)), lambda: self.reads >= self.wanted_at)

    def open_read(self, volume: str, snapshot: str | None = None) -> MemoryDisk:
        return self.source

    @contextmanager
    def transfers(self) -> Iterator[StreamedTransfers]:
        threads = []
        receiver = Receiver(
            lambda _volume: self.target,
            lambda volume: ProgressLog(self.log, volume),
            leases=Leases(5.0),
            ack_bytes=2 * BLOCK,
        )

        def connect() -> Channel:
            near, far = pipe()

            def serve() -> None:
                with closing(far), suppress(WherryError):  # whoever sends hears of it
                    receiver.serve(far)

            threads.append(threading.Thread(target=serve))
            threads[-1].start()
            return near

        yield StreamedTransfers(self, connect, generation=1, level=0, block_bytes=BLOCK)
        for thread in threads:
            thread.join(120)


def wanted(*, live: bool) -> Wanted:
    return Wanted("v", BLOCKS * BLOCK, Mode.SEED, "run/ahead", live=live)


def test_it_stops_closes_its_disk_and_goes_on_later() -> None:
    side = Side(wanted_at=9)
    with side.transfers() as transfers:
        with pytest.raises(Paused):
            transfers.copy(wanted(live=True), lambda _moving: None)
        assert side.closed == 1, "its place is free"
        assert side.reads < BLOCKS
        side.wanted_at = 1 << 30
        done = transfers.copy(wanted(live=True), lambda _moving: None)
    assert done.resumed_bytes > 0
    assert side.target.durable == side.source.seen


def test_any_other_pass_goes_on() -> None:
    """The control."""
    side = Side(wanted_at=0)
    with side.transfers() as transfers:
        transfers.copy(wanted(live=False), lambda _moving: None)
    assert side.target.durable == side.source.seen
