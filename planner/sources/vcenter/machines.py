"""A machine as the collector sent it to a VM of the estate, with all that hangs on it."""

from __future__ import annotations

from dataclasses import replace

from planner.model import VM, Power
from planner.sources.spoken import spoken_field
from planner.sources.vcenter.adapters import nics
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.compute import (
    attributes,
    compute,
    configured,
    guest,
    management,
    placeholder,
    tools,
)
from planner.sources.vcenter.devices import cdroms, others
from planner.sources.vcenter.disks import disks
from planner.sources.vcenter.paths import DEVICE_GAPS, MACHINE_GAPS
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.snapshots import snapshots
from planner.sources.vcenter.surroundings import HostPlace, Surroundings
from planner.sources.vcenter.values import flag, many, size, text, whole
from planner.units import MIB

_POWER = {power.value: power for power in Power}
_NOWHERE = HostPlace("")


def machine(item: RawObject, around: Surroundings) -> VM:
    """Return the VM that a raw object describes."""
    values = item.values
    around.oddities.pop(item.ref.id, None)  # of an earlier look at it
    devices = many(values.get("config.hardware.device"))
    of_disks = disks(item, devices, around)
    of_devices = others(item, devices, around)
    place = around.hosts.get(text(values.get("runtime.host")), _NOWHERE)
    parent = text(values.get("parent")) or text(values.get("parentVApp"))
    pool = text(values.get("resourcePool"))
    places = around.places
    tags = None if around.tags is None else around.tags.get(item.ref.id, ())
    said = attributes(item, around)
    fields = {field: value for name, value in (*(tags or ()), *said) if (field := spoken_field(name))}
    name = entity_name(text(values.get("name")))
    return VM(
        id=item.ref.id,
        name=name or item.ref.id,
        vcenter=around.vcenter,
        power=_POWER.get(text(values.get("runtime.powerState")), Power.UNKNOWN),
        template=flag(values.get("config.template")) or False,
        placeholder=placeholder(item),
        guest_os=text(values.get("config.guestFullName")),
        dns_name=text(values.get("guest.hostName")),
        cpus=whole(values.get("config.hardware.numCPU")) or 0,
        memory_bytes=(whole(values.get("config.hardware.memoryMB")) or 0) * MIB,
        firmware=text(values.get("config.firmware")),
        hw_version=_hardware(text(values.get("config.version"))),
        host=place.name,
        cluster=place.cluster or places.cluster(pool),
        datacenter=place.datacenter or places.datacenter(parent),
        folder=places.path(parent),
        resource_pool=places.path(pool),
        vapp=places.name(text(values.get("parentVApp"))) or _vapp(pool, around),
        vmx_path=text(values.get("config.files.vmPathName")),
        bios_uuid=text(values.get("config.uuid")),
        instance_uuid=text(values.get("config.instanceUuid")),
        moref=item.ref.id,
        tools=tools(item),
        cbt=flag(values.get("config.changeTrackingEnabled")),
        consolidation_needed=flag(values.get("runtime.consolidationNeeded")),
        ft_state=text(values.get("runtime.faultToleranceState")),
        connection_state=text(values.get("runtime.connectionState")),
        used_bytes=size(whole(values.get("summary.storage"), "committed")),
        annotation=text(values.get("config.annotation")),
        application=fields.get("application", ""),
        tier=fields.get("tier", ""),
        environment=fields.get("environment", ""),
        owner=fields.get("owner", ""),
        criticality=fields.get("criticality", ""),
        window=fields.get("window", ""),
        rules=tuple(around.exceptions.rules.get(item.ref.id, ())),
        disks=of_disks,
        nics=nics(item, devices, around),
        snapshots=snapshots(item),
        cdroms=cdroms(devices),
        devices=of_devices,
        guest=guest(item),
        compute=compute(item),
        management=replace(management(item, of_disks, around), last_backup=fields.get("last_backup", "")),
        tags=tags,
        attributes=said,
        gaps=_gaps(item),
    )


def _hardware(version: str) -> int | None:
    digits = version.removeprefix("vmx-")
    return int(digits) if digits.isdecimal() and len(digits) < 4 else None


def _vapp(pool: str, around: Surroundings) -> str:
    return next(
        (
            around.places.name(above.ref.id)
            for above in around.places.chain(pool)
            if above.ref.kind == "VirtualApp"
        ),
        "",
    )


def _gaps(item: RawObject) -> tuple[str, ...]:
    if not configured(item):
        return (*DEVICE_GAPS, "snapshots", "placeholders")
    gaps = [gap for path, kinds in MACHINE_GAPS.items() if path in item.missing for gap in kinds]
    if "config.hardware.device" not in item.values and "disks" not in gaps:
        gaps += DEVICE_GAPS
    return tuple(dict.fromkeys(gaps))
