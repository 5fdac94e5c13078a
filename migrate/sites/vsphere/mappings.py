"""May a LUN be mapped: the last look at it before it is given to a VM and written.

Its name is the canonical one. Every host that may run the VM sees it, the same one in the same size; it is
large enough in sectors; no datastore lies on it, and no disk of any VM of this vCenter but the one that it
is mapped for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.holders import HeldDisk, Holders
from migrate.sites.vsphere.stores import Stores
from planner.errors import SiteRefused
from planner.model import Lun
from planner.names import visible
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.hosts import luns
from planner.sources.vcenter.luns import LunNames
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.units import SECTOR

_SEEN = Kind("hosts", ("HostSystem",), {"HostSystem": ("name", "parent", "config.storageDevice.scsiLun")})


@dataclass(frozen=True, slots=True)
class SeenLuns:
    """What some hosts see. ``unlike`` are LUNs that two of them do not describe alike."""

    luns: tuple[Lun, ...]
    unlike: frozenset[str]
    names: LunNames

    def find(self, name: str) -> Lun | None:
        """Return a LUN by its canonical name."""
        return next((lun for lun in self.luns if lun.name == name), None)


class Luns:
    """The LUNs of a vCenter's hosts; asked anew each time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._holders = Holders(connection)

    def seen(self, hosts: Collection[str] | None = None) -> SeenLuns:
        """Return what these hosts see, or all of them; raises BadInput, Unreachable."""
        if hosts is None:
            items = self._connection.find(_SEEN, lambda item: item)
        else:
            items = self._connection.read(_SEEN, [Ref("HostSystem", host) for host in sorted(hosts)])
        found = luns(items, {}, "")
        return SeenLuns(found, _unlike(items), LunNames.of(found))

    def of_disk(self, disk: HeldDisk) -> str:
        """Return the canonical name of the LUN that a disk maps, empty for a VMDK."""
        if not disk.backing.is_rdm:
            return ""
        return self.seen([disk.host] if disk.host else None).names.canonical(disk.lun_uuid, disk.device)

    def usable(self, name: str, size_bytes: int, hosts: Collection[str], pointer: DatastorePath) -> Lun:
        """Return the LUN, which may be mapped by ``pointer``; raises SiteRefused that says why not."""
        shown = visible(name, 80)
        seen = self.seen(hosts)
        lun = seen.find(name)
        if lun is None:
            raise SiteRefused(
                f"no host of the target sees LUN {shown}", "zone it to every host, rescan, then try again"
            )
        if blind := set(hosts) - set(lun.hosts):
            raise SiteRefused(
                f"{len(blind)} of {len(hosts)} hosts of the target do not see LUN {shown}",
                "zone it to every host that may run the VM, rescan, then try again",
            )
        if name in seen.unlike:
            raise SiteRefused(
                f"hosts of the target do not agree what LUN {shown} is", "rescan their storage adapters"
            )
        needed, has = -(-size_bytes // SECTOR), (lun.size_bytes or 0) // SECTOR
        if has < needed:
            raise SiteRefused(
                f"LUN {shown} has {has} sectors, the disk needs {needed}", "choose a larger LUN"
            )
        self._must_be_free(lun, seen.names, pointer)
        return lun

    def _must_be_free(self, lun: Lun, names: LunNames, pointer: DatastorePath) -> None:
        shown = visible(lun.name, 80)
        for store in Stores(self._connection).all():
            if lun.name in store.extents:
                raise SiteRefused(
                    f"datastore {visible(store.name, 80)} lies on LUN {shown}", "choose another LUN"
                )
        for disk in self._holders.mappings():
            if names.canonical(disk.lun_uuid, disk.device) == lun.name and disk.file.base != pointer.base:
                raise SiteRefused(
                    f"LUN {shown} is mapped by a disk of {visible(disk.name, 80)}", "choose another LUN"
                )


def _unlike(items: list[RawObject]) -> frozenset[str]:
    """Return the LUNs whose uuid or size differs between hosts."""
    first: dict[str, tuple[str, int | None]] = {}
    found = set()
    for item in items:
        for lun in luns([item], {}, ""):
            said = (lun.uuid, lun.size_bytes)
            if first.setdefault(lun.name, said) != said:
                found.add(lun.name)
    return frozenset(found)
