"""Disks of an image written out: whole under their name, or not there at all.

    .NAME.wherry-part ── what was read, hashed ── flush ── read back, hashed ── equal ── NAME

What was cut off is begun anew. Holes stay holes. Nothing that is there already is written over.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from migrate.daemons.registered import open_unused
from migrate.disks.durable import replace_file, sync_directory
from migrate.disks.flat import FlatDisk
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.disks.vmdk import Descriptor, extent_name, write_descriptor
from migrate.replication.hashing import hash_disk
from migrate.replication.zeros import is_zero
from planner.errors import BadInput, Corrupt, NoSpace, ProjectBusy, StepFailed
from planner.model import Backing
from planner.names import visible
from planner.units import SECTOR

MANIFEST: Final = "checkpoint.json"
_PART: Final = ".wherry-part"
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
Report = Callable[[str, int, int], None]  # what is done, bytes done, all bytes
Opens = Callable[[Path], WritableDisk]


class Form(StrEnum):
    """What a disk becomes."""

    RAW = "raw"
    VMDK = "vmdk"  # a descriptor and a flat extent, as ESXi has them


@dataclass(frozen=True, slots=True)
class Source:
    """A disk to write out; ``open`` is called once."""

    volume: str
    open: Callable[[], ReadableDisk]


@dataclass(frozen=True, slots=True)
class Written:
    """A disk that was written. ``blake3`` is of the whole content, as it was read and as it stands."""

    volume: str
    file: str
    size_bytes: int
    blake3: str


def _written_anew(path: Path) -> WritableDisk:
    return FlatDisk(path, writable=True)  # opened so, what is read comes from the medium


def write_file(source: Source, to: Path, form: Form, report: Report, opens: Opens = _written_anew) -> Written:
    """Write one disk to a file; a VMDK's extent stands beside it. Durable when this returns.

    Raises BadInput when something is there, ProjectBusy, NoSpace, Corrupt, StepFailed, OSError.
    """
    names = [to.name] if form is Form.RAW else [extent_name(to.stem, Backing.VMDK), to.name]
    for name in names:
        _must_be_free(to.with_name(name))
    with _part(to) as part:
        written = _written(source, part, to.name, form, report, opens)
        for name in names:  # what makes it a disk comes last
            _must_be_free(to.with_name(name))
            (part / name).rename(to.with_name(name))
        sync_directory(to.parent)
    return written


def write_folder(
    sources: Sequence[Source],
    to: Path,
    form: Form,
    about: Mapping[str, Any],
    report: Report,
    opens: Opens = _written_anew,
) -> list[Written]:
    """Write disks into a new folder, with a list of them that begins with ``about``; see ``write_file``.

    Volumes name no files: those are numbered, and ``checkpoint.json`` says which is which.
    """
    _must_be_free(to, folder=True)
    suffix = "img" if form is Form.RAW else "vmdk"
    with _part(to) as part:
        written = [
            _written(source, part, f"disk-{number}.{suffix}", form, report, opens)
            for number, source in enumerate(sources)
        ]
        told = {**about, "disks": [asdict(one) for one in written]}
        replace_file(part / MANIFEST, json.dumps(told, indent=1).encode("ascii"))
        sync_directory(part)
        _must_be_free(to, folder=True)
        part.rename(to)
        sync_directory(to.parent)
    return written


def write_onto(source: Source, to: Path, report: Report, opens: Opens = open_unused) -> Written:
    """Write one disk over a device or file that nobody uses, whatever it holds; durable when this returns.

    Half written it is worth nothing, and nothing says so: begin anew. What it has beyond the size of the
    disk stays. Raises BadInput when it is too small or in use, Corrupt, StepFailed, OSError.
    """
    with closing(source.open()) as image:
        size = image.size_bytes
        must_fit(source.volume, size, to, opens)
        digest = _copied(image, to, source.volume, report, opens, clears=True)
    return Written(source.volume, str(to), size, digest)


def must_fit(volume: str, size_bytes: int, to: Path, opens: Opens = open_unused) -> None:
    """Raise BadInput when a disk cannot be written over what is there; writes nothing."""
    shown = visible(str(to), 200)
    try:
        with closing(opens(to)) as there:
            room = there.size_bytes
    except OSError as error:
        raise BadInput(
            f"{shown} cannot be written: {error.strerror}", "name an unused device, or a file"
        ) from error
    if room < size_bytes:
        raise BadInput(
            f"{shown} has {room} bytes, {visible(volume, 200)} has {size_bytes}", "name a larger one"
        )


def _must_be_free(path: Path, *, folder: bool = False) -> None:
    shown = visible(str(path), 200)
    if not path.parent.is_dir():
        raise BadInput(f"{shown} lies in no folder that exists", "make the folder first")
    may_be = folder and path.is_dir() and not any(path.iterdir())
    if path.is_symlink() or (path.exists() and not may_be):
        raise BadInput(f"{shown} is there already", "name another place, nothing is written over")


@contextmanager
def _part(to: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``to`` that is this process's alone; what is left in it goes."""
    part = to.with_name(f".{to.name}{_PART}")
    part.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ProjectBusy(
                f"{visible(str(to), 200)} is being written by another process", "let it end"
            ) from error
        _empty(part)  # one that was killed left it
        try:
            yield part
        finally:
            if part.is_dir() and part.stat().st_ino == os.fstat(fd).st_ino:  # else it got its name
                _empty(part)
                part.rmdir()
    finally:
        os.close(fd)


