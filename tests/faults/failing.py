"""Disks and a log in memory of which the nth call of a kind fails, once or from then on.

A write that fails has written half; a flush that fails loses what waited, while reads go on showing it.
"""

from __future__ import annotations

import errno
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.sites.ports import Extent
from planner.errors import WherryError
from tests.migrate.replication.model import KIB, MemoryDisk, MemoryLog, World, change, make_content

SIZE = 9 * 64 * KIB + 1536


@dataclass(frozen=True, slots=True)
class Failure:
    """Which call fails, and with what."""

    name: str
    nth: int
    for_ever: bool = False
    code: int = errno.EIO


@dataclass
class Calls:
    """Counts calls by kind; ``failures`` are those that shall fail."""

    failures: tuple[Failure, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def fails(self, name: str) -> OSError | None:
        """Count a call, and return how it fails, if it does."""
        self.counts[name] += 1
        nth = self.counts[name]
        for failure in self.failures:
            if failure.name == name and (nth == failure.nth or (failure.for_ever and nth > failure.nth)):
                self.failed[name] += 1
                return OSError(failure.code, os.strerror(failure.code))
        return None

    def cross(self, name: str) -> None:
        """Count a call; raises OSError when it is to fail."""
        if (error := self.fails(name)) is not None:
            raise error


class Source(MemoryDisk):
    """A disk that is read, with failures."""

    def __init__(self, content: bytes, calls: Calls) -> None:
        super().__init__(content)
        self._calls = calls

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self._calls.cross("source read")
        super().read_into(buffer, offset)

    def allocated(self) -> Iterator[tuple[int, int]]:
        self._calls.cross("source map")
        return super().allocated()


class Target(MemoryDisk):
    """A replica, with failures. ``calls`` changes from conversation to conversation."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.calls = Calls()

    def opened(self) -> Target:
        """Open it."""
        self.calls.cross("target open")
        return self

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self.calls.cross("target read")
        super().read_into(buffer, offset)

    def allocated(self) -> Iterator[tuple[int, int]]:
        self.calls.cross("target map")
        return super().allocated()

    def write(self, data: bytes | memoryview, offset: int) -> None:
        self._put("write", data, offset)

    def zero(self, offset: int, length: int) -> None:
        self._put("zero", bytes(length), offset)

    def flush(self) -> None:
        if (error := self.calls.fails("flush")) is not None:
            self.pending.clear()
            raise error
        super().flush()

    def _put(self, name: str, data: bytes | memoryview, offset: int) -> None:
        error = self.calls.fails(name)
        super().write(data if error is None else data[: len(data) // 2], offset)
        if error is not None:
            raise error


class Log(MemoryLog):
    """A progress log, with failures; an append that fails has written half."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = Calls()

    def read(self) -> bytes:
        self.calls.cross("log read")
        return super().read()

    def append(self, data: bytes) -> None:
        if (error := self.calls.fails("log append")) is not None:
            self.content += data[: len(data) // 2]
            raise error
        super().append(data)

    def replace(self, data: bytes) -> None:
        self.calls.cross("log replace")
        super().replace(data)


class Story:
    """One pass of a mode over a target that has something else, again and again until it is there."""

    def __init__(
        self, mode: Mode, *, overlap: bool, block_bytes: int = 64 * KIB, make: type[Target] = Target
    ) -> None:
        rng = random.Random(7)
        self.mode, self._block_bytes = mode, block_bytes
        first = make_content(rng, SIZE - 64 * KIB) + rng.randbytes(64 * KIB)
        self.content, self._areas = change(rng, first, 9)
        self.target = make(first if mode is Mode.DELTA else rng.randbytes(SIZE + 8 * KIB))
        if mode is Mode.COMPARE:
            self.target = make(change(rng, first, 3)[0])
        self.world = World(self.target, Log(), overlap=overlap, open_disk=lambda disk: self.target.opened())
        if mode is Mode.DELTA:
            source = MemoryDisk(first)
            assert isinstance(
                self.world.send(source, PassSpec("v", "1", SIZE, change="e/1"), Mode.COMPARE), PassResult
            )

    def send(self, *failures: Failure) -> tuple[PassResult | WherryError | OSError, Calls]:
        """Send once, with failures; returns what came of it and what was called."""
        calls = Calls(failures)
        log = self.world.log
        assert isinstance(log, Log)
        self.target.calls = log.calls = calls
        base = "e/1" if self.mode is Mode.DELTA else ""
        spec = PassSpec("v", "2", SIZE, base=base, change="e/2")
        areas: list[Extent] | None = self._areas if self.mode is Mode.DELTA else None
        source = Source(self.content, calls)
        try:
            outcome: PassResult | WherryError | OSError = self.world.send(
                source, spec, self.mode, extents=areas, level=0, block_bytes=self._block_bytes
            )
        except OSError as error:  # of the source: it is the sender's own
            outcome = error
        finally:
            self.target.calls = log.calls = Calls()
        return outcome, calls

    def is_there(self) -> bool:
        """Lose power, and tell whether the target is what the source is."""
        self.target.lose_power(random.Random(3))
        return bytes(self.target.durable) == self.content.ljust(self.target.size_bytes, b"\0")

    def lost(self) -> list[Extent]:
        """Return what was acknowledged and is not durable."""
        durable, content = self.target.durable, self.content
        return [
            run
            for run in self.world.acknowledged
            if durable[run.offset : run.end] != content[run.offset : run.end]
        ]
