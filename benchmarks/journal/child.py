"""What is measured in a process of its own: ``python -m benchmarks.journal.child WHAT FOLDER [SOCKET]``.

``first`` and ``costs`` print JSON, ``serve`` serves the newest checkpoint over NBD until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.journal.making import BARE, BLOCK, open_journal

_CHECKED = 3000


def _first(folder: Path) -> dict[str, Any]:
    """Open an image of each checkpoint and read where no record is; then again in worse circumstances."""
    from migrate.disks.flat import FlatDisk
    from migrate.journal.image import Image
    from migrate.journal.overlay import Indexes

    replica = folder / "replica.img"
    _files, log = open_journal(folder)
    buffer = bytearray(BLOCK)

    def open_image(record: int) -> Image:
        return Image(0, FlatDisk(replica), log.lease(record), Indexes(log.reader))

    def took_ms(record: int) -> float:
        begun = time.perf_counter()
        image = open_image(record)
        image.read_into(memoryview(buffer), image.size_bytes - BARE)
        took = time.perf_counter() - begun
        image.close()
        return took * 1000

    points = sorted(log.state.checkpoints)
    warm = [took_ms(point) for point in points]
    _forget(folder)
    cold = took_ms(points[len(points) // 2])
    if (folder / "content.img").exists():
        _check(open_image(points[-1]), folder / "content.img")
    for path in (folder / "journal").glob("*.index"):
        path.rename(path.with_suffix(".away"))
    lost = took_ms(points[-1])
    for path in (folder / "journal").glob("*.away"):
        path.rename(path.with_suffix(".index"))
    return {"warm_ms": warm, "cold_ms": cold, "lost_ms": lost}


def _forget(folder: Path) -> None:
    """Have nothing of a journal in the page cache."""
    for path in (folder / "journal").iterdir():
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def _check(image: Any, content: Path) -> None:
    """Compare an image with the raw file it should read as, in many places."""
    rng = random.Random(1)
    buffer = bytearray(3 * BLOCK)
    with content.open("rb", buffering=0) as file:
        for _ in range(_CHECKED):
            offset = rng.randrange(image.size_bytes - len(buffer))
            image.read_into(memoryview(buffer), offset)
            file.seek(offset)
            if file.read(len(buffer)) != buffer:
                raise SystemExit(f"the image is not what was written at {offset}")
    image.close()


def _costs(folder: Path) -> dict[str, float]:
    """Return MiB of memory: of the log, of an image after its first read, and of one read all over."""
    from migrate.disks.flat import FlatDisk
    from migrate.journal.image import Image
    from migrate.journal.overlay import Indexes

    before = _resident()
    _files, log = open_journal(folder)
    opened = _resident()
    record = max(log.state.checkpoints)
    image = Image(0, FlatDisk(folder / "replica.img"), log.lease(record), Indexes(log.reader))
    buffer = memoryview(bytearray(BLOCK))
    image.read_into(buffer, image.size_bytes - BARE)
    read = _resident()
    rng = random.Random(1)
    waits = []
    for _ in range(20_000):
        offset = rng.randrange(image.size_bytes // BLOCK) * BLOCK
        begun = time.perf_counter()
        image.read_into(buffer, offset)
        waits.append(time.perf_counter() - begun)
    late = sorted(waits[-5000:])
    return {
        "log_mib": opened - before,
        "image_mib": read - opened,
        "everywhere_mib": _resident() - opened,
        "read_us": statistics.median(late) * 1e6,
        "longest_ms": max(waits) * 1000,
    }


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _serve(folder: Path, sock: Path) -> None:
    from migrate.disks.flat import FlatDisk
    from migrate.disks.nbd.serving.exports import Export
    from migrate.disks.nbd.serving.server import serve_unix
    from migrate.journal.image import Image
    from migrate.journal.overlay import Indexes

    _files, log = open_journal(folder)
    lease = log.lease(max(log.state.checkpoints))
    image = Image(0, FlatDisk(folder / "replica.img"), lease, Indexes(log.reader))

    async def serve() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await serve_unix(sock, {"": Export(image)}, stop, lambda: None)

    asyncio.run(serve())


def main(arguments: Sequence[str]) -> None:
    """Do what is asked for."""
    what, folder = arguments[0], Path(arguments[1])
    if what == "serve":
        _serve(folder, Path(arguments[2]))
    else:
        print(json.dumps({"first": _first, "costs": _costs}[what](folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
