"""The volumes of a running lab site, each with its change map and its snapshots' copies.

What a volume is used for (VMs, snapshots) the caller knows and passes in; what is on disk and who
writes it from outside is known here. The caller serialises calls.
"""

from __future__ import annotations

from pathlib import Path

from migrate.sites.lab.tracked import TrackedVolume
from migrate.sites.lab.volumes import LabVolume, Volumes
from migrate.sites.ports import ChangeId, DiskState, Extent, NewDisk, NewVM
from planner.errors import NotFound, SiteRefused
from planner.names import content_id, visible


class Storage:
    """All volumes of a site, opened. ``tracked`` has one entry for every volume."""

    def __init__(self, volumes: Volumes, maps: Path, trusted: bool) -> None:
        """Open every volume's change map; ``trusted`` is False after an unclean machine restart."""
        self._volumes, self._maps = volumes, maps
        self.tracked = {item.id: TrackedVolume(item, maps, trusted) for item in volumes}

    def need(self, volume: str) -> LabVolume:
        """Return a volume; raises NotFound."""
        found = self._volumes.get(volume)
        if found is None:
            raise NotFound(f"volume {visible(volume)} does not exist at the site", "create it first")
        return found

    def disks(self, vm: NewVM) -> tuple[DiskState, ...]:
        """Return the disks of a VM as they are; raises NotFound."""
        found = [(disk, self.need(disk.volume)) for disk in vm.disks]
        return tuple(
            DiskState(
                disk.key,
                disk.volume,
                volume.size_bytes,
                volume.backing,
                volume.lun,
                disk.bus,
                disk.unit,
                disk.bus_sharing,
                disk.multi_writer,
            )
            for disk, volume in found
        )

    def describe(self, volume: str) -> NewDisk | None:
        """Return a volume as one would create it, or None."""
        found = self._volumes.get(volume)
        return None if found is None else NewDisk(found.id, found.size_bytes, found.backing, found.lun)

    def free_bytes(self) -> int:
        """Return the bytes that new disks may take."""
        return self._volumes.free_bytes()

    def create(self, disk: NewDisk) -> None:
        """Create a volume of zeros, or find it in the same shape; raises SiteRefused, NoSpace."""
        if self._volumes.get(disk.volume) is None:
            # a map left by a volume of the same name would vouch for content it never saw
            (self._maps / f"{content_id('volume', disk.volume)}.map").unlink(missing_ok=True)
        made = self._volumes.create(disk, content_id(disk.volume))
        if disk.volume not in self.tracked:
            self.tracked[disk.volume] = TrackedVolume(made, self._maps, trusted=False)

    def delete(self, volume: str, users: tuple[str, ...], snapshots: tuple[str, ...]) -> None:
        """Delete a volume that nobody uses or writes; one that is gone is not an error."""
        if self._volumes.get(volume) is None:
            return
        if users or snapshots:
            what = f"VM {visible(users[0])}" if users else f"snapshot {snapshots[0]}"
            raise SiteRefused(f"volume {visible(volume)} is used by {what}", "delete that first")
        self.tracked[volume].check_quiet()
        self._volumes.delete(volume)
        self.tracked.pop(volume).close(forget=True)

    def admit_writer(self, volume: str, running: bool, snapshots: tuple[str, ...]) -> None:
        """Agree to writes that pass no change map: change ids given before lose their meaning."""
        self.need(volume)
        if running:
            raise SiteRefused(f"volume {visible(volume)} is in use by a powered-on VM", "power it off first")
        if snapshots:
            raise SiteRefused(f"volume {visible(volume)} has snapshots", "drop them first")
        changes = self.tracked[volume].changes
        if changes is not None:
            changes.restart()

    def changed_areas(self, volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        """Return the areas written after ``since``, None when that cannot be known."""
        self.need(volume)
        changes = self.tracked[volume].changes
        return None if changes is None else changes.changed_since(since)

    def end_period(self, volume: str) -> ChangeId | None:
        """Return the change id of this instant, None when not tracked; guests must not write now."""
        self.need(volume)
        changes = self.tracked[volume].changes
        return None if changes is None else changes.end_period()

    def close(self) -> None:
        """Let go of all volumes."""
        for tracked in self.tracked.values():
            tracked.close()
