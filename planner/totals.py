"""What an estate amounts to: data, churn, operating systems and licences, and how much of it is known.

Only what moves is counted. A disk that several VMs use counts once, for the VM that holds it first.
A sum goes over what is known; beside it stands for how many VMs that is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from planner.checks.check import About, Check
from planner.checks.lifecycle import System, runs
from planner.checks.registry import Readiness
from planner.fields import FIELDS, Seen
from planner.model import VM, Inventory, Volume
from planner.vocabulary import Field, Text
from planner.volumes import datastore_of, volumes

NOT_SAID = ""  # the row of VMs whose tier, cluster, ... nobody said
RAW = "raw devices"


@dataclass(frozen=True, slots=True)
class Total:
    """Data of some VMs. ``used_known``, ``churn_known`` and ``disks_known`` count VMs that say so."""

    name: str
    vms: int
    provisioned_bytes: int
    used_bytes: int
    used_known: int
    churn_bytes_day: int
    churn_known: int
    disks_known: int


@dataclass(frozen=True, slots=True)
class SystemTotal:
    """VMs of one operating system. ``ends`` is the last day of its support, None when not known."""

    name: str
    vms: int
    cpus: int
    ends: date | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of something is known: ``known`` of ``asked``."""

    name: str
    known: int
    asked: int

    @property
    def share(self) -> float:
        """The known part, from 0 to 1; 1 when nothing was asked."""
        return self.known / self.asked if self.asked else 1.0


def _moving(inventory: Inventory) -> list[VM]:
    return [vm for vm in inventory.vms if vm.movable]


def _held(inventory: Inventory) -> dict[str, list[Volume]]:
    """Return the volumes of each VM that moves, each volume for one VM only."""
    held: defaultdict[str, list[Volume]] = defaultdict(list)
    for volume in volumes(inventory):
        first = next((item.vm.id for item in volume.attachments if item.vm.movable), None)
        if first is not None:
            held[first].append(volume)
    return held


def _total(name: str, vms: Iterable[VM], held: dict[str, list[Volume]], gaps: Iterable[str]) -> Total:
    members = list(vms)
    used = [vm.used_bytes for vm in members if vm.used_bytes is not None]
    churn = [vm.churn_bytes_day for vm in members if vm.churn_bytes_day is not None]
    provisioned = sum(volume.size_bytes for vm in members for volume in held.get(vm.id, ()))
    listed = 0 if "disks" in gaps else sum("disks" not in vm.gaps for vm in members)
    return Total(name, len(members), provisioned, sum(used), len(used), sum(churn), len(churn), listed)


def data_total(inventory: Inventory) -> Total:
    """Return the data of everything that moves."""
    return _total("all", _moving(inventory), _held(inventory), inventory.gaps)


def data_by(inventory: Inventory, name_of: Callable[[VM], str]) -> tuple[Total, ...]:
    """Return the data of VMs by a name that each has; the largest first."""
    parts: defaultdict[str, list[VM]] = defaultdict(list)
    for vm in _moving(inventory):
        parts[name_of(vm)].append(vm)
    held = _held(inventory)
    found = [_total(name, vms, held, inventory.gaps) for name, vms in parts.items()]
    return tuple(sorted(found, key=lambda item: (-item.provisioned_bytes, item.name)))


def data_by_datastore(inventory: Inventory) -> tuple[Total, ...]:
    """Return the data of each datastore, raw devices on a row of their own; churn is known by VM only.

    Used bytes are those that disks say; ``used_known`` counts VMs all of whose disks there say so.
    """
    size: defaultdict[str, int] = defaultdict(int)
    used: defaultdict[str, int] = defaultdict(int)
    vms: defaultdict[str, set[str]] = defaultdict(set)
    silent: defaultdict[str, set[str]] = defaultdict(set)
    for vm_id, found in _held(inventory).items():
        for volume in found:
            disk = volume.attachments[0].disk
            name = RAW if disk.backing.is_rdm else datastore_of(disk.path) or NOT_SAID
            size[name] += volume.size_bytes
            vms[name].add(vm_id)
            if disk.used_bytes is None:
                silent[name].add(vm_id)
            else:
                used[name] += disk.used_bytes
    rows = (
        Total(
            name, len(vms[name]), size[name], used[name], len(vms[name] - silent[name]), 0, 0, len(vms[name])
        )
        for name in size
    )
    return tuple(sorted(rows, key=lambda item: (-item.provisioned_bytes, item.name)))


def system_name(vm: VM) -> str:
    """Return the operating system in few words, the source's own where we know none."""
    found = runs(vm)
    return str(found) if found else vm.guest.running_os or vm.guest_os


def systems(inventory: Inventory) -> tuple[SystemTotal, ...]:
    """Return operating systems with their VMs and processors, the most frequent first."""
    found: defaultdict[str, list[VM]] = defaultdict(list)
    known: dict[str, System | None] = {}
    for vm in _moving(inventory):
        name = system_name(vm)
        found[name].append(vm)
        known[name] = runs(vm)
    rows = (
        SystemTotal(name, len(vms), sum(vm.cpus for vm in vms), system.ends if system else None)
        for name, vms in found.items()
        for system in (known[name],)
    )
    return tuple(sorted(rows, key=lambda item: (-item.vms, item.name)))


def _says(field: Field, vm: VM, seen: Seen) -> bool:
    value = field.read(vm, seen)
    return None not in value if isinstance(field, Text) and isinstance(value, tuple) else value is not None


def fields_known(inventory: Inventory) -> tuple[Coverage, ...]:
    """Return for each field how many of the VMs that move say it, the least known first."""
    seen = Seen.of(inventory)
    members = _moving(inventory)
    rows = (
        Coverage(name, sum(_says(field, vm, seen) for vm in members), len(members))
        for name, field in FIELDS.items()
    )
    return tuple(sorted(rows, key=lambda item: item.share))


def checks_decided(
    inventory: Inventory, readiness: Readiness, checks: Iterable[Check]
) -> tuple[Coverage, ...]:
    """Return for each check of how many objects it could decide, the least decided first."""
    asked = {
        About.VM: len(inventory.vms),
        About.HOST: len(inventory.hosts),
        About.CLUSTER: len(inventory.clusters),
        About.DATASTORE: len(inventory.datastores),
        About.NETWORK: len(inventory.networks),
        About.VCENTER: len(inventory.vcenters),
        About.ESTATE: 1,
    }
    rows = []
    for check in checks:
        unknown = readiness.unknown.get(check.id, 0)
        # A source without the kind at all leaves one question, unanswered.
        of_all = max(asked[check.about], unknown)
        rows.append(Coverage(check.id, of_all - unknown, of_all))
    return tuple(sorted(rows, key=lambda item: item.share))
