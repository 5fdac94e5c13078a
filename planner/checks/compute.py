"""Checks of the VM as a machine: its state, hardware version and drives, and what never moves."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate
from planner.model import VM, Controller, Power, Severity
from planner.names import visible

RULES: list[Rule] = []
_STATES = {
    "disconnected": "on a host that is disconnected from its vCenter",
    "inaccessible": "inaccessible to its host: its files cannot be reached",
    "invalid": "invalid in its vCenter's inventory: its configuration cannot be read",
    "orphaned": "orphaned in its vCenter's inventory: no host has it any more",
}
_FT_OFF = {"notconfigured", "disabled", ""}
_UPGRADE = Work(effort_min=30, outage=True, lead_days=2, fix="upgrade-hardware")
# Those count their disks by bus and unit; which of several kinds is asked first only the firmware knows.
_SCSI = {Controller.PVSCSI, Controller.LSI_LOGIC, Controller.LSI_SAS, Controller.BUS_LOGIC, None}


@rule(
    RULES,
    "compute.cdrom",
    Severity.WARNING,
    "CD drive connected",
    condition="a CD drive is connected, or will be when the VM starts",
    properties=(
        "config.hardware.device[VirtualCdrom].connectable.connected",
        "config.hardware.device[VirtualCdrom].connectable.startConnected",
        "config.hardware.device[VirtualCdrom].backing",
    ),
    reference="vSphere API: VirtualCdrom; RVTools vCD: Connected, Starts Connected",
    why="Its image is on a datastore the target does not have; the VM may not start there.",
    remedy="disconnect the drive",
    work=Work(effort_min=5, fix="disconnect-media"),
    kinds=("cdroms",),
)
def cdrom_connected(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: CD drive connected, or to be connected at the next start."""
    for drive in vm.cdroms:
        media = f": {visible(drive.media, 80)}" if drive.media else ""
        if drive.connected:
            yield f"{visible(vm.name)} has {visible(drive.label)} connected{media}"
        elif drive.starts_connected:
            yield f"{visible(vm.name)} connects {visible(drive.label)} when it starts{media}"
        elif drive.connected is None or drive.starts_connected is None:
            yield None


