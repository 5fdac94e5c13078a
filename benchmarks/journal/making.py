"""Journals to measure: a replica, and writes of 4 KiB over it as a stream brings them, with checkpoints."""

from __future__ import annotations

import os
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from migrate.journal.directory import DirectoryFiles
from migrate.journal.log import Log, open_log
from migrate.journal.overlay import prepare
from migrate.journal.writes import Write
from planner.units import KIB, MIB

BLOCK = 4 * KIB
GROUP = "benchmark"
BARE = MIB  # at the end of the disk nothing is ever written
STREAM = 64  # writes at once
_CHECKPOINTS = 8


@dataclass(frozen=True, slots=True)
class Made:
    """A journal in ``folder``; ``content`` is what the newest checkpoint reads as, where it was kept."""

    folder: Path
    size_bytes: int
    records: int
    wrote_s: float
    indexed_s: float

    @property
    def replica(self) -> Path:
        """The replica's file."""
        return self.folder / "replica.img"

    @property
    def content(self) -> Path:
        """A raw file with the content of the newest checkpoint."""
        return self.folder / "content.img"

    @property
    def journal(self) -> Path:
        """The folder of the segments."""
        return self.folder / "journal"

    def remove(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.folder)


def open_journal(folder: Path) -> tuple[DirectoryFiles, Log]:
    """Open the log of a journal that was made."""
    files = DirectoryFiles(folder / "journal")
    return files, open_log(files, GROUP)


def make(
    folder: Path,
    size_bytes: int,
    records: int,
    *,
    dense: bool = False,
    packs: bool = True,
    batch: int = STREAM,
) -> Made:
    """Make a journal of that many records, ``batch`` at once as a tap's, or one by one as a pass's.

    With ``dense`` replica and content are whole files. Blocks are drawn from a pool of hexadecimal digits,
    which pack to half, or of random bytes.
    """
    rng = random.Random(size_bytes)
    pool = memoryview(os.urandom(16 * MIB).hex().encode() if packs else os.urandom(32 * MIB))
    made = Made(folder, size_bytes, records, 0.0, 0.0)
    made.journal.mkdir(parents=True)
    with made.replica.open("wb") as file:
        for _ in range(size_bytes // len(pool) if dense else 0):
            file.write(pool)
        file.truncate(size_bytes)
    content = -1
    if dense:
        shutil.copyfile(made.replica, made.content)
        content = os.open(made.content, os.O_WRONLY)
    files, log = open_journal(folder)
    spent = 0.0
    for number in range(0, records, batch):
        writes = [_drawn(rng, pool, size_bytes) for _ in range(min(batch, records - number))]
        begun = time.perf_counter()
        if batch == 1:
            log.join(writes[0])  # as the disk that a receiver writes to does
        else:
            log.append(writes)
        if number // STREAM % 64 == 63:
            log.commit()
        if number * _CHECKPOINTS // records != (number + batch) * _CHECKPOINTS // records:
            log.checkpoint(number)
        spent += time.perf_counter() - begun
        for write in writes if dense else ():
            assert write.data is not None
            os.pwrite(content, write.data, write.offset)
    log.checkpoint(records)
    begun = time.perf_counter()
    prepare(log)
    indexed = time.perf_counter() - begun
    files.close()
    if dense:
        os.close(content)
    return Made(folder, size_bytes, records, spent, indexed)


def _drawn(rng: random.Random, pool: memoryview, size_bytes: int) -> Write:
    at = rng.randrange(len(pool) // BLOCK) * BLOCK
    offset = rng.randrange((size_bytes - BARE) // BLOCK) * BLOCK
    return Write(0, offset, BLOCK, pool[at : at + BLOCK])
