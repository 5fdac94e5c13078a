"""Builds the empty places of a recipe: how many of everything, and what it is like."""

from __future__ import annotations

from math import ceil
from typing import Any

from planner.sources.naming import Naming, bare
from planner.synth import recipe as said
from planner.synth.dice import Dice
from planner.synth.places import ClusterSpot, HostSpot, LunSpot, NetworkSpot, Place, StoreSpot
from planner.synth.recipe import Recipe
from planner.synth.words import DOMAIN, SITES
from planner.units import GIB, TIB

# version, build, newest virtual hardware, weight
_RELEASES = (
    (("8.0.3", "24022510", 21), 0.25),
    (("7.0.3", "21930508", 19), 0.55),
    (("6.7.0", "17700523", 15), 0.15),
    (("6.5.0", "13932383", 13), 0.05),
)
_MODELS = (
    ("Dell Inc.", "PowerEdge R740", "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", 2494, 40, 768, "cascadelake"),
    ("Dell Inc.", "PowerEdge R640", "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", 2095, 32, 512, "skylake"),
    (
        "HPE",
        "ProLiant DL380 Gen10",
        "Intel(R) Xeon(R) Gold 6254 CPU @ 3.10GHz",
        3092,
        36,
        1024,
        "cascadelake",
    ),
    ("HPE", "ProLiant DL360 Gen9", "Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz", 2597, 28, 384, "broadwell"),
)
_KINDS = ((("VMFS", "6.82"), 0.74), (("NFS", "3"), 0.12), (("vsan", ""), 0.09), (("VVOL", ""), 0.05))
_ARRAYS = (("NETAPP", "LUN C-Mode"), ("PURE", "FlashArray"), ("HPE", "MSA 2050 SAN"))


def _hosts(place: Place, number: int, count: int, dice: Dice) -> tuple[list[HostSpot], str]:
    vendor, model, cpu, mhz, cores, memory_gib, family = dice.pick(_MODELS)
    version, build, hardware = dice.weighted(_RELEASES)
    hosts = []
    for at in range(count):
        host_id = place.object_id("host-")
        hosts.append(
            HostSpot(
                host_id,
                f"esx{number}{at + 1:02d}.{place.site}.{DOMAIN}",
                {
                    "version": version,
                    "build": build,
                    "supported_hw_version": hardware,
                    "cpus": cores,
                    "memory_bytes": memory_gib * GIB,
                    "cpu_model": cpu,
                    "cpu_mhz": mhz,
                    "evc_mode": f"intel-{family}",
                    "evc_max": f"intel-{family}",
                    "maintenance": False,
                    "lockdown": False,
                    "connection_state": "connected",
                    "vmotion": True,
                    "ntp_servers": (f"ntp1.{DOMAIN}", f"ntp2.{DOMAIN}"),
                    "ntp_running": True,
                    "clock_skew_s": round(dice.uniform(-0.4, 0.4), 3),
                    "certificate_expires": "2028-03-01T00:00:00+00:00",
                    "licence": "vSphere 8 Enterprise Plus"
                    if version[0] == "8"
                    else "vSphere 7 Enterprise Plus",
                    "vendor": vendor,
                    "model": model,
                    "vmkernel_networks": (f"{place.site}-mgmt", f"{place.site}-vmotion"),
                    "hbas": tuple(
                        {
                            "device": f"vmhba{port}",
                            "kind": "fc",
                            "wwn": f"21:00:00:24:ff:{_pairs(dice.hexadecimal(6))}",
                            "model": "QLE2692 Dual Port 16Gb Fibre Channel",
                            "status": "online",
                        }
                        for port in (2, 3)
                    ),
                },
            )
        )
    return hosts, version


