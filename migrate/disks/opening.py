"""Opens a disk by its path or address, whatever it is made of.

What a guest wrote never decides how its disk is read: only a name that ends in ``.vmdk``, and is not
that of a flat extent, is read as a VMDK; every other file and every device is raw.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.disks.joined import JoinedDisk, Part
from migrate.disks.layout import MAX_BYTES, NO_PARENT, Holds, Layout, Span, parse_layout, refused
from migrate.disks.nbd.address import is_uri, parse_uri
from migrate.disks.nbd.disk import open_export
from migrate.disks.ports import BlockDevice
from migrate.disks.sparse import is_sparse, open_sparse
from planner.errors import BadInput, Corrupt, NotFound
from planner.names import visible

SPARSE_PARTS_MAX = 64  # each is a process
_RAW_NAME = re.compile(r".*-(flat|f\d{3})\.vmdk", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Opened:
    """A disk, and in a word or two what it is. ``hints`` are sentences for a person."""

    disk: BlockDevice
    form: str
    parts: tuple[Span, ...] = ()
    hints: tuple[str, ...] = ()


def open_disk(where: str, *, writable: bool = False, bitmap: str = "", mapped: Path | None = None) -> Opened:
    """Open a path or an NBD address; raises WherryError.

    ``mapped`` is the device behind the descriptor of a raw device mapping. ``bitmap`` names a dirty
    bitmap of an NBD export.
    """
    if is_uri(where):
        return _export(where, writable, bitmap)
    if bitmap:
        raise BadInput(f"{visible(where, 200)} has no dirty bitmaps", "name an NBD export, or no bitmap")
    path = Path(where)
    try:
        if not path.name.lower().endswith(".vmdk") or _RAW_NAME.fullmatch(path.name):
            if mapped is not None:
                raise BadInput(f"{visible(where, 200)} maps no device", "name the descriptor of the mapping")
            return _raw(path, writable)
        return _vmdk(path, writable, mapped)
    except Corrupt as error:  # a stranger's file, not one of ours
        raise BadInput(error.message, error.hint) from error
    except OSError as error:
        raise _unopened(where, error) from error
    except ValueError as error:
        raise BadInput(f"{visible(where, 200)} is no path", "name a file, a device or nbd://") from error


def _unopened(where: str, error: OSError) -> BadInput:
    shown = visible(where, 200)
    if error.errno == errno.ENOENT:
        return NotFound(f"{shown} does not exist", "name a file, a device or an NBD address")
    if error.errno == errno.ELOOP:
        return BadInput(f"{shown} is a symbolic link", "name the file it leads to")
    return BadInput(f"{shown} cannot be opened: {error.strerror}", "name a file or device you may read")


def _export(where: str, writable: bool, bitmap: str) -> Opened:
    disk = open_export(parse_uri(where), writable=writable, bitmap=bitmap)
    hints = []
    if not disk.knows_holes:
        hints.append("the server does not tell holes, all of it will be read")
    if disk.bitmaps and not bitmap:
        names = ", ".join(visible(name, 60) for name in disk.bitmaps)
        hints.append(f"it offers dirty bitmaps: {names}")
    return Opened(disk, "NBD export", hints=tuple(hints))


def _raw(path: Path, writable: bool) -> Opened:
    real = path.resolve()
    device = real.exists() and stat.S_ISBLK(real.stat().st_mode)
    # Names of devices under /dev/disk are links by design.
    disk = FlatDisk(real if device else path, writable)
    hints = ["a device does not tell holes, all of it will be read"] if device else []
    if disk.size_bytes % disk.sector_bytes:
        hints.append(f"its size is no multiple of {disk.sector_bytes} bytes")
    return Opened(disk, "block device" if device else "raw file", hints=tuple(hints))


def _vmdk(path: Path, writable: bool, mapped: Path | None) -> Opened:
    name = visible(path.name, 80)
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        sparse = is_sparse(fd)
        raw = b"" if sparse else os.pread(fd, MAX_BYTES + 1, 0)
    finally:
        os.close(fd)
    if sparse:
        _only_read(name, writable)
        return Opened(open_sparse(path), "sparse VMDK", hints=("it is read through qemu-nbd",))
    layout = parse_layout(raw.decode("utf-8", "surrogateescape"), name)
    if layout.parent_cid != NO_PARENT or "parentFileNameHint" in dict(layout.keys):
        raise refused(name, "it holds only what differs from another disk")
    if any(span.holds is Holds.SPARSE for span in layout.spans):
        _only_read(name, writable)
    return Opened(_join(path, name, layout, writable, mapped), f"VMDK {layout.kind}", layout.spans)


def _only_read(name: str, writable: bool) -> None:
    if writable:
        raise BadInput(f"{name} is sparse, which wherry only reads", "convert the disk to a flat VMDK")


def _join(path: Path, name: str, layout: Layout, writable: bool, mapped: Path | None) -> BlockDevice:
    if sum(span.holds is Holds.SPARSE for span in layout.spans) > SPARSE_PARTS_MAX:
        raise refused(name, f"it has more than {SPARSE_PARTS_MAX} sparse extents")
    is_mapping = layout.spans[0].holds is Holds.RDM
    if is_mapping is (mapped is None):
        raise BadInput(
            f"{name} maps a device that is not named" if is_mapping else f"{name} maps no device",
            "name the device with --device" if is_mapping else "leave --device out",
        )
    with ExitStack() as stack:
        disks: dict[tuple[str, bool], BlockDevice] = {}
        parts: list[Part] = []
        for span in layout.spans:
            disk: BlockDevice | None = None
            if span.holds is not Holds.ZERO:
                key = span.file, writable and span.writable
                if key not in disks:
                    disks[key] = _part(path, span, key[1], mapped)
                    stack.callback(disks[key].close)
                disk = disks[key]
                _check_size(name, span, disk)
            parts.append(Part(span.size_bytes, disk, span.skip_bytes))
        stack.pop_all()
    return JoinedDisk(parts)


def _part(path: Path, span: Span, writable: bool, mapped: Path | None) -> BlockDevice:
    if span.holds is Holds.RDM:
        assert mapped is not None, "checked before"
        return _raw(mapped, writable).disk
    beside = path.parent / span.file
    return open_sparse(beside, part=True) if span.holds is Holds.SPARSE else FlatDisk(beside, writable)


def _check_size(name: str, span: Span, disk: BlockDevice) -> None:
    exact = span.holds in {Holds.RDM, Holds.SPARSE}
    wanted = span.skip_bytes + span.size_bytes
    if disk.size_bytes < wanted or (exact and disk.size_bytes != wanted):
        raise refused(name, f"it says {wanted} bytes where {visible(span.file, 80)} has {disk.size_bytes}")
