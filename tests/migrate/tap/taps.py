"""A tap whose target is a file beside it, in a process of its own, to be killed.

``python -m tests.migrate.tap.taps FOLDER [wrong]``: ``wrong`` lets writes begin in areas that are cold.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.replication.channel import Buffer
from migrate.tap.areas import Areas
from migrate.tap.chunks import Run
from migrate.tap.disk import TappedDisk
from migrate.tap.front import serve
from migrate.tap.listening import listen
from migrate.tap.mapfile import MapFile, seen
from migrate.tap.tapping import Tap

BEHIND = 100


class _Careless(Areas):
    def heat(self, disk: int, offset: int, length: int) -> bool:
        return True


class Lagging:
    """Applies records to a file, but for the newest ones, and acknowledges them then."""

    def __init__(self, path: Path, areas: Areas) -> None:
        self._fd = os.open(path, os.O_RDWR)
        self._areas = areas
        self._todo: queue.SimpleQueue[tuple[int, int, bytes]] = queue.SimpleQueue()
        self.last = 0
        threading.Thread(target=self._apply, daemon=True).start()

    def add(self, disk: int, offset: int, data: Buffer | None, length: int) -> int:
        self.last += 1
        self._todo.put((self.last, offset, bytes(length) if data is None else bytes(data)))
        return self.last

    def add_all(self, disk: int, view: memoryview, runs: Sequence[Run]) -> int:
        for offset, length, start in runs:
            self.add(disk, offset, view[start : start + length], length)
        return self.last

    def let_go(self, why: str) -> None:
        raise AssertionError(why)

    def _apply(self) -> None:
        while True:
            number, offset, data = self._todo.get()
            while self.last < number + BEHIND:
                time.sleep(0.001)
            os.pwrite(self._fd, data, offset)
            self._areas.cool(number)


async def _nothing() -> None:
    pass


async def main(folder: Path, make: type[Areas]) -> None:
    """Serve until somebody ends it."""
    disk = FlatDisk(folder / "source.img", writable=True)
    areas = make([MapFile(folder / "map", "db", disk.size_bytes, seen(disk.fileno()))], keep=2)
    records = Lagging(folder / "target.img", areas)
    tap = Tap([TappedDisk(0, "db", disk, areas, records)], areas, records)
    with listen(f"unix:{folder / 'sock'}") as listening:
        print("ready", flush=True)
        await serve(tap, listening, asyncio.Event(), _nothing)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), _Careless if sys.argv[2:] == ["wrong"] else Areas))
