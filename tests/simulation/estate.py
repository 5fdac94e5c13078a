"""What is to be sent: volumes whose content changes, each version a pass, all decided by a seed."""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass

from migrate.replication.passes import Mode, PassSpec
from migrate.replication.zeros import GRAIN
from migrate.sites.ports import Extent
from tests.migrate.replication.model import KIB, SECTOR, MemoryDisk, change, make_content
from tests.simulation.oracle import Ledger
from tests.simulation.schedule import Schedule
from tests.simulation.storage import SimulatedDisk, SimulatedLog


class Source(MemoryDisk):
    """A frozen content to read, which may fail to be read."""

    def __init__(self, content: bytes, schedule: Schedule, failing: set[str], volume: str) -> None:
        super().__init__(content)
        self._schedule = schedule
        self._failing = failing
        self._volume = volume

    def read_into(self, buffer: memoryview, offset: int) -> None:
        if self._volume in self._failing:
            self._failing.discard(self._volume)
            self._schedule.meet("source error")
            raise OSError(errno.EIO, "injected")
        super().read_into(buffer, offset)


@dataclass(frozen=True)
class Version:
    """One frozen content: how it is sent, and what changed since the version before."""

    content: bytes
    changed: tuple[Extent, ...]
    mode: Mode
    trusts: bool  # a delta stands on the version before, whether that arrived or not


class Volume:
    """One disk on both sides, and what the project remembers of it."""

    def __init__(self, name: str, schedule: Schedule, like: Volume | None = None) -> None:
        """Draw a volume; one that is ``like`` another holds much of the same."""
        rng = schedule.rng
        self.name = name
        self.size = rng.choice((2, 3, 4, 4, 10)) * 64 * KIB + rng.choice((0, 0, SECTOR, 9 * SECTOR))
        grains = [rng.randbytes(GRAIN) for _ in range(3)] if rng.random() < 0.4 else []
        begins = _laid_out(rng, grains, self.size) if grains else make_content(rng, self.size)
        self.begins_s = 0.0
        if like is not None:
            begins = (change(rng, like.versions[-1].content, 1)[0] + begins)[: self.size]
            self.begins_s = rng.choice((0.0, 500.0))
        self.versions: tuple[Version, ...] = _versions(rng, begins, grains)
        kind = rng.random()
        here = self.versions[0].content
        before = bytes(self.size) if kind < 0.4 else change(rng, here)[0]
        before = rng.randbytes(self.size) if kind > 0.8 else before
        before = _laid_out(rng, grains, self.size) if grains and kind > 0.6 else before
        tail = rng.choice((b"", rng.randbytes(8 * SECTOR)))
        self.disk = SimulatedDisk(schedule, before + tail)
        self.log = SimulatedLog(schedule)
        self.ledger = Ledger(self.disk)
        self.generation = 1  # the newest that was given out
        self.done: int | None = None  # the last version that was called complete
        for number, version in enumerate(self.versions):
            self.ledger.contents[f"{name}/{number}"] = version.content

    def offer(self, number: int, generation: int) -> tuple[PassSpec, Mode, tuple[Extent, ...] | None]:
        """Return the pass that brings a version, as a sender would ask for it now."""
        version = self.versions[number]
        base = number - 1 if version.trusts else self.done
        mode, extents = version.mode, None
        if mode is Mode.DELTA and base is not None and 0 <= base < number:
            extents = tuple(run for item in self.versions[base + 1 : number + 1] for run in item.changed)
        elif mode is Mode.DELTA:
            mode = Mode.COMPARE
        spec = PassSpec(
            self.name,
            f"{self.name}/{number}",
            self.size,
            generation,
            f"e/{base}" if extents is not None else "",
            f"e/{number}",
        )
        return spec, mode, extents


def _laid_out(rng: random.Random, grains: list[bytes], size: int) -> bytes:
    """Return a content of which every grain is one of a few, so that each is in several places."""
    return b"".join(rng.choice(grains) for _ in range(0, size, GRAIN))[:size]


def _moved(rng: random.Random, content: bytes, grains: list[bytes]) -> tuple[bytes, list[Extent]]:
    """Put one of the grains somewhere else as well."""
    at = rng.randrange(0, len(content), GRAIN)
    piece = rng.choice(grains)[: len(content) - at]
    return content[:at] + piece + content[at + len(piece) :], [Extent(at, len(piece))]


def _versions(rng: random.Random, content: bytes, grains: list[bytes]) -> tuple[Version, ...]:
    found = [Version(content, (), rng.choice((Mode.SEED, Mode.SEED, Mode.COMPARE)), trusts=False)]
    for _ in range(rng.randint(1, 3)):
        if grains and rng.random() < 0.7:
            content, changed = _moved(rng, content, grains)
        else:
            content, changed = change(rng, content, rng.randint(1, 6))
        mode = rng.choice((Mode.DELTA, Mode.DELTA, Mode.DELTA, Mode.COMPARE, Mode.SEED))
        found.append(Version(content, tuple(changed), mode, trusts=rng.random() < 0.3))
    return tuple(found)
