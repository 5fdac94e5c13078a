"""A tap in a thread of the test's process, and recorders that only remember."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.replication.channel import Buffer
from migrate.tap.areas import Areas
from migrate.tap.chunks import Run
from migrate.tap.disk import TappedDisk
from migrate.tap.front import serve
from migrate.tap.listening import listen
from migrate.tap.mapfile import MapFile, Seen, seen
from migrate.tap.tapping import Tap


class Remembering:
    """Keeps every record, and says whatever a test wants about them."""

    def __init__(self) -> None:
        self.records: list[tuple[int, int, bytes | None, int]] = []
        self.let_go_for: list[str] = []

    @property
    def last(self) -> int:
        return len(self.records)

    def add(self, disk: int, offset: int, data: Buffer | None, length: int) -> int:
        self.records.append((disk, offset, None if data is None else bytes(data), length))
        return len(self.records)

    def add_all(self, disk: int, view: memoryview, runs: Sequence[Run]) -> int:
        for offset, length, start in runs:
            self.add(disk, offset, view[start : start + length], length)
        return len(self.records)

    def let_go(self, why: str) -> None:
        self.let_go_for.append(why)

    def replayed(self, disk: int, content: bytes, since: int = 0) -> bytes:
        """Return what the records, from the one numbered ``since`` on, make of the content a disk had."""
        made = bytearray(content)
        for number, offset, data, length in self.records[since:]:
            if number == disk:
                made[offset : offset + length] = bytes(length) if data is None else data
        return bytes(made)


class Tapped:
    """Disks behind a tap on a Unix socket in ``folder``; by their file names."""

    def __init__(
        self,
        folder: Path,
        disks: Sequence[FlatDisk],
        names: Sequence[str],
        make_map: Callable[[Path, str, int, Seen], MapFile] = MapFile,
    ) -> None:
        self.records = Remembering()
        self.socket = folder / "tap.sock"
        self.maps = [
            make_map(folder / f"{number}.areas", name, disk.size_bytes, seen(disk.fileno()))
            for number, (name, disk) in enumerate(zip(names, disks, strict=True))
        ]
        self._disks, self._names = disks, names
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        self.areas = Areas(self.maps)
        pairs = enumerate(zip(self._names, self._disks, strict=True))
        tapped = [TappedDisk(n, name, disk, self.areas, self.records) for n, (name, disk) in pairs]
        self.tap = Tap(tapped, self.areas, self.records)
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        with listen(f"unix:{self.socket}") as listening:
            self._loop.call_soon(self._ready.set)
            await serve(self.tap, listening, self._stop, _nothing)

    def uri(self, name: str) -> str:
        return f"nbd+unix:///{name}?socket={self.socket}"

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()


async def _nothing() -> None:
    pass


def cooled(maps: Sequence[MapFile], disks: Sequence[FlatDisk]) -> None:
    """Close maps as if the target had everything."""
    areas = Areas(maps)
    areas.begin_era()
    for number, disk in enumerate(disks):
        areas.copied(number, 0, disk.size_bytes)
    areas.cool(1)
    for _ in range(3):
        areas.tend(1)
    areas.close([seen(disk.fileno()) for disk in disks])
