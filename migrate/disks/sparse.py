"""Sparse and stream-optimised VMDKs, read through a qemu-nbd of our own.

The child gets the image as an open descriptor and our connection as its only client, so that it ends
when that connection does: with the disk, or with this process, however it dies. What the image says
of other files is checked before and never followed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from migrate.disks import qemu_child
from migrate.disks.layout import NO_PARENT, Holds, Layout, Span, parse_layout, refused, write_layout
from migrate.disks.nbd.address import Address
from migrate.disks.nbd.disk import NbdDisk, open_over
from planner.errors import NotFound, Unreachable
from planner.names import visible
from planner.units import SECTOR

MAGIC = b"KDMV"
_HEADER = struct.Struct("<4sIIQQQQ")  # magic, version, flags, capacity, grain, descriptor at, its size
_DESCRIPTOR_SECTORS_MAX = 128
_SECTORS_MAX = 1 << 53
_IMAGE = Path(f"/dev/fd/{qemu_child.IMAGE}")
_HIGH = 10  # above the numbers the child gives them


def is_sparse(fd: int) -> bool:
    """Tell whether an open file begins as a sparse extent does."""
    return os.pread(fd, len(MAGIC), 0) == MAGIC


def check_image(fd: int, name: str, part: bool = False) -> int:
    """Return the size in bytes that an image says it has; raises Corrupt when it leans on other files.

    ``part`` is one of several extents, which has no descriptor inside.
    """
    raw = os.pread(fd, _HEADER.size, 0)
    if len(raw) < _HEADER.size or raw[:4] != MAGIC:
        raise refused(name, "it does not begin as a sparse extent")
    _, version, _, capacity, _, begin, sectors = _HEADER.unpack(raw)
    if not 1 <= version <= 3 or not 0 < capacity < _SECTORS_MAX:
        raise refused(name, f"its header says version {version} and {capacity} sectors")
    if begin > _SECTORS_MAX or (begin and not 0 < sectors <= _DESCRIPTOR_SECTORS_MAX):
        raise refused(name, "the descriptor inside it is not where one can be")
    inner = os.pread(fd, sectors * SECTOR, begin * SECTOR).rstrip(b"\0") if begin else b""
    if part is bool(inner):
        raise refused(name, "an extent of it is a whole disk" if part else "it is a part of a larger disk")
    if part:
        return int(capacity) * SECTOR
    text = inner.decode("utf-8", "surrogateescape")
    inside = parse_layout(text, name)
    if any(span.holds is not Holds.SPARSE for span in inside.spans):
        raise refused(name, f"it says it is a {inside.kind}")
    if inside.parent_cid != NO_PARENT or "parentFileNameHint" in dict(inside.keys):
        raise refused(name, "it holds only what differs from another disk")
    if inside.size_bytes != capacity * SECTOR:
        raise refused(name, "its header and the descriptor inside it give two sizes")
    return inside.size_bytes


def open_sparse(path: Path, *, part: bool = False, timeout_s: float = 60.0) -> NbdDisk:
    """Open an image, or one extent of several, for reading; raises WherryError, OSError for the file."""
    program = shutil.which("qemu-nbd")
    if program is None:
        raise NotFound(
            f"{visible(path.name, 80)} is a sparse VMDK, and qemu-nbd, which reads those, is not installed",
            "install qemu-utils, or convert the disk to a flat VMDK",
        )
    name = visible(path.name, 80)
    with contextlib.ExitStack() as stack:
        image = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        stack.callback(os.close, image)
        size = check_image(image, name, part)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wherry-")))
        ours, child = _start(program, image, folder, _described(folder, size) if part else _IMAGE)
        try:
            disk = open_over(
                ours, Address(""), writable=False, timeout_s=timeout_s, closed=partial(_end, child)
            )
        except OSError as error:
            why = _end(child) or error.strerror
            raise Unreachable(
                f"{name}: qemu-nbd does not serve it: {why}", "export the disk again"
            ) from error
        if disk.size_bytes != size:
            disk.close()
            raise refused(name, f"it says {size} bytes and reads as {disk.size_bytes}")
    return disk


def _described(folder: Path, size_bytes: int) -> Path:
    """Write a descriptor of our own for a lone extent and return its path; qemu opens none without."""
    (folder / "extent").symlink_to(_IMAGE)
    described = folder / "disk.vmdk"
    span = Span(size_bytes, Holds.SPARSE, "extent")
    described.write_text(write_layout(Layout("twoGbMaxExtentSparse", (span,))), "utf-8")
    return described


def _start(
    program: str, image: int, folder: Path, opens: Path
) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start the child and return our connection, which waits in its queue before it has begun."""
    ours = socket.socket(socket.AF_UNIX)
    node = {
        "driver": "vmdk",
        "read-only": True,
        "backing": None,
        "file": {"driver": "file", "filename": str(opens)},
    }
    command = [program, "--read-only", "--shared=1", f"json:{json.dumps(node)}"]
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(folder / "nbd"))
            door.listen(1)
            ours.connect(str(folder / "nbd"))
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH) for fd in (door.fileno(), image)]
            try:
                start = [sys.executable, "-I", "-S", qemu_child.__file__, *map(str, high), *command]
                child = subprocess.Popen(
                    start,
                    pass_fds=high,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )
            finally:
                for fd in high:
                    os.close(fd)
    except BaseException:
        ours.close()
        raise
    return ours, child


def _end(child: subprocess.Popen[bytes]) -> str:
    """Wait for a child whose client has gone, end it when it stays, and return its last words."""
    if child.returncode is not None:
        return ""
    try:
        said = child.communicate(timeout=5)[1]
    except subprocess.TimeoutExpired:
        child.kill()
        said = child.communicate()[1]
    words = said[-4096:].decode("utf-8", "replace").splitlines()
    return visible(words[-1].rpartition("': ")[2].removeprefix("qemu-nbd: "), 200) if words else ""
