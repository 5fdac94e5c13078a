"""What a wave does, spelled out for the plan: VMs, adapters, disks with their slots.

Everything an approval covers is made here. Names are carried as they are (only text that no
encoding can write is replaced); slots that the source does not say, or says twice, are filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from planner.destinations import held_on, home
from planner.maps import Maps
from planner.model import VM, BusSharing, Disk, MoveGroup, Power, Volume
from planner.plan import (
    PlannedAttachment,
    PlannedDisk,
    PlannedGroup,
    PlannedNic,
    PlannedReason,
    PlannedVM,
)
from planner.remap import RemapDecision
from planner.sending import notes

_CONTROLLER_UNIT = 7  # the unit a SCSI controller takes for itself


def writable(text: str) -> str:
    """Return the text with lone surrogates replaced: the only characters UTF-8 cannot write."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def planned_vm(vm: VM, maps: Maps) -> PlannedVM:
    """Return the VM as it is built at the target; a network without a map keeps its name.

    Only a VM that is known to run is started: starting one that was off can do harm.
    """
    return PlannedVM(
        id=vm.id,
        name=writable(vm.name),
        cpus=vm.cpus,
        memory_bytes=vm.memory_bytes,
        firmware=vm.firmware,
        guest_os=writable(vm.guest_os),
        powered_on=vm.power is Power.ON,
        nics=tuple(
            PlannedNic(
                label=writable(nic.label),
                source=writable(nic.network),
                target=writable(maps.networks.get(nic.network, nic.network)),
                mac=nic.mac,
                adapter=nic.adapter,
            )
            for nic in vm.nics
        ),
        datastore=writable(maps.datastores.get(home(vm), "")) if maps.datastores else "",
        folder=writable(maps.folders.of(vm)),
        pool=writable(maps.pools.of(vm)),
        policy=writable(maps.policies.get(vm.management.storage_policy or "", "")),
    )


def planned_group(group: MoveGroup) -> PlannedGroup:
    """Return the group with its reason chain."""
    reasons = tuple(PlannedReason(a=item.a, b=item.b, why=writable(item.why)) for item in group.reasons)
    return PlannedGroup(name=writable(group.name), vms=group.vms, reasons=reasons)


def slots(vm: VM) -> dict[str, tuple[int, int]]:
    """Return disk key → (bus, unit), no two disks alike.

    What the source says counts, first come first served; a disk without a slot, or with one that
    is taken (an IDE and a SCSI disk may both say 0:0), gets the first free unit of its bus.
    """
    taken: set[tuple[int, int]] = set()
    found: dict[str, tuple[int, int]] = {}
    waiting: list[Disk] = []
    for disk in vm.disks:
        slot = (disk.bus or 0, disk.unit if disk.unit is not None else -1)
        if slot[1] < 0 or slot in taken:
            waiting.append(disk)
        else:
            taken.add(slot)
            found[disk.key] = slot
    for disk in waiting:
        bus, unit = disk.bus or 0, 0
        while (bus, unit) in taken or unit == _CONTROLLER_UNIT:
            unit += 1
        taken.add((bus, unit))
        found[disk.key] = (bus, unit)
    return found


def planned_disks(
    volumes: Iterable[Volume],
    decisions: Mapping[str, RemapDecision],
    slots_of: Mapping[str, Mapping[str, tuple[int, int]]],
    maps: Maps,
) -> tuple[PlannedDisk, ...]:
    """Return the disks of a wave. ``slots_of`` is VM id → what ``slots`` returns."""
    planned = []
    for volume in volumes:
        decision = decisions[volume.id]
        attachments = []
        for item in volume.attachments:
            bus, unit = slots_of[item.vm.id][item.disk.key]
            attachments.append(
                PlannedAttachment(
                    vm=item.vm.id,
                    disk=item.disk.key,
                    label=writable(item.disk.label),
                    bus=bus,
                    unit=unit,
                    bus_sharing=item.disk.bus_sharing or BusSharing.NONE,
                    multi_writer=bool(item.disk.multi_writer),
                    independent=bool(item.disk.multi_writer) and item.disk.independent,
                )
            )
        planned.append(
            PlannedDisk(
                volume=volume.id,
                size_bytes=volume.size_bytes,
                source=volume.backing,
                target=decision.target,
                source_lun=volume.attachments[0].disk.lun if volume.backing.is_rdm else "",
                target_lun=decision.lun,
                rule=writable(decision.rule),
                attachments=tuple(attachments),
                proof=writable(decision.proof),
                mind=tuple(writable(said) for said in (*decision.mind, *notes(volume))),
                way_back=writable(decision.way_back),
                datastore=writable(maps.datastores.get(held_on(volume), "")) if maps.datastores else "",
                policy=writable(_policy(volume, decision, maps)),
                send=volume.sending,
                send_why=writable(volume.left_out.why) if volume.left_out else "",
                send_who=writable(volume.left_out.who) if volume.left_out else "",
            )
        )
    return tuple(planned)


def _policy(volume: Volume, decision: RemapDecision, maps: Maps) -> str:
    """Return the policy of a volume at the target: one that becomes or stays a raw device has none."""
    if decision.target.is_rdm:
        return ""
    said = (maps.policies.get(item.disk.policy or "", "") for item in volume.attachments)
    return next(filter(None, said), "")


def title(groups: Sequence[MoveGroup], shown: int = 5) -> str:
    """Return what a wave is called: its groups' names joined, or ``shared services``."""
    if groups and all(group.shared_services for group in groups):
        return "shared services"
    names = [writable(group.name) for group in groups]
    if len(names) > shown + 1:
        names = [*names[:shown], f"and {len(names) - shown} more"]
    return ", ".join(names)
