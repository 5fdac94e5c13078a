"""Clusters with the rules their VMs name, resource pools and folders.

vInfo lists a VM's rules by name and type only: the members of a rule are all VMs of the cluster that
name it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from planner.destinations import below
from planner.model import VM, Cluster, DrsRule, Folder, Host, ResourcePool, RuleKind
from planner.sources.naming import Naming
from planner.sources.rvtools.headers import Sheet
from planner.sources.rvtools.hosts import Place, placed
from planner.sources.rvtools.identity import Roster
from planner.units import MIB

# The number of a DrsBehavior that versions up to 3.x wrote.
_MODES = {"0": "manual", "1": "partiallyAutomated", "2": "fullyAutomated"}
_KINDS = (
    ("anti", RuleKind.APART),
    ("host", RuleKind.VM_HOST),
    ("depend", RuleKind.ORDER),
    ("affin", RuleKind.TOGETHER),
)


def split_rules(names: str) -> tuple[str, ...]:
    """Return the names of a comma list, each once."""
    return tuple(dict.fromkeys(name for part in names.split(",") if (name := part.strip())))


def _kind(word: str) -> RuleKind | None:
    return next((kind for part, kind in _KINDS if part in word.casefold()), None)


def read_rules(roster: Roster) -> dict[Place, tuple[DrsRule, ...]] | None:
    """Return the rules of each cluster by (vCenter, name); None when vInfo has no word on rules."""
    info = roster.sheet
    if not info.has("clusterrulenames"):
        return None
    members: defaultdict[tuple[Place, str], list[str]] = defaultdict(list)
    kinds: dict[tuple[Place, str], RuleKind] = {}
    names, types, clusters = info.texts("clusterrulenames"), info.texts("clusterrules"), info.texts("cluster")
    for at, row in enumerate(roster.rows):
        if not names[row]:
            continue
        place = roster.identities[at].vcenter, clusters[row]
        listed = [part.strip() for part in names[row].split(",")]
        said = [part.strip() for part in types[row].split(",")]
        if len(said) != len(listed):
            # A comma inside of a name: the types tell nothing unless they are all one.
            said = [said[0] if len(set(said)) == 1 else ""] * len(listed)
        for name, word in zip(listed, said, strict=True):
            if name:
                members[place, name].append(roster.ids[at])
                if (kind := _kind(word)) is not None:
                    kinds.setdefault((place, name), kind)
    found: defaultdict[Place, list[DrsRule]] = defaultdict(list)
    for (place, name), vms in members.items():
        # A rule whose type is not told stays a name of its VMs.
        if (place, name) in kinds:
            found[place].append(DrsRule(name, kinds[place, name], tuple(dict.fromkeys(vms))))
    return {place: tuple(rules) for place, rules in found.items()}


def restart_priorities(sheet: Sheet | None, naming: Naming) -> dict[Place, str]:
    """Return the restart priority of each cluster in lower case by (vCenter, name)."""
    if sheet is None:
        return {}
    places = zip(placed(sheet, naming), sheet.texts("name"), strict=True)
    return dict(zip(places, sheet.folded("restartpriority"), strict=True))


def read_clusters(
    sheet: Sheet | None,
    hosts: Iterable[Host],
    vms: Sequence[VM],
    rules: dict[Place, tuple[DrsRule, ...]] | None,
    naming: Naming,
) -> tuple[Cluster, ...]:
    """Return the clusters of vCluster, and those that only hosts and VMs name."""
    counted = Counter((host.vcenter, host.cluster) for host in hosts if host.cluster)
    datacenters = {(host.vcenter, host.cluster): host.datacenter for host in hosts}
    datacenters |= {(vm.vcenter, vm.cluster): vm.datacenter for vm in vms}
    clusters: dict[Place, Cluster] = {}

    def ruled(place: Place) -> tuple[DrsRule, ...] | None:
        return None if rules is None else rules.get(place, ())

    if sheet is not None:
        names, ids, sizes = sheet.texts("name"), sheet.texts("objectid"), sheet.wholes("numhosts", "hosts")
        ha, drs, admission = map(sheet.flags, ("haenabled", "drsenabled", "admissioncontrolenabled"))
        modes = sheet.texts("drsdefaultvmbehavior")
        for row, vcenter in enumerate(placed(sheet, naming)):
            name, size = names[row], sizes[row]
            key = vcenter, ids[row] or name
            if not name or key in clusters:
                continue
            place = vcenter, name
            clusters[key] = Cluster(
                id=naming.named(*key),
                name=name,
                hosts=counted[place] if size is None else size,
                vcenter=vcenter,
                datacenter=datacenters.get(place, ""),
                ha=ha[row],
                drs=drs[row],
                drs_mode=_MODES.get(modes[row], modes[row]),
                admission_control=admission[row],
                rules=ruled(place),
            )
    listed = {(cluster.vcenter, cluster.name) for cluster in clusters.values()}
    for place in sorted({*counted, *((vm.vcenter, vm.cluster) for vm in vms if vm.cluster)} - listed):
        vcenter, name = place
        clusters[place] = Cluster(
            naming.named(vcenter, name),
            name,
            counted[place],
            vcenter,
            datacenters.get(place, ""),
            rules=ruled(place),
        )
    return tuple(clusters.values())


def read_pools(sheet: Sheet | None, naming: Naming) -> tuple[ResourcePool, ...]:
    """Return the resource pools of vRP; a path is cut below ``/datacenter/cluster/Resources``."""
    if sheet is None:
        return ()
    pools: dict[Place, ResourcePool] = {}
    names, ids = sheet.texts("resourcepoolname", "name"), sheet.texts("objectid")
    paths = sheet.texts("resourcepoolpath", "path")
    reserved, limits = sheet.wholes("cpureservation"), sheet.wholes("cpulimit")
    memory, memory_limits = sheet.sizes("memreservation"), sheet.wholes("memlimit")
    for row, vcenter in enumerate(placed(sheet, naming)):
        name = names[row]
        key = vcenter, ids[row] or paths[row] or name
        if not name or key in pools:
            continue
        parts = [part for part in paths[row].split("/") if part]
        at = parts.index("Resources") if "Resources" in parts else -1
        limit = memory_limits[row]
        pools[key] = ResourcePool(
            id=naming.named(*key),
            name=name,
            path="/".join(parts[at:] if at >= 0 else parts),
            cluster=parts[at - 1] if at > 0 else "",
            vcenter=vcenter,
            cpu_reservation_mhz=reserved[row],
            cpu_limit_mhz=limits[row],
            memory_reservation_bytes=memory[row],
            memory_limit_bytes=limit if limit is None or limit < 0 else limit * MIB,
        )
    return tuple(pools.values())


def read_folders(roster: Roster) -> tuple[Folder, ...]:
    """Return the folders that VMs are in; "" in both columns is the exporter's choice, not a root."""
    info = roster.sheet
    folders: dict[Place, Folder] = {}
    ids, paths, datacenters = info.texts("folderid"), info.texts("folder"), info.texts("datacenter")
    for at, row in enumerate(roster.rows):
        vcenter = roster.identities[at].vcenter
        parts = below(paths[row], datacenters[row])
        bare = ids[row].casefold() or "/".join(filter(None, (datacenters[row], *parts)))
        if (ids[row] or parts) and (vcenter, bare) not in folders:
            folders[vcenter, bare] = Folder(
                id=roster.naming.named(vcenter, bare),
                name=parts[-1] if parts else "",
                path="/".join(parts),
                datacenter=datacenters[row],
                vcenter=vcenter,
                kind="vm",
            )
    return tuple(folders.values())
