"""Checks of VMware Tools, which stop the guest, quiesce it and report it."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate
from planner.model import VM, Power, Severity
from planner.names import visible

RULES: list[Rule] = []


@rule(
    RULES,
    "guest.tools.missing",
    Severity.WARNING,
    "VMware Tools not installed",
    why="The guest cannot be shut down gracefully nor quiesced: it is switched off, as in a power failure.",
    remedy="install VMware Tools or open-vm-tools, or plan the shutdown by hand",
    condition="VMware Tools are said not to be installed",
    properties=("guest.toolsVersionStatus2",),
    reference="vSphere API: VirtualMachineToolsVersionStatus",
    work=Work(30),
)
def tools_missing(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VMware Tools not installed."""
    if not vm.tools:
        yield None
    elif vm.tools == "toolsNotInstalled":
        yield f"{visible(vm.name)} has no VMware Tools"


@rule(
    RULES,
    "guest.tools.stopped",
    Severity.WARNING,
    "VMware Tools do not run",
    why="The guest runs but cannot be asked to shut down, to be consistent, or for its addresses.",
    remedy="start the service of VMware Tools in the guest",
    condition="the VM runs and its VMware Tools do not",
    properties=("guest.toolsRunningStatus", "runtime.powerState"),
    reference="vSphere API: VirtualMachineToolsRunningStatus",
    work=Work(15),
)
def tools_stopped(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: running VM whose VMware Tools do not; a VM that is off says nothing by it."""
    if not vm.tools or vm.power is Power.UNKNOWN:
        yield None
    elif vm.tools == "toolsNotRunning" and vm.power is Power.ON:
        yield f"{visible(vm.name)} runs, but its VMware Tools do not"


@rule(
    RULES,
    "guest.tools.old",
    Severity.INFO,
    "VMware Tools are old",
    why="Old versions lack drivers and consistent snapshots that a newer host expects.",
    remedy="upgrade VMware Tools before the move",
    condition="VMware Tools are older than those of the host",
    properties=("guest.toolsVersionStatus2",),
    reference="vSphere API: VirtualMachineToolsVersionStatus",
)
def tools_old(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VMware Tools are old."""
    if not vm.tools:
        yield None
    elif vm.tools == "toolsOld":
        yield f"{visible(vm.name)} has old VMware Tools"


@rule(
    RULES,
    "guest.heartbeat",
    by_method(Severity.WARNING, Severity.INFO),
    "Guest does not answer",
    why="A guest that hangs cannot be shut down nor made consistent, and after the move nobody can tell "
    "whether the move did it.",
    remedy="look into the guest and restart it before the first copy",
    condition="the heartbeat of the guest is red or yellow",
    properties=("guestHeartbeatStatus",),
    reference="vSphere API: ManagedEntityStatus",
    work=Work(30),
)
def no_heartbeat(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: guest does not answer; grey means that VMware Tools say nothing."""
    beat = vm.guest.heartbeat.casefold()
    if beat in {"red", "yellow"}:
        yield f"{visible(vm.name)} has a {beat} heartbeat"
    elif beat != "green":
        yield None


@rule(
    RULES,
    "guest.time-sync",
    Severity.INFO,
    "Time comes from the host",
    why="The guest follows the clock of the target's hosts from the first minute on.",
    remedy="check the time of the target's hosts, or let the guest take its time from the network",
    condition="VMware Tools keep the guest's clock at the host's",
    properties=("config.tools.syncTimeWithHost",),
    reference="vSphere API: ToolsConfigInfo.syncTimeWithHost",
    work=Work(10, shared=True, each_min=2),
)
def host_time(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: time comes from the host."""
    if vm.guest.time_sync is None:
        yield None
    elif vm.guest.time_sync:
        yield f"{visible(vm.name)} takes its time from its host"
