"""Trouble with what VMs stand on: hosts, clusters, datastores, networks, vCenters, licences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from planner.synth.dice import Dice
from planner.synth.places import ClusterSpot, HostSpot, NetworkSpot, Place, StoreSpot
from planner.synth.trouble.plants import Truth

Spot = TypeVar("Spot", HostSpot, StoreSpot, NetworkSpot, ClusterSpot)

_HOSTS: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("compute.host-maintenance", 0.02, {"maintenance": True}),
    ("compute.host-lockdown", 0.04, {"lockdown": True}),
    ("compute.host-vmotion", 0.02, {"vmotion": False}),
    ("compute.host-old", 0.03, {"version": "6.0.0", "build": "15517548", "supported_hw_version": 11}),
    ("compute.host-disconnected", 0.01, {"connection_state": "notResponding"}),
    ("platform.ntp", 0.04, {"ntp_running": False}),
    ("platform.clock", 0.03, {"clock_skew_s": 47.5}),
    ("platform.certificate", 0.03, {"certificate_expires": "2026-10-20T00:00:00+00:00"}),
)
_STORES: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("storage.inaccessible", 0.01, {"accessible": False}),
    ("storage.maintenance", 0.01, {"maintenance": True}),
    ("storage.local", 0.02, {"hosts": 1, "multiple_hosts": False}),
)
_NETWORKS: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("network.vlan.none", 0.03, {"vlan": "0"}),
    ("network.vlan.trunk", 0.02, {"vlan": "0-4094"}),
    ("network.promiscuous", 0.02, {"promiscuous": True}),
    ("network.forged", 0.03, {"forged_transmits": True, "mac_changes": True}),
)
_CLUSTERS: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("platform.admission", 0.1, {"admission_control": False}),
    ("platform.drs", 0.05, {"drs": False, "drs_mode": ""}),
)


def _put(
    table: tuple[tuple[str, float, dict[str, Any]], ...],
    spots: list[Spot],
    trouble: float,
    dice: Dice,
    truth: Truth,
    sure: bool,
    fit: Callable[[Spot], bool] = lambda spot: True,
) -> None:
    for name, rate, fields in table:
        count = max(round(len(spots) * rate * trouble), int(sure))
        victims = dice.sample([spot for spot in spots if fit(spot)], count)
        for victim in victims:
            victim.fields |= fields
        if victims:
            truth[name] = sorted(victim.id for victim in victims)


def plant(places: list[Place], trouble: float, dice: Dice, truth: Truth) -> None:
    """Plant trouble with hosts, datastores, networks, clusters, LUNs, vCenters and licences."""
    if not trouble:
        return
    clusters = [cluster for place in places for cluster in place.clusters]
    hosts = [host for cluster in clusters for host in cluster.hosts]
    stores = [store for cluster in clusters for store in cluster.stores]
    networks = [network for place in places for network in place.networks]
    sure = len(hosts) >= 5
    _put(_HOSTS, hosts, trouble, dice, truth, sure)
    _put(_STORES, stores, trouble, dice, truth, sure)
    _put(_NETWORKS, networks, trouble, dice, truth, sure)
    _put(_CLUSTERS, clusters, trouble, dice, truth, sure)
    distributed: tuple[tuple[str, float, dict[str, Any]], ...] = (
        ("network.ephemeral", 0.02, {"binding": "ephemeral"}),
    )
    _put(distributed, networks, trouble, dice, truth, sure, lambda one: one.fields["kind"] == "distributed")
    old: tuple[tuple[str, float, dict[str, Any]], ...] = (("storage.vmfs-old", 0.05, {"version": "5.81"}),)
    _put(old, stores, trouble, dice, truth, sure, lambda one: one.fields["kind"] == "VMFS")
    _stretched(clusters, truth)
    _luns(places, trouble, dice, truth)
    _vcenters(places, truth)


def _stretched(clusters: list[ClusterSpot], truth: Truth) -> None:
    with_san = [cluster for cluster in clusters if cluster.fields["vsan"]]
    for cluster in with_san[:1]:
        cluster.fields["vsan_stretched"] = True
        truth["platform.vsan-stretched"] = [cluster.id]


def _luns(places: list[Place], trouble: float, dice: Dice, truth: Truth) -> None:
    """Hide some raw LUNs from half of the hosts: a VM cannot start there."""
    raw = [lun for place in places for lun in place.luns if not lun.datastore]
    hidden = dice.sample(raw, max(round(len(raw) * 0.05 * trouble), 1))
    for lun in hidden:
        lun.hidden_from = len(lun.cluster.hosts) // 2
    if hidden:
        truth["storage.lun-hidden"] = sorted(lun.name for lun in hidden)


def _vcenters(places: list[Place], truth: Truth) -> None:
    last = places[-1]
    last.fields |= {"certificate_expires": "2026-10-12T00:00:00+00:00", "scheduled_tasks": 7}
    last.fields["extensions"] = (*last.fields["extensions"], "com.vmware.vcDr", "com.vmware.vcHms")
    for place in places:
        place.fields["linked"] = len(places) > 1
    first = last.licences[0]
    first |= {"total": max(first["used"] - 16, 1), "expires": "2026-11-30T00:00:00+00:00"}
    for name in ("platform.vcenter-certificate", "platform.scheduled-tasks", "platform.licence"):
        truth[name] = [last.uuid]