def _pairs(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def new_lun(place: Place, cluster: ClusterSpot, size_bytes: int, dice: Dice) -> LunSpot:
    """Add a LUN that every host of a cluster sees."""
    lun = LunSpot(f"naa.6{dice.hexadecimal(31)}", size_bytes, cluster)
    place.luns.append(lun)
    return lun


def _stores(place: Place, cluster: ClusterSpot, number: int, count: int, dice: Dice) -> None:
    virtual_san = False
    for at in range(count):
        kind, version = dice.weighted(_KINDS)
        if kind == "vsan" and virtual_san:
            kind, version = "VMFS", "6.82"
        virtual_san |= kind == "vsan"
        store_id = place.object_id("datastore-")
        name = f"{place.site}-{kind.casefold()}-{number}{at + 1:02d}"
        fields: dict[str, Any] = {
            "kind": kind,
            "version": version,
            "accessible": True,
            "maintenance": False,
            "hosts": len(cluster.hosts),
            "multiple_hosts": True,
            "url": f"ds:///vmfs/volumes/{dice.hexadecimal(8)}-{dice.hexadecimal(8)}-{dice.hexadecimal(4)}-"
            f"{dice.hexadecimal(12)}/",
        }
        store = StoreSpot(store_id, name, fields)
        if kind == "VMFS":
            luns = [new_lun(place, cluster, 0, dice) for _ in range(2 if dice.chance(0.05) else 1)]
            for lun in luns:
                lun.datastore = name
            store.luns = tuple(lun.name for lun in luns)
            fields |= {"extents": store.luns, "address": store.luns[0]}
        elif kind == "NFS":
            fields |= {"address": f"nfs{number}.{place.site}.{DOMAIN}:/export/{name}"}
        cluster.stores.append(store)
    cluster.fields["vsan"] = virtual_san
    cluster.fields["vsan_stretched"] = False


def _networks(place: Place, count: int, dice: Dice) -> None:
    codes = [(name, code) for name, code, _ in said.ENVIRONMENTS]
    shares = [share for _, _, share in said.ENVIRONMENTS]
    for at in range(count):
        # As many networks as the share of VMs, the first of each environment first.
        environment, code = (
            codes[at] if at < len(codes) else dice.weighted(list(zip(codes, shares, strict=True)))
        )
        vlan = 100 + at
        distributed = dice.chance(0.8)
        kind = "distributed" if distributed else "standard"
        network_id = place.object_id("dvportgroup-" if distributed else "network-")
        place.networks.append(
            NetworkSpot(
                network_id,
                f"{place.site}-{code}-vlan{vlan}",
                {
                    "vlan": str(vlan),
                    "switch": f"dvs-{place.site}" if distributed else "vSwitch0",
                    "kind": kind,
                    "key": bare(place.uuid, network_id) if distributed else "",
                    "binding": "static" if distributed else "",
                    "promiscuous": False,
                    "forged_transmits": False,
                    "mac_changes": False,
                    "uplink": False,
                },
                (20 + 50 * (place.number - 1) + at // 125, at % 125 * 2),
                environment,
            )
        )


def _place(number: int, vms: int, naming: Naming, dice: Dice) -> Place:
    site = SITES[number - 1]
    fields = {
        "name": f"vcsa.{site}.{DOMAIN}",
        "version": "8.0.3",
        "build": "24022515",
        "api_version": "8.0.3.0",
        "certificate_expires": "2027-08-15T00:00:00+00:00",
        "extensions": ("com.vmware.vim.eam", "com.vmware.vim.sms", "com.vmware.vcIntegrity"),
        "linked": False,
        "scheduled_tasks": 0,
    }
    place = Place(dice.uuid(), site, number, fields, [], [])
    place.prefix = naming.prefix(place.uuid)
    hosts = max(2, ceil(vms / said.VMS_PER_HOST))
    low, high = said.HOSTS_PER_CLUSTER
    count = max(1, ceil(hosts / ((low + high) // 2)))
    sizes = [hosts // count + (at < hosts % count) for at in range(count)]
    for at, size in enumerate(sizes, 1):
        spots, version = _hosts(place, at, size, dice)
        fields = {
            "ha": True,
            "drs": True,
            "drs_mode": "fullyAutomated",
            "evc_mode": spots[0].fields["evc_mode"],
            "admission_control": True,
        }
        cluster = ClusterSpot(
            place.object_id("domain-c"),
            f"{site}-cl{at:02d}",
            place.datacenter,
            fields,
            spots,
            version=version,
        )
        stores = max(2, ceil(vms * size / hosts / said.VMS_PER_STORE))
        _stores(place, cluster, at, stores, dice)
        place.clusters.append(cluster)
    _networks(place, max(4, ceil(vms / said.VMS_PER_NETWORK)), dice)
    used = sum(spot.fields["cpus"] for cluster in place.clusters for spot in cluster.hosts)
    place.licences = [
        {"name": "vSphere 8 Enterprise Plus", "key": _licence(dice), "total": used + 64, "used": used},
        {"name": "vCenter Server 8 Standard", "key": _licence(dice), "total": 1, "used": 1},
    ]
    return place


def _licence(dice: Dice) -> str:
    return "*****-*****-*****-*****-" + dice.hexadecimal(5).upper()


def build(recipe: Recipe, dice: Dice) -> list[Place]:
    """Return the places of an estate, the largest first."""
    count = recipe.vcenters
    shares = [2.0**-at for at in range(count)]
    naming = Naming()
    return [
        _place(at + 1, round(recipe.vms * share / sum(shares)), naming, dice)
        for at, share in enumerate(shares)
    ]


def share_of(places: list[Place]) -> list[tuple[Place, float]]:
    """Return the places with how much of an estate goes to each: as many VMs as it has hosts for."""
    return [(place, float(sum(len(cluster.hosts) for cluster in place.clusters))) for place in places]


SPARE_CAPACITY = 1.35
SMALLEST_STORE = 2 * TIB
