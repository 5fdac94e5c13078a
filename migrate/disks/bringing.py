"""One disk brought onto another one of this machine: as a clone, by the kernel, or by hand.

What is durable is marked now and then, so that a copy that was cut off goes on from there. Holes stay
holes. The disk it comes from is only read.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from migrate.disks.durable import replace_file
from migrate.disks.flat import FlatDisk
from migrate.disks.ports import ReadableDisk, WritableDisk
from planner.errors import BadInput, Paused
from planner.names import visible
from planner.units import GIB, MIB

CopyRange = Callable[[int, int, int, int, int], int]
Clone = Callable[[int, int], None]
_FICLONE = 0x40049409
_STEP = 64 * MIB
_NOT_HERE = {errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTTY, errno.EPERM}


@dataclass(frozen=True, slots=True)
class Brought:
    """What came. ``resumed_bytes`` were there from a try that was cut off; a clone copies nothing.

    ``data_bytes`` is what of the disk is no hole.
    """

    data_bytes: int
    copied_bytes: int
    resumed_bytes: int = 0
    cloned: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a disk is brought: which file, onto which one, and up to where it is durable."""

    seed: tuple[int, int, int]  # inode, size, time it was changed; a drive gets another device each time
    target: int  # inode, 0 where it is no file
    done_bytes: int = 0
    complete: bool = False


def clone(source: int, target: int) -> None:
    """Make a file share the blocks of another; raises OSError where the file system cannot."""
    fcntl.ioctl(target, _FICLONE, source)


def copy_range(source: int, target: int, length: int, offset: int, at: int) -> int:
    """Copy inside the kernel and return how much; raises OSError where it cannot."""
    return os.copy_file_range(source, target, length, offset, at)


def bring(
    source: ReadableDisk,
    target: WritableDisk,
    begun: int,
    report: Callable[[int, int], None],
    mark: Callable[[int], None],
    *,
    stop: Callable[[], bool] = lambda: False,
    cloning: Clone = clone,
    copying: CopyRange = copy_range,
    mark_bytes: int = GIB,
) -> Brought:
    """Bring all of ``source`` onto ``target`` from the byte ``begun`` on; returns when it is durable.

    ``report`` gets bytes done and all bytes, ``mark`` up to where it is durable, every ``mark_bytes``.
    Raises Paused when ``stop`` says so, what came until then is marked; OSError.
    """
    size = source.size_bytes
    runs = [(offset, min(offset + length, size)) for offset, length in source.allocated() if offset < size]
    data = sum(end - offset for offset, end in runs)
    if begun == 0 and target.size_bytes == size and _cloned(source, target, cloning):
        target.flush()
        report(size, size)
        return Brought(data, 0, cloned=True)
    clears = isinstance(target, FlatDisk) and stat.S_ISBLK(os.fstat(target.fileno()).st_mode)
    buffer = memoryview(bytearray(MIB))
    copied, durable, behind = 0, begun, 0
    for offset, end in (*runs, (size, size)):
        gap = max(behind, begun)
        if clears and gap < offset:
            target.zero(gap, offset - gap)
        at, behind = max(offset, begun), end
        while at < end:
            step = min(_STEP, end - at)
            copying = _copy(source, target, at, step, copying, buffer)
            at += step
            copied += step
            report(at, size)
            stopped = stop()
            if stopped or at - durable >= mark_bytes:
                target.flush()
                durable = at
                mark(at)
            if stopped:
                raise Paused("bringing in a seed was stopped", "run the verb again; it resumes")
    target.flush()
    report(size, size)
    return Brought(data, copied, begun)


def _cloned(source: ReadableDisk, target: WritableDisk, cloning: Clone) -> bool:
    if not (isinstance(source, FlatDisk) and isinstance(target, FlatDisk)):
        return False
    try:
        cloning(source.fileno(), target.fileno())
    except OSError as error:
        if error.errno in _NOT_HERE:
            return False
        raise
    return True


def _copy(
    source: ReadableDisk,
    target: WritableDisk,
    at: int,
    length: int,
    copying: CopyRange,
    buffer: memoryview,
) -> CopyRange:
    """Copy a run, and return how to copy the next one: by hand once the kernel has declined."""
    end = at + length
    if isinstance(source, FlatDisk) and isinstance(target, FlatDisk) and copying is not _by_hand:
        try:
            while at < end:
                done = copying(source.fileno(), target.fileno(), end - at, at, at)
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
        target.write(buffer[:step], at)
        at += step
    return _by_hand if by_hand else copying


def _by_hand(_source: int, _target: int, _length: int, _offset: int, _at: int) -> int:
    """Stand for the kernel that does not copy between these two."""
    return 0


def which(path: Path) -> tuple[int, int, int]:
    """Return what tells a file from another one, and from itself once it is changed; raises OSError."""
    about = path.stat()
    return about.st_ino, about.st_size, about.st_mtime_ns


def keep_mark(path: Path, mark: Mark) -> None:
    """Write a mark durably; raises OSError."""
    replace_file(path, json.dumps(asdict(mark)).encode("ascii"))


def read_mark(path: Path) -> Mark | None:
    """Return a mark, None where there is none; raises BadInput when it is damaged, OSError."""
    try:
        told = json.loads(path.read_bytes())
        inode, size, changed = map(int, told["seed"])
        return Mark(
            (inode, size, changed), int(told["target"]), int(told["done_bytes"]), bool(told["complete"])
        )
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise BadInput(
            f"{visible(str(path), 200)} is damaged", "remove it and the half copy, and begin anew"
        ) from error
