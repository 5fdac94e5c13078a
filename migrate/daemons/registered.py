"""The disks a receiver on a network serves: an id, a path, a group, and what was there at registration.

Only these are ever opened. One that was replaced or resized since, or that something else uses, is
refused: the file that was registered is the file that is written.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from migrate.disks.flat import FlatDisk
from planner.errors import BadInput, NotFound, SiteRefused
from planner.names import visible

_MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Registered:
    """One disk that may be written. ``group`` is "" where none is known."""

    volume: str
    path: Path
    group: str
    size_bytes: int
    device: int
    inode: int


class Register:
    """The disks by id. Thread-safe, it never changes."""

    def __init__(self, wanted: Iterable[tuple[str, Path, str]]) -> None:
        """Look at every (id, path, group); raises BadInput."""
        self._disks: dict[str, Registered] = {}
        paths: set[tuple[int, int]] = set()
        for volume, path, group in wanted:
            shown = visible(str(path), 200)
            if not volume or len(volume) > 512 or volume in self._disks:
                raise BadInput(
                    f"{visible(volume, 80)!r} is no id, or is there twice", "give each disk one id"
                )
            try:
                about, size = _look(path)
            except OSError as error:
                raise BadInput(
                    f"{shown} cannot be served: {error.strerror}", "name a file or an unused device"
                ) from error
            if (about.st_dev, about.st_ino) in paths:
                raise BadInput(f"{shown} is registered twice", "give each disk one id")
            paths.add((about.st_dev, about.st_ino))
            self._disks[volume] = Registered(volume, path, group, size, about.st_dev, about.st_ino)
        if not self._disks:
            raise BadInput("no disk is registered", "use --register ID=PATH or --volumes FILE")

    @property
    def disks(self) -> tuple[Registered, ...]:
        """Every disk, in the order of registration."""
        return tuple(self._disks.values())

    def groups(self) -> dict[str, str]:
        """Return the group of every id."""
        return {disk.volume: disk.group for disk in self.disks}

    def _known(self, volume: str) -> Registered:
        known = self._disks.get(volume)
        if known is None:
            raise NotFound(f"volume {visible(volume, 200)} is not served here", "register it at the receiver")
        return known

    def open_write(self, volume: str) -> FlatDisk:
        """Open a registered disk, as it was registered; raises NotFound, SiteRefused, OSError."""
        known, shown = self._known(volume), visible(volume, 200)
        disk = open_unused(known.path, spares=True)
        about = os.fstat(disk.fileno())
        if (about.st_dev, about.st_ino, disk.size_bytes) != (known.device, known.inode, known.size_bytes):
            disk.close()
            raise SiteRefused(
                f"volume {shown} is not the disk that was registered any more", "start the receiver anew"
            )
        return disk

    def open_read(self, volume: str) -> FlatDisk:
        """Open a registered disk beside its writer; raises NotFound, OSError."""
        known, shown = self._known(volume), visible(volume, 200)
        disk = FlatDisk(known.path)
        about = os.fstat(disk.fileno())
        if (about.st_dev, about.st_ino) != (known.device, known.inode):
            disk.close()
            raise NotFound(f"volume {shown} is not the disk that was registered any more")
        return disk


def read_volumes(path: Path) -> list[tuple[str, Path, str]]:
    """Return (id, path, group) of each entry of a JSON file; raises BadInput."""
    shown = visible(str(path), 200)
    hint = 'write {"volumes": [{"id": "...", "path": "...", "group": "..."}]}'
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(_MAX_BYTES))
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}", hint) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{shown} is not JSON", hint) from error
    entries = told.get("volumes") if isinstance(told, dict) else None
    if not isinstance(entries, list):
        raise BadInput(f"{shown} has no list of volumes", hint)
    found = []
    for number, entry in enumerate(entries, 1):
        fields = {"group": "", **entry} if isinstance(entry, dict) else {}
        if set(fields) != {"id", "path", "group"} or not all(
            isinstance(value, str) and "\0" not in value for value in fields.values()
        ):
            raise BadInput(f"{shown}, volume {number}: it is not id, path and group", hint)
        found.append((fields["id"], Path(fields["path"]), fields["group"]))
    return found


def _look(path: Path) -> tuple[os.stat_result, int]:
    disk = open_unused(path)
    try:
        return os.fstat(disk.fileno()), disk.size_bytes
    finally:
        disk.close()


def open_unused(path: Path, *, spares: bool = False) -> FlatDisk:
    """Open for writing what nobody else uses, with ``spares`` as FlatDisk has it; raises OSError."""
    if stat.S_ISBLK(path.lstat().st_mode):
        # The kernel refuses O_EXCL for a device that is mounted or part of another one.
        os.close(os.open(path, os.O_RDWR | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC))
    disk = FlatDisk(path, True, spares=spares)
    try:
        about = os.fstat(disk.fileno())
        if not (stat.S_ISREG(about.st_mode) or stat.S_ISBLK(about.st_mode)):
            raise OSError(errno.ENOTBLK, "it is neither a file nor a device")
        if _is_attached(about):
            raise OSError(errno.EBUSY, "it is attached as a device")
        fcntl.flock(disk.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        disk.close()
        raise OSError(errno.EBUSY, "somebody else holds it") from error
    except OSError:
        disk.close()
        raise
    return disk


def _is_attached(about: os.stat_result) -> bool:
    """Tell whether a file backs a loop device."""
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            held = Path(backing.read_text("utf-8").rstrip("\n")).stat()
        except OSError:
            continue
        if (held.st_dev, held.st_ino) == (about.st_dev, about.st_ino):
            return True
    return False
