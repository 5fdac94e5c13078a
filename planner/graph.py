"""The dependency graph of an estate: VMs as nodes, typed edges with reason and evidence.

An edge runs from the VM that needs to the VM that is needed; ties without a direction (shared
disks, vApps, DRS rules) are marked ``mutual`` and stand in one direction only. What is shared by
many is a chain of edges, not every pair, so that the graph stays as large as the estate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from planner.model import VM, BusSharing, Inventory, Tie, Volume
from planner.names import visible
from planner.volumes import base_path, volumes

if TYPE_CHECKING:
    import networkx

    from planner.settings import Settings

DIRECTORY_TIER = "directory"
_NAMED = 4  # shared disks that one reason names
_FEW_USERS = 30  # below this in-degree nothing is called a hub


@dataclass(frozen=True, slots=True)
class Edge:
    """One tie between two VMs. ``kind`` is volume, vapp, rule or dependency."""

    source: str
    target: str
    tie: Tie
    kind: str
    reason: str
    evidence: str = ""
    confidence: float = 1.0
    mutual: bool = False


def describe(volume: Volume) -> str:
    """Return what a volume is called by those who look for it: its LUN or its path, made visible."""
    disk = volume.attachments[0].disk
    if volume.backing.is_rdm and disk.lun:
        return f"LUN {visible(disk.lun)}"
    return f"VMDK {visible(base_path(disk.path))}" if disk.path else f"disk {visible(disk.label)}"


def _sharing(volume: Volume) -> str:
    modes = {item.disk.bus_sharing for item in volume.attachments}
    if BusSharing.PHYSICAL in modes:
        return " with physical bus sharing"
    if BusSharing.VIRTUAL in modes:
        return " with virtual bus sharing"
    if any(item.disk.multi_writer for item in volume.attachments):
        return " as multi-writer"
    return ""


def _volume_edges(inventory: Inventory) -> Iterator[Edge]:
    held: dict[tuple[str, ...], list[Volume]] = {}
    for volume in volumes(inventory):
        if volume.shared:
            held.setdefault(tuple(dict.fromkeys(item.vm.id for item in volume.attachments)), []).append(
                volume
            )
    for shared in held.values():
        users = list({item.vm.id: item.vm for item in shared[0].attachments}.values())
        named = [f"{describe(volume)}{_sharing(volume)}" for volume in shared[:_NAMED]]
        if len(shared) > _NAMED:
            named.append(f"{len(shared) - _NAMED} more disks")
        evidence = f"inventory: volume {', '.join(volume.id for volume in shared)}"
        yield from _chain(users, Tie.HARD, "volume", f"both use {', '.join(named)}", evidence)


def _chain(vms: list[VM], tie: Tie, kind: str, reason: str, evidence: str) -> Iterator[Edge]:
    # Those that never move stand at the end, so that leaving them out does not cut the chain.
    for a, b in pairwise(sorted(vms, key=lambda vm: not vm.movable)):
        yield Edge(a.id, b.id, tie, kind, reason, evidence, mutual=True)


def _vapp_edges(inventory: Inventory) -> Iterator[Edge]:
    members: dict[tuple[str, str, str], list[VM]] = {}
    for vm in inventory.vms:
        if vm.vapp:
            members.setdefault((vm.vcenter, vm.datacenter, vm.vapp), []).append(vm)
    for (_, _, name), vms in members.items():
        reason = f"both belong to vApp {visible(name)}"
        yield from _chain(vms, Tie.HARD, "vapp", reason, "inventory: vApp")


def _rule_edges(inventory: Inventory) -> Iterator[Edge]:
    members: dict[tuple[str, str, str], list[VM]] = {}
    for vm in inventory.vms:
        for rule in dict.fromkeys(vm.rules):
            members.setdefault((vm.vcenter, vm.cluster, rule), []).append(vm)
    for (_, _, name), vms in members.items():
        reason = f"both are named in DRS rule {visible(name)}"
        yield from _chain(vms, Tie.SOFT, "rule", reason, "inventory: DRS rule")


def _dependency_edges(inventory: Inventory, known: set[str]) -> Iterator[Edge]:
    for item in inventory.dependencies:
        if item.source in known and item.target in known and item.source != item.target:
            port = f" (port {item.port})" if item.port is not None else ""
            yield Edge(
                item.source,
                item.target,
                item.tie,
                "dependency",
                visible(item.reason or "one needs the other") + port,
                visible(item.evidence),
                item.confidence,
            )


def edges(inventory: Inventory) -> tuple[Edge, ...]:
    """Return every tie of the estate: shared volumes, vApps, dependencies, then DRS rules.

    The order is the order in which reasons convince. Dependencies on VMs that the inventory does
    not hold are left out; see ``unknown_ends``.
    """
    known = {vm.id for vm in inventory.vms}
    return (
        *_volume_edges(inventory),
        *_vapp_edges(inventory),
        *_dependency_edges(inventory, known),
        *_rule_edges(inventory),
    )


def unknown_ends(inventory: Inventory) -> tuple[str, ...]:
    """Return the VM ids that dependencies name and the inventory does not hold, sorted."""
    known = {vm.id for vm in inventory.vms}
    named = {end for item in inventory.dependencies for end in (item.source, item.target)}
    return tuple(sorted(named - known))


def dependency_graph(inventory: Inventory) -> networkx.MultiDiGraph:
    """Return the graph over VM ids; edges carry tie, kind, reason, evidence, confidence, mutual."""
    import networkx

    graph = networkx.MultiDiGraph()
    for vm in inventory.vms:
        graph.add_node(vm.id, name=vm.name, application=vm.application, tier=vm.tier)
    for edge in edges(inventory):
        graph.add_edge(
            edge.source,
            edge.target,
            tie=edge.tie,
            kind=edge.kind,
            reason=edge.reason,
            evidence=edge.evidence,
            confidence=edge.confidence,
            mutual=edge.mutual,
        )
    return graph


def shared_services(inventory: Inventory, settings: Settings) -> tuple[str, ...]:
    """Return the ids of the VMs that everyone needs, in inventory order.

    They are those a person named (by name or id), those of the directory tier, and those that more
    VMs need than max(30, five times the median of VMs that are needed at all).
    """
    named = set(settings.shared_services)
    users: dict[str, set[str]] = {}
    for item in inventory.dependencies:
        if item.source != item.target:
            users.setdefault(item.target, set()).add(item.source)
    usual = median(len(sources) for sources in users.values()) if users else 0
    limit = max(_FEW_USERS, 5 * usual)
    return tuple(
        vm.id
        for vm in inventory.vms
        if vm.name in named
        or vm.id in named
        or vm.tier.strip().casefold() == DIRECTORY_TIER
        or len(users.get(vm.id, ())) > limit
    )
