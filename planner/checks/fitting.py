"""Checks of how a VM asks to be run: size, processor mode, pins, reservations, limits, what it nests."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate
from planner.model import VM, Severity
from planner.names import visible
from planner.units import show_bytes, show_count

RULES: list[Rule] = []
_SIZE = ("config.hardware.numCPU", "config.hardware.memoryMB", "HostSystem.summary.hardware")
_SETTING = Work(effort_min=10, lead_days=1)


def _size(vm: VM) -> str:
    return f"{show_count(vm.cpus, 'processor')} and {show_bytes(vm.memory_bytes)} of memory"


@rule(
    RULES,
    "compute.size.target",
    Severity.BLOCKER,
    "VM larger than any target host",
    condition="no host of the target inventory has its memory and, at two logical processors a core, its "
    "processors",
    properties=_SIZE,
    reference="vSphere API: HostHardwareSummary.numCpuThreads, memorySize; RVTools vInfo: CPUs, Memory",
    why="It cannot be started there.",
    remedy="make the VM smaller, or provide a larger host at the target",
    work=Work(effort_min=60, outage=True, lead_days=10),
)
def larger_than_a_host(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM larger than any target host."""
    if estate.landing is None or vm.cpus <= 0 or vm.memory_bytes <= 0:
        yield None
        return
    runs = estate.landing.runs(vm.cpus, vm.memory_bytes)
    if runs is None:
        yield None
    elif not runs:
        yield f"{visible(vm.name)} has {_size(vm)}, more than any target host"


