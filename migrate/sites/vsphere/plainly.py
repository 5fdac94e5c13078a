"""The definition of a VM of which only a plan is known: its disks and adapters on the usual devices."""

from __future__ import annotations

from migrate.sites.definition import Adapter, Controller, Definition, Slot
from migrate.sites.ports import NewAttachment, NewVM
from planner.model import BusSharing

USUAL_CONTROLLER = "ParaVirtualSCSIController"
USUAL_ADAPTER = "VirtualVmxnet3"
USUAL_GUEST = "otherGuest64"
FIRST_CONTROLLER, FIRST_DISK, FIRST_ADAPTER = 1000, 2000, 4000  # keys as a vCenter gives them
_ADAPTERS = {"e1000": "VirtualE1000", "e1000e": "VirtualE1000e", "flexible": "VirtualPCNet32"}
_ADAPTERS |= {"vmxnet2": "VirtualVmxnet2", "vmxnet3": USUAL_ADAPTER, "vmxnet3 rdma": "VirtualVmxnet3Vrdma"}


def plain_definition(vm: NewVM, newest: int) -> Definition:
    """Return a definition for a VM that has none, with the newest virtual hardware of its place."""
    buses: dict[int, BusSharing] = {}
    for disk in vm.disks:
        if buses.get(disk.bus, BusSharing.NONE) is BusSharing.NONE:
            buses[disk.bus] = disk.bus_sharing
    return Definition(
        hw_version=newest,
        guest_id=USUAL_GUEST,
        cpus=vm.cpus,
        memory_mib=vm.memory_bytes >> 20,
        firmware="efi" if vm.firmware.casefold() == "efi" else "bios",
        controllers=tuple(
            Controller(FIRST_CONTROLLER + bus, USUAL_CONTROLLER, bus, sharing.value)
            for bus, sharing in sorted(buses.items())
        ),
        disks=tuple(map(_slot, vm.disks)),
        adapters=tuple(
            Adapter(FIRST_ADAPTER + number, adapter_kind(nic.adapter), nic.label, nic.mac)
            for number, nic in enumerate(vm.nics)
        ),
    )


def adapter_kind(name: str) -> str:
    """Return the API's kind for an adapter as inventories call it, the usual one for what is unknown."""
    return _ADAPTERS.get(name.casefold(), USUAL_ADAPTER)


def _slot(disk: NewAttachment) -> Slot:
    key = FIRST_DISK + 16 * disk.bus + disk.unit
    return Slot(key, FIRST_CONTROLLER + disk.bus, disk.unit, multi_writer=disk.multi_writer)
