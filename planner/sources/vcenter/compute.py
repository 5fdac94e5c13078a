"""The smaller print of a machine: how it is run, what its guest reports, who else holds a string on it."""

from __future__ import annotations

from typing import Any

from planner.model import Compute, Disk, Guest, Management, Partition
from planner.replicators import replicators
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.places import limit_bytes
from planner.sources.vcenter.surroundings import Surroundings
from planner.sources.vcenter.values import flag, many, size, text, whole
from planner.units import MIB

_BOOT = {
    "VirtualMachineBootOptionsBootableDiskDevice": "disk",
    "VirtualMachineBootOptionsBootableEthernetDevice": "net",
    "VirtualMachineBootOptionsBootableCdromDevice": "cdrom",
    "VirtualMachineBootOptionsBootableFloppyDevice": "floppy",
}
_ROLES = {"1": "primary", "2": "secondary"}
_FILTERS = (
    ("zerto", "zerto"),
    ("recoverpoint", "recoverpoint"),
    ("emcrp", "recoverpoint"),
    ("hbr", "vsphere-replication"),
)


def configured(item: RawObject) -> bool:
    """Return whether the vCenter shows a configuration at all: of an orphan it has none."""
    return "config.version" in item.values or "config.uuid" in item.values


def is_set(item: RawObject, path: str) -> bool | None:
    """Return whether an optional property is there, None when it is not shown or not known."""
    if path in item.values:
        return item.values[path] not in ("", [], {})
    return None if path in item.missing or not configured(item) else False


def text_or_none(item: RawObject, path: str, *below: str) -> str | None:
    """Return the text of an optional property, "" when it is unset, None when it is not shown."""
    return text(item.values.get(path), *below) if is_set(item, path) is not None else None


def compute(item: RawObject) -> Compute:
    """Return how a machine is run."""
    values = item.values
    flags, boot = values.get("config.flags"), values.get("config.bootOptions")
    processor, memory = values.get("config.cpuAllocation"), values.get("config.memoryAllocation")
    return Compute(
        cpu_hot_add=flag(values.get("config.cpuHotAddEnabled")),
        memory_hot_add=flag(values.get("config.memoryHotAddEnabled")),
        cpu_reservation_mhz=whole(processor, "reservation"),
        cpu_limit_mhz=whole(processor, "limit"),
        memory_reservation_bytes=size(whole(memory, "reservation"), MIB),
        memory_limit_bytes=limit_bytes(memory),
        memory_locked=flag(values.get("config.memoryReservationLockedToMax")),
        latency_sensitivity=text(values.get("config.latencySensitivity"), "level"),
        affinity=_affinity(item),
        nested_virtualisation=flag(values.get("config.nestedHVEnabled")),
        iommu=flag(flags, "vvtdEnabled"),
        evc_mode=_evc_mode(item),
        secure_boot=flag(boot, "efiSecureBootEnabled"),
        vbs=flag(flags, "vbsEnabled"),
        sgx=_sgx(item),
        sev=flag(values.get("config.sevEnabled")),
        encrypted=is_set(item, "config.keyId"),
        enable_uuid=_setting(item, "disk.enableuuid"),
        npiv=is_set(item, "config.npivNodeWorldWideName"),
        boot_order=tuple(_BOOT.get(text(entry, "@"), "other") for entry in many(boot, "bootOrder"))
        if "config.bootOptions" in values
        else None,
    )


def _evc_mode(item: RawObject) -> str | None:
    path = "runtime.minRequiredEVCModeKey"
    return None if path in item.missing else text(item.values.get(path))


def _affinity(item: RawObject) -> bool | None:
    pinned = is_set(item, "config.cpuAffinity"), is_set(item, "config.memoryAffinity")
    sets = many(item.values.get("config.cpuAffinity"), "affinitySet") + many(
        item.values.get("config.memoryAffinity"), "affinitySet"
    )
    settings = item.values.get("config.extraConfig")
    nodes = text(settings, "numa.nodeaffinity") if isinstance(settings, dict) else ""
    if sets or nodes:
        return True
    return None if None in pinned else False


def _sgx(item: RawObject) -> bool | None:
    there = is_set(item, "config.sgxInfo")
    return bool(whole(item.values["config.sgxInfo"], "epcSize")) if there else there


