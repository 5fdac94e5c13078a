"""One disk as a source, by path or address, with no site around it."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path

from migrate.disks.opening import open_disk
from migrate.disks.ports import ReadableDisk
from planner.names import content_id, visible


class OneDisk:
    """Reads the one disk, whatever the receiver calls it."""

    def __init__(self, where: str) -> None:
        self._where = where

    def size_bytes(self) -> int:
        """Return the size of the disk; raises BadInput, Unreachable."""
        with closing(open_disk(self._where).disk) as disk:
            return disk.size_bytes

    def content(self, name: str, site: str) -> str:
        """Return the pass id for what the disk holds now, which somebody calls ``name``.

        Two senders never mean the same content by one name, and a file that changed is another content.
        """
        try:
            path = Path(self._where).resolve(strict=True)
            about = path.stat()
        except OSError:  # an address
            known = [self._where]
        else:
            known = [str(path), str(about.st_dev), str(about.st_ino)]
            if stat.S_ISREG(about.st_mode):  # the times of a device say nothing of its content
                known += [str(about.st_size), str(about.st_mtime_ns)]
        return f"{visible(name, 64)}/{content_id(name, site, os.uname().nodename, *known)}"

    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk:
        """Open the disk; raises BadInput, Unreachable."""
        return open_disk(self._where).disk
