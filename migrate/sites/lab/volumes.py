"""The volumes of a lab site: VMDK descriptors, their flat files, and the LUNs they map.

A volume lives in the folder named after a VM, or after itself when it came before its VM. The
descriptor says which volume it is, so the folder is the only store and can be read again.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migrate.disks.durable import remove_file, replace_file, sync_directory
from migrate.disks.flat import FlatDisk
from migrate.disks.vmdk import MAX_BYTES, Descriptor, extent_name, parse_descriptor, write_descriptor
from migrate.sites.lab.folder import SiteFolder
from migrate.sites.lab.luns import LabLun, read_luns
from migrate.sites.ports import NewDisk
from planner.errors import NoSpace, SiteRefused
from planner.model import Backing
from planner.names import content_id, visible
from planner.units import SECTOR, show_bytes

_KEY_VOLUME, _KEY_LUN = "wherry.volume", "wherry.lun"


@dataclass(frozen=True, slots=True)
class LabVolume:
    """A volume of the lab. ``data`` is the flat file or LUN, ``descriptor`` its VMDK."""

    id: str
    backing: Backing
    size_bytes: int
    lun: str
    data: Path
    descriptor: Path

    @property
    def stem(self) -> str:
        """Name for this volume's state files."""
        return content_id("volume", self.id)

    @property
    def tracked(self) -> bool:
        """False for physical RDMs: no change map, no snapshot."""
        return self.backing is not Backing.RDM_PHYSICAL


class Volumes:
    """All volumes of a site. The caller serialises calls."""

    def __init__(self, folder: SiteFolder, capacity_bytes: int | None) -> None:
        """Read what the folder holds; raises Corrupt."""
        self._folder, self._capacity = folder, capacity_bytes
        self._luns = {lun.name: lun for lun in read_luns(folder.luns)}
        self._all: dict[str, LabVolume] = {}
        for path in sorted(folder.vms.glob("*/disk-*.vmdk")):
            if path.stem.count("-") == 1:  # a descriptor, not an extent
                volume = self._read(path)
                self._all[volume.id] = volume

    def _read(self, path: Path) -> LabVolume:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8", "surrogatepass")
        found = parse_descriptor(text, f"{path.parent.name}/{path.name}")
        keys = dict(found.database)
        data = path.parent / found.extent
        lun = keys.get(_KEY_LUN, "")
        if found.backing.is_rdm and lun in self._luns:
            data = self._luns[lun].path
        return LabVolume(
            keys.get(_KEY_VOLUME, path.parent.name), found.backing, found.size_bytes, lun, data, path
        )

    def get(self, volume: str) -> LabVolume | None:
        """Return a volume or None."""
        return self._all.get(volume)

    def __iter__(self) -> Iterator[LabVolume]:
        return iter(self._all.values())

    def used_bytes(self) -> int:
        """Return the provisioned size of all VMDKs; LUNs lie elsewhere."""
        return sum(item.size_bytes for item in self._all.values() if not item.backing.is_rdm)

    def free_bytes(self) -> int:
        """Return the bytes that new disks may take: the file system's, capped by the site's capacity."""
        free = os.statvfs(self._folder.root)
        real = free.f_bavail * free.f_frsize
        return real if self._capacity is None else max(min(real, self._capacity - self.used_bytes()), 0)

    def create(self, disk: NewDisk, home: str) -> LabVolume:
        """Create a volume of zeros in ``vms/<home>``, or return it when it exists in the same shape.

        Raises SiteRefused for a different shape or an unusable LUN, NoSpace when it does not fit.
        """
        known = self._all.get(disk.volume)
        lun = self._usable_lun(disk, known) if disk.backing.is_rdm else None
        size = lun.size_bytes if lun else disk.size_bytes
        if known:
            if (known.backing, known.size_bytes, known.lun) == (disk.backing, size, disk.lun if lun else ""):
                return known
            raise SiteRefused(
                f"volume {visible(disk.volume)} exists in another shape",
                "delete it first, or use another name",
            )
        if size <= 0 or size % SECTOR:
            raise SiteRefused(
                f"volume {visible(disk.volume)} cannot have {size} bytes", "use a multiple of 512 above zero"
            )
        if not lun and size > self.free_bytes():
            raise NoSpace(
                f"the site has {show_bytes(self.free_bytes())} left, volume {visible(disk.volume)} "
                f"needs {show_bytes(size)}",
                "free space at the site or add capacity, then run again",
            )
        return self._make(disk, size, lun, self._folder.vms / home)

    def _usable_lun(self, disk: NewDisk, known: LabVolume | None) -> LabLun:
        shown = visible(disk.lun)
        lun = self._luns.get(disk.lun)
        if lun is None:
            raise SiteRefused(
                f"LUN {shown} does not exist at the site", "zone it to the site, or choose another"
            )
        if lun.size_bytes < disk.size_bytes:
            raise SiteRefused(
                f"LUN {shown} has {show_bytes(lun.size_bytes)}, the disk needs {show_bytes(disk.size_bytes)}",
                "choose a larger LUN",
            )
        for other in self._all.values():
            if other.lun == disk.lun and other is not known:
                raise SiteRefused(
                    f"LUN {shown} is mapped by volume {visible(other.id)}", "choose another LUN"
                )
        return lun

    def _make(self, disk: NewDisk, size: int, lun: LabLun | None, home: Path) -> LabVolume:
        home.mkdir(exist_ok=True)
        number = 0
        while (home / f"disk-{number}.vmdk").exists():
            number += 1
        descriptor = home / f"disk-{number}.vmdk"
        extent = home / extent_name(descriptor.stem, disk.backing)
        extent.unlink(missing_ok=True)  # left by a death between extent and descriptor
        if lun:
            extent.symlink_to(os.path.relpath(lun.path, home))
        else:
            extent.touch(mode=0o600)
            os.truncate(extent, size)
        data = lun.path if lun else extent
        flat = FlatDisk(data, writable=True)
        try:
            flat.zero(0, size)  # a LUN may hold what was on it before
            flat.flush()
        finally:
            flat.close()
        database = ((_KEY_VOLUME, disk.volume), *(((_KEY_LUN, disk.lun),) if lun else ()))
        cid = zlib.crc32(disk.volume.encode("utf-8", "surrogatepass")) & 0xFFFFFFFE
        text = write_descriptor(Descriptor(disk.backing, size, extent.name, cid, database=database))
        replace_file(descriptor, text.encode())
        sync_directory(self._folder.vms)
        made = LabVolume(disk.volume, disk.backing, size, disk.lun if lun else "", data, descriptor)
        self._all[disk.volume] = made
        return made

    def delete(self, volume: str) -> None:
        """Remove a volume; a mapped LUN keeps its content. One that is gone is not an error."""
        known = self._all.pop(volume, None)
        if known is None:
            return
        remove_file(known.descriptor)
        remove_file(known.descriptor.parent / extent_name(known.descriptor.stem, known.backing))
        if not any(known.descriptor.parent.iterdir()):
            known.descriptor.parent.rmdir()
