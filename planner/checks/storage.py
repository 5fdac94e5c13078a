"""Checks of datastores: reachable, in service, of a kind and version that a move has to know of."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import About, Rule, Work, by_method, rule
from planner.checks.estate import Estate
from planner.model import Datastore, Severity
from planner.names import visible
from planner.units import show_bytes, show_count

RULES: list[Rule] = []
_LEAST_FREE = 10  # per cent, the least that snapshots are usually given
_WHY_KIND = {
    "vsan": "object policies need a match at the target, and a VM's folder is an object of its own",
    "vvol": "every disk is an object of the array with a policy of its own",
    "nfs": "thin by its nature; locks and shared disks behave unlike those of VMFS",
    "nfs41": "thin by its nature; locks and shared disks behave unlike those of VMFS",
}


def _called(store: Datastore, estate: Estate) -> str:
    count = estate.users[estate.place(store, store.name)]
    return f"{visible(store.name, 60)} ({show_count(count, 'VM')})"


@rule(
    RULES,
    "storage.inaccessible",
    Severity.BLOCKER,
    "Datastore is not accessible",
    condition="the datastore is not accessible",
    properties=("Datastore.summary.accessible",),
    reference="vSphere API: DatastoreSummary.accessible; RVTools vDatastore: Accessible",
    about=About.DATASTORE,
    why="Nothing on it can be read, and its VMs may be running on files nobody can reach any more.",
    remedy="repair the paths to the datastore, or remove it when nothing uses it",
    work=Work(effort_min=120),
)
def inaccessible(store: Datastore, estate: Estate) -> Iterator[str | None]:
    """Find: datastore is not accessible."""
    if store.accessible is None:
        yield None
    elif not store.accessible:
        yield f"{_called(store, estate)} is not accessible"


@rule(
    RULES,
    "storage.maintenance",
    Severity.WARNING,
    "Datastore in maintenance mode",
    condition="the datastore is in maintenance mode or enters it",
    properties=("Datastore.summary.maintenanceMode",),
    reference="vSphere API: DatastoreSummary.maintenanceMode",
    about=About.DATASTORE,
    why="VMs are on their way off it: disks change their place while they are copied.",
    remedy="wait until the datastore is back or empty, then read the inventory again",
    work=Work(effort_min=15),
)
def in_maintenance(store: Datastore, estate: Estate) -> Iterator[str | None]:
    """Find: datastore in maintenance mode."""
    if store.maintenance is None:
        yield None
    elif store.maintenance:
        yield f"{_called(store, estate)} is in maintenance mode"


@rule(
    RULES,
    "storage.local",
    Severity.INFO,
    "Datastore of one host",
    condition="only one host can mount the datastore, or only one does",
    properties=("Datastore.summary.multipleHostAccess", "Datastore.host"),
    reference="vSphere API: DatastoreSummary.multipleHostAccess; RVTools vDatastore: # Hosts",
    about=About.DATASTORE,
    why="Its VMs hang on that host: when it goes down during the copy nobody else can read them.",
    remedy="keep the host out of maintenance during the copy, or move the VMs to a shared datastore",
)
def of_one_host(store: Datastore, estate: Estate) -> Iterator[str | None]:
    """Find: datastore of one host."""
    if store.multiple_hosts is False or store.hosts == 1:
        yield f"{_called(store, estate)} is mounted by one host only"
    elif store.multiple_hosts is None and store.hosts is None:
        yield None


@rule(
    RULES,
    "storage.full",
    by_method(Severity.WARNING, Severity.INFO),
    "Datastore nearly full",
    condition=f"less than {_LEAST_FREE} % of the datastore's capacity is free",
    properties=("Datastore.summary.freeSpace", "Datastore.summary.capacity"),
    reference="vSphere API: DatastoreSummary.freeSpace; RVTools vDatastore: Free %",
    about=About.DATASTORE,
    why="Snapshots of the copy grow on the datastore of their VM; when it is full every VM on it stops.",
    remedy="free or add space before the first copy, or copy its VMs one after the other",
    work=Work(effort_min=60, lead_days=5),
)
def nearly_full(store: Datastore, estate: Estate) -> Iterator[str | None]:
    """Find: datastore nearly full."""
    if store.capacity_bytes <= 0 or store.free_bytes <= 0:
        yield None
    elif store.free_bytes * 100 < store.capacity_bytes * _LEAST_FREE:
        free, capacity = show_bytes(store.free_bytes), show_bytes(store.capacity_bytes)
        yield f"{_called(store, estate)} has {free} free of {capacity}"


@rule(
    RULES,
    "storage.kind",
    Severity.INFO,
    "Datastore on vSAN, virtual volumes or NFS",
    condition="the type of the datastore is vsan, VVOL, NFS or NFS41",
    properties=("Datastore.summary.type",),
    reference="vSphere API: DatastoreSummary.type; RVTools vDatastore: Type",
    about=About.DATASTORE,
    why="Storage policies are not copied with the bytes, and not every kind carries shared disks.",
    remedy="map its storage policies to those of the target; check that shared disks are supported there",
)
def of_a_kind(store: Datastore, estate: Estate) -> Iterator[str | None]:
    """Find: datastore on vSAN, virtual volumes or NFS."""
    if not store.kind:
        yield None
    elif why := _WHY_KIND.get(store.kind.casefold().replace(" ", "").replace(".", "")):
        yield f"{_called(store, estate)} is of type {visible(store.kind, 20)}: {why}"


def _is_vmfs(store: Datastore) -> bool:
    return store.kind.casefold() == "vmfs"


@rule(
    RULES,
    "storage.vmfs.version",
    Severity.WARNING,
    "VMFS older than version 6",
    condition="the datastore is VMFS and its major version is under 6",
    properties=("Datastore.info.vmfs.majorVersion",),
    reference="vSphere API: HostVmfsVolume.majorVersion; RVTools vDatastore: Major Version",
    about=About.DATASTORE,
    why="Deltas of version 5 have another format and block size, version 3 cannot be mounted by current "
    "hosts; neither can be upgraded in place to 6.",
    remedy="plan the target on VMFS 6; carry nothing over by presenting these LUNs to new hosts",
)
def old_vmfs(store: Datastore, estate: Estate) -> Iterator[str | None]:
    """Find: VMFS older than version 6."""
    if not store.kind:
        yield None
    elif _is_vmfs(store):
        major = store.version.partition(".")[0].strip()
        if not major.isascii() or not major.isdigit():
            yield None
        elif int(major) < 6:
            yield f"{_called(store, estate)} is VMFS {visible(store.version, 10)}"


@rule(
    RULES,
    "storage.vmfs.extents",
    Severity.WARNING,
    "VMFS over several LUNs",
    condition="the datastore is VMFS and has more than one extent",
    properties=("Datastore.info.vmfs.extent",),
    reference="vSphere API: HostVmfsVolume.extent",
    about=About.DATASTORE,
    why="It is whole only while every one of its LUNs is: an array copy or a path that misses one loses all.",
    remedy="check the paths to every LUN; use datastores of one LUN at the target",
)
def several_extents(store: Datastore, estate: Estate) -> Iterator[str | None]:
    """Find: VMFS over several LUNs."""
    if not store.kind or (_is_vmfs(store) and store.extents is None):
        yield None
    elif store.extents is not None and len(store.extents) > 1:
        yield f"{_called(store, estate)} spans {len(store.extents)} LUNs"