def _empty(part: Path) -> None:
    for path in part.iterdir():
        path.unlink()


def _written(source: Source, part: Path, name: str, form: Form, report: Report, opens: Opens) -> Written:
    """Write a disk under ``name`` in the part folder and return what stands there, checked."""
    with closing(source.open()) as image:
        size = image.size_bytes
        file = name
        if form is Form.VMDK:
            if size % SECTOR:
                raise BadInput(
                    f"volume {visible(source.volume, 200)} has {size} bytes, which no VMDK can have",
                    "write it raw",
                )
            file = extent_name(Path(name).stem, Backing.VMDK)
        digest = _copied(image, _made(part / file, size), source.volume, report, opens)
    if form is Form.VMDK:
        described = write_descriptor(Descriptor(Backing.VMDK, size, file, secrets.randbits(31)))
        replace_file(part / name, described.encode("utf-8", "surrogateescape"))
    return Written(source.volume, name, size, digest)


def _made(path: Path, size: int) -> Path:
    """Make an empty file of that size and return it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(fd, size)
    finally:
        os.close(fd)
    return path


def _copied(
    image: ReadableDisk, path: Path, volume: str, report: Report, opens: Opens, *, clears: bool = False
) -> str:
    """Copy a disk, durably, and return the digest that both have; what is zeros is left out or cleared."""
    size, shown = image.size_bytes, visible(volume, 200)
    try:
        with closing(opens(path)) as target:
            read = hash_disk(
                _Copying(image, target, shown, clears=clears),
                progress=lambda done: report(f"write {volume}", done, size),
            )
            target.flush()
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(f"there is no space left for {shown}", "free space there and begin anew") from error
        raise
    with closing(opens(path)) as back:
        found = hash_disk(back, size_bytes=size, progress=lambda done: report(f"check {volume}", done, size))
    if found.digest != read.digest:
        raise Corrupt(
            f"what was written of {shown} does not read as what was to be written",
            "check the storage it was written to",
        )
    return read.digest


class _Copying:
    """A disk that is copied while it is read from its beginning to its end. A ReadableDisk."""

    def __init__(self, image: ReadableDisk, target: WritableDisk, shown: str, *, clears: bool) -> None:
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
        for offset, length in (*self._image.allocated(), (self.size_bytes, 0)):
            if self._clears and at < offset:
                self._target.zero(at, offset - at)
            at = offset + length
            if length:
                yield offset, length

    def read_into(self, buffer: memoryview, offset: int) -> None:
        try:
            self._image.read_into(buffer, offset)
        except OSError as error:
            raise StepFailed(
                f"the image of {self._shown} cannot be read at byte {offset}: {error.strerror or error}",
                "look at the log of the receiver",
            ) from error
        data = bytearray(buffer)
        if not is_zero(data, 0, len(data)):
            self._target.write(memoryview(data), offset)
        elif self._clears:
            self._target.zero(offset, len(data))
