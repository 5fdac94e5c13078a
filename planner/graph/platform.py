"""Ties made of what vSphere was told: fault tolerance, vApps, DRS rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from planner.graph.chains import Pair, joined
from planner.graph.edge import Edge
from planner.model import VM, Inventory, RuleKind, Tie
from planner.names import visible

_MOST_APART = 40  # members of a rule of which every pair is an edge
_SECOND = " (secondary)"
_Named = tuple[str, str, str]  # vCenter, datacenter or cluster, name


def tolerance_edges(inventory: Inventory) -> Iterator[Edge]:
    """Yield the ties of primaries and secondaries of fault tolerance, told by name or BIOS UUID."""
    primaries: dict[tuple[str, str], VM] = {}
    seconds = []
    for vm in inventory.vms:
        role = vm.management.fault_tolerance_role.casefold()
        if role == "primary":
            for mark in (vm.bios_uuid, vm.name):
                if mark:
                    primaries.setdefault((vm.vcenter, mark), vm)
        elif role == "secondary":
            seconds.append(vm)
    for vm in seconds:
        marks = (vm.bios_uuid, vm.name.removesuffix(_SECOND))
        primary = next((found for mark in marks if (found := primaries.get((vm.vcenter, mark)))), None)
        if primary is not None:
            reason = f"{visible(vm.name)} is the fault tolerance secondary of {visible(primary.name)}"
            yield Edge(primary.id, vm.id, Tie.HARD, "ft", reason, "inventory: fault tolerance", mutual=True)


def vapp_edges(inventory: Inventory, refused: frozenset[Pair]) -> Iterator[Edge]:
    """Yield the ties of VMs of one vApp."""
    members: dict[_Named, list[VM]] = {}
    for vm in inventory.vms:
        if vm.vapp:
            members.setdefault((vm.vcenter, vm.datacenter, vm.vapp), []).append(vm)
    for (_, _, name), vms in members.items():
        reason = f"both belong to vApp {visible(name)}"
        for a, b in joined(vms, refused):
            yield Edge(a.id, b.id, Tie.HARD, "vapp", reason, "inventory: vApp", mutual=True)


def rule_edges(inventory: Inventory, refused: frozenset[Pair]) -> Iterator[Edge]:
    """Yield what DRS rules advise: together is soft, apart is apart; which hosts a VM has is no tie.

    A rule of which the source knows no more than the name is taken for soft.
    """
    kinds = {
        (cluster.vcenter, cluster.name, rule.name): rule.kind
        for cluster in inventory.clusters
        for rule in cluster.rules or ()
    }
    members: dict[_Named, list[VM]] = {}
    for vm in inventory.vms:
        for rule in dict.fromkeys(vm.rules):
            members.setdefault((vm.vcenter, vm.cluster, rule), []).append(vm)
    for named, vms in members.items():
        kind, shown = kinds.get(named), visible(named[2])
        if kind in (RuleKind.VM_HOST, RuleKind.ORDER):
            continue
        if kind is RuleKind.APART:
            tie, reason = Tie.APART, f"DRS rule {shown} keeps them apart"
            pairs = list(combinations(vms, 2)) if len(vms) <= _MOST_APART else list(joined(vms))
        else:
            tie, reason = Tie.SOFT, f"both are named in DRS rule {shown}"
            pairs = list(joined(vms))
        for a, b in pairs:
            if frozenset((a.id, b.id)) not in refused:
                yield Edge(a.id, b.id, tie, "rule", reason, "inventory: DRS rule", mutual=True)
