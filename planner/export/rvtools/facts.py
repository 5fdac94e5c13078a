"""What a sheet's rows are, and the fact behind each of its columns, by the names of version 4.7.

A row of a VM sheet is a VM with one of its things; a row of another sheet is one object. A fact is a
function of the row; a column without one stays blank.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from planner.model import VM, Cluster, Host, Inventory, RuleKind, VCenter
from planner.sources.naming import bare
from planner.units import MIB

Cell = str | int | float | datetime | None
Fact = Callable[["Source", Any], Cell]
Rows = Callable[["Source"], Iterable[Any]]

_RULES = {
    RuleKind.TOGETHER: "Affinity",
    RuleKind.APART: "Anti Affinity",
    RuleKind.VM_HOST: "VM Host",
    RuleKind.ORDER: "VM Dependency",
}


@dataclass(frozen=True, slots=True)
class Owned:
    """A thing of a VM, in the place in which the VM lists it."""

    vm: VM
    item: Any
    at: int = 0


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """A sheet: what its rows are, the columns it fills, and the kind that must be known for it."""

    rows: Rows
    facts: Mapping[str, Fact]
    kind: str = ""


@dataclass(slots=True)
class Source:
    """An inventory with what its rows look up."""

    inventory: Inventory
    server: VCenter = field(init=False)
    hosts: dict[str, Host] = field(init=False)  # by id
    clusters: dict[str, Cluster] = field(init=False)  # by name
    folder_ids: dict[tuple[str, str], str] = field(init=False)
    rule_kinds: dict[tuple[str, str], str] = field(init=False)

    def __post_init__(self) -> None:
        inventory = self.inventory
        vcenter = next((vm.vcenter for vm in inventory.vms if vm.vcenter), "")
        self.server = inventory.vcenters[0] if inventory.vcenters else VCenter(vcenter)
        self.hosts = {host.id: host for host in inventory.hosts}
        self.clusters = {cluster.name: cluster for cluster in inventory.clusters}
        self.folder_ids = {
            (one.datacenter, one.path): self.bare(one.id)
            for one in inventory.folders
            if one.kind in {"", "vm"}
        }
        self.rule_kinds = {
            (cluster.name, rule.name): _RULES[rule.kind]
            for cluster in inventory.clusters
            for rule in cluster.rules or ()
        }

    def bare(self, object_id: str) -> str:
        """Return an id as the vCenter itself has it."""
        return bare(self.server.id, object_id)

    def folder_id(self, vm: VM) -> str | None:
        """Return the id of a VM's folder, whose path may begin at the root or below the datacenter."""
        path = vm.folder.removeprefix(f"/{vm.datacenter}").lstrip("/").removeprefix("vm/")
        return self.folder_ids.get((vm.datacenter, path))

    def lacks(self, kind: str) -> bool:
        """Return whether the inventory's source had no word on a kind of thing."""
        return kind in self.inventory.gaps


def flag(value: bool | None) -> Cell:
    """Return a truth value as RVTools writes it; unknown is blank."""
    return None if value is None else str(value)


def mib(size_bytes: int | None) -> Cell:
    """Return whole mebibytes; unknown is blank."""
    return None if size_bytes is None else size_bytes // MIB


def limit_mib(limit_bytes: int | None) -> Cell:
    """Return a limit in mebibytes, -1 for none; unknown is blank."""
    return limit_bytes if limit_bytes is None or limit_bytes < 0 else limit_bytes // MIB


def moment(said: str) -> Cell:
    """Return an ISO 8601 time in UTC without a zone, as a workbook holds it; what is none stays text."""
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return said or None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _placeholder(source: Source, vm: VM) -> bool | None:
    unknown = source.lacks("placeholders") or "placeholders" in vm.gaps
    return vm.placeholder or (None if unknown else False)


def each(things: str) -> Rows:
    """Return the rows of a sheet that lists things of VMs, by the name of their field."""

    def rows(source: Source) -> Iterator[Owned]:
        for vm in source.inventory.vms:
            for at, item in enumerate(getattr(vm, things)):
                yield Owned(vm, item, at)

    return rows


def vms(source: Source) -> Iterator[Owned]:
    """Yield the rows of a sheet with one row for each VM."""
    for vm in source.inventory.vms:
        yield Owned(vm, vm)


def on_vm(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Return the facts of a VM sheet: its own, with those every such sheet has."""
    return {**_OF_ANY_VM, **facts}


SERVER: dict[str, Fact] = {
    "VI SDK Server": lambda source, row: source.server.name or None,
    "VI SDK UUID": lambda source, row: source.server.id or None,
}
_OF_ANY_VM: dict[str, Fact] = {
    "VM": lambda source, row: row.vm.name,
    "Powerstate": lambda source, row: row.vm.power.value,
    "Template": lambda source, row: str(row.vm.template),
    "SRM Placeholder": lambda source, row: flag(_placeholder(source, row.vm)),
    "Annotation": lambda source, row: row.vm.annotation or None,
    "Datacenter": lambda source, row: row.vm.datacenter or None,
    "Cluster": lambda source, row: row.vm.cluster or None,
    "Host": lambda source, row: row.vm.host or None,
    "Folder": lambda source, row: row.vm.folder or None,
    "OS according to the configuration file": lambda source, row: row.vm.guest_os or None,
    "OS according to the VMware Tools": lambda source, row: row.vm.guest.running_os or None,
    "VM ID": lambda source, row: row.vm.moref or source.bare(row.vm.id),
    "VM UUID": lambda source, row: row.vm.instance_uuid or None,
    **SERVER,
}
