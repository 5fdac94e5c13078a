"""Disks in stretches, and a note of which are durable where they are written out.

    {"group": ..., "record": ...}                      the image; a note of another one is none
    {"file": "db.img", "at": 0, "blake3": ...}         a stretch, after its flush

A line that was cut off ends a note. It is a hint where to go on, no promise: who goes on hashes what
stands there before it is left as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from migrate.disks.durable import replace_file, sync_directory
from migrate.disks.ports import ReadableDisk
from migrate.replication.hashing import hash_disk
from planner.units import MIB

NOTE: Final = "durable.note"
STRETCH_BYTES: Final = 64 * MIB


@dataclass(frozen=True, slots=True)
class Stretch:
    """``size_bytes`` of a disk from ``start`` on, itself a ReadableDisk. ``runs`` may hold data."""

    disk: ReadableDisk
    start: int
    size_bytes: int
    runs: tuple[tuple[int, int], ...]

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self.disk.read_into(buffer, self.start + offset)

    def allocated(self) -> Iterator[tuple[int, int]]:
        return iter(self.runs)

    def close(self) -> None:
        """The disk stays open."""


def stretches(disk: ReadableDisk, size_bytes: int, length: int) -> Iterator[Stretch]:
    """Yield the first ``size_bytes`` of a disk in stretches of ``length`` bytes, the last may be shorter."""
    runs = iter(disk.allocated())
    run = next(runs, None)
    for start in range(0, size_bytes, length):
        end = min(start + length, size_bytes)
        found = []
        while run is not None and run[0] < end:
            offset, stop = run[0], run[0] + run[1]
            found.append((offset - start, min(stop, end) - offset))
            if stop > end:
                run = (end, stop - end)
                break
            run = next(runs, None)
        yield Stretch(disk, start, end - start, tuple(found))


@lru_cache(maxsize=4)
def digest_of_zeros(size_bytes: int) -> str:
    """Return the blake3 of so many zeros."""
    return hash_disk(Stretch(_Nothing(), 0, size_bytes, ())).digest


class _Nothing:
    """A disk of which nobody reads."""

    size_bytes = 0

    def read_into(self, buffer: memoryview, offset: int) -> None:
        raise OSError("there is nothing to read")

    def allocated(self) -> Iterator[tuple[int, int]]:
        return iter(())

    def close(self) -> None:
        """Nothing is open."""


class Note:
    """The note in ``folder`` about ``image``: digests by file and by where their stretches begin."""

    def __init__(self, folder: Path, image: Mapping[str, Any]) -> None:
        """Read it; ``found`` is empty where there is none, or one of another image."""
        self._path = folder / NOTE
        self._image = dict(image)
        self.found: dict[tuple[str, int], str] = {}
        if self._path.is_file() and not self._path.is_symlink():
            lines = [*map(_read, self._path.read_bytes().split(b"\n")[:-1])]
            if lines and lines[0] == self._image:
                for line in lines[1:]:
                    match line:
                        case {"file": str(file), "at": int(at), "blake3": str(digest)}:
                            self.found[file, at] = digest
                        case _:
                            break

    def begin(self) -> None:
        """Begin it anew; raises OSError."""
        self.found = {}
        replace_file(self._path, _line(self._image))

    def add(self, file: str, at: int, digest: str) -> None:
        """Note a stretch that is durable; raises OSError."""
        self.found[file, at] = digest
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.write(fd, _line({"file": file, "at": at, "blake3": digest}))
        finally:
            os.close(fd)

    def remove(self) -> None:
        """Have no note any more, durably; raises OSError."""
        self._path.unlink()
        sync_directory(self._path.parent)


def _line(plain: Mapping[str, Any]) -> bytes:
    return json.dumps(plain).encode("ascii") + b"\n"


def _read(line: bytes) -> dict[str, Any]:
    """Return a line as plain data, nothing where it is none of ours."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
