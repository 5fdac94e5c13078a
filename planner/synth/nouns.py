"""The nouns of a synthetic estate, from spots and drafts that are complete."""

from __future__ import annotations

from typing import Any

from planner.model import (
    Cluster,
    Datastore,
    Dependency,
    DrsGroup,
    DrsRule,
    Folder,
    Hba,
    Host,
    Inventory,
    Licence,
    Lun,
    Network,
    ResourcePool,
    Tie,
    VCenter,
)
from planner.synth import recipe as said
from planner.synth.drafts import Application, Draft
from planner.synth.flows import Flow
from planner.synth.places import Place
from planner.synth.recipe import Recipe
from planner.synth.rules import pools_of
from planner.synth.truth import stages

EVIDENCE = "synthetic"
HEARTBEATS = frozenset({3343, 5405})
CALLERS = frozenset({"backup", "monitoring"})


def _reason(flow: Flow) -> str:
    if flow.port in HEARTBEATS:
        return "nodes of one guest cluster"
    return f"calls the {flow.target.kind} of its application"


def dependencies(apps: list[Application], flows: list[Flow]) -> tuple[Dependency, ...]:
    """Return what people and observation know: all ties inside applications, and the observed others.

    Nobody needs what only calls on them; those flows stand in the flow file.
    """
    found = []
    for flow in flows:
        if flow.kind == "intra":
            tie, reason = Tie.HARD, _reason(flow)
        elif flow.latency:
            tie, reason = Tie.HARD, "needs a short way to it"
        elif flow.hidden or flow.target.fields["tier"] in CALLERS:
            continue
        else:
            tie = Tie.SOFT
            reason = f"uses {flow.target.fields['tier']}" if flow.kind == "hub" else "calls"
        found.append(
            Dependency(
                flow.source.id,
                flow.target.id,
                tie,
                reason,
                flow.port,
                EVIDENCE,
                confidence=0.5 if flow.kind == "noise" else 1.0,
                traffic_bytes=flow.bytes,
            )
        )
    found += [
        Dependency(
            later.members[0].id,
            first.members[0].id,
            Tie.ORDER,
            f"{first.environment} moves first",
            None,
            EVIDENCE,
        )
        for first, later in stages(apps)
    ]
    return tuple(found)


def inventory_of(
    recipe: Recipe, places: list[Place], drafts: list[Draft], apps: list[Application], flows: list[Flow]
) -> Inventory:
    clusters = [(place, cluster) for place in places for cluster in place.clusters]
    return Inventory(
        source=f"synthetic:{recipe.vms}-{recipe.seed}",
        taken_at=said.TAKEN_AT,
        vms=tuple(draft.finished() for draft in drafts),
        hosts=tuple(
            Host(
                id=host.id,
                name=host.name,
                cluster=cluster.name,
                datacenter=place.datacenter,
                vcenter=place.uuid,
                **{**host.fields, "hbas": tuple(Hba(**hba) for hba in host.fields["hbas"])},
            )
            for place, cluster in clusters
            for host in cluster.hosts
        ),
        clusters=tuple(
            Cluster(
                cluster.id,
                cluster.name,
                len(cluster.hosts),
                place.uuid,
                place.datacenter,
                rules=tuple(DrsRule(**rule) for rule in cluster.rules),
                groups=tuple(DrsGroup(**group) for group in cluster.groups),
                **cluster.fields,
            )
            for place, cluster in clusters
        ),
        datastores=tuple(
            Datastore(store.id, store.name, vcenter=place.uuid, datacenter=place.datacenter, **store.fields)
            for place, cluster in clusters
            for store in cluster.stores
        ),
        networks=tuple(network for place in places for network in _networks(place)),
        dependencies=dependencies(apps, flows),
        vcenters=tuple(VCenter(place.uuid, **place.fields) for place in places),
        luns=tuple(lun for place in places for lun in _luns(place)),
        resource_pools=tuple(
            ResourcePool(id=place.object_id("resgroup-"), cluster=cluster.name, vcenter=place.uuid, **pool)
            for place, cluster in clusters
            for pool in pools_of(cluster)
        ),
        folders=tuple(
            Folder(folder_id, path.rpartition("/")[2], path, place.datacenter, place.uuid, "vm")
            for place in places
            for path, folder_id in place.folders.items()
        ),
        licences=tuple(
            Licence(vcenter=place.uuid, **licence) for place in places for licence in place.licences
        ),
    )


def _networks(place: Place) -> list[Network]:
    where: dict[str, Any] = {"vcenter": place.uuid, "datacenter": place.datacenter}
    own = [
        Network(
            place.object_id("network-"), f"{place.site}-{name}", vlan, "vSwitch0", kind="standard", **where
        )
        for name, vlan in (("mgmt", "10"), ("vmotion", "11"), ("iscsi", "12"))
    ]
    return own + [Network(one.id, one.name, **where, **one.fields) for one in place.networks]


def _luns(place: Place) -> list[Lun]:
    sizes = {
        store.name: store.fields.get("capacity_bytes", 0)
        for cluster in place.clusters
        for store in cluster.stores
    }
    return [
        Lun(
            name=lun.name,
            uuid=f"02000000{lun.name[4:]}",
            size_bytes=lun.size_bytes or sizes.get(lun.datastore, 0),
            vendor="NETAPP",
            model="LUN C-Mode",
            serial=lun.name[-12:].upper(),
            hosts=tuple(host.id for host in lun.cluster.hosts[lun.hidden_from :]),
            datastore=lun.datastore,
            vcenter=place.uuid,
        )
        for lun in place.luns
    ]
