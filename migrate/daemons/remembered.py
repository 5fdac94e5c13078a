"""The disks that a receiver served last, remembered in its store for those who look when none is at work."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from migrate.daemons.registered import Registered, open_unused
from migrate.disks.durable import replace_file
from migrate.disks.flat import FlatDisk
from planner.errors import BadInput, NotFound, SiteRefused
from planner.names import visible

FILE: Final = "volumes.json"
WORDS: Final = ("history", "hard", "warning", "scratch", "reserve")  # of which ``asked`` says something
_HINT: Final = "start the receiver, it writes this anew"


def remember(store: Path, disks: Iterable[Registered], asked: Mapping[str, str]) -> None:
    """Write durably which disks are served, and what is asked of their journals; raises OSError."""
    told = [
        {
            "id": disk.volume,
            "path": str(disk.path.absolute()),
            "group": disk.group,
            "size_bytes": disk.size_bytes,
            "inode": disk.inode,
        }
        for disk in disks
    ]
    replace_file(store / FILE, json.dumps({"asked": dict(asked), "volumes": told}, indent=1).encode("ascii"))


class Remembered:
    """The disks remembered in ``store``, by volume. One that is not as it was is refused."""

    def __init__(self, store: Path) -> None:
        """Read the list; raises NotFound when no receiver wrote one, BadInput when it makes no sense."""
        path = store / FILE
        shown = visible(str(path), 200)
        try:
            told = json.loads(path.read_bytes())
            self.asked = {word: str(told["asked"].get(word, "")) for word in WORDS}
            self._disks = {
                str(one["id"]): (
                    Path(one["path"]),
                    str(one["group"]),
                    int(one["size_bytes"]),
                    int(one["inode"]),
                )
                for one in told["volumes"]
            }
        except FileNotFoundError as error:
            raise NotFound(
                f"{visible(str(store), 200)} is not the store of a receiver that keeps journals",
                "give --store the folder that wherry receiver has",
            ) from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BadInput(f"{shown} does not say which disks are served", _HINT) from error

    def groups(self) -> dict[str, str]:
        """Return the group of every id, "" where none is known."""
        return {volume: group for volume, (_path, group, _size, _inode) in self._disks.items()}

    def open_read(self, volume: str) -> FlatDisk:
        """Open a disk to look at; raises NotFound, SiteRefused, OSError."""
        return self._as_it_was(volume, FlatDisk(self._path(volume)))

    def open_write(self, volume: str) -> FlatDisk:
        """Open a disk that nobody else uses; raises NotFound, SiteRefused, OSError."""
        return self._as_it_was(volume, open_unused(self._path(volume)))

    def _path(self, volume: str) -> Path:
        if volume not in self._disks:
            raise NotFound(f"volume {visible(volume, 200)} was not served here", _HINT)
        return self._disks[volume][0]

    def _as_it_was(self, volume: str, disk: FlatDisk) -> FlatDisk:
        _path, _group, size, inode = self._disks[volume]
        about = os.fstat(disk.fileno())
        # the node of a device is made anew when the machine starts
        is_same = stat.S_ISBLK(about.st_mode) or about.st_ino == inode
        if disk.size_bytes != size or not is_same:
            disk.close()
            raise SiteRefused(f"volume {visible(volume, 200)} is not the disk that was served", _HINT)
        return disk
