"""Which properties are read of which kind of object: the whole list, and nothing beside it.

One ``Kind`` is one pass of the collector; ``MACHINE_GAPS`` says what becomes unknown of a machine when
it does not show a property. Some values are narrowed while they are parsed: devices that
every VM has, settings nobody reads and the text of extensions are never kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from planner.sources.vcenter.answers import Convert, Value, plain, type_of

_VIM = "{urn:vim25}"

# Every VM has these, they carry nothing and move with it.
_EVERYWHERE = frozenset(
    {
        "VirtualKeyboard",
        "VirtualPCIController",
        "VirtualPS2Controller",
        "VirtualPointingDevice",
        "VirtualMachineVMCIDevice",
        "VirtualMachineVideoCard",
        "VirtualSIOController",
    }
)
_SETTINGS = (
    "disk.enableuuid",
    "ctkenabled",
    "hbr_filter.",
    "numa.",
    "sched.cpu.affinity",
    "sched.mem.affinity",
)


def _devices(element: Any) -> Value:
    return [plain(device) for device in element if type_of(device) not in _EVERYWHERE]


def _settings(element: Any) -> Value:
    found: dict[str, Any] = {}
    for option in element:
        key = (option.findtext(_VIM + "key") or "").lower()
        if key.startswith(_SETTINGS) or key.endswith(".ctkenabled"):
            found[key] = option.findtext(_VIM + "value") or ""
    return found


def _files(element: Any) -> Value:
    """Return the sizes of a VM's files by their key."""
    return {
        key: size
        for item in element
        if (key := item.findtext(_VIM + "key")) and (size := item.findtext(_VIM + "size"))
    }


def _count(element: Any) -> Value:
    return str(len(element))


def _keys(element: Any) -> Value:
    return [key for item in element if (key := item.findtext(_VIM + "key"))]


@dataclass(frozen=True, slots=True)
class Kind:
    """Objects read in one pass. ``paths`` goes by managed object type; a type without is read as its base.

    ``view`` are the types that a container view is asked for.
    """

    name: str
    view: tuple[str, ...]
    paths: Mapping[str, tuple[str, ...]]
    convert: Mapping[str, Convert] = field(default_factory=dict)


_NAMED = ("name", "parent")

PLACES = Kind(
    "folders",
    ("Folder", "Datacenter"),
    {
        "Folder": _NAMED,
        "Datacenter": (*_NAMED, "vmFolder", "hostFolder", "datastoreFolder", "networkFolder"),
    },
)
CLUSTERS = Kind(
    "clusters",
    ("ComputeResource",),
    {"ComputeResource": (*_NAMED, "host", "configurationEx", "summary", "environmentBrowser")},
)
POOLS = Kind(
    "resource pools",
    ("ResourcePool",),
    {"ResourcePool": (*_NAMED, "owner", "config.cpuAllocation", "config.memoryAllocation")},
)
HOSTS = Kind(
    "hosts",
    ("HostSystem",),
    {
        "HostSystem": (
            *_NAMED,
            "summary.hardware",
            "summary.currentEVCModeKey",
            "summary.maxEVCModeKey",
            "summary.config.vmotionEnabled",
            "runtime.connectionState",
            "runtime.inMaintenanceMode",
            "config.product",
            "config.lockdownMode",
            "config.certificate",
            "config.dateTimeInfo",
            "config.service.service",
            "config.network.portgroup",
            "config.network.vnic",
            "config.storageDevice.scsiLun",
            "config.storageDevice.hostBusAdapter",
        )
    },
)
DATASTORES = Kind("datastores", ("Datastore",), {"Datastore": (*_NAMED, "summary", "info", "host")})
NETWORKS = Kind(
    "networks",
    ("Network", "DistributedVirtualSwitch"),
    {
        "Network": _NAMED,
        "DistributedVirtualPortgroup": (
            *_NAMED,
            "key",
            "tag",
            "config.type",
            "config.distributedVirtualSwitch",
            "config.defaultPortConfig",
            "config.uplink",
        ),
        "DistributedVirtualSwitch": (*_NAMED, "uuid"),
    },
)
MACHINES = Kind(
    "virtual machines",
    ("VirtualMachine",),
    {
        "VirtualMachine": (
            *_NAMED,
            "parentVApp",
            "resourcePool",
            "customValue",
            "permission",
            "guestHeartbeatStatus",
            "config.annotation",
            "config.bootOptions",
            "config.changeTrackingEnabled",
            "config.cpuAffinity",
            "config.cpuAllocation",
            "config.cpuHotAddEnabled",
            "config.extraConfig",
            "config.files.vmPathName",
            "config.firmware",
            "config.flags",
            "config.ftInfo",
            "config.guestFullName",
            "config.guestId",
            "config.hardware.device",
            "config.hardware.memoryMB",
            "config.hardware.numCPU",
            "config.instanceUuid",
            "config.keyId",
            "config.latencySensitivity",
            "config.managedBy",
            "config.memoryAffinity",
            "config.memoryAllocation",
            "config.memoryHotAddEnabled",
            "config.memoryReservationLockedToMax",
            "config.nestedHVEnabled",
            "config.npivNodeWorldWideName",
            "config.repConfig",
            "config.sevEnabled",
            "config.sgxInfo",
            "config.template",
            "config.tools.syncTimeWithHost",
            "config.uuid",
            "config.version",
            "guest.disk",
            "guest.guestFullName",
            "guest.hostName",
            "guest.ipAddress",
            "guest.net",
            "guest.toolsRunningStatus",
            "guest.toolsStatus",
            "guest.toolsVersion",
            "guest.toolsVersionStatus2",
            "layoutEx.disk",
            "layoutEx.file",
            "layoutEx.snapshot",
            "runtime.connectionState",
            "runtime.consolidationNeeded",
            "runtime.faultToleranceState",
            "runtime.host",
            "runtime.minRequiredEVCModeKey",
            "runtime.powerState",
            "snapshot.rootSnapshotList",
            "summary.storage",
        )
    },
    {
        "config.hardware.device": _devices,
        "config.extraConfig": _settings,
        "layoutEx.file": _files,
        "permission": _count,
    },
)

# Everything but the machines is needed to say where a machine is; it is read first.
SURROUNDINGS = (PLACES, CLUSTERS, POOLS, HOSTS, DATASTORES, NETWORKS)

# Single objects of the service: property paths by the name under which the content lists the object.
SERVICES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "licenseManager": ("LicenseManager", ("licenses", "licenseAssignmentManager")),
    "customFieldsManager": ("CustomFieldsManager", ("field",)),
    "extensionManager": ("ExtensionManager", ("extensionList",)),
    "scheduledTaskManager": ("ScheduledTaskManager", ("scheduledTask",)),
}
SERVICES_CONVERT: Mapping[str, Convert] = {"extensionList": _keys, "scheduledTask": _count}

DEVICE_GAPS = ("disks", "nics", "cdroms", "usb", "floppies", "devices")
# What is unknown of a VM that does not show a property.
MACHINE_GAPS: Mapping[str, tuple[str, ...]] = {
    "config.hardware.device": DEVICE_GAPS,
    "snapshot.rootSnapshotList": ("snapshots",),
    "config.managedBy": ("placeholders",),
}
