"""Journals of the guest's two disks: what they offer at checkpoints, and the order of writes they kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from migrate.disks.flat import FlatDisk
from migrate.journal.directory import DirectoryFiles
from migrate.journal.disk import JournalledDisk
from migrate.journal.image import Image
from migrate.journal.log import Log, open_log
from migrate.journal.merging import Merger
from migrate.journal.overlay import Indexes
from migrate.journal.promotion import promote, replay
from migrate.journal.state import Checkpoint, drop_mark
from migrate.journal.writes import Write
from planner.units import KIB, MIB
from tests.guest.packages import run
from tests.guest.records import DISKS
from tests.guest.system import tool

SIZE: Final = 16 * MIB
_SEGMENT: Final = 64 * KIB  # so that segments change while the guest writes


class Opened(Protocol):
    """A journal in ``folder`` that nobody writes to, over ``replicas``; ``close`` it."""

    @property
    def folder(self) -> Path: ...
    @property
    def log(self) -> Log: ...
    @property
    def replicas(self) -> Sequence[Path]: ...
    def image(self, record: int, number: int) -> Image:
        """Return a disk as it was at a checkpoint; close it."""
        ...

    def close(self) -> None: ...


class Journal:
    """A log in ``folder`` of its own, without a receiver."""

    def __init__(self, folder: Path, replicas: Sequence[Path]) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.replicas = folder, replicas
        self._files = DirectoryFiles(folder)
        self.log: Log = open_log(self._files, "guest", segment_bytes=_SEGMENT)

    def disk(self, number: int) -> JournalledDisk:
        """Return a disk whose writes go to the log."""
        return JournalledDisk(number, FlatDisk(self.replicas[number]), self.log)

    def checkpoint(self) -> int:
        """Make a durable checkpoint of what was written to both disks so far."""
        return self.log.checkpoint(time.time_ns() // 1_000_000).record

    def image(self, record: int, number: int) -> Image:
        """Return a disk as it was at a checkpoint; close it."""
        lease = self.log.lease(record)
        return Image(number, FlatDisk(self.replicas[number]), lease, Indexes(lease.reader))

    def age(self, dropped: Sequence[int], goal: int) -> int:
        """Drop checkpoints, merge what that leaves, promote to one; return the bytes that merging won."""
        self.log.mark(drop_mark(dropped))
        self.log.commit()
        won = Merger(self._files, "guest").merge(self.log, _pay_no_heed)
        disks = {number: FlatDisk(path, writable=True) for number, path in enumerate(self.replicas)}
        promote(self.log, self._files, disks, goal)
        for disk in disks.values():
            disk.close()
        return won

    def close(self) -> None:
        """Close the segments."""
        self._files.close()


def _pay_no_heed(_bytes: int) -> None:
    """Keep no pace."""


def formatted(folder: Path) -> list[Path]:
    """Return two new disks with an ext4 file system each, its journal as small as can be."""
    made = empty(folder, "")
    for path in made:
        lazy = "lazy_itable_init=0,lazy_journal_init=0"
        mke2fs = tool("mke2fs") or "mke2fs"
        run([mke2fs, "-q", "-t", "ext4", "-b", "1024", "-J", "size=1", "-E", lazy, str(path)])
    return made


def empty(folder: Path, suffix: str) -> list[Path]:
    """Return two new disks that read as zeros."""
    made = [folder / f"{disk}{suffix}.img" for disk in DISKS]
    for path in made:
        with path.open("wb") as file:
            file.truncate(SIZE)
    return made


def copied(opened: Opened, record: int, folder: Path) -> list[Path]:
    """Write both disks as they were at a checkpoint to files."""
    made = empty(folder, f"-{record}")
    for number, path in enumerate(made):
        image = opened.image(record, number)
        with path.open("r+b") as file:
            for offset, length in image.allocated():
                data = bytearray(length)
                image.read_into(memoryview(data), offset)
                file.seek(offset)
                file.write(data)
        image.close()
    return made


def checkpoints(log: Log) -> list[Checkpoint]:
    """Return the checkpoints of a log that was just opened, the oldest first."""
    return sorted(log.state.checkpoints.values(), key=lambda point: point.record)


def order(opened: Opened) -> list[tuple[int, Write]]:
    """Return every write with its record's number, in the order of the log."""
    return order_in(opened.folder, opened.log)


def order_in(folder: Path, log: Log) -> list[tuple[int, Write]]:
    """Return the same of a log in a folder."""
    files, found = DirectoryFiles(folder), []
    for ref in log.frames():
        upto, after = ref.header.last, ref.header.first - 1
        for number, (row, data) in enumerate(replay(files, [ref], after, upto), ref.header.first):
            write = Write(row.disk, row.offset, row.length, None if row.at < 0 else data)
            found.append((number, write))
    files.close()
    return found
