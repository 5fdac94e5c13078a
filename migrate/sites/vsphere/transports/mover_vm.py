"""A VM of ours, as the vCenter knows it: its free places, disks attached and detached.

It is the one that a mover runs in, or the carrier of replicas over NBD; ``called`` says which.

A disk is attached as it lies and never made, never destroyed: detaching names no file operation. For reading
it is independent and non-persistent, so that what the mover's system writes to it is thrown away. A disk
that its VMs share and use meanwhile can only be attached as they have it: persistent, on such a controller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.tasks import Act, Tasks
from migrate.sites.vsphere.transports.ports import Place
from planner.errors import NotFound, SiteRefused
from planner.model import Backing, BusSharing, Controller
from planner.sources.vcenter.disks import CONTROLLERS
from planner.sources.vcenter.paths import MACHINES, Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import many, text, whole

_DEVICES = Kind(
    "virtual machines",
    ("VirtualMachine",),
    {"VirtualMachine": ("config.hardware.device",)},
    {"config.hardware.device": MACHINES.convert["config.hardware.device"]},
)
_SCSI = {Controller.PVSCSI, Controller.LSI_LOGIC, Controller.LSI_SAS}
_OWN_UNIT = 7  # the controller's
_UNITS = 16
_CALL = "transport"


@dataclass(frozen=True, slots=True)
class Hung:
    """A disk as it hangs there."""

    key: str
    file: DatastorePath
    unit: int
    uuid: str
    mode: str


class MoverVM:
    """One VM, by its managed object."""

    def __init__(
        self, connection: Connection, tasks: Tasks, target: Ref, called: str = "the mover's VM"
    ) -> None:
        self.called = called
        self._connection = connection
        self._tasks = tasks
        self.ref = target

    def attach(self, place: Place, *, writable: bool) -> Hung:
        """Attach a disk, asking for the outcome where no answer comes; raises SiteRefused, NotFound."""
        beside = place.sharing if place.live and place.running else BusSharing.NONE
        controller, unit = self._free_slot(beside)
        add = self._change("add", _device(place, controller, unit, writable=writable))
        self._act(place.file).run(self.ref, "ReconfigVM_Task", add, done=lambda: self.hung(place.file))
        found = self.hung(place.file)
        if found is None:
            raise SiteRefused(
                f"disk {place.file.shown} is not attached to {self.called} after all",
                f"look at {self.called} in vCenter",
            )
        return found

    def detach(self, file: DatastorePath) -> None:
        """Detach a disk; one that does not hang there, or of a VM that is gone, is no error."""
        from pyVmomi import vim

        kinds: Any = vim.vm.device
        while (found := self.hung(file)) is not None:
            remove = self._change("remove", kinds.VirtualDisk(key=int(found.key)))

            def gone(key: str = found.key) -> bool | None:
                return None if any(one.key == key for one in self._disks() or ()) else True

            self._act(file).run(self.ref, "ReconfigVM_Task", remove, done=gone)

    def hung(self, file: DatastorePath) -> Hung | None:
        """Return a disk by its file, None when it does not hang there."""
        return next((one for one in self._disks() or () if one.file.base == file.base), None)

    def _act(self, file: DatastorePath) -> Act:
        # No call of a step: a disk is attached for as long as it is open, and leaves nothing changed.
        return Act(self._tasks, "", _CALL, str(file))

    def _disks(self) -> tuple[Hung, ...] | None:
        """Return the disks of the VM, None when it is certainly gone."""
        devices = self._devices()
        if devices is None:
            return None
        return tuple(
            Hung(
                text(device, "key"),
                DatastorePath.parse(name),
                whole(device, "unitNumber") or 0,
                text(device, "backing", "uuid"),
                text(device, "backing", "diskMode"),
            )
            for device in devices
            if text(device, "@") == "VirtualDisk" and (name := text(device, "backing", "fileName"))
        )

    def _devices(self) -> list[Any] | None:
        item = self._connection.one(_DEVICES, self.ref)
        return None if item is None else many(item.values.get("config.hardware.device"))

    def places(self) -> tuple[int, int]:
        """Return how many places for disks its SCSI controllers have, and how many are taken.

        Those of a bus that is shared are for disks of its like, and do not count.
        """
        every, free = self._slots(BusSharing.NONE)
        return every, every - len(free)

    def _free_slot(self, sharing: BusSharing = BusSharing.NONE) -> tuple[int, int]:
        """Return the key of a controller with that sharing and a free unit; raises SiteRefused for none."""
        _, free = self._slots(sharing)
        if not free:
            of_kind = "" if sharing is BusSharing.NONE else f" with {sharing}, as the disk's VMs have it on"
            raise SiteRefused(
                f"{self.called} has no free place on a SCSI controller{of_kind}",
                "add a controller to it, or copy fewer disks at once",
            )
        return free[0]

    def _slots(self, sharing: BusSharing) -> tuple[int, list[tuple[int, int]]]:
        """Return how many places such controllers have, and of each free one their key and its unit."""
        devices = self._devices()
        if devices is None:
            raise NotFound(
                f"{self.called} is not at {self._connection.shown} any more", "correct it in the settings"
            )
        taken = {(whole(one, "controllerKey"), whole(one, "unitNumber")) for one in devices}
        every = [
            (whole(one, "key") or 0, unit)
            for one in devices
            if CONTROLLERS.get(text(one, "@")) in _SCSI
            and (text(one, "sharedBus") or BusSharing.NONE) == sharing
            for unit in range(_UNITS)
            if unit != _OWN_UNIT
        ]
        return len(every), [slot for slot in every if slot not in taken]

    def _change(self, operation: str, device: Any) -> Any:
        from pyVmomi import vim

        spec: Any = vim.vm.device.VirtualDeviceSpec
        config: Any = vim.vm.ConfigSpec
        return config(deviceChange=[spec(operation=operation, device=device)])


def _device(place: Place, controller: int, unit: int, *, writable: bool) -> Any:
    from pyVmomi import vim

    beside = place.live and place.running and place.is_shared  # a disk in use has no redo log of ours
    mode = "independent_persistent" if writable or beside else "independent_nonpersistent"
    sharing = "sharingMultiWriter" if beside and place.multi_writer else None
    disk: Any = vim.vm.device.VirtualDisk
    if place.backing.is_rdm:
        physical = place.backing is Backing.RDM_PHYSICAL
        backing = disk.RawDiskMappingVer1BackingInfo(
            fileName=str(place.file),
            compatibilityMode="physicalMode" if physical else "virtualMode",
            diskMode="independent_persistent" if physical else mode,
            sharing=sharing,
        )
    else:
        backing = disk.FlatVer2BackingInfo(fileName=str(place.file), diskMode=mode, sharing=sharing)
    return disk(
        key=-1,
        controllerKey=controller,
        unitNumber=unit,
        capacityInBytes=place.size_bytes,
        capacityInKB=place.size_bytes >> 10,
        backing=backing,
    )
