"""A site at a peer, and its VMs as their owner sees them: disks, tools, other people's snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyVmomi

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.site import VsphereSite
from migrate.sites.vsphere.tasks import Tasks
from tests.migrate.sites.vsphere.conftest import Wired
from tests.vcenter.collected import finished

vim: Any = pyVmomi.vim
MIB = 1024**2


class Plant:
    """The VMs of a peer by number, and a site that knows them by their morefs."""

    def __init__(self, wired: Wired, size_bytes: int = 4 * MIB) -> None:
        self.peer = wired.peer
        self.size_bytes = size_bytes
        self._service = wired.peer.connect()
        machines = wired.machines()
        self.machines = [machines[name][""] for name in sorted(machines)]
        self.vms = tuple(str(machine._moId) for machine in self.machines)
        self._wired = wired
        self._flats: dict[tuple[int, int], Path] = {}
        self.site = VsphereSite("west", *self.parts())

    def parts(self) -> tuple[Connection, Tasks, Ids]:
        """Return what a site here is made of, with nothing remembered."""
        return self._wired.of(*self.vms)

    def elsewhere(self) -> tuple[Connection, Tasks, Ids]:
        """Return the same for a site at which nothing of the plan is at home."""
        return self._wired.of()

    @property
    def content(self) -> Any:
        return self._service.content

    def disks(self, vm: int = 0) -> list[Any]:
        return [
            device
            for device in self.machines[vm].config.hardware.device
            if isinstance(device, vim.vm.device.VirtualDisk)
        ]

    def volume(self, vm: int = 0, disk: int = 0) -> str:
        """The plan's name of a disk, as it is where the plan's places are not told: its path."""
        path: str = self.disks(vm)[disk].backing.fileName
        return path

    def plan_volume(self, vm: int = 0, disk: int = 0) -> str:
        return f"{self.vms[vm]}/{self.disks(vm)[disk].key}"

    def flat(self, vm: int = 0, disk: int = 0) -> Path:
        """The local file that holds a disk's bytes; the simulator leaves it there, whatever snapshots do."""
        if (vm, disk) not in self._flats:
            backing = self.disks(vm)[disk].backing
            file = str(backing.fileName).partition("] ")[2].replace(".vmdk", "-flat.vmdk")
            self._flats[vm, disk] = Path(str(backing.datastore.summary.url)) / file
        return self._flats[vm, disk]

    def write(self, data: bytes, offset: int, vm: int = 0, disk: int = 0) -> None:
        with self.flat(vm, disk).open("r+b") as body:
            body.seek(offset)
            body.write(data)

    def bytes_of(self, vm: int = 0, disk: int = 0) -> bytes:
        return self.flat(vm, disk).read_bytes()

    def track(self, *vms: int, on: bool = True) -> None:
        """Turn change tracking on, and give the disks the size of this plant, all zeros."""
        for vm in vms or (0,):
            self.grow(vm, self.size_bytes)
            self.configure(vm, changeTrackingEnabled=on)

    def grow(self, vm: int, size_bytes: int) -> None:
        """Give the disks of a VM another size."""
        changes = []
        for number, disk in enumerate(self.disks(vm)):
            disk.capacityInKB, disk.capacityInBytes = size_bytes // 1024, size_bytes
            changes.append(vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk))
            with self.flat(vm, number).open("r+b") as body:
                body.truncate(size_bytes)
        self.configure(vm, deviceChange=changes)

    def add_disk(self, vm: int = 0) -> None:
        controller = self.disks(vm)[0].controllerKey
        disk = vim.vm.device.VirtualDisk(
            key=-1,
            controllerKey=controller,
            unitNumber=len(self.disks(vm)) + 1,
            capacityInKB=self.size_bytes // 1024,
            backing=vim.vm.device.VirtualDisk.FlatVer2BackingInfo(fileName="", diskMode="persistent"),
        )
        change = vim.vm.device.VirtualDeviceSpec(operation="add", fileOperation="create", device=disk)
        self.configure(vm, deviceChange=[change])

    def plug(self, vm: int, connected: bool) -> None:
        """Plug or unplug the NICs of a VM."""
        changes = []
        for device in self.machines[vm].config.hardware.device:
            if isinstance(device, vim.vm.device.VirtualEthernetCard):
                device.connectable.connected = connected
                changes.append(vim.vm.device.VirtualDeviceSpec(operation="edit", device=device))
        self.configure(vm, deviceChange=changes)

    def configure(self, vm: int = 0, **spec: Any) -> None:
        finished(self.machines[vm].ReconfigVM_Task(vim.vm.ConfigSpec(**spec)))

    def set(self, vm: int = 0, **settings: str) -> None:
        """Set extra configuration; names have ``__`` for a dot, and ``SET__guest__x`` is the guest's."""
        options = [
            vim.option.OptionValue(key=key.replace("__", "."), value=value) for key, value in settings.items()
        ]
        self.configure(vm, extraConfig=options)

    def snapshot(self, vm: int = 0, name: str = "before the update", description: str = "by Kim") -> Any:
        """Take a snapshot as a person does."""
        return finished(self.machines[vm].CreateSnapshot_Task(name, description, False, False))

    def power_events(self, vm: int = 0) -> dict[int, str]:
        """The newest events of a VM that say it was started or stopped: types by number."""
        by = vim.event.EventFilterSpec.ByEntity(entity=self.machines[vm], recursion="self")
        kinds = ["VmPoweredOnEvent", "VmPoweredOffEvent"]
        spec = vim.event.EventFilterSpec(entity=by, eventTypeId=kinds, maxCount=1000)
        events = self.content.eventManager.QueryEvents(spec)
        return {int(event.key): type(event).__name__.rpartition(".")[2] for event in events}

    def snapshots(self, vm: int = 0) -> list[str]:
        """Names of a VM's snapshots, parents first."""
        found, waiting = [], list(getattr(self.machines[vm].snapshot, "rootSnapshotList", ()))
        while waiting:
            entry = waiting.pop(0)
            found.append(f"{entry.name}: {entry.description}")
            waiting += entry.childSnapshotList
        return found
