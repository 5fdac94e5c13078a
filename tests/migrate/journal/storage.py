"""Storage that loses power, for a journal and its replicas: in memory, counted, and forked at any moment.

Sectors of what was appended and not synced persist in any subset, names of segments in any subset, and
sectors of disks in any of the versions written since the last flush; one may be torn in the middle.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

SECTOR = 64  # small, so that small logs have many
DISK_BYTES = 512


class Died(Exception):
    """The process ends here."""


class Power:
    """Counts the moments at which a process may die, and lets it die at one; ``told`` hears of each."""

    def __init__(self, dies_at: int = -1, told: Callable[[], None] = lambda: None) -> None:
        self.moments = 0
        self.dies_at = dies_at
        self.told = told

    def moment(self) -> None:
        """Pass a moment, or die."""
        if self.moments == self.dies_at:
            raise Died
        self.moments += 1
        self.told()


@dataclass(slots=True)
class _Segment:
    durable: bytes = b""
    seen: bytearray = field(default_factory=bytearray)


class SimulatedFiles:
    """Segments in memory; see ``migrate.journal.files.Files``."""

    key = b""

    def __init__(self) -> None:
        self.power = Power()
        self._names: dict[int, _Segment] = {}  # as a process sees them
        self._durable: dict[int, _Segment] = {}

    def numbers(self) -> list[int]:
        return sorted(self._names)

    def size(self, number: int) -> int:
        return len(self._segment(number).seen)

    def read(self, number: int, offset: int, length: int) -> bytes:
        return bytes(self._segment(number).seen[offset : offset + length])

    def create(self, number: int) -> None:
        self.power.moment()
        self._names[number] = _Segment()

    def append(self, number: int, parts: Sequence[bytes | memoryview]) -> None:
        for part in parts:
            self.power.moment()
            self._segment(number).seen += part

    def sync(self, number: int) -> None:
        self.power.moment()
        segment = self._segment(number)
        segment.durable = bytes(segment.seen)
        self.power.moment()

    def sync_names(self) -> None:
        self.power.moment()
        self._durable = dict(self._names)
        self.power.moment()

    def settle(self, number: int) -> None:
        self.sync(number)

    def delete(self, number: int) -> None:
        self.power.moment()
        self._segment(number)
        del self._names[number]

    def lose_power(self, rng: random.Random) -> None:
        """Keep what was synced, and of the rest whatever the storage pleases."""
        names = dict(self._durable)
        for number in self._names.keys() | self._durable.keys():
            if rng.random() < 0.5:  # the change of this name was written, or was not
                if number in self._names:
                    names[number] = self._names[number]
                else:
                    names.pop(number, None)
        for segment in names.values():
            segment.seen = survived(rng, segment.durable, bytes(segment.seen))
            segment.durable = bytes(segment.seen)
        self._names, self._durable = names, dict(names)

    def flip(self, number: int, bit: int) -> None:
        """Let one bit rot."""
        self.put(number, bit // 8, bytes([self._segment(number).seen[bit // 8] ^ 1 << bit % 8]))

    def put(self, number: int, start: int, data: bytes, *, cut: bool = False) -> None:
        """Have other bytes there than were written, and with ``cut`` nothing behind them."""
        segment = self._segment(number)
        segment.seen[start : None if cut else start + len(data)] = data
        segment.durable = bytes(segment.seen)

    def copy(self) -> SimulatedFiles:
        """Return storage of its own that holds the same, all of it durable."""
        copied = SimulatedFiles()
        copied._names = {n: _Segment(bytes(s.seen), bytearray(s.seen)) for n, s in self._names.items()}
        copied._durable = dict(copied._names)
        return copied

    def fork(self) -> SimulatedFiles:
        """Return storage of its own in the same state, with what is not durable yet."""
        twins: dict[int, _Segment] = {}
        for segment in (*self._names.values(), *self._durable.values()):
            twins.setdefault(id(segment), _Segment(segment.durable, bytearray(segment.seen)))
        forked = type(self).__new__(type(self))
        forked.__dict__.update(self.__dict__)
        forked.power = Power()
        forked._names = {number: twins[id(segment)] for number, segment in self._names.items()}
        forked._durable = {number: twins[id(segment)] for number, segment in self._durable.items()}
        return forked

    def _segment(self, number: int) -> _Segment:
        if number not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return self._names[number]


def survived(rng: random.Random, durable: bytes, seen: bytes) -> bytearray:
    """Return the durable bytes and a subset of the sectors behind them, the file cut at any place."""
    length = rng.randint(len(durable), len(seen))
    found = bytearray(length)
    found[: len(durable)] = durable
    for start in range(len(durable), length, SECTOR):
        end = min(start + SECTOR, length)
        fate = rng.random()
        if fate < 0.5:
            found[start:end] = seen[start:end]
        elif fate < 0.6:
            half = (start + end) // 2
            found[start:half] = seen[start:half]
    return found


class SimulatedReplica:
    """A replica disk in memory; a WritableDisk. Of each sector every version since the flush may persist."""

    size_bytes = DISK_BYTES

    def __init__(self, files: SimulatedFiles) -> None:
        self._files = files
        self._versions: dict[int, list[bytes]] = {}  # by sector's start, the durable one first
        self.seen = bytearray(DISK_BYTES)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        buffer[:] = self.seen[offset : offset + len(buffer)]

    def allocated(self) -> Iterator[tuple[int, int]]:
        for start in range(0, DISK_BYTES, SECTOR):
            if any(self.seen[start : start + SECTOR]):
                yield start, SECTOR

    def write(self, data: bytes | memoryview, offset: int) -> None:
        self._files.power.moment()
        touched = range(offset // SECTOR * SECTOR, offset + len(data), SECTOR)
        for start in touched:
            self._versions.setdefault(start, [bytes(self.seen[start : start + SECTOR])])
        self.seen[offset : offset + len(data)] = data
        for start in touched:
            self._versions[start].append(bytes(self.seen[start : start + SECTOR]))

    def zero(self, offset: int, length: int) -> None:
        self.write(bytes(length), offset)

    def flush(self) -> None:
        self._files.power.moment()
        self._versions = {}
        self._files.power.moment()

    def close(self) -> None:
        """Nothing is held."""

    def lose_power(self, rng: random.Random) -> None:
        """Keep what was flushed, and of each sector written since any version, or halves of two."""
        for start, versions in self._versions.items():
            one, other = rng.choice(versions), rng.choice(versions)
            half = SECTOR // 2 if rng.random() < 0.2 else SECTOR
            self.seen[start : start + SECTOR] = one[:half] + other[half:]
        self._versions = {}

    def fork(self, files: SimulatedFiles) -> SimulatedReplica:
        """Return a disk of its own in the same state, on the power of ``files``."""
        forked = SimulatedReplica(files)
        forked.seen = bytearray(self.seen)
        forked._versions = {start: list(versions) for start, versions in self._versions.items()}
        return forked