@rule(
    RULES,
    "compute.fault-tolerance",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Fault tolerance is on",
    condition="the fault tolerance state is another than notConfigured or disabled",
    properties=("runtime.faultToleranceState", "config.ftInfo"),
    reference="vSphere API: VirtualMachineFaultToleranceState; RVTools vInfo: FT State",
    why="A VM with a running shadow takes no snapshots.",
    remedy="turn off fault tolerance, move, turn it on at the target",
    work=Work(effort_min=15),
)
def fault_tolerance(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: fault tolerance is on."""
    if not vm.ft_state:
        yield None
    elif vm.ft_state.casefold() not in _FT_OFF:
        yield f"{visible(vm.name)} has fault tolerance in state {visible(vm.ft_state)}"


@rule(
    RULES,
    "compute.hardware-version",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Virtual hardware older than version 7",
    condition="the virtual hardware version is under 7",
    properties=("config.version",),
    reference="KB 1020128; vSphere API: VirtualMachineConfigInfo.version; RVTools vInfo: HW version",
    why="It knows no changed block tracking, and current hosts run it with limits or not at all.",
    remedy="upgrade the virtual hardware while the VM is off",
    work=_UPGRADE,
)
def old_hardware(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: virtual hardware older than version 7."""
    if vm.hw_version is None:
        yield None
    elif vm.hw_version < 7:
        yield f"{visible(vm.name)} has virtual hardware version {vm.hw_version}"


@rule(
    RULES,
    "compute.hardware-version.target",
    Severity.BLOCKER,
    "Virtual hardware newer than the target knows",
    condition="the virtual hardware version is over the newest that a host of the target inventory supports",
    properties=("config.version", "HostSystem.config.product.version"),
    reference="vSphere API: VirtualMachineConfigInfo.version",
    why="A host does not start a VM whose hardware version it does not know, and there is no downgrade.",
    remedy="upgrade hosts of the target first, or make the VM anew there with an older version",
    work=Work(effort_min=240, lead_days=30),
)
def newer_than_target(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: virtual hardware newer than the target knows."""
    if vm.hw_version is None or estate.landing is None:
        yield None
        return
    known = estate.landing.hw_version.reaches(vm.hw_version)
    if known is None:
        yield None
    elif not known:
        most = estate.landing.hw_version.value
        yield f"{visible(vm.name)} has virtual hardware version {vm.hw_version}, the target knows {most}"


@rule(
    RULES,
    "compute.suspended",
    Severity.BLOCKER,
    "VM is suspended",
    condition="the power state is suspended",
    properties=("runtime.powerState",),
    reference="vSphere API: VirtualMachinePowerState; RVTools vInfo: Powerstate",
    why="Its memory lies in a file that only fits the host it was written on; its disks are not consistent.",
    remedy="resume the VM, then shut it down or leave it running",
    work=Work(effort_min=15),
)
def suspended(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM is suspended."""
    if vm.power is Power.UNKNOWN:
        yield None
    elif vm.power is Power.SUSPENDED:
        yield f"{visible(vm.name)} is suspended"


@rule(
    RULES,
    "compute.connection",
    Severity.BLOCKER,
    "VM is not connected",
    condition="the connection state is another than connected: disconnected, orphaned, inaccessible, invalid",
    properties=("runtime.connectionState",),
    reference="vSphere API: VirtualMachineConnectionState; RVTools vInfo: Connection state",
    why="An orphaned, invalid or inaccessible VM can be neither read nor stopped.",
    remedy="repair or remove the registration of the VM, then read the inventory again",
    work=Work(effort_min=30),
)
def not_connected(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM is not connected."""
    if not vm.connection_state:
        yield None
    elif vm.connection_state.casefold() != "connected":
        state = vm.connection_state.casefold()
        yield f"{visible(vm.name)} is {_STATES.get(state) or visible(vm.connection_state, 60)}"


@rule(
    RULES,
    "compute.boot.network",
    Severity.WARNING,
    "VM boots from the network",
    condition="the boot order names the network before any disk",
    properties=("config.bootOptions.bootOrder",),
    reference="vSphere API: VirtualMachineBootOptions.bootOrder",
    why="What it boots comes from a server of the source's network; at the target it may boot something else "
    "or nothing.",
    remedy="provide the boot server at the target, or put the disk first",
    work=Work(effort_min=60, lead_days=5),
)
def boots_from_network(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM boots from the network."""
    order = vm.compute.boot_order
    if order is None:
        yield None
    else:
        first = next((word for word in order if word in {"disk", "net"}), "")
        if first == "net":
            yield f"{visible(vm.name)} asks the network before its disks when it boots"


@rule(
    RULES,
    "compute.boot.raw",
    Severity.WARNING,
    "VM boots from a raw device",
    condition="the disk at unit 0 of SCSI bus 0 is a raw device mapping",
    properties=(
        "config.hardware.device[VirtualDisk].unitNumber",
        "config.hardware.device[VirtualDisk].controllerKey",
        "config.hardware.device[VirtualDisk].backing",
    ),
    reference="vSphere API: VirtualDevice.unitNumber, VirtualDiskRawDiskMappingVer1BackingInfo",
    why="A wrong or missing LUN at the target is a VM that does not start at all.",
    remedy="let it become a VMDK, and rehearse the start of this VM",
    kinds=("disks",),
)
def boots_from_raw(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM boots from a raw device."""
    for disk in vm.disks:
        if not disk.backing.is_rdm or disk.controller_kind not in _SCSI:
            continue
        if disk.bus is None or disk.unit is None:
            yield None
        elif disk.bus == 0 and disk.unit == 0:
            yield f"{visible(vm.name)} boots from {visible(disk.label or disk.key)}, a raw device"


@rule(
    RULES,
    "compute.template",
    Severity.INFO,
    "Template or placeholder",
    condition="the VM is a template or a placeholder of Site Recovery Manager",
    properties=("config.template", "config.managedBy"),
    reference="vSphere API: VirtualMachineConfigInfo.template; RVTools vInfo: Template, SRM Placeholder",
    why="Templates and the placeholders of Site Recovery Manager are not replicated.",
    remedy="rebuild templates at the target; placeholders vanish with their protection",
    of_movable=False,
)
def never_moves(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: template or placeholder."""
    if not vm.movable:
        yield f"{visible(vm.name)} is a {'template' if vm.template else 'placeholder'} and stays"
    elif estate.lacks(vm, "placeholders"):
        yield None


@rule(
    RULES,
    "compute.agent",
    Severity.INFO,
    "VM that vSphere makes itself",
    condition="the name begins as those of cluster services do (vCLS)",
    properties=("name",),
    reference="vSphere Cluster Services",
    why="Cluster agents belong to their cluster; the target makes its own.",
    remedy="nothing; the plan leaves it out",
)
def cluster_agent(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM that vSphere makes itself."""
    if vm.cluster_agent:
        yield f"{visible(vm.name)} is an agent of its cluster"


@rule(
    RULES,
    "compute.managed",
    Severity.WARNING,
    "VM that a solution manages",
    condition="an extension of the vCenter manages the VM",
    properties=("config.managedBy.extensionKey",),
    reference="vSphere API: ManagedByInfo",
    why="The solution made it for this vCenter and looks for it there; it does not know a copy elsewhere.",
    remedy="exclude the VM and let the solution deploy its own at the target",
)
def managed(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM that a solution manages; agents of a cluster have their own finding."""
    if vm.management.managed_by is None:
        yield None
    elif vm.management.managed_by and not vm.cluster_agent:
        yield f"{visible(vm.name)} is managed by {visible(vm.management.managed_by, 60)}"
