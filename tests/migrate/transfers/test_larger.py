"""The beginning of a larger disk goes onto a smaller one, and nothing but zeros is ever left behind."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

import pytest

from migrate.replication import tail
from migrate.replication.channel import Channel
from migrate.replication.leases import Leases
from migrate.replication.passes import Mode
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.sites.ports import Extent
from migrate.sites.vsphere.transports.through import FrozenDisk, LiveDisk
from migrate.transfers.ports import Compared, Copied, Wanted
from migrate.transfers.streamed import StreamedTransfers
from planner.errors import NotFound, PastEnd, Paused, StepFailed, WherryError
from planner.units import KIB, SECTOR
from tests.migrate.replication.model import MemoryDisk, MemoryLog, pipe

BLOCK = 64 * KIB
SIZE, TAIL = 5 * BLOCK + SECTOR, 3 * BLOCK
WHOLE = Wanted("v", SIZE, Mode.COMPARE, "1", change="c1", snapshot="s", larger=True)


class Thick(MemoryDisk):
    def allocated(self):  # type: ignore[no-untyped-def]
        yield 0, len(self.seen)


class Home:
    """A larger disk at one side, where it comes home to at the other."""

    def __init__(self) -> None:
        self.content = bytearray(random.Random(3).randbytes(SIZE) + bytes(TAIL))
        self.target = MemoryDisk(b"old!" * (SIZE // 4))
        self.log = MemoryLog()
        self.wanted = self.gone = False
        self.connected = 0
        self._threads: list[threading.Thread] = []
        self.receiver = Receiver(
            lambda _volume: self.target, lambda volume: ProgressLog(self.log, volume), leases=Leases(5.0)
        )
        self.transfers = StreamedTransfers(self, self._connect, generation=1, level=0, block_bytes=BLOCK)

    def open_read(self, volume: str, snapshot: str | None = None) -> FrozenDisk:
        return FrozenDisk(Thick(bytes(self.content)), self._must_stand)

    def open_live(self, volume: str) -> LiveDisk:
        return LiveDisk(Thick(bytes(self.content)), lambda: self.wanted)

    def _must_stand(self) -> None:
        if self.gone:
            raise NotFound("the snapshot is gone", "take a new one")

    def _connect(self) -> Channel:
        self.connected += 1
        near, far = pipe()

        def serve() -> None:
            with closing(far), suppress(WherryError):
                self.receiver.serve(far)

        self._threads.append(threading.Thread(target=serve))
        self._threads[-1].start()
        return near

    def copy(self, wanted: Wanted) -> Copied:
        return self.transfers.copy(wanted, lambda _moving: None)

    def compare(self, *, larger: bool = True) -> Compared:
        return self.transfers.compare("v", SIZE, "s", lambda _moving: None, larger=larger)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()


@contextmanager
def _begun() -> Iterator[Home]:
    home = Home()
    yield home
    home.join()


@pytest.fixture
def home() -> Iterator[Home]:
    """A disk on its way home."""
    with _begun() as begun:
        yield begun


def test_its_beginning_comes_home_and_is_proven(home: Home) -> None:
    home.copy(WHOLE)
    assert home.target.durable == home.content[:SIZE]
    assert home.compare().equal
    home.content[SIZE - 100 : SIZE] = b"\5" * 100
    changed = (Extent(SIZE - SECTOR, BLOCK), Extent(SIZE + BLOCK, SECTOR))  # over its end, and past it
    later = replace(WHOLE, mode=Mode.DELTA, pass_id="2", base="c1", change="c2", extents=changed)
    assert home.copy(later).mode is Mode.DELTA
    assert home.target.durable == home.content[:SIZE]
    assert home.compare().equal


@pytest.mark.parametrize("at", [SIZE, SIZE + TAIL - 1])
def test_what_lies_past_it_sends_nothing_and_proves_nothing(home: Home, at: int) -> None:
    before = bytes(home.target.durable)
    home.content[at] = 1
    with pytest.raises(PastEnd, match=f"first at byte {at}$"):
        home.copy(WHOLE)
    assert home.connected == 0
    assert home.target.durable == before
    home.content[at] = 0
    home.copy(WHOLE)
    home.content[at] = 1
    with pytest.raises(PastEnd, match=f"first at byte {at}$"):
        home.compare()


def test_a_delta_looks_at_what_changed_past_it_only(home: Home) -> None:
    home.copy(WHOLE)
    home.content[SIZE + BLOCK] = 1
    delta = replace(WHOLE, mode=Mode.DELTA, pass_id="2", base="c1", change="c2", extents=())
    home.copy(delta)  # which its source said nothing of: found at the next comparison
    with pytest.raises(PastEnd):
        home.compare()
    with pytest.raises(PastEnd):
        home.copy(replace(delta, pass_id="3", base="c2", extents=(Extent(SIZE, BLOCK + 1),)))


def test_nothing_that_goes_out_may_have_grown(home: Home) -> None:
    """The control: only who says so may be larger, and nobody smaller."""
    with pytest.raises(StepFailed, match="the plan says"):
        home.copy(replace(WHOLE, larger=False))
    with pytest.raises(StepFailed, match="the plan says"):
        home.compare(larger=False)
    del home.content[SIZE - SECTOR :]
    with pytest.raises(StepFailed, match="the plan says"):
        home.copy(WHOLE)


def test_without_the_look_past_its_end_bytes_would_be_lost(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: no pass notices, only whoever hashes all of the disk in the end."""
    home.content[SIZE + BLOCK] = 1
    monkeypatch.setattr(tail, "first_past", lambda *_: None)
    home.copy(WHOLE)
    assert home.target.durable == home.content[:SIZE]
    with pytest.raises(StepFailed):
        home.compare()


def test_a_look_over_a_snapshot_that_is_gone_says_nothing_about_the_disk(home: Home) -> None:
    home.content[SIZE], home.gone = 1, True
    with pytest.raises(NotFound):
        home.copy(WHOLE)
    with pytest.raises(NotFound):
        home.compare()


def test_a_look_ahead_gives_way(home: Home) -> None:
    home.wanted = True
    with pytest.raises(Paused):
        home.copy(replace(WHOLE, snapshot=None, live=True))
    assert home.connected == 0
    home.wanted = False
    home.copy(replace(WHOLE, snapshot=None, live=True))
    assert home.target.durable == home.content[:SIZE]
