"""Datastores and the LUNs under them: from vDatastore and vMultiPath, else from the paths of disks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from planner.model import VM, Datastore, Host, Lun
from planner.sources.naming import Naming
from planner.sources.rvtools.headers import Sheet
from planner.sources.rvtools.hosts import Place, placed

_CANONICAL = re.compile(r"\b(?:naa|eui|t10|mpx|uuid)\.[^\s,;:]+", re.IGNORECASE)


def read_luns(sheet: Sheet | None, hosts: Iterable[Host], naming: Naming) -> tuple[Lun, ...]:
    """Return the LUNs of vMultiPath, each once with all hosts that see it. Sizes are not written."""
    if sheet is None:
        return ()
    ids = {(host.vcenter, host.name): host.id for host in hosts}
    first: dict[Place, int] = {}
    seen_by: defaultdict[Place, dict[str, None]] = defaultdict(dict)
    carries: dict[Place, str] = {}
    names, stores, seers = sheet.texts("disk"), sheet.texts("datastore"), sheet.texts("host")
    for row, vcenter in enumerate(placed(sheet, naming)):
        key = vcenter, names[row]
        if not names[row]:
            continue
        first.setdefault(key, row)
        if seers[row]:
            seen_by[key][ids.get((vcenter, seers[row]), seers[row])] = None
        if stores[row]:
            carries.setdefault(key, stores[row])
    uuids, serials = sheet.texts("uuid"), sheet.texts("serial")
    makers, models = sheet.texts("vendor"), sheet.texts("model")
    return tuple(
        Lun(
            name=key[1],
            uuid=uuids[row],
            vendor=makers[row],
            model=models[row],
            serial=serials[row],
            hosts=tuple(seen_by[key]),
            datastore=carries.get(key, ""),
            vcenter=key[0],
        )
        for key, row in first.items()
    )


def read_datastores(
    sheet: Sheet | None, luns: Iterable[Lun], naming: Naming, vms: Iterable[VM]
) -> tuple[Datastore, ...]:
    """Return the datastores of vDatastore, else those that disk paths name, known by name only."""
    if sheet is None:
        paths = {(vm.vcenter, disk.path.partition("]")) for vm in vms for disk in vm.disks if disk.path}
        names = {(vcenter, head[1:]) for vcenter, (head, sign, _) in paths if sign and head[:1] == "["}
        return tuple(
            Datastore(naming.named(vcenter, name), name, vcenter=vcenter) for vcenter, name in sorted(names)
        )
    carried: defaultdict[Place, list[str]] = defaultdict(list)
    for lun in luns:
        if lun.datastore:
            carried[lun.vcenter, lun.datastore].append(lun.name)
    stores: dict[Place, Datastore] = {}
    names_, ids, kinds = sheet.texts("name"), sheet.texts("objectid", "url"), sheet.texts("type")
    capacities, free = sheet.sizes("capacitymb"), sheet.sizes("freemb")
    provisioned, accessible = sheet.sizes("provisionedmb"), sheet.flags("accessible")
    hosts, several = sheet.wholes("hosts"), sheet.flags("mha")
    versions, urls = sheet.texts("version", "majorversion"), sheet.texts("url")
    addresses = sheet.texts("address")
    for row, vcenter in enumerate(placed(sheet, naming)):
        name = names_[row]
        key = vcenter, ids[row] or name
        if not name or key in stores:
            continue
        stores[key] = Datastore(
            id=naming.named(*key),
            name=name,
            kind=kinds[row],
            capacity_bytes=capacities[row] or 0,
            free_bytes=free[row] or 0,
            vcenter=vcenter,
            provisioned_bytes=provisioned[row],
            accessible=accessible[row],
            hosts=hosts[row],
            multiple_hosts=several[row],
            version=versions[row],
            url=urls[row],
            address=addresses[row],
            extents=_extents(kinds[row], addresses[row], carried, (vcenter, name)),
        )
    return tuple(stores.values())


def _extents(
    kind: str, address: str, carried: Mapping[Place, list[str]], place: Place
) -> tuple[str, ...] | None:
    """Return the LUNs of a datastore: as paths lead to it, else as its address names them."""
    if kind.casefold() != "vmfs":
        return () if kind.casefold().startswith("nfs") else None
    if place in carried:
        return tuple(carried[place])
    return tuple(dict.fromkeys(_CANONICAL.findall(address))) or None
