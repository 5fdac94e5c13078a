"""The tap as it is measured: one disk, and a thread that brings its records to a log on this machine.

``python -m benchmarks.tap.ours FOLDER`` serves FOLDER/disk.img until it is ended, and says how it went.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.journal.directory import DirectoryFiles
from migrate.journal.log import open_log
from migrate.replication.memory import keep_memory
from migrate.replication.written import packed_in
from migrate.tap.areas import Areas
from migrate.tap.chunks import Point
from migrate.tap.disk import TappedDisk
from migrate.tap.front import serve
from migrate.tap.listening import listened_at
from migrate.tap.mapfile import MapFile, seen
from migrate.tap.packing import Packer
from migrate.tap.recorder import Mapped, Mode, Recorder
from migrate.tap.tapping import Tap
from planner.units import GIB, MIB

_LIMIT = 8 * GIB  # of the journal: one that is full would take nothing more
_BUFFER = 256 * MIB
_BATCH = 4 * MIB
_LEVEL = 1


class Journalling:
    """Brings what a recorder holds to a log; another thread makes it durable, and only then it is done."""

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._folder = folder
        self._recorder = recorder
        self._log = open_log(DirectoryFiles(folder), "crm")
        self._packer = Packer(recorder.slabs)
        self._ending = threading.Event()
        self._appended = threading.Event()
        self._upto = 0
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._append, self._commit)]

    @property
    def size_bytes(self) -> int:
        """What the journal takes on disk."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def begin(self) -> None:
        """Begin to take what is recorded."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Bring the rest, and end."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._packer.close()

    def _append(self) -> None:
        try:
            while not self._ending.is_set() or self._recorder.held_bytes:
                batch = self._recorder.batch(_BATCH, 0.05)
                if batch.upto == batch.after:
                    continue
                if self.size_bytes > _LIMIT:
                    self._recorder.let_go("the journal is full")
                behind = self._recorder.held_bytes > _BUFFER // 4
                frames = self._packer.frames(batch, (0,), _LEVEL, is_behind=behind)
                self._log.append_packed([packed_in(body) for _reached, body in frames])
                self._upto = batch.upto
                self._appended.set()
        except Mapped:
            return
        finally:
            self._ending.set()
            self._appended.set()

    def _commit(self) -> None:
        done = 0
        while not (self._ending.is_set() and done == self._upto and not self._recorder.held_bytes):
            if not self._appended.wait(0.05):
                continue
            self._appended.clear()
            upto = self._upto
            self._log.commit()
            self._recorder.done(upto)
            done = upto
            if self._recorder.mode is Mode.MAPPED:
                return


def _cool(path: Path, disk: FlatDisk) -> None:
    """Leave a map in which every area is cold, so that each has to be heated once."""
    path.unlink(missing_ok=True)
    areas = Areas([MapFile(path, "db", disk.size_bytes, seen(disk.fileno()))])
    areas.copied(0, 0, disk.size_bytes)
    for _ in range(3):
        areas.tend(0)
    areas.close([seen(disk.fileno())])


async def main(folder: Path) -> None:
    """Serve until SIGTERM."""
    keep_memory()
    disk = FlatDisk(folder / "disk.img", writable=True)
    _cool(folder / "map", disk)
    areas = Areas([MapFile(folder / "map", "db", disk.size_bytes, seen(disk.fileno()))])
    recorder = Recorder(_BUFFER, areas.cool)
    tap = Tap([TappedDisk(0, "db", disk, areas, recorder)], areas, recorder)
    journalling = Journalling(folder / "journal", recorder)
    recorder.begin()
    recorder.finish(Point(time.time_ns() // 1_000_000, whole=True))
    journalling.begin()
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    async def drain() -> None:
        await loop.run_in_executor(None, journalling.end)

    with listened_at(f"unix:{folder / 'sock'}") as listening:
        await serve(tap, listening, stop, drain)
    counts = tap.counts
    print(json.dumps({
        "mode": recorder.mode.value, "why": recorder.why, "left": recorder.held_bytes,
        "stalls": counts.stalls, "longest_ms": round(counts.longest_s * 1000, 1), "writes": counts.writes,
        "map_waits": counts.map_waits, "journal_bytes": journalling.size_bytes,
    }))  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