@rule(
    RULES,
    "compute.size.half",
    Severity.WARNING,
    "VM larger than half of any target host",
    condition="it fits on a host of the target inventory, and on none would it leave half of the host free",
    properties=_SIZE,
    reference="vSphere API: HostHardwareSummary.numCpuThreads, memorySize; RVTools vInfo: CPUs, Memory",
    why="When its host fails there may be no other with so much room, and everything else has to make way.",
    remedy="make the VM smaller, or reserve room for a restart at the target",
    work=Work(effort_min=60, outage=True, lead_days=5),
)
def larger_than_half(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM larger than half of any target host; one that fits nowhere has its own finding."""
    if estate.landing is None or vm.cpus <= 0 or vm.memory_bytes <= 0:
        yield None
        return
    twice = estate.landing.runs(2 * vm.cpus, 2 * vm.memory_bytes)
    if twice is None:
        yield None
    elif not twice and estate.landing.runs(vm.cpus, vm.memory_bytes):
        yield f"{visible(vm.name)} has {_size(vm)}, more than half of any target host"


@rule(
    RULES,
    "compute.evc",
    by_method(Severity.WARNING, Severity.INFO),
    "Processor mode newer than the target's",
    condition="no host of the target inventory runs at the EVC mode the VM needs now, or at a newer one of "
    "the same maker",
    properties=(
        "runtime.minRequiredEVCModeKey",
        "HostSystem.summary.currentEVCModeKey",
        "HostSystem.summary.maxEVCModeKey",
    ),
    reference="vSphere API: VirtualMachineRuntimeInfo.minRequiredEVCModeKey; RVTools vInfo: min Required EVC "
    "Mode Key",
    why="The VM is started anew at the target and sees other processor features there: software that was "
    "built or licensed for the old ones fails, and there is no live way back.",
    remedy="raise the EVC mode of the target's cluster, or test the application on the older processors",
    work=Work(effort_min=30, lead_days=5),
)
def newer_processor(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: processor mode newer than the target's."""
    mode = vm.compute.evc_mode
    if mode == "":
        return
    known = estate.landing.knows_mode(mode.casefold()) if mode and estate.landing else None
    if known is None:
        yield None
    elif not known:
        yield f"{visible(vm.name)} needs the EVC mode {visible(mode or '', 40)}, no target host runs at it"


@rule(
    RULES,
    "compute.affinity",
    Severity.WARNING,
    "Pinned to processors or memory nodes",
    condition="the VM has processor or memory affinity, or NUMA settings of its own",
    properties=("config.cpuAffinity", "config.memoryAffinity", "config.extraConfig[numa.*]"),
    reference="vSphere API: VirtualMachineAffinityInfo",
    why="The numbers mean other processors on another host: the VM is confined to the wrong ones or does not "
    "start.",
    remedy="clear the affinity before the move",
    work=_SETTING,
)
def pinned(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: pinned to processors or memory nodes."""
    if vm.compute.affinity is None:
        yield None
    elif vm.compute.affinity:
        yield f"{visible(vm.name)} is pinned to processors or memory nodes of its host"


@rule(
    RULES,
    "compute.reservation",
    Severity.WARNING,
    "Reserved processor or memory",
    condition="a reservation of processor or memory is over nought",
    properties=("config.cpuAllocation.reservation", "config.memoryAllocation.reservation"),
    reference="vSphere API: ResourceAllocationInfo.reservation; RVTools vCPU, vMemory: Reservation",
    why="The target refuses to start the VM when it cannot reserve as much.",
    remedy="check that the target's cluster has as much unreserved, or lower the reservation",
    work=_SETTING,
)
def reserved(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: reserved processor or memory."""
    cpu, memory = vm.compute.cpu_reservation_mhz, vm.compute.memory_reservation_bytes
    if cpu or memory:
        said = (f"{cpu:,} MHz" if cpu else "", show_bytes(memory) if memory else "")
        yield f"{visible(vm.name)} reserves {' and '.join(filter(None, said))}"
    elif cpu is None or memory is None:
        yield None


@rule(
    RULES,
    "compute.limit",
    Severity.WARNING,
    "Limited processor or memory",
    condition="a limit of processor or memory is set",
    properties=("config.cpuAllocation.limit", "config.memoryAllocation.limit"),
    reference="vSphere API: ResourceAllocationInfo.limit; RVTools vCPU, vMemory: Limit",
    why="A limit under the configured size slows the VM whatever the host has, and is often a forgotten one.",
    remedy="ask the owner; lift the limit, or set it again at the target",
    work=_SETTING,
)
def limited(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: limited processor or memory; -1 means none."""
    cpu, memory = vm.compute.cpu_limit_mhz, vm.compute.memory_limit_bytes
    said = []
    if cpu is not None and cpu >= 0:
        said.append(f"{cpu:,} MHz")
    if memory is not None and memory >= 0:
        said.append(show_bytes(memory))
    if said:
        yield f"{visible(vm.name)} is limited to {' and '.join(said)}"
    elif cpu is None or memory is None:
        yield None


@rule(
    RULES,
    "compute.memory-locked",
    Severity.WARNING,
    "All memory reserved for good",
    condition="the memory reservation is locked to the maximum",
    properties=("config.memoryReservationLockedToMax",),
    reference="vSphere API: VirtualMachineConfigInfo.memoryReservationLockedToMax",
    why="The target refuses to start the VM when it has not all of its memory free to reserve.",
    remedy="check the unreserved memory of the target, or unlock the reservation where no device needs it",
    work=_SETTING,
)
def memory_locked(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: all memory reserved for good."""
    if vm.compute.memory_locked is None:
        yield None
    elif vm.compute.memory_locked:
        yield f"{visible(vm.name)} has all its memory reserved"


@rule(
    RULES,
    "compute.latency",
    Severity.WARNING,
    "High latency sensitivity",
    condition="the latency sensitivity is high or medium",
    properties=("config.latencySensitivity.level",),
    reference="vSphere API: LatencySensitivity; RVTools vInfo: Latency Sensitivity",
    why="The host gives it whole cores of its own and all its memory; the target must have them free, and "
    "snapshots make the stalls the setting is to avoid.",
    remedy="plan whole cores at the target, and copy outside the hours in which latency matters",
    work=_SETTING,
)
def latency_sensitive(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: high latency sensitivity."""
    level = vm.compute.latency_sensitivity
    if not level:
        yield None
    elif level.casefold() in {"high", "medium"}:
        yield f"{visible(vm.name)} has {level.casefold()} latency sensitivity"


@rule(
    RULES,
    "compute.hot-add",
    Severity.INFO,
    "Processor or memory can be added while it runs",
    condition="hot add of processor or memory is on",
    properties=("config.cpuHotAddEnabled", "config.memoryHotAddEnabled"),
    reference="vSphere API: VirtualMachineConfigInfo.cpuHotAddEnabled; RVTools vCPU, vMemory: Hot Add",
    why="Hot add of processors hides the memory nodes of the host from the guest.",
    remedy="nothing: the setting is kept",
)
def hot_add(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: processor or memory can be added while the VM runs."""
    cpu, memory = vm.compute.cpu_hot_add, vm.compute.memory_hot_add
    if cpu or memory:
        kinds = ["processors"] * bool(cpu) + ["memory"] * bool(memory)
        yield f"{visible(vm.name)} has hot add of {' and '.join(kinds)}"
    elif cpu is None or memory is None:
        yield None


@rule(
    RULES,
    "compute.nested",
    Severity.WARNING,
    "Runs a hypervisor of its own",
    condition="hardware virtualisation is offered to the guest",
    properties=("config.nestedHVEnabled",),
    reference="vSphere API: VirtualMachineConfigInfo.nestedHVEnabled",
    why="The VM starts only on hosts that offer it, and guests inside of it are seen by no inventory.",
    remedy="check the firmware settings of the target's hosts; ask what runs inside",
    work=_SETTING,
)
def nested(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: runs a hypervisor of its own."""
    if vm.compute.nested_virtualisation is None:
        yield None
    elif vm.compute.nested_virtualisation:
        yield f"{visible(vm.name)} is offered hardware virtualisation"


@rule(
    RULES,
    "compute.iommu",
    Severity.WARNING,
    "Virtual I/O memory management",
    condition="an I/O memory management unit is offered to the guest",
    properties=("config.flags.vvtdEnabled",),
    reference="vSphere API: VirtualMachineFlagInfo.vvtdEnabled",
    why="The VM starts only on hosts whose processors and firmware support it.",
    remedy="check the firmware settings of the target's hosts",
    work=_SETTING,
)
def io_memory(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: virtual I/O memory management."""
    if vm.compute.iommu is None:
        yield None
    elif vm.compute.iommu:
        yield f"{visible(vm.name)} has a virtual I/O memory management unit"
