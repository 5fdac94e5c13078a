"""A volume as the hypervisor uses it: every write is marked, kept for snapshots, then made.

A powered-on VM holds its volumes with a shared lock, whoever opens one to write with an exclusive
lock on the same file: the kernel keeps the two apart and lets go when a process dies.
"""

from __future__ import annotations

import fcntl
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.sites.lab.changes import ChangeMap
from migrate.sites.lab.frozen import FrozenCopy
from migrate.sites.lab.volumes import LabVolume
from planner.errors import SiteRefused
from planner.names import visible


def lease(disk: FlatDisk, volume: str, exclusive: bool) -> None:
    """Lock an open disk for as long as it stays open; raises SiteRefused when another has it."""
    try:
        fcntl.flock(disk.fileno(), (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SiteRefused(
            f"volume {visible(volume)} is in use by "
            + ("a powered-on VM or another writer" if exclusive else "a writer outside its VM"),
            "power the VM off or end that transfer, then try again",
        ) from error


class TrackedVolume:
    """One volume with its change map and the copies that snapshots keep of it.

    ``hold`` and ``release`` come from the hypervisor's control calls, ``write`` under its write lock.
    """

    def __init__(self, volume: LabVolume, maps: Path, trusted: bool) -> None:
        """Open the change map of ``volume``; ``trusted`` is False after an unclean machine restart."""
        self.volume = volume
        path = maps / f"{volume.stem}.map"
        self.changes = ChangeMap(path, volume.size_bytes, trusted) if volume.tracked else None
        self.copies: dict[str, FrozenCopy] = {}
        self._disk: FlatDisk | None = None
        self._holders: set[str] = set()

    def hold(self, vm: str) -> None:
        """Open the disk for a VM that is powered on; raises SiteRefused when a writer has it."""
        if self._disk is None:
            disk = FlatDisk(self.volume.data, writable=True)
            try:
                lease(disk, self.volume.id, exclusive=False)
            except SiteRefused:
                disk.close()
                raise
            self._disk = disk
        self._holders.add(vm)

    def release(self, vm: str) -> None:
        """Let go for a VM that is powered off; the last one closes the disk."""
        self._holders.discard(vm)
        if not self._holders and self._disk is not None:
            self._disk.close()
            self._disk = None

    def check_quiet(self) -> None:
        """Raise SiteRefused when somebody outside the hypervisor is writing the volume."""
        if self._disk is None:
            disk = FlatDisk(self.volume.data)
            try:
                lease(disk, self.volume.id, exclusive=False)
            finally:
                disk.close()

    def write(self, data: bytes, offset: int) -> None:
        """Write for a guest: mark the map, keep old blocks for snapshots, then write; raises OSError."""
        assert self._disk is not None, "a guest writes only volumes that are held"
        if self.changes is not None:
            self.changes.mark(offset, len(data))
        for copy in self.copies.values():
            copy.keep(self._disk, offset, len(data))
        self._disk.write(data, offset)

    @property
    def size_bytes(self) -> int:
        """Size of the volume."""
        return self.volume.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Read as a guest does, or directly while no VM holds the volume; raises OSError."""
        if self._disk is not None:
            self._disk.read_into(buffer, offset)
            return
        disk = FlatDisk(self.volume.data)
        try:
            disk.read_into(buffer, offset)
        finally:
            disk.close()

    def flush(self) -> None:
        """Return when what guests wrote is durable; raises OSError."""
        if self._disk is not None:
            self._disk.flush()

    def close(self, forget: bool = False) -> None:
        """Let go of everything; ``forget`` also removes the change map."""
        for copy in self.copies.values():
            copy.flush()
            copy.close()
        if self._disk is not None:
            self._disk.close()
            self._disk = None
        if self.changes is not None:
            self.changes.close()
            if forget:
                self.changes.path.unlink(missing_ok=True)
