"""Hosts with their storage adapters, and the LUNs that several of them see."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from planner.model import Hba, Host, Lun
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.places import Places, entity_name
from planner.sources.vcenter.tls import expiry
from planner.sources.vcenter.values import at, flag, many, text, whole

_HBAS = {
    "HostFibreChannelHba": "fc",
    "HostFibreChannelOverEthernetHba": "fcoe",
    "HostInternetScsiHba": "iscsi",
    "HostSerialAttachedHba": "sas",
    "HostParallelScsiHba": "scsi",
    "HostBlockHba": "block",
    "HostPcieHba": "nvme",
    "HostRdmaHba": "nvme-rdma",
    "HostTcpHba": "nvme-tcp",
}


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What others know of hosts: licences and newest virtual hardware by host id, port groups by key."""

    licences: Mapping[str, str]
    hardware: Mapping[str, int]
    port_groups: Mapping[str, str]


def host(item: RawObject, places: Places, facts: HostFacts) -> Host:
    """Return a host."""
    values = item.values
    hardware = values.get("summary.hardware")
    lockdown = text(values.get("config.lockdownMode"))
    return Host(
        id=item.ref.id,
        name=entity_name(text(values.get("name"))),
        cluster=places.cluster(text(values.get("parent"))),
        datacenter=places.datacenter(text(values.get("parent"))),
        version=text(values.get("config.product"), "version"),
        build=text(values.get("config.product"), "build"),
        cpus=whole(hardware, "numCpuCores") or 0,
        memory_bytes=whole(hardware, "memorySize") or 0,
        vcenter=places.vcenter,
        cpu_model=text(hardware, "cpuModel"),
        cpu_mhz=whole(hardware, "cpuMhz"),
        evc_mode=_unset(item, "summary.currentEVCModeKey"),
        evc_max=text(values.get("summary.maxEVCModeKey")) or None,
        maintenance=flag(values.get("runtime.inMaintenanceMode")),
        lockdown=lockdown != "lockdownDisabled" if lockdown else None,
        connection_state=text(values.get("runtime.connectionState")),
        vmotion=flag(values.get("summary.config.vmotionEnabled")),
        ntp_servers=_ntp_servers(values.get("config.dateTimeInfo")),
        ntp_running=_ntp_running(values.get("config.service.service")),
        certificate_expires=_certificate(values.get("config.certificate")),
        licence=facts.licences.get(item.ref.id, ""),
        vendor=text(hardware, "vendor"),
        model=text(hardware, "model"),
        hbas=_hbas(values.get("config.storageDevice.hostBusAdapter")),
        vmkernel_networks=_vmkernel(values.get("config.network.vnic"), facts.port_groups),
        supported_hw_version=facts.hardware.get(item.ref.id),
    )


def _unset(item: RawObject, path: str) -> str | None:
    """Return the text of a path, "" when it is shown and unset, None when it is not shown."""
    if path in item.missing or "summary.hardware" not in item.values:
        return None
    return text(item.values.get(path))


def _ntp_servers(info: Any) -> tuple[str, ...] | None:
    return None if at(info, "ntpConfig") is None else tuple(many(info, "ntpConfig", "server"))


def _ntp_running(services: Any) -> bool | None:
    return next(
        (flag(service, "running") for service in many(services) if text(service, "key") == "ntpd"), None
    )


def _certificate(value: Any) -> str:
    """Return when a host's certificate expires; it comes as bytes of a PEM text, one number each."""
    try:
        body = bytes(int(byte) & 0xFF for byte in many(value))
        return expiry(ssl.PEM_cert_to_DER_cert(body.decode("ascii").strip()) if b"-----" in body else body)
    except (ValueError, TypeError):
        return ""


def _hbas(adapters: Any) -> tuple[Hba, ...] | None:
    if adapters is None:
        return None
    return tuple(
        Hba(
            device=text(adapter, "device"),
            kind=_HBAS.get(text(adapter, "@"), ""),
            wwn=_wwn(whole(adapter, "portWorldWideName")) or text(adapter, "iScsiName"),
            model=text(adapter, "model").strip(),
            status=text(adapter, "status"),
        )
        for adapter in many(adapters)
    )


def _wwn(number: int | None) -> str:
    """Return a world wide name as ``50:01:...``; the API has it as a signed 64-bit number."""
    return "" if number is None else (number & (2**64 - 1)).to_bytes(8, "big").hex(":")


def _vmkernel(adapters: Any, port_groups: Mapping[str, str]) -> tuple[str, ...] | None:
    if adapters is None:
        return None
    found: dict[str, None] = {}
    for adapter in many(adapters):
        key = text(adapter, "spec", "distributedVirtualPort", "portgroupKey")
        name = port_groups.get(key, "") if key else text(adapter, "portgroup")
        if name:
            found[name] = None
    return tuple(found)


def luns(items: Iterable[RawObject], carried: Mapping[str, str], vcenter: str) -> tuple[Lun, ...]:
    """Return the disks that hosts see, each once; ``carried`` is the datastore by canonical name."""
    first: dict[str, Any] = {}
    seen_by: dict[str, list[str]] = {}
    for item in items:
        for lun in many(item.values.get("config.storageDevice.scsiLun")):
            name = text(lun, "canonicalName")
            if name and text(lun, "lunType") == "disk":
                first.setdefault(name, lun)
                seen_by.setdefault(name, []).append(item.ref.id)
    return tuple(
        Lun(
            name=name,
            uuid=text(lun, "uuid"),
            size_bytes=_capacity(lun),
            vendor=text(lun, "vendor").strip(),
            model=text(lun, "model").strip(),
            serial=text(lun, "serialNumber").strip(),
            hosts=tuple(sorted(set(seen_by[name]))),
            datastore=carried.get(name, ""),
            vcenter=vcenter,
        )
        for name, lun in first.items()
    )


def _capacity(lun: Any) -> int | None:
    blocks, block = whole(lun, "capacity", "block"), whole(lun, "capacity", "blockSize")
    return blocks * block if blocks and block else None
