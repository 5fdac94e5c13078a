"""Receivers that take digests for more than they are: mutants, which the simulation must notice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from migrate.disks.ports import WritableDisk
from migrate.replication import wire
from migrate.replication.dedupe.answering import Answering
from migrate.replication.holdings import Holdings
from migrate.replication.receiver import Receiver
from migrate.replication.zeros import GRAIN


class Believing(Answering):
    """Takes what lies where the table points for what the table says."""

    def _is(self, data: memoryview, digest: bytes) -> bool:
        return True


class Unread(Answering):
    """Says that it holds what the table knows, and neither reads nor writes it."""

    def _found(self, digest: bytes, data: memoryview, at: int) -> bool:
        place = self._pool.table.find(digest)
        known = place is not None and (place.volume, place.offset) != (self._number, at)
        if known:
            self._disk.read_into(data, at)
        return known


class Elsewhere(Answering):
    """Hashes one place and writes what lies behind it."""

    def _found(self, digest: bytes, data: memoryview, at: int) -> bool:
        if not super()._found(digest, data, at):
            return False
        place = self._pool.table.find(digest)
        assert place is not None
        disk = self._source(place)
        if disk is not None and place.offset + GRAIN + len(data) <= disk.size_bytes:
            disk.read_into(data, place.offset + GRAIN)
        return True


class _Behind(Holdings):
    """Answers the second question with what lies a grain behind."""

    def _fine(self, start: int, end: int) -> bytes:
        behind = min(GRAIN, self._size_bytes - end)
        return super()._fine(start + behind, end + behind)


class _Undoubting(Holdings):
    """Answers the second question with what is read, suspect or not."""

    def _fine(self, start: int, end: int) -> bytes:
        return self._sums.of(self._read(start, end), wire.FINE)


class Beside(Receiver):
    """Tells the 4 KiB of a wrong grain."""

    holds: ClassVar[type[Holdings]] = _Behind


class Credulous(Receiver):
    """Takes what it reads for what is there, when it is asked finely."""

    holds: ClassVar[type[Holdings]] = _Undoubting


@dataclass
class Shifted:
    """A replica of which the grain behind is read in place of the one asked for."""

    disk: WritableDisk

    def __post_init__(self) -> None:
        self.size_bytes = self.disk.size_bytes
        self.write, self.zero = self.disk.write, self.disk.zero
        self.flush, self.close = self.disk.flush, self.disk.close

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill the buffer from a wrong place, as far as the disk goes."""
        self.disk.read_into(buffer, offset)
        there = min(len(buffer), max(self.size_bytes - offset - GRAIN, 0))
        self.disk.read_into(buffer[:there], offset + GRAIN)

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Call all of it data, so that digests are of what is read."""
        yield 0, self.size_bytes


@dataclass
class Sparing:
    """A replica whose reads come from memory, whoever opened it and whatever became of a flush."""

    disk: WritableDisk

    def __post_init__(self) -> None:
        self.size_bytes = self.disk.size_bytes
        self.disk.doubted = False  # type: ignore[attr-defined]
        self.read_into, self.allocated = self.disk.read_into, self.disk.allocated
        self.write, self.zero = self.disk.write, self.disk.zero
        self.flush, self.close = self.disk.flush, self.disk.close
