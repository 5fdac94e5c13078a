"""The configuration of a VM to create, as pyvmomi sends it: all but its devices by its definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from migrate.sites.definition import Boot, Definition, Share
from migrate.sites.ports import NewVM
from migrate.sites.vsphere.built import built, option
from migrate.sites.vsphere.devices import boot_order

HOST_NAME_KEY = "wherry.hostname"


def config_spec(
    vm: NewVM,
    definition: Definition,
    *,
    home: str,
    version: int,
    devices: Iterable[Any],
    stamps: Mapping[str, str],
    profiles: Iterable[Any] = (),
) -> Any:
    """Return the ConfigSpec: ``home`` is the datastore of its own files, ``version`` its virtual hardware.

    ``profiles`` are the storage policies of its own files.
    """
    hostname = {HOST_NAME_KEY: definition.host_name} if definition.host_name else {}
    extra = {**dict(definition.extra), **hostname, **stamps}
    return built(
        "VirtualMachineConfigSpec",
        name=vm.name,
        files=built(
            "VirtualMachineFileInfo", vmPathName=f"[{home}]"
        ),  # the vCenter makes a folder that is free
        version=f"vmx-{version:02d}" if version else None,
        guestId=definition.guest_id,
        numCPUs=vm.cpus,
        numCoresPerSocket=_cores(vm.cpus, definition.cores_per_socket),
        memoryMB=vm.memory_bytes >> 20,
        firmware=definition.firmware,
        cpuHotAddEnabled=definition.cpu_hot_add,
        cpuHotRemoveEnabled=definition.cpu_hot_remove,
        memoryHotAddEnabled=definition.memory_hot_add,
        memoryReservationLockedToMax=definition.memory_locked,
        nestedHVEnabled=definition.nested,
        latencySensitivity=built("LatencySensitivity", level=definition.latency),
        tools=built("ToolsConfigInfo", syncTimeWithHost=definition.time_sync),
        flags=_flags(definition),
        cpuAllocation=_allocation(definition.processor),
        memoryAllocation=_allocation(definition.memory),
        bootOptions=_boot(definition.boot, definition),
        annotation=definition.annotation,
        uuid=definition.bios_uuid if vm.choices.bios_uuid and definition.bios_uuid else None,
        instanceUuid=definition.instance_uuid if vm.choices.instance_uuid else None,
        vmProfile=list(profiles),
        deviceChange=list(devices),
        extraConfig=[option(key, value) for key, value in extra.items()],
    )


def _cores(cpus: int, wanted: int) -> int:
    """Return cores per socket that divide the processors, as a vCenter demands."""
    return wanted if wanted and cpus % wanted == 0 else 1


def _flags(definition: Definition) -> Any:
    """Return what is on; older vCenters do not know these flags, and are told nothing that is off."""
    flags = {"vbsEnabled": definition.vbs, "vvtdEnabled": definition.iommu}
    on = {name: True for name, wanted in flags.items() if wanted}
    return built("VirtualMachineFlagInfo", **on) if on else None


def _allocation(share: Share) -> Any:
    return built(
        "ResourceAllocationInfo",
        reservation=share.reservation,
        limit=share.limit,
        shares=built("SharesInfo", level=share.level, shares=share.shares),
    )


def _boot(boot: Boot, definition: Definition) -> Any:
    return built(
        "VirtualMachineBootOptions",
        bootDelay=boot.delay_ms,
        enterBIOSSetup=boot.enters_setup,
        bootRetryEnabled=boot.retries,
        bootRetryDelay=boot.retry_delay_ms,
        efiSecureBootEnabled=boot.secure,
        bootOrder=boot_order(boot.order, definition.disks),
    )
