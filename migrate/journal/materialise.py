"""Disks of an image written out: whole under their name, or not there at all.

    .NAME.wherry-part ── what was read, hashed ── flush ── read back, hashed ── equal ── NAME

What was cut off goes on from the last stretch that is durable, when it is of the same image. Holes stay
holes. Nothing that is there already is written over.
"""

from __future__ import annotations

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

from migrate.daemons.onto import Onto
from migrate.disks.durable import replace_file, sync_directory
from migrate.disks.flat import FlatDisk
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.disks.vmdk import Descriptor, extent_name, write_descriptor
from migrate.journal.copied import Opens, Report, checked, copied
from migrate.journal.stretches import STRETCH_BYTES, Note
from planner.errors import BadInput, Corrupt, ProjectBusy
from planner.model import Backing
from planner.names import visible
from planner.units import SECTOR

MANIFEST: Final = "checkpoint.json"
_PART: Final = ".wherry-part"
_IMAGE: Final = ("record", "at_ms", "epoch", "name")  # what a checkpoint is told from others by


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


@dataclass(frozen=True, slots=True)
class _Work:
    """How disks are written: where to, what is noted of them, who hears of it, what opens them."""

    part: Path
    note: Note
    form: Form
    report: Report
    opens: Opens
    stretch_bytes: int


def write_file(
    source: Source,
    to: Path,
    form: Form,
    about: Mapping[str, Any],
    report: Report,
    opens: Opens = _written_anew,
    stretch_bytes: int = STRETCH_BYTES,
) -> Written:
    """Write one disk of the image ``about`` to a file; a VMDK's extent stands beside it. Durable when this
    returns.

    What was cut off is kept beside it, and gone on with by the next call about the same image.
    Raises BadInput when something is there, ProjectBusy, NoSpace, Corrupt, StepFailed, OSError.
    """
    names = [to.name] if form is Form.RAW else [extent_name(to.stem, Backing.VMDK), to.name]
    for name in names:
        _must_be_free(to.with_name(name))
    with _part(to, _image(about, [source], form)) as (part, note):
        written = _written(source, to.name, _Work(part, note, form, report, opens, stretch_bytes))
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
    stretch_bytes: int = STRETCH_BYTES,
) -> list[Written]:
    """Write disks into a new folder, with a list of them that begins with ``about``; see ``write_file``.

    Volumes name no files: those are numbered, and ``checkpoint.json`` says which is which.
    """
    _must_be_free(to, folder=True)
    suffix = "img" if form is Form.RAW else "vmdk"
    with _part(to, _image(about, sources, form)) as (part, note):
        work = _Work(part, note, form, report, opens, stretch_bytes)
        written = [_written(source, f"disk-{number}.{suffix}", work) for number, source in enumerate(sources)]
        told = {**about, "disks": [asdict(one) for one in written]}
        replace_file(part / MANIFEST, json.dumps(told, indent=1).encode("ascii"))
        _must_be_free(to, folder=True)
        note.remove()
        part.rename(to)
        sync_directory(to.parent)
    return written


def write_onto(source: Source, to: Onto, report: Report) -> Written:
    """Write one disk over a device or file that nobody uses, whatever it holds; durable when this returns.

    Half written it is worth nothing, and nothing says so: begin anew. What it has beyond the size of the
    disk stays. Raises BadInput when it is too small, in use or another one by now, Corrupt, StepFailed,
    OSError.
    """
    with closing(source.open()) as image:
        size = image.size_bytes
        must_fit(source.volume, size, to)
        said = (source.volume, report, lambda _node: to.open())
        digest = checked(to.node, size, size, copied(image, to.node, *said, clears=True), *said)
    return Written(source.volume, str(to.name), size, digest)


def must_fit(volume: str, size_bytes: int, to: Onto) -> int:
    """Return how many bytes are there, writing none; raises BadInput when a disk cannot be written over."""
    with closing(to.open()) as there:
        room = there.size_bytes
    if room < size_bytes:
        raise BadInput(
            f"{to.shown} has {room} bytes, {visible(volume, 200)} has {size_bytes}", "name a larger one"
        )
    return room


def _must_be_free(path: Path, *, folder: bool = False) -> None:
    shown = visible(str(path), 200)
    if not path.parent.is_dir():
        raise BadInput(f"{shown} lies in no folder that exists", "make the folder first")
    may_be = folder and path.is_dir() and not any(path.iterdir())
    if path.is_symlink() or (path.exists() and not may_be):
        raise BadInput(f"{shown} is there already", "name another place, nothing is written over")


def part_of(to: Path) -> Path:
    """Return the folder that holds what is not written as a whole yet."""
    return to.with_name(f".{to.name}{_PART}")


def _image(about: Mapping[str, Any], sources: Sequence[Source], form: Form) -> dict[str, Any]:
    """Return what tells this writing from every other one, as plain data."""
    checkpoint = about.get("checkpoint", {})
    return {
        "group": about.get("group", ""),
        **{name: checkpoint.get(name) for name in _IMAGE},
        "form": form.value,
        "volumes": [source.volume for source in sources],
    }


@contextmanager
def _part(to: Path, image: Mapping[str, Any]) -> Iterator[tuple[Path, Note]]:
    """Yield a folder beside ``to`` that is this process's alone, and the note of what is durable there.

    What is noted stays when the block fails, unless it is no good; all else in it goes.
    """
    part = part_of(to)
    part.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ProjectBusy(
                f"{visible(str(to), 200)} is being written by another process", "let it end"
            ) from error
        note = Note(part, image)
        if not note.found:
            _empty(part)
            note.begin()
        is_kept = False
        try:
            yield part, note
        except (BadInput, Corrupt):
            raise
        except BaseException:
            is_kept = bool(note.found)
            raise
        finally:
            is_ours = part.is_dir() and part.stat().st_ino == os.fstat(fd).st_ino  # else it got its name
            if is_ours and not is_kept:
                _empty(part)
                part.rmdir()
    finally:
        os.close(fd)


def _empty(part: Path) -> None:
    for path in part.iterdir():
        path.unlink()


def _written(source: Source, name: str, work: _Work) -> Written:
    """Write a disk under ``name`` in the part folder and return what stands there, checked."""
    with closing(source.open()) as image:
        size = image.size_bytes
        file = name
        if work.form is Form.VMDK:
            if size % SECTOR:
                raise BadInput(
                    f"volume {visible(source.volume, 200)} has {size} bytes, which no VMDK can have",
                    "write it raw",
                )
            file = extent_name(Path(name).stem, Backing.VMDK)
        path, said = work.part / file, (source.volume, work.report, work.opens)
        _make(path, size)
        read = copied(image, path, *said, note=work.note, stretch_bytes=work.stretch_bytes)
        digest = checked(path, size, work.stretch_bytes, read, *said)
    if work.form is Form.VMDK:
        described = write_descriptor(Descriptor(Backing.VMDK, size, file, secrets.randbits(31)))
        replace_file(work.part / name, described.encode("utf-8", "surrogateescape"))
    return Written(source.volume, name, size, digest)


def _make(path: Path, size: int) -> None:
    """Have a file of that size, a new one where there is none."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(fd, size)
    finally:
        os.close(fd)
