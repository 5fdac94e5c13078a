"""Seeds that came by portable drive: brought in before a receiver serves, resumable, never trusted.

The content counts as unknown from before the first byte, so that whatever pass comes first compares
digests and sends what differs. A volume that a pass has begun on is never written here again. The file
that came is only read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from migrate.daemons.registered import open_unused
from migrate.disks.bringing import (
    Clone,
    CopyRange,
    Mark,
    bring,
    clone,
    copy_range,
    keep_mark,
    read_mark,
    which,
)
from migrate.disks.durable import sync_directory
from migrate.disks.flat import FlatDisk
from migrate.disks.opening import open_disk
from migrate.replication.logfile import LogFile
from migrate.replication.progress import ProgressLog
from planner.errors import BadInput, NoSpace
from planner.names import content_id, visible
from planner.units import GIB


@dataclass(frozen=True, slots=True)
class Placed:
    """What came of a seed. ``kept`` says why nothing was brought in, empty when it was.

    ``resumed_bytes`` were there from a try that was interrupted; ``cloned`` took no copying at all.
    """

    volume: str
    size_bytes: int
    copied_bytes: int = 0
    resumed_bytes: int = 0
    cloned: bool = False
    kept: str = ""


def place_seed(
    volume: str,
    seed: Path,
    target: Path,
    store: Path,
    report: Callable[[int, int], None],
    *,
    cloning: Clone = clone,
    copying: CopyRange = copy_range,
    record_bytes: int = GIB,
) -> Placed:
    """Bring a seed into the place of a volume; run again, it goes on where it was.

    ``store`` is the receiver's, and held by the caller. ``report`` gets bytes done and all bytes.
    Raises BadInput for files that do not fit, NoSpace, OSError.
    """
    log = ProgressLog(LogFile(store, volume), volume)
    kept = store / f"{content_id(volume)}.seed"
    record = read_mark(kept)
    with closing(open_disk(str(seed)).disk) as source:
        size = source.size_bytes
        if why := _why_not(log, record):
            return Placed(volume, size, kept=why)
        came = which(seed)
        _must_differ(seed, target)
        disk, record = _opened(volume, target, size, came, record)
        with closing(disk):
            keep_mark(kept, record)
            if not log.state.unknown:
                log.poison(())
            try:
                brought = bring(
                    source,
                    disk,
                    record.done_bytes,
                    report,
                    lambda done: keep_mark(kept, replace(record, done_bytes=done)),
                    cloning=cloning,
                    copying=copying,
                    mark_bytes=record_bytes,
                )
            except OSError as error:
                if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                    raise NoSpace(
                        f"{visible(str(target), 200)} is full: the seed did not fit",
                        "free space and run again, what was brought in is kept",
                    ) from error
                raise
        if which(seed) != came:
            raise BadInput(
                f"{visible(str(seed), 200)} changed while it was brought in",
                "make the seed of a snapshot or a stopped VM's disk, and begin anew",
            )
    keep_mark(kept, replace(record, done_bytes=size, complete=True))
    return Placed(volume, size, brought.copied_bytes, brought.resumed_bytes, brought.cloned)


def _why_not(log: ProgressLog, record: Mark | None) -> str:
    state = log.state
    if state.current is not None or state.done is not None or state.generation:
        return "a sender has been at work on it since"
    if record is not None and record.complete:
        return "it was brought in already"
    if state.unknown and record is None:
        return "its content is unknown, which the next pass sets right"
    return ""


def _opened(
    volume: str, target: Path, size: int, came: tuple[int, int, int], record: Mark | None
) -> tuple[FlatDisk, Mark]:
    """Open the target, made when it is not there, and say from where to go on."""
    shown = visible(str(target), 200)
    if not target.exists():
        record = None
        with target.open("xb") as file:
            file.truncate(size)
        sync_directory(target.parent)
    try:
        disk = open_unused(target)
    except OSError as error:
        raise BadInput(
            f"{shown} cannot be written: {error.strerror}", "name a file or an unused device"
        ) from error
    try:
        about = os.fstat(disk.fileno())
        if disk.size_bytes < size:
            raise BadInput(
                f"{shown} has {disk.size_bytes} bytes, the seed of {visible(volume, 200)} has {size}",
                "give it the size of the source disk",
            )
        if record is not None and record.seed == came and record.target == about.st_ino:
            return disk, record
        is_empty = next(iter(disk.allocated()), None) is None
        # Half of another seed is ours to write over; anything else may be somebody's only copy.
        if not (is_empty or (record is not None and record.target == about.st_ino)) and stat.S_ISREG(
            about.st_mode
        ):
            raise BadInput(
                f"{shown} holds data already, no seed is written over it",
                "register it as it is, without --seed-from: the first pass compares it; or remove it",
            )
        if not is_empty and stat.S_ISREG(about.st_mode):
            disk.zero(0, disk.size_bytes)
        return disk, Mark(came, about.st_ino)
    except BaseException:
        disk.close()
        raise


def _must_differ(seed: Path, target: Path) -> None:
    if target.exists() and seed.samefile(target):
        raise BadInput(
            f"{visible(str(seed), 200)} is the seed and its own target",
            "register it without --seed-from to use it in place",
        )
