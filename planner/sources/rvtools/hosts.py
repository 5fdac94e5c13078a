"""Hosts with their storage adapters and own networks: from vHost, vHBA and vSC_VMK, else from the VMs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from planner.model import VM, Hba, Host
from planner.sources.naming import Naming
from planner.sources.rvtools.headers import Sheet
from planner.sources.vcenter.services import masked

Place = tuple[str, str]  # (vCenter, name)

_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)*")
_BUILD = re.compile(r"build[- ]?(\d+)", re.IGNORECASE)
_KEY = re.compile(r"\b(?:[0-9A-Za-z]{5}-){4}[0-9A-Za-z]{5}\b")
# What vHBA calls a type, by the words of the model.
_HBAS = (
    ("fcoe", "fcoe"),
    ("fibre", "fc"),
    ("iscsi", "iscsi"),
    ("nvme", "nvme"),
    ("sas", "sas"),
    ("block", "block"),
    ("scsi", "scsi"),
)


def version_of(product: str) -> str:
    """Return ``8.0.2`` of ``VMware ESXi 8.0.2 build-22380479``, "" when there is none."""
    found = _VERSION.search(product)
    return found[0] if found else ""


def build_of(product: str) -> str:
    """Return the number of the build a product names, "" when there is none."""
    found = _BUILD.search(product)
    return found[1] if found else ""


def placed(sheet: Sheet, naming: Naming) -> list[str]:
    """Return the vCenter of each row of a sheet about the platform; the first one where it is blank."""
    first = naming.vcenters[0] if naming.vcenters else ""
    return [said or first for said in sheet.vcenters()]


def without_keys(text: str) -> str:
    """Return text with licence keys masked."""
    return _KEY.sub(lambda found: masked(found[0]), text)


def read_hbas(sheet: Sheet | None, naming: Naming) -> dict[Place, list[Hba]]:
    """Return storage adapters by (vCenter, host name)."""
    found: defaultdict[Place, list[Hba]] = defaultdict(list)
    if sheet is not None:
        columns = ("device", "type", "wwn", "model", "status")
        for vcenter, host, device, kind, wwn, model, status in zip(
            placed(sheet, naming), sheet.texts("host"), *map(sheet.texts, columns), strict=True
        ):
            spoken = next((name for word, name in _HBAS if word in kind.casefold()), kind)
            found[vcenter, host].append(Hba(device, spoken, wwn, model, status))
    return found


def read_vmkernel(sheet: Sheet | None, naming: Naming) -> dict[Place, list[str]]:
    """Return the port groups of hosts' own adapters by (vCenter, host name)."""
    found: defaultdict[Place, list[str]] = defaultdict(list)
    if sheet is not None:
        for vcenter, host, group in zip(
            placed(sheet, naming), sheet.texts("host"), sheet.texts("portgroup"), strict=True
        ):
            if group and group not in found[vcenter, host]:
                found[vcenter, host].append(group)
    return found


def _cores(sheet: Sheet) -> list[int]:
    """Return the physical cores of each host: as said, or sockets by cores per socket."""
    return [
        said if said is not None else round((sockets or 0) * (each or 1))
        for said, sockets, each in zip(
            sheet.wholes("cores"),
            sheet.numbers_of("cpu"),
            sheet.numbers_of("corespercpu", "corespersocket"),
            strict=True,
        )
    ]


def read_hosts(
    sheet: Sheet | None,
    hbas: Mapping[Place, list[Hba]],
    vmkernel: Mapping[Place, list[str]],
    naming: Naming,
    vms: Iterable[VM],
) -> tuple[Host, ...]:
    """Return the hosts of vHost, else those that VMs run on, known by name only.

    Adapters and networks are unknown for hosts that their sheets do not name.
    """
    if sheet is None:
        named = {(vm.vcenter, vm.host): vm for vm in vms if vm.host}
        return tuple(
            Host(naming.named(vcenter, name), name, vm.cluster, vm.datacenter, vcenter=vcenter)
            for (vcenter, name), vm in sorted(named.items())
        )
    hosts: dict[Place, Host] = {}
    names, ids, cores = sheet.texts("host", "name"), sheet.texts("objectid"), _cores(sheet)
    clusters, datacenters = sheet.texts("cluster"), sheet.texts("datacenter")
    products, memory = sheet.texts("esxversion", "esxiversion"), sheet.sizes("memory")
    models, speeds = sheet.texts("cpumodel"), sheet.wholes("speed")
    current, most = sheet.texts("currentevc"), sheet.texts("maxevc")
    maintenance, vmotion = sheet.flags("inmaintenancemode"), sheet.flags("vmotionsupport")
    servers, running = sheet.texts("ntpservers"), sheet.flags("ntpdrunning")
    expiry, licences = sheet.moments("certificateexpirydate"), sheet.texts("assignedlicenses")
    makers, machines = sheet.texts("vendor"), sheet.texts("model")
    for row, vcenter in enumerate(placed(sheet, naming)):
        name = names[row]
        key = vcenter, ids[row] or name
        if not name or key in hosts:
            continue
        place = vcenter, name
        hosts[key] = Host(
            id=naming.named(*key),
            name=name,
            cluster=clusters[row],
            datacenter=datacenters[row],
            version=version_of(products[row]) or products[row],
            cpus=cores[row],
            memory_bytes=memory[row] or 0,
            vcenter=vcenter,
            build=build_of(products[row]),
            cpu_model=models[row],
            cpu_mhz=speeds[row],
            evc_mode=current[row] or None,
            evc_max=most[row] or None,
            maintenance=maintenance[row],
            vmotion=vmotion[row],
            ntp_servers=tuple(re.split(r"[,;\s]+", servers[row])) if servers[row] else None,
            ntp_running=running[row],
            certificate_expires=expiry[row],
            licence=without_keys(licences[row]),
            vendor=makers[row],
            model=machines[row],
            hbas=tuple(hbas[place]) if place in hbas else None,
            vmkernel_networks=tuple(vmkernel[place]) if place in vmkernel else None,
        )
    return tuple(hosts.values())
