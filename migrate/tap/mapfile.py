"""Which areas of one disk may differ from the target: a bit each, in a file of 512-byte pages.

    header: of which disk, and how it was left  │  3,968 bits and a tag  │  3,968 bits and a tag  │ …

A page that is not as it was written counts as hot throughout. So does a disk whose file is missing or
of another disk, and one that was written to while nobody watched.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blake3 import blake3

from migrate.disks.durable import remove_file, replace_file
from planner.units import MIB

AREA: Final = 4 * MIB
COLD, HOT, HEATING = 0, 1, 2
PAGE: Final = 512
_TAG_BYTES: Final = 16
_BITS_BYTES: Final = PAGE - _TAG_BYTES
AREAS_A_PAGE: Final = _BITS_BYTES * 8
_HEADER: Final = struct.Struct("<8s16sQ?Qq")
_MAGIC: Final = b"WTAPMAP1"
_TO_DIGITS: Final = bytes.maketrans(bytes((COLD, HOT, HEATING)), b"011")
_TO_STATES: Final = bytes.maketrans(b"01", bytes((COLD, HOT)))


@dataclass(frozen=True, slots=True)
class Seen:
    """What tells a file from another one, and from itself before a write; zeros for a device."""

    inode: int = 0
    written_ns: int = 0


def seen(fd: int) -> Seen:
    """Look at an open disk; raises OSError."""
    about = os.fstat(fd)
    return Seen(about.st_ino, about.st_mtime_ns) if stat.S_ISREG(about.st_mode) else Seen()


class MapFile:
    """The map of the disk called ``disk``. ``hot`` is a state for each area, as it was found.

    ``why`` says why all of it is hot, empty when what was found can be believed. ``write`` may run in
    another thread than the rest.
    """

    def __init__(self, path: Path, disk: str, size_bytes: int, now: Seen) -> None:
        """Open the map, or make one in which everything is hot; raises OSError.

        From here until ``close`` it says of itself that somebody writes.
        """
        self._path = path
        self._key = blake3(disk.encode("utf-8", "surrogatepass")).digest(16)
        self.size_bytes = size_bytes
        self._inode = now.inode
        count = max(-(-size_bytes // AREA), 1)
        self.hot, self.why = self._found(count, now)
        pages = range(-(-count // AREAS_A_PAGE))
        if self.why:
            whole = b"".join(self.page(number) for number in pages)
            replace_file(path, self._header(False, now) + whole)
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        if not self.why:
            self._put(0, self._header(False, now))
            os.fdatasync(self._fd)

    def page(self, number: int) -> bytes:
        """Return the page as it is to be written for the states in ``hot``."""
        states = self.hot[number * AREAS_A_PAGE : (number + 1) * AREAS_A_PAGE]
        digits = states.translate(_TO_DIGITS)[::-1]
        bits = int(digits, 2).to_bytes(_BITS_BYTES, "little")
        return bits + self._tag(number, bits)

    def write(self, pages: Mapping[int, bytes]) -> None:
        """Make pages durable; raises OSError, after which only ``void`` makes sense."""
        for number, page in pages.items():
            self._put((number + 1) * PAGE, page)
        os.fdatasync(self._fd)

    def void(self) -> None:
        """Remove the file, durably: whoever comes next takes everything for hot; raises OSError."""
        remove_file(self._path)

    def close(self, now: Seen | None) -> None:
        """Close it. With ``now`` it says that nobody writes any more, and how the disk was left."""
        if self._fd < 0:
            return
        try:
            if now is not None:
                self._put(0, self._header(True, now))
                os.fdatasync(self._fd)
        finally:
            os.close(self._fd)
            self._fd = -1

    def _found(self, count: int, now: Seen) -> tuple[bytearray, str]:
        everything = bytearray((HOT,)) * count
        pages = -(-count // AREAS_A_PAGE)
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return everything, "no tap has watched it before"
        head, tag = raw[: PAGE - _TAG_BYTES], raw[PAGE - _TAG_BYTES : PAGE]
        if len(raw) != (pages + 1) * PAGE or tag != self._tag(-1, head):
            return everything, "its map cannot be read"
        magic, key, size, in_order, inode, written_ns = _HEADER.unpack_from(head)
        if (magic, key, size, inode) != (_MAGIC, self._key, self.size_bytes, now.inode):
            return everything, "its map is of another disk"
        if in_order and written_ns != now.written_ns:
            return everything, "it was written to while no tap watched"
        states = bytearray()
        for number in range(pages):
            page = raw[(number + 1) * PAGE : (number + 2) * PAGE]
            bits = page[:_BITS_BYTES]
            if page[_BITS_BYTES:] != self._tag(number, bits):
                states += bytes((HOT,)) * AREAS_A_PAGE
                continue
            digits = format(int.from_bytes(bits, "little"), f"0{AREAS_A_PAGE}b")
            states += digits[::-1].encode().translate(_TO_STATES)
        return states[:count], ""

    def _header(self, in_order: bool, now: Seen) -> bytes:
        told = _HEADER.pack(_MAGIC, self._key, self.size_bytes, in_order, self._inode, now.written_ns)
        told = told.ljust(PAGE - _TAG_BYTES, b"\0")
        return told + self._tag(-1, told)

    def _tag(self, number: int, body: bytes) -> bytes:
        return bytes(blake3(struct.pack("<16sq", self._key, number) + body).digest(_TAG_BYTES))

    def _put(self, offset: int, page: bytes) -> None:
        if os.pwrite(self._fd, page, offset) != len(page):
            raise OSError("the map took less than a page")
