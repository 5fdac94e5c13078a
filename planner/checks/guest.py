"""Checks of the guest: VMware Tools, which stop, quiesce and report it."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, rule
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
)
def tools_old(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VMware Tools are old."""
    if not vm.tools:
        yield None
    elif vm.tools == "toolsOld":
        yield f"{visible(vm.name)} has old VMware Tools"
