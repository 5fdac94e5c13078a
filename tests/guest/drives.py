"""The guest's two disks: files with a file system, behind one log, served over NBD by a thread.

A checkpoint is one place in the order of both disks' writes.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar

from migrate.disks.flat import FlatDisk
from migrate.disks.nbd.serving.exports import Export
from migrate.disks.nbd.serving.server import serve_unix
from migrate.disks.ports import WritableDisk
from migrate.journal.directory import DirectoryFiles
from migrate.journal.disk import JournalledDisk
from migrate.journal.image import Image
from migrate.journal.log import Log, open_log
from migrate.journal.overlay import Indexes
from migrate.journal.promotion import replay
from migrate.journal.state import label_mark
from migrate.journal.writes import Write
from migrate.sites.ports import Consistency
from planner.units import MIB
from tests.guest.packages import run
from tests.guest.records import DISKS
from tests.guest.system import tool

SIZE: Final = 16 * MIB
_SEGMENT: Final = 2 * MIB  # so that segments change while the guest writes
T = TypeVar("T")


def formatted(folder: Path) -> list[Path]:
    """Return two new disks with an ext4 file system each, its journal as small as can be."""
    made = []
    for disk in DISKS:
        path = folder / f"{disk}.img"
        with path.open("wb") as file:
            file.truncate(SIZE)
        lazy = "lazy_itable_init=0,lazy_journal_init=0"
        mke2fs = tool("mke2fs") or "mke2fs"
        run([mke2fs, "-q", "-t", "ext4", "-b", "1024", "-J", "size=1", "-E", lazy, str(path)])
        made.append(path)
    return made


class Images(Protocol):
    """A journal that offers both disks at its checkpoints."""

    def image(self, record: int, number: int) -> Image:
        """Return a disk as it was at a checkpoint; close it."""
        ...

    def close(self) -> None: ...


def copied(images: Images, record: int, folder: Path) -> list[Path]:
    """Write both disks as they were at a checkpoint to files."""
    made = []
    for number, disk in enumerate(DISKS):
        image, path = images.image(record, number), folder / f"{disk}-{record}.img"
        with path.open("wb") as file:
            file.truncate(image.size_bytes)
            for offset, length in image.allocated():
                data = bytearray(length)
                image.read_into(memoryview(data), offset)
                file.seek(offset)
                file.write(data)
        image.close()
        made.append(path)
    return made


class Journal:
    """The log of the two disks in ``folder`` over ``replicas``; what is opened from it is closed by it."""

    def __init__(self, folder: Path, replicas: Sequence[Path]) -> None:
        folder.mkdir(exist_ok=True)
        self._replicas = replicas
        self.files = DirectoryFiles(folder)
        self.log: Log = open_log(self.files, "guest", segment_bytes=_SEGMENT)

    def disk(self, number: int) -> JournalledDisk:
        """Return a disk whose writes go to the log."""
        return JournalledDisk(number, FlatDisk(self._replicas[number]), self.log)

    def checkpoint(self) -> int:
        """Make a durable checkpoint of what was written to both disks so far."""
        return self.log.checkpoint(time.time_ns() // 1_000_000).record

    def label(self, record: int, consistency: Consistency) -> None:
        """Say what a checkpoint is worth."""
        self.log.mark(label_mark(record, consistency))
        self.log.commit()

    def image(self, record: int, number: int) -> Image:
        """Return a disk as it was at a checkpoint; close it."""
        lease = self.log.lease(record)
        return Image(number, FlatDisk(self._replicas[number]), lease, Indexes(lease.reader))

    def order(self) -> list[tuple[int, Write]]:
        """Return every write with its record's number, in the order of the log."""
        found = []
        for ref in self.log.frames():
            upto, after = ref.header.last, ref.header.first - 1
            for number, (row, data) in enumerate(replay(self.files, [ref], after, upto), ref.header.first):
                write = Write(row.disk, row.offset, row.length, None if row.at < 0 else data)
                found.append((number, write))
        return found

    def close(self) -> None:
        """Close the segments."""
        self.files.close()


class Serving:
    """Disks served under their names on a Unix socket, by a thread that alone touches them."""

    def __init__(self, disks: Mapping[str, WritableDisk]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wherry-disks-"))  # a socket's path has to be short
        self.path = self._folder / "nbd"
        self._disks = disks
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        self._thread.start()
        assert self._ready.wait(10)

    def do(self, act: Callable[[], T]) -> T:
        """Do something between two requests and return what it returns."""

        async def doing() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(doing(), self._loop).result(60)

    def stop(self) -> None:
        """Serve no more, and close the disks."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        for disk in self._disks.values():
            disk.close()
        shutil.rmtree(self._folder)

    async def _serve(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        exports = {name: Export(disk, disk) for name, disk in self._disks.items()}
        await serve_unix(self.path, exports, self._stop, self._ready.set)


@contextmanager
def serving(disks: Mapping[str, WritableDisk]) -> Iterator[Serving]:
    """Serve disks for a while."""
    served = Serving(disks)
    try:
        yield served
    finally:
        served.stop()
