"""A device or file that is written over, by the name somebody gave: what that leads to is settled once.

    /dev/disk/by-id/wwn-0x5000 ──followed once──▸ /dev/sdb ──opened without following──▸ that disk, or none

The names of devices are links, which move when disks come and go. So each opening asks whether the name
still leads there and the disk there is the one that was looked at.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from migrate.daemons.registered import open_unused
from migrate.disks.flat import FlatDisk
from planner.errors import BadInput
from planner.names import visible

_BLKGETDISKSEQ = 0x80081280
_HINT = "name an unused device, or a file"


@dataclass(frozen=True, slots=True)
class Onto:
    """What is to be written over; ``of`` makes it. ``node`` is the name itself unless that is a link."""

    name: Path
    node: Path
    _identity: tuple[int, ...]

    @classmethod
    def of(cls, name: Path) -> Onto:
        """Look at what a name leads to; raises BadInput when it is none to be written over.

        A link has to lead to a block device. A file is named itself, so that nobody has another one written.
        """
        try:
            is_link = name.is_symlink()
            node = Path(os.path.realpath(name, strict=True)) if is_link else name
            if is_link and not stat.S_ISBLK(node.lstat().st_mode):
                raise BadInput(
                    f"{_shown(name)} leads to {_shown(node)}, which is no block device",
                    "name a device, or the file itself",
                )
            disk = open_unused(node)
        except OSError as error:
            raise BadInput(f"{_shown(name)} cannot be written: {error.strerror}", _HINT) from error
        try:
            return cls(name, node, _identity(disk))
        finally:
            disk.close()

    @property
    def shown(self) -> str:
        """The name for people, with what it leads to; safe to print."""
        return _shown(self.name) + (f" ({_shown(self.node)})" if self.node != self.name else "")

    def open(self) -> FlatDisk:
        """Open it to write, for nobody else; raises BadInput when it is another one by now, or in use."""
        try:
            disk = open_unused(self.node)
        except OSError as error:
            raise BadInput(f"{self.shown} cannot be written: {error.strerror}", _HINT) from error
        if _identity(disk) == self._identity and self._leads_there():
            return disk
        disk.close()
        raise BadInput(f"{self.shown} is another disk than it was", "see what it leads to, then say it again")

    def _leads_there(self) -> bool:
        return self.node == self.name or Path(os.path.realpath(self.name)) == self.node


def _shown(path: Path) -> str:
    return visible(str(path), 200)


def _identity(disk: FlatDisk) -> tuple[int, ...]:
    """Return what tells a disk from every other one that ever had its node."""
    about = os.fstat(disk.fileno())
    return about.st_dev, about.st_ino, about.st_rdev, disk.size_bytes, _sequence(disk.fileno())


def _sequence(fd: int) -> int:
    """Return the kernel's number of a disk, which no other one gets; 0 for a file and an old kernel."""
    try:
        return int(struct.unpack("Q", fcntl.ioctl(fd, _BLKGETDISKSEQ, bytes(8)))[0])
    except OSError:
        return 0
