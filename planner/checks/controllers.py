"""Checks of the controllers that disks hang on: kinds that resist a move, and how many disks they carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from planner.checks.check import Rule, Work, rule
from planner.checks.estate import Estate
from planner.model import VM, Controller, Severity
from planner.names import visible

RULES: list[Rule] = []
_CLASSIC = {Controller.LSI_LOGIC, Controller.LSI_SAS, Controller.BUS_LOGIC}
_MOST_CLASSIC = 60  # four controllers with fifteen disks each
_MOST = 256
_PLACE = ("config.hardware.device[VirtualController]", "config.hardware.device[VirtualDisk].controllerKey")


def _of_kind(vm: VM, kinds: set[Controller]) -> Iterator[str | None]:
    """Yield each controller of these kinds that carries a disk, and None for a disk whose kind is unknown."""
    found: dict[str, None] = {}
    for disk in vm.disks:
        if disk.controller_kind is None:
            yield None
        elif disk.controller_kind in kinds:
            found[visible(disk.controller, 60) or f"a controller ({disk.controller_kind.value})"] = None
    yield from found


@rule(
    RULES,
    "disks.controller.nvme",
    Severity.INFO,
    "Disk on an NVMe controller",
    condition="a disk hangs on an NVMe controller",
    properties=_PLACE,
    reference="vSphere API: VirtualNVMEController",
    why="Older hosts and several replication products do not know it; the guest needs its driver to boot.",
    remedy="check that the target's hosts are as new as the source's; else move the disk to a paravirtual "
    "controller",
)
def on_nvme(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk on an NVMe controller."""
    for where in _of_kind(vm, {Controller.NVME}):
        yield where and f"{visible(vm.name)} has disks on {where}, which is NVMe"


@rule(
    RULES,
    "disks.controller.ide-sata",
    Severity.INFO,
    "Disk on an IDE or SATA controller",
    condition="a disk hangs on an IDE or SATA controller",
    properties=_PLACE,
    reference="vSphere API: VirtualIDEController, VirtualAHCIController",
    why="It is slow, and IDE disks cannot be added or changed while the VM runs.",
    remedy="nothing for the move; a paravirtual controller is faster once the guest has its driver",
)
def on_ide_or_sata(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk on an IDE or SATA controller."""
    for where in _of_kind(vm, {Controller.IDE, Controller.SATA}):
        yield where and f"{visible(vm.name)} has disks on {where}, which is IDE or SATA"


@rule(
    RULES,
    "disks.controller.buslogic",
    Severity.WARNING,
    "Disk on a BusLogic controller",
    condition="a disk hangs on a BusLogic controller; the message says when firmware or guest rule it out",
    properties=(*_PLACE, "config.firmware", "config.guestId"),
    reference="vSphere API: VirtualBusLogicController",
    why="64-bit guests and EFI cannot boot from it, and no current system brings its driver.",
    remedy="change the controller to LSI Logic or paravirtual while the VM is off",
    work=Work(effort_min=30, outage=True, lead_days=2),
)
def on_buslogic(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk on a BusLogic controller."""
    wide = vm.firmware == "efi" or "64" in vm.guest.guest_id or "64-bit" in vm.guest_os
    for where in _of_kind(vm, {Controller.BUS_LOGIC}):
        shown = "which is BusLogic" + (" under EFI or a 64-bit guest" if wide else "")
        yield where and f"{visible(vm.name)} has disks on {where}, {shown}"


@rule(
    RULES,
    "disks.count",
    Severity.WARNING,
    "More disks than its controllers carry everywhere",
    condition=f"more than {_MOST_CLASSIC} disks on LSI and BusLogic controllers, or more than {_MOST} in all",
    properties=_PLACE,
    reference="vSphere configuration maximums: disks of a VM",
    why=f"Four classic controllers carry {_MOST_CLASSIC} disks, paravirtual ones of newer hosts {_MOST}.",
    remedy="check the controller types at the target, add paravirtual controllers",
    work=Work(effort_min=60, outage=True, lead_days=5),
)
def many_disks(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: more disks than its controllers carry everywhere; few disks fit on any kind."""
    if len(vm.disks) <= _MOST_CLASSIC:
        return
    kinds = Counter(disk.controller_kind for disk in vm.disks)
    classic = sum(kinds[kind] for kind in _CLASSIC)
    if len(vm.disks) > _MOST:
        yield f"{visible(vm.name)} has {len(vm.disks)} disks"
    elif classic > _MOST_CLASSIC:
        yield f"{visible(vm.name)} has {classic} disks on classic controllers"
    elif classic + kinds[None] > _MOST_CLASSIC:
        yield None
