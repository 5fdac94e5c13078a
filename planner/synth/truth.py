"""What a synthetic estate really is: to be compared with what is found in it.

Groups are the closure over the ties that are hard by construction; one VM alone is a group too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from planner.synth import recipe as said
from planner.synth.drafts import Application, Draft
from planner.synth.flows import Flow
from planner.synth.sharing import Shared


@dataclass(slots=True)
class GroundTruth:
    """The estate as it was made; everything is named by VM ids."""

    recipe: dict[str, Any]
    applications: list[dict[str, Any]]
    groups: list[list[str]]
    hubs: list[str]
    order: list[list[str]]  # [first, later]: titles of applications
    latency: list[list[str]]
    hidden_flows: list[list[str]]
    noise_flows: list[list[str]]
    shared: list[dict[str, Any]]
    trouble: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # by family and kind


def _groups(drafts: list[Draft], ties: list[tuple[str, str]]) -> list[list[str]]:
    parent = {draft.id: draft.id for draft in drafts}

    def root(vm: str) -> str:
        while parent[vm] != vm:
            parent[vm] = vm = parent[parent[vm]]
        return vm

    for a, b in ties:
        parent[root(b)] = root(a)
    found: dict[str, list[str]] = {}
    for draft in drafts:
        found.setdefault(root(draft.id), []).append(draft.id)
    return list(found.values())


def stages(apps: list[Application]) -> list[tuple[Application, Application]]:
    """Return (first, later) for consecutive environments of one application."""
    families: dict[int, list[Application]] = {}
    for app in apps:
        families.setdefault(app.family, []).append(app)
    pairs: list[tuple[Application, Application]] = []
    for family in families.values():
        ordered = sorted(family, key=lambda app: said.STAGES.index(app.environment))
        pairs += pairwise(ordered)
    return pairs


def _clones(drafts: list[Draft]) -> list[tuple[str, str]]:
    """Return each linked clone with the VM whose disk it goes on from."""
    disks = {disk["path"]: draft.id for draft in drafts for disk in draft.disks if disk.get("path")}
    found = [
        (disks.get(disk["parent"], draft.id), draft.id)
        for draft in drafts
        for disk in draft.disks
        if disk.get("parent")
    ]
    return [(owner, clone) for owner, clone in found if owner != clone]


def hard_ties(
    drafts: list[Draft], apps: list[Application], flows: list[Flow], shared: list[Shared]
) -> list[tuple[str, str]]:
    """Return the pairs of VMs that must not be apart."""
    ties = [(flow.source.id, flow.target.id) for flow in flows if flow.kind == "intra" or flow.latency]
    ties += [(one.vms[0], vm) for one in shared for vm in one.vms[1:]]
    ties += _clones(drafts)
    for app in apps:
        if any(draft.fields.get("vapp") for draft in app.members):
            ties += [(app.members[0].id, draft.id) for draft in app.members[1:]]
    return ties


def tell(
    recipe: said.Recipe,
    drafts: list[Draft],
    apps: list[Application],
    hubs: list[Draft],
    flows: list[Flow],
    shared: list[Shared],
    planted: dict[str, list[str]],
) -> GroundTruth:
    """Return the ground truth of an estate."""
    trouble: dict[str, dict[str, list[str]]] = {}
    for name, ids in sorted(planted.items()):
        family, _, kind = name.partition(".")
        trouble.setdefault(family, {})[kind] = ids
    return GroundTruth(
        recipe={"vms": recipe.vms, "seed": recipe.seed, "trouble": recipe.trouble},
        applications=[
            {
                "name": app.title,
                "environment": app.environment,
                "owner": app.owner,
                "vms": [draft.id for draft in app.members],
            }
            for app in apps
        ],
        groups=_groups(
            [draft for draft in drafts if draft.movable],
            hard_ties(drafts, apps, flows, shared),
        ),
        hubs=[hub.id for hub in hubs],
        order=[[first.title, later.title] for first, later in stages(apps)],
        latency=[[flow.source.id, flow.target.id] for flow in flows if flow.latency],
        hidden_flows=[[flow.source.id, flow.target.id] for flow in flows if flow.hidden],
        noise_flows=[[flow.source.id, flow.target.id] for flow in flows if flow.kind == "noise"],
        shared=[{"kind": one.kind, "vms": list(one.vms), "volumes": list(one.volumes)} for one in shared],
        trouble=trouble,
    )
