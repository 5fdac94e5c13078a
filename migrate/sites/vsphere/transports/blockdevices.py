"""The block device that an attached disk became in the mover's own system.

    by what it says    /dev/disk/by-id/wwn-0x6000c29...: uuid of a disk (disk.EnableUUID), name of a LUN
    by where it hangs  a device that was not there before, of the right SCSI target and size

The system may have taken it in use at once, as volume managers do: such a device is refused.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from planner.errors import SiteRefused
from planner.units import SECTOR

_WAIT_S = 60.0
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: digits of an identifier, empty when it has none, SCSI target and size."""

    digits: str
    target: int
    size_bytes: int
    shown: str


class BlockDevices:
    """The devices of this machine; ``root`` is where ``dev`` and ``sys`` are."""

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        wait_s: float = _WAIT_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._root = root
        self._wait_s = wait_s
        self._clock = clock
        self._sleep = sleep

    def names(self) -> frozenset[str]:
        """Return the disks that are there now."""
        with suppress(OSError):
            return frozenset(path.name for path in (self._root / "sys/block").iterdir())
        return frozenset()

    def wait_for(self, wanted: Wanted, before: frozenset[str]) -> Path:
        """Return the device of a disk that was attached after ``before``; raises SiteRefused."""
        begun = self._clock()
        while True:
            found = self._by_digits(wanted.digits) or self._by_address(wanted, before)
            if found is not None:
                return found
            if self._clock() - begun >= self._wait_s:
                raise SiteRefused(
                    f"disk {wanted.shown} is attached, and no device of this system is it",
                    "set disk.EnableUUID = TRUE on the mover's VM, and check that the settings name it",
                )
            self._rescan()
            self._sleep(_LOOK_S)

    def _by_digits(self, digits: str) -> Path | None:
        if not digits:
            return None
        names = {f"wwn-0x{digits}", f"scsi-3{digits}"}
        with suppress(OSError):
            for path in (self._root / "dev/disk/by-id").iterdir():
                if path.name.casefold() in names:
                    return path.resolve(strict=True)
        return None

    def _by_address(self, wanted: Wanted, before: frozenset[str]) -> Path | None:
        """Return the one new device at the right target and of the right size, None for none or several."""
        found = []
        for name in self.names() - before:
            home = self._root / "sys/block" / name
            with suppress(OSError, ValueError, IndexError):
                target = int((home / "device").resolve(strict=True).name.split(":")[2])
                size_bytes = int((home / "size").read_text("ascii")) * SECTOR
                if (target, size_bytes) == (wanted.target, wanted.size_bytes):
                    found.append(self._root / "dev" / name)
        return found[0] if len(found) == 1 else None

    def _rescan(self) -> None:
        """Ask the adapters to look for disks: some controllers do not tell by themselves."""
        with suppress(OSError):
            for host in (self._root / "sys/class/scsi_host").iterdir():
                (host / "scan").write_text("- - -\n", "ascii")


def claimed(path: Path) -> int:
    """Return a descriptor that keeps a device from being mounted or mapped, -1 for what is no device.

    Raises SiteRefused when the system uses it already.
    """
    if not stat.S_ISBLK(path.stat().st_mode):
        return -1
    try:
        return os.open(path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        raise SiteRefused(
            f"device {path} is in use by this system",
            "keep volume managers of the mover off disks that are not its own (docs/transports.md)",
        ) from error