def _setting(item: RawObject, key: str) -> bool | None:
    """Return a setting of the extra configuration; one that is not there is off."""
    settings = item.values.get("config.extraConfig")
    if not isinstance(settings, dict):
        return is_set(item, "config.extraConfig")
    return text(settings, key).casefold() in ("true", "1", "yes")


def guest(item: RawObject) -> Guest:
    """Return what the guest and its tools report."""
    values = item.values
    return Guest(
        guest_id=text(values.get("config.guestId")),
        running_os=text(values.get("guest.guestFullName")),
        tools_version=text(values.get("guest.toolsVersion")),
        heartbeat=text(values.get("guestHeartbeatStatus")),
        time_sync=flag(values.get("config.tools.syncTimeWithHost")),
        partitions=_partitions(values.get("guest.disk")),
    )


def _partitions(reported: Any) -> tuple[Partition, ...] | None:
    if not reported:
        return None  # without tools there is no report, and no report is no empty guest
    return tuple(
        Partition(
            path=text(entry, "diskPath"),
            capacity_bytes=size(whole(entry, "capacity")),
            free_bytes=size(whole(entry, "freeSpace")),
            disk=text(mappings[0], "key") if len(mappings := many(entry, "mappings")) == 1 else "",
        )
        for entry in many(reported)
    )


def tools(item: RawObject) -> str:
    """Return the state of VMware Tools in the words of ``toolsStatus``, which newer APIs leave out."""
    said = text(item.values.get("guest.toolsStatus"))
    if said:
        return said
    version = text(item.values.get("guest.toolsVersionStatus2"))
    running = text(item.values.get("guest.toolsRunningStatus"))
    if version == "guestToolsNotInstalled":
        return "toolsNotInstalled"
    if running == "guestToolsNotRunning":
        return "toolsNotRunning"
    if not running:
        return ""
    return (
        "toolsOld"
        if version in ("guestToolsNeedUpgrade", "guestToolsSupportedOld", "guestToolsTooOld")
        else "toolsOk"
    )


def management(item: RawObject, disks: tuple[Disk, ...], around: Surroundings) -> Management:
    """Return who else holds a string on a machine."""
    held = around.exceptions
    place = around.hosts.get(text(item.values.get("runtime.host")))
    hidden = place is None or place.cluster_id in held.hidden
    return Management(
        managed_by=text_or_none(item, "config.managedBy", "extensionKey"),
        replication=_replication(item, disks, around),
        drs_override=held.drs.get(item.ref.id, None if hidden else ""),
        storage_policy=None if around.policies is None else around.policies.homes.get(item.ref.id, ""),
        restart_priority=held.restart.get(item.ref.id, None if hidden else ""),
        fault_tolerance_role=_ROLES.get(text(item.values.get("config.ftInfo"), "role"), ""),
        permissions=whole(item.values.get("permission")),
    )


def _replication(item: RawObject, disks: tuple[Disk, ...], around: Surroundings) -> str | None:
    settings = item.values.get("config.extraConfig")
    if is_set(item, "config.repConfig") or any(
        key.startswith("hbr_filter.") for key in (settings if isinstance(settings, dict) else ())
    ):
        return "vsphere-replication"
    for disk in disks:
        for word in disk.filters or ():
            for part, product in _FILTERS:
                if part in word.casefold():
                    return product
    owner = text(item.values.get("config.managedBy"), "extensionKey")
    if found := replicators([owner]):
        return found[0].word
    # A product may leave no trace on its VMs: nobody does it only where none is registered at all.
    nobody = around.extensions is not None and not replicators(around.extensions)
    return "" if nobody and isinstance(settings, dict) else None


def attributes(item: RawObject, around: Surroundings) -> tuple[tuple[str, str], ...]:
    """Return the custom attributes of a machine that have a value."""
    return tuple(
        (around.attributes.get(key, key), value)
        for entry in many(item.values.get("customValue"))
        if (value := text(entry, "value")) and (key := text(entry, "key"))
    )


def placeholder(item: RawObject) -> bool:
    """Return whether a machine only stands for one that is recovered here."""
    owner = item.values.get("config.managedBy")
    return (
        text(owner, "extensionKey").startswith("com.vmware.vcDr")
        and "placeholder" in text(owner, "type").lower()
    )
