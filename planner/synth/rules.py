"""What people set up around VMs: DRS rules, host groups, vApps, resource pools."""

from __future__ import annotations

from typing import Any

from planner.model import RuleKind
from planner.synth.dice import Dice
from planner.synth.drafts import Application, Draft
from planner.synth.places import ClusterSpot, Place
from planner.synth.sharing import Shared
from planner.units import GIB


def _rule(cluster: ClusterSpot, name: str, kind: RuleKind, drafts: list[Draft], **more: Any) -> None:
    cluster.rules.append(
        {
            "name": name,
            "kind": kind,
            "vms": tuple(draft.id for draft in drafts),
            "enabled": True,
            "mandatory": False,
            **more,
        }
    )
    for draft in drafts:
        draft.rules.append(name)


def _of_one_cluster(drafts: list[Draft]) -> list[list[Draft]]:
    found: dict[str, list[Draft]] = {}
    for draft in drafts:
        found.setdefault(draft.cluster.id, []).append(draft)
    return [group for group in found.values() if len(group) > 1]


def apart_and_together(apps: list[Application], hubs: list[Draft], shared: list[Shared], dice: Dice) -> None:
    """Add rules: hubs of one kind and nodes of a guest cluster apart, a few applications together."""
    for service in dict.fromkeys(hub.fields["tier"] for hub in hubs):
        for group in _of_one_cluster([hub for hub in hubs if hub.fields["tier"] == service]):
            _rule(group[0].cluster, f"separate {service}", RuleKind.APART, group)
    by_id = {draft.id: draft for app in apps for draft in app.members}
    for number, one in enumerate(shared, 1):
        nodes = [by_id[vm] for vm in one.vms]
        if len(nodes) > 1:
            _rule(nodes[0].cluster, f"separate nodes {number:02d}", RuleKind.APART, nodes, mandatory=True)
    for app in apps:
        if 2 <= app.size <= 6 and dice.chance(0.03):
            _rule(app.cluster, f"keep {app.title} together", RuleKind.TOGETHER, app.members)


def host_rules(places: list[Place], apps: list[Application], dice: Dice) -> None:
    """Add rules that bind an application to half of a cluster's hosts, every other one mandatory."""
    number = 0
    for place in places:
        for cluster in place.clusters:
            bound = [app for app in apps if app.cluster is cluster and dice.chance(0.01)][:3]
            for app in bound or [app for app in apps if app.cluster is cluster][:1]:
                number += 1
                hosts = tuple(host.id for host in cluster.hosts[: max(len(cluster.hosts) // 2, 1)])
                vms = tuple(draft.id for draft in app.members)
                vm_group, host_group = f"vms of {app.title}", f"hosts for {app.title}"
                cluster.groups += [
                    {"name": vm_group, "of_hosts": False, "members": vms},
                    {"name": host_group, "of_hosts": True, "members": hosts},
                ]
                _rule(
                    cluster,
                    f"licensed hosts of {app.title}",
                    RuleKind.VM_HOST,
                    app.members,
                    mandatory=number % 2 == 1,
                    vm_group=vm_group,
                    host_group=host_group,
                )


def pools_and_vapps(apps: list[Application], dice: Dice) -> None:
    """Put mission-critical applications into a pool, and half a percent of the others into vApps."""
    for app in apps:
        if app.environment == "Production" and app.criticality == "mission-critical":
            for draft in app.members:
                draft.fields["resource_pool"] = app.cluster.pool("Resources/gold")
        elif 2 <= app.size <= 8 and dice.chance(0.005):
            app.cluster.vapps.append(app.title)
            for draft in app.members:
                draft.fields |= {"vapp": app.title, "resource_pool": app.cluster.pool("Resources")}


def pools_of(cluster: ClusterSpot) -> list[dict[str, Any]]:
    """Return the pools of a cluster as fields: the root, one with a reservation, the vApps."""
    return [
        {"name": "Resources", "path": "Resources"},
        {
            "name": "gold",
            "path": "Resources/gold",
            "cpu_reservation_mhz": 20_000,
            "cpu_limit_mhz": -1,
            "memory_reservation_bytes": 64 * GIB,
            "memory_limit_bytes": -1,
        },
        *({"name": name, "path": f"Resources/{name}", "vapp": True} for name in cluster.vapps),
    ]
