"""Trouble with what VMs stand on: hosts, clusters, datastores, networks, vCenters, licences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from planner.synth.dice import Dice
from planner.synth.places import ClusterSpot, HostSpot, NetworkSpot, Place, StoreSpot
from planner.synth.trouble.plants import Truth

Spot = TypeVar("Spot", HostSpot, StoreSpot, NetworkSpot, ClusterSpot)

Table = tuple[tuple[str, float, dict[str, Any]], ...]  # name, rate, fields

_HOSTS: Table = (
    ("compute.host-maintenance", 0.02, {"maintenance": True}),
    ("compute.host-lockdown", 0.04, {"lockdown": True}),
    ("compute.host-vmotion", 0.02, {"vmotion": False}),
    ("compute.host-old", 0.03, {"version": "6.0.0", "build": "15517548", "supported_hw_version": 11}),
    ("compute.host-ageing", 0.03, {"version": "6.7.0", "build": "17700523", "supported_hw_version": 15}),
    ("compute.host-disconnected", 0.01, {"connection_state": "notResponding"}),
    ("platform.ntp", 0.04, {"ntp_running": False}),
    ("platform.clock", 0.03, {"clock_skew_s": 47.5}),
    ("platform.certificate", 0.03, {"certificate_expires": "2026-10-20T00:00:00+00:00"}),
)
_STORES: Table = (
    ("storage.inaccessible", 0.01, {"accessible": False}),
    ("storage.maintenance", 0.01, {"maintenance": True}),
    ("storage.local", 0.02, {"hosts": 1, "multiple_hosts": False}),
)
_NETWORKS: Table = (
    ("network.vlan.none", 0.03, {"vlan": "0"}),
    ("network.promiscuous", 0.02, {"promiscuous": True}),
    ("network.forged", 0.03, {"forged_transmits": True, "mac_changes": True}),
)
_OF_VMFS: Table = (("storage.vmfs-old", 0.05, {"version": "5.81"}),)
# A standard switch knows neither ranges nor private VLANs.
_DISTRIBUTED: Table = (
    ("network.vlan.trunk", 0.02, {"vlan": "0-4094"}),
    ("network.vlan.private", 0.02, {"vlan": "pvlan 205"}),
    ("network.ephemeral", 0.02, {"binding": "ephemeral"}),
    ("network.segment", 0.01, {"kind": "opaque", "binding": "", "key": "", "switch": "", "vlan": ""}),
)
_CLUSTERS: Table = (
    ("platform.admission", 0.1, {"admission_control": False}),
    ("platform.drs", 0.05, {"drs": False, "drs_mode": ""}),
)


class _Planting:
    """Plants on spots; one that has trouble already is taken again only when no other is left."""

    def __init__(self, trouble: float, dice: Dice, truth: Truth, sure: bool) -> None:
        self._trouble, self._dice, self._truth, self._sure = trouble, dice, truth, sure
        self._hit: set[str] = set()

    def put(self, table: Table, spots: Sequence[Spot]) -> None:
        """Plant every line of a table on its share of the spots."""
        for name, rate, fields in table:
            count = max(round(len(spots) * rate * self._trouble), int(self._sure))
            fresh = [spot for spot in spots if spot.id not in self._hit]
            victims = self._dice.sample(fresh if len(fresh) >= count else spots, count)
            for victim in victims:
                victim.fields |= fields
                self._hit.add(victim.id)
            if victims:
                self._truth[name] = sorted(victim.id for victim in victims)


def plant(places: list[Place], trouble: float, dice: Dice, truth: Truth) -> None:
    """Plant trouble with hosts, datastores, networks, clusters, LUNs, vCenters and licences."""
    if not trouble:
        return
    clusters = [cluster for place in places for cluster in place.clusters]
    hosts = [host for cluster in clusters for host in cluster.hosts]
    stores = [store for cluster in clusters for store in cluster.stores]
    networks = [network for place in places for network in place.networks]
    planting = _Planting(trouble, dice, truth, len(hosts) >= 5)
    planting.put(_HOSTS, hosts)
    planting.put(_STORES, stores)
    planting.put(_OF_VMFS, [store for store in stores if store.fields["kind"] == "VMFS"])
    planting.put(_NETWORKS, networks)
    planting.put(_DISTRIBUTED, [one for one in networks if one.fields["kind"] == "distributed"])
    planting.put(_CLUSTERS, clusters)
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
    last.fields["extensions"] = (
        *last.fields["extensions"],
        "com.vmware.vcDr",
        "com.vmware.vcHms",
        "com.vmware.nsx.management.nsxt",
    )
    for place in places:
        place.fields["linked"] = len(places) > 1
    first = last.licences[0]
    first |= {"total": max(first["used"] - 16, 1), "expires": "2026-11-30T00:00:00+00:00"}
    for name in ("platform.vcenter-certificate", "platform.scheduled-tasks", "platform.licence"):
        truth[name] = [last.uuid]
