"""A VM read for acting on it: its properties as they are now, and its disks as volumes of the plan."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from migrate.sites.ports import DiskState
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.ids import Ids, held_disks, wherry_settings
from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.tasks import Tasks
from planner.errors import BadInput, NotFound, Unreachable
from planner.model import BusSharing, Disk, Power
from planner.names import visible
from planner.sources.vcenter.answers import Value
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.disks import disks
from planner.sources.vcenter.hosts import luns
from planner.sources.vcenter.luns import LunNames
from planner.sources.vcenter.paths import MACHINES, Kind
from planner.sources.vcenter.places import Places, entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.surroundings import Surroundings
from planner.sources.vcenter.values import many, text

_NO_ANSWER = frozenset({"disconnected", "inaccessible", "invalid", "orphaned"})


_planned: Any = MACHINES.convert["config.extraConfig"]


def _settings(element: Any) -> Value:
    own: Any = wherry_settings(element)
    return {**_planned(element), **own}


MACHINE = Kind(
    "virtual machines",
    ("VirtualMachine",),
    {
        "VirtualMachine": (
            "name",
            "customValue",
            "config.annotation",
            "config.changeTrackingEnabled",
            "config.extraConfig",
            "config.guestId",
            "config.hardware.device",
            "guest.toolsRunningStatus",
            "runtime.connectionState",
            "runtime.consolidationNeeded",
            "runtime.host",
            "runtime.powerState",
            "snapshot",
        )
    },
    {
        "config.hardware.device": MACHINES.convert["config.hardware.device"],
        "config.extraConfig": _settings,
    },
)
_LUNS = Kind("hosts", ("HostSystem",), {"HostSystem": ("config.storageDevice.scsiLun",)})
_POWER = {power.value: power for power in Power}


@dataclass(frozen=True, slots=True)
class Machine:
    """A VM of the plan as the vCenter shows it now."""

    id: str
    item: RawObject

    @property
    def ref(self) -> Ref:
        """Its object."""
        return self.item.ref

    @property
    def name(self) -> str:
        """Its name, untrusted."""
        return entity_name(text(self.item.values.get("name"))) or self.id

    @property
    def shown(self) -> str:
        """Its name, fit for a sentence."""
        return visible(self.name, 80)

    @property
    def power(self) -> Power:
        """Its power state."""
        return _POWER.get(text(self.item.values.get("runtime.powerState")), Power.UNKNOWN)

    @property
    def devices(self) -> list[Any]:
        """Its devices, without those that every VM has."""
        return many(self.item.values.get("config.hardware.device"))

    @property
    def settings(self) -> dict[str, str]:
        """Its settings that concern us: wherry's stamps as they are, others by their key in lower case."""
        found = self.item.values.get("config.extraConfig")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Attached:
    """A disk of a VM: as planner reads it, its device, and the volume that it is."""

    disk: Disk
    device: Any
    volume: str
    key: str  # the plan's; a VM made at a target may have another of its own

    @property
    def state(self) -> DiskState:
        """The disk in the words of ``ports``."""
        disk = self.disk
        return DiskState(
            self.key,
            self.volume,
            disk.size_bytes,
            disk.backing,
            disk.lun,
            disk.bus or 0,
            disk.unit or 0,
            disk.bus_sharing or BusSharing.NONE,
            bool(disk.multi_writer),
            disk.independent,
        )


class Reading(Part):
    """Reads VMs; the parts that look at one build on it."""

    def __init__(self, connection: Connection, tasks: Tasks, ids: Ids) -> None:
        super().__init__(connection, tasks, ids)
        self._lun_names: LunNames | None = None
        self._reading_luns = threading.Lock()

    def machine(self, vm: str) -> Machine | None:
        """Return a VM as it is now, None when it is certainly not registered.

        Raises Unreachable when its host or datastore is away: what vCenter shows then is old; BadInput
        when the account may not see what it is made of.
        """
        target = self.ids.find(vm)
        item = self.connection.one(MACHINE, target) if target else None
        if item is None:
            return None
        found = Machine(vm, item)
        state = text(item.values.get("runtime.connectionState"))
        if state in _NO_ANSWER:
            raise Unreachable(
                f"VM {found.shown} is {state} at {self.connection.shown}",
                "look at its host and its datastore in vCenter",
            )
        for path in ("config.hardware.device", "runtime.powerState"):
            if path not in item.values:
                raise BadInput(
                    f"{self.connection.shown} does not show the devices and power state of VM {found.shown}",
                    "give the account the roles of docs/vcenter.md",
                )
        return found

    def need_machine(self, vm: str) -> Machine:
        """Return a VM as it is now; raises NotFound, and as ``machine``."""
        found = self.machine(vm)
        if found is None:
            raise NotFound(
                f"VM {visible(vm, 80)} is not at {self.connection.shown}", "look whether it was removed"
            )
        return found

    def attached(self, machine: Machine) -> tuple[Attached, ...]:
        """Return a VM's disks."""
        around = Surroundings(self.connection.identity, Places(self.connection.identity))
        if any("Raw" in text(device, "backing", "@") for device in machine.devices):
            around.luns = self._luns()
        held = {disk.place: disk for disk in held_disks(machine.settings)}
        by_key = {text(device, "key"): device for device in machine.devices}
        found = []
        for disk in disks(machine.item, machine.devices, around):
            place = disk.lun or disk.path
            known = held.get(place)
            found.append(
                Attached(
                    disk,
                    by_key[disk.key],
                    known.volume if known else self.ids.volume(place),
                    known.key if known else disk.key,
                )
            )
        return tuple(found)

    def _luns(self) -> LunNames:
        with self._reading_luns:
            if self._lun_names is None:
                items = self.connection.find(_LUNS, lambda item: item)
                self._lun_names = LunNames.of(luns(items, {}, self.connection.identity))
            return self._lun_names

    def holder(self, volume: str) -> tuple[Machine, Attached] | None:
        """Return the VM that a plan's volume is called by and the disk of it, None when it has no such disk.

        A volume is called ``<VM>/<disk key>`` by the first VM that has it.
        """
        vm, _, key = volume.rpartition("/")
        machine = self.machine(vm) if vm else None
        if machine is None:
            return None
        mine = self.attached(machine)
        named = [one for one in mine if one.volume == volume]
        # Where the places of the plan are not known a disk is its VM's and its key.
        named = named or [
            one for one in mine if one.key == key and one.volume in (one.disk.path, one.disk.lun)
        ]
        return (machine, named[0]) if named else None
