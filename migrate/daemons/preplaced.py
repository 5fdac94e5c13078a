"""Seeds that came by portable drive: brought in before a receiver serves, resumable, never trusted.

The content counts as unknown from before the first byte, so that whatever pass comes first compares
digests and sends what differs. A volume that a pass has begun on is never written here again. The file
that came is only read.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from migrate.daemons.registered import open_unused
from migrate.disks.durable import replace_file, sync_directory
from migrate.disks.flat import FlatDisk
from migrate.disks.opening import open_disk
from migrate.disks.ports import BlockDevice
from migrate.replication.extents import walk
from migrate.replication.logfile import LogFile
from migrate.replication.progress import ProgressLog
from migrate.sites.ports import Extent
from planner.errors import BadInput, NoSpace
from planner.names import content_id, visible
from planner.units import GIB, MIB

CopyRange = Callable[[int, int, int, int, int], int]
_FICLONE = 0x40049409
_STEP = 64 * MIB
_NOT_HERE = {errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTTY, errno.EPERM}


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


@dataclass(frozen=True, slots=True)
class _Record:
    """How far a seed is brought in: which file, into which one, and up to where it is durable."""

    seed: tuple[int, int, int]  # inode, size, time it was changed; a drive gets another device each time
    target: int  # inode
    done_bytes: int = 0
    complete: bool = False


def clone(source: int, target: int) -> None:
    """Make a file share the blocks of another; raises OSError where the file system cannot."""
    fcntl.ioctl(target, _FICLONE, source)


def copy_range(source: int, target: int, length: int, offset: int, at: int) -> int:
    """Copy inside the kernel and return how much; raises OSError where it cannot."""
    return os.copy_file_range(source, target, length, offset, at)


def place_seed(
    volume: str,
    seed: Path,
    target: Path,
    store: Path,
    report: Callable[[int, int], None],
    *,
    cloning: Callable[[int, int], None] = clone,
    copying: CopyRange = copy_range,
    record_bytes: int = GIB,
) -> Placed:
    """Bring a seed into the place of a volume; run again, it goes on where it was.

    ``store`` is the receiver's, and held by the caller. ``report`` gets bytes done and all bytes.
    Raises BadInput for files that do not fit, NoSpace, OSError.
    """
    log = ProgressLog(LogFile(store, volume), volume)
    kept = store / f"{content_id(volume)}.seed"
    record = _read(kept)
    with closing(open_disk(str(seed)).disk) as source:
        size = source.size_bytes
        if why := _why_not(log, record):
            return Placed(volume, size, kept=why)
        which = _which(seed)
        _must_differ(seed, target)
        disk, record = _opened(volume, target, size, which, record)
        with closing(disk):
            _save(kept, record)
            if not log.state.unknown:
                log.poison(())
            try:
                placed = _bring(volume, source, disk, kept, record, report, cloning, copying, record_bytes)
            except OSError as error:
                if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                    raise NoSpace(
                        f"{visible(str(target), 200)} is full: the seed did not fit",
                        "free space and run again, what was brought in is kept",
                    ) from error
                raise
        if _which(seed) != which:
            raise BadInput(
                f"{visible(str(seed), 200)} changed while it was brought in",
                "make the seed of a snapshot or a stopped VM's disk, and begin anew",
            )
    _save(kept, replace(record, done_bytes=size, complete=True))
    return placed


def _bring(
    volume: str,
    source: BlockDevice,
    disk: FlatDisk,
    kept: Path,
    record: _Record,
    report: Callable[[int, int], None],
    cloning: Callable[[int, int], None],
    copying: CopyRange,
    record_bytes: int,
) -> Placed:
    size, begun = source.size_bytes, record.done_bytes
    if begun == 0 and disk.size_bytes == size and _cloned(source, disk, cloning):
        disk.flush()
        report(size, size)
        return Placed(volume, size, cloned=True)
    is_device = stat.S_ISBLK(os.fstat(disk.fileno()).st_mode)
    copied, durable = 0, begun
    buffer = memoryview(bytearray(MIB))
    for run, data in walk((Extent(*pair) for pair in source.allocated()), size):
        at = max(run.offset, begun)
        if not data and is_device and at < run.end:
            disk.zero(at, run.end - at)
        while data and at < run.end:
            step = min(_STEP, run.end - at)
            copying = _copy(source, disk, at, step, copying, buffer)
            at += step
            copied += step
            report(at, size)
            if at - durable >= record_bytes:
                disk.flush()
                durable = at
                _save(kept, replace(record, done_bytes=at))
    disk.flush()
    report(size, size)
    return Placed(volume, size, copied, begun)


def _cloned(source: BlockDevice, disk: FlatDisk, cloning: Callable[[int, int], None]) -> bool:
    if not isinstance(source, FlatDisk):
        return False
    try:
        cloning(source.fileno(), disk.fileno())
    except OSError as error:
        if error.errno in _NOT_HERE:
            return False
        raise
    return True


def _copy(
    source: BlockDevice, disk: FlatDisk, at: int, length: int, copying: CopyRange, buffer: memoryview
) -> CopyRange:
    """Copy a run, and return how to copy the next one: by hand once the kernel has declined."""
    end = at + length
    if isinstance(source, FlatDisk) and copying is not _by_hand:
        try:
            while at < end:
                done = copying(source.fileno(), disk.fileno(), end - at, at, at)
                if not done:
                    break
                at += done
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
    by_hand = at < end
    while at < end:
        step = min(MIB, end - at)
        source.read_into(buffer[:step], at)
        disk.write(buffer[:step], at)
        at += step
    return _by_hand if by_hand else copying


def _by_hand(_source: int, _target: int, _length: int, _offset: int, _at: int) -> int:
    """Stand for the kernel that does not copy between these two."""
    return 0


def _why_not(log: ProgressLog, record: _Record | None) -> str:
    state = log.state
    if state.current is not None or state.done is not None or state.generation:
        return "a sender has been at work on it since"
    if record is not None and record.complete:
        return "it was brought in already"
    if state.unknown and record is None:
        return "its content is unknown, which the next pass sets right"
    return ""


def _opened(
    volume: str, target: Path, size: int, which: tuple[int, int, int], record: _Record | None
) -> tuple[FlatDisk, _Record]:
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
        if record is not None and record.seed == which and record.target == about.st_ino:
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
        return disk, _Record(which, about.st_ino)
    except BaseException:
        disk.close()
        raise


def _must_differ(seed: Path, target: Path) -> None:
    if target.exists() and seed.samefile(target):
        raise BadInput(
            f"{visible(str(seed), 200)} is the seed and its own target",
            "register it without --seed-from to use it in place",
        )


def _which(path: Path) -> tuple[int, int, int]:
    about = path.stat()
    return about.st_ino, about.st_size, about.st_mtime_ns


def _save(path: Path, record: _Record) -> None:
    replace_file(path, json.dumps(asdict(record)).encode("ascii"))


def _read(path: Path) -> _Record | None:
    try:
        told = json.loads(path.read_bytes())
        inode, size, changed = map(int, told["seed"])
        return _Record(
            (inode, size, changed), int(told["target"]), int(told["done_bytes"]), bool(told["complete"])
        )
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise BadInput(
            f"{visible(str(path), 200)} is damaged", "remove it and the half copy, and begin anew"
        ) from error
