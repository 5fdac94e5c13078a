"""A disk copied into a file or over a device, stretch by stretch, and read back.

    read, hash, write ── flush ── note ── next stretch ... ── read all of it back ── every stretch equal

What stands there already, is noted and hashes as it was read is not read again.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from blake3 import blake3

from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.journal.stretches import Note, Stretch, digest_of_zeros, stretches
from migrate.replication.hashing import hash_disk
from migrate.replication.zeros import ZERO_MIB, is_zero
from planner.errors import Corrupt, NoSpace, StepFailed
from planner.names import visible
from planner.units import MIB

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
Report = Callable[[str, int, int], None]  # what is done, bytes done, all bytes
Opens = Callable[[Path], WritableDisk]


def copied(
    image: ReadableDisk,
    path: Path,
    volume: str,
    report: Report,
    opens: Opens,
    *,
    note: Note | None = None,
    stretch_bytes: int = 0,
    clears: bool = False,
) -> list[str]:
    """Copy a disk, durably, and return the digests of its stretches; one of all of it without a note.

    What is noted and stands there is left as it is. What is zeros is left out or cleared.
    """
    size, shown = image.size_bytes, visible(volume, 200)
    told = (
        {} if note is None else {at: digest for (file, at), digest in note.found.items() if file == path.name}
    )
    clears = clears or bool(told)  # behind what is durable anything may stand
    read = []
    try:
        with closing(opens(path)) as target:
            for stretch in stretches(image, size, stretch_bytes or max(size, 1)):
                start = stretch.start
                progress = partial(_report, report, f"write {volume}", start, size)
                digest = told.get(start, "")
                if not digest or hash_disk(_all(target, stretch), progress=progress).digest != digest:
                    copying = _Copying(stretch, target, shown, clears=clears)
                    digest = hash_disk(copying, progress=progress).digest
                    target.flush()
                    if note is not None:
                        note.add(path.name, start, digest)
                read.append(digest)
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(
                f"there is no space left for {shown}", "free space there and run it again"
            ) from error
        raise
    return read


def checked(
    path: Path, size: int, stretch_bytes: int, read: Sequence[str], volume: str, report: Report, opens: Opens
) -> str:
    """Return the digest of what stands there; raises Corrupt where a stretch is not what was read."""
    whole = blake3()
    with closing(opens(path)) as back:
        for stretch, digest in zip(stretches(back, size, max(stretch_bytes, 1)), read, strict=True):
            if stretch.runs:
                heard = _Heard(_all(back, stretch), whole.update)
                progress = partial(_report, report, f"check {volume}", stretch.start, size)
                found = hash_disk(heard, progress=progress).digest
            else:
                for at in range(0, stretch.size_bytes, MIB):
                    whole.update(ZERO_MIB[: stretch.size_bytes - at])
                found = digest_of_zeros(stretch.size_bytes)
                report(f"check {volume}", stretch.start + stretch.size_bytes, size)
            if found != digest:
                raise Corrupt(
                    f"what was written of {visible(volume, 200)} does not read as what was to be written",
                    "check the storage it was written to",
                )
    return whole.hexdigest()


def _report(report: Report, what: str, start: int, size: int, done: int) -> None:
    report(what, start + done, size)


def _all(disk: ReadableDisk, stretch: Stretch) -> Stretch:
    """Return the same stretch of a disk, to be read with its holes."""
    return Stretch(disk, stretch.start, stretch.size_bytes, ((0, stretch.size_bytes),))


class _Heard:
    """A disk that is read from its beginning to its end, and ``hear`` gets what is read. A ReadableDisk."""

    def __init__(self, disk: ReadableDisk, hear: Callable[[memoryview], object]) -> None:
        self._disk = disk
        self._hear = hear
        self.allocated, self.close = disk.allocated, disk.close

    @property
    def size_bytes(self) -> int:
        return self._disk.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self._disk.read_into(buffer, offset)
        self._hear(buffer)


class _Copying:
    """A stretch that is copied while it is read from its beginning to its end. A ReadableDisk."""

    def __init__(self, image: Stretch, target: WritableDisk, shown: str, *, clears: bool) -> None:
        self._image = image
        self._target = target
        self._shown = shown
        self._clears = clears
        self.close = image.close

    @property
    def size_bytes(self) -> int:
        return self._image.size_bytes

    def allocated(self) -> Iterator[tuple[int, int]]:
        at = 0
        for offset, length in (*self._image.runs, (self.size_bytes, 0)):
            if self._clears and at < offset:
                self._target.zero(self._image.start + at, offset - at)
            at = offset + length
            if length:
                yield offset, length

    def read_into(self, buffer: memoryview, offset: int) -> None:
        at = self._image.start + offset
        try:
            self._image.read_into(buffer, offset)
        except OSError as error:
            raise StepFailed(
                f"the image of {self._shown} cannot be read at byte {at}: {error.strerror or error}",
                "look at the log of the receiver",
            ) from error
        data = bytearray(buffer)
        if not is_zero(data, 0, len(data)):
            self._target.write(memoryview(data), at)
        elif self._clears:
            self._target.zero(at, len(data))
