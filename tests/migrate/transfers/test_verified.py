"""A repair reads around what differs, and only the look after it says that all is well."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.keys.names import Holder, Role
from migrate.replication.channel import Buffer, ChannelClosed
from migrate.replication.coverage import Coverage, full, part, quick
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.trees import NODE, DiskTree
from migrate.replication.zeros import GRAIN
from migrate.sites.ports import Extent
from migrate.transfers.direct import OneDisk
from migrate.transfers.verified import Outcome, verify_disk
from planner.errors import Unreachable
from tests.migrate.replication.model import MemoryLog, pipe

SIZE = 6 * NODE
PEER = Holder("p1", "dc2", Role.RECEIVER)


class Known:
    """A pipe whose far end has a name."""

    def __init__(self, serve: Callable[..., None]) -> None:
        self._near, far = pipe()
        self._thread = threading.Thread(target=serve, args=(far,))
        self._thread.start()

    def send(self, parts: Sequence[Buffer]) -> None:
        self._near.send(parts)

    def recv_into(self, buffer: memoryview) -> None:
        self._near.recv_into(buffer)

    def close(self) -> None:
        self._near.close()
        self._thread.join(60)

    def peer(self) -> tuple[Holder, str]:
        return PEER, "3F"


class Place:
    """A source and a target of six nodes, and what the target read in each conversation."""

    def __init__(self, root: Path) -> None:
        self.source, self.target = root / "source.img", root / "target.img"
        for path in (self.source, self.target):
            with path.open("wb") as file:
                file.truncate(SIZE)
                file.write(b"same" * 1000)
        self.read: list[int] = []
        self.before: dict[int, Callable[[], None]] = {}  # what happens before which conversation
        self._log = MemoryLog()

    def spoil(self, at: int) -> None:
        with self.target.open("r+b") as file:
            file.seek(at)
            file.write(b"wrong")

    def connect(self) -> Known:
        number = len(self.read)
        self.before.get(number, lambda: None)()
        self.read.append(0)
        read = self.read

        class Thick(FlatDisk):
            def allocated(self) -> Iterator[tuple[int, int]]:
                yield 0, self.size_bytes

            def read_into(self, buffer: memoryview, offset: int) -> None:
                read[number] += len(buffer)
                super().read_into(buffer, offset)

        receiver = Receiver(
            lambda _volume: Thick(self.target, True), lambda volume: ProgressLog(self._log, volume)
        )
        return Known(receiver.serve)

    def verify(self, choose: Callable[[DiskTree], Coverage], repair: bool = True) -> Outcome:
        return verify_disk(
            OneDisk(str(self.source)),
            self.connect,  # type: ignore[arg-type]
            "v",
            choose,
            lambda _what, _done, _total: None,
            repair=repair,
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def everything(_tree: DiskTree) -> Coverage:
    return full(SIZE)


def test_a_repair_reads_around_what_differs_and_then_all_is_looked_at(place: Place) -> None:
    place.spoil(3 * NODE + 5)
    place.spoil(SIZE - 9)
    found = place.verify(everything)
    wrong = (Extent(3 * NODE, GRAIN), Extent(SIZE - GRAIN, GRAIN))
    assert (found.first.differing, found.last.differing) == (wrong, ())
    assert (found.last.equal, found.repaired_bytes, found.was_repaired) == (True, 2 * GRAIN, True)
    assert (found.peer, found.serial) == (PEER, "3F")
    assert place.target.read_bytes() == place.source.read_bytes()
    assert place.read == [SIZE + 2 * NODE, 2 * NODE, SIZE]


@pytest.mark.parametrize(
    "choose",
    [
        lambda _tree: part(SIZE, 1, 3),
        lambda _tree: quick(SIZE, [(0, GRAIN)], "s"),
    ],
    ids=["part", "quick"],
)
def test_what_was_not_looked_at_is_repaired_as_well(
    place: Place, choose: Callable[[DiskTree], Coverage]
) -> None:
    place.spoil(7)
    place.spoil(5 * NODE)
    found = place.verify(choose)
    assert not found.first.equal
    assert (found.last.equal, found.last.coverage) == (True, full(SIZE))
    assert place.target.read_bytes() == place.source.read_bytes()
    assert place.read[1] == SIZE + GRAIN, "what differs and is no hole is asked about once more"


def test_nothing_is_good_without_the_second_look(place: Place) -> None:
    place.spoil(7)
    place.before[2] = lambda: place.spoil(2 * NODE)
    found = place.verify(everything)
    assert found.last.differing == (Extent(2 * NODE, GRAIN),)
    assert not found.last.equal


def test_without_a_repair_nothing_is_written(place: Place) -> None:
    place.spoil(7)
    before = place.target.read_bytes()
    found = place.verify(everything, repair=False)
    assert (found.first, found.was_repaired, found.repaired_bytes) == (found.last, False, 0)
    assert place.target.read_bytes() == before
    assert len(place.read) == 1


def test_a_receiver_that_goes_away_is_unreachable_and_proves_nothing(place: Place) -> None:
    def gone() -> None:
        raise ChannelClosed("nobody answers")

    place.spoil(7)
    place.before[2] = gone
    with pytest.raises(Unreachable, match="went away"):
        place.verify(everything)
