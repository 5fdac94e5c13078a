"""Checks of the VM as a machine: state, hardware version, fault tolerance, drives, what never moves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.checks.check import Rule, rule
from planner.checks.estate import Estate
from planner.model import VM, Power, Severity
from planner.names import visible

RULES: list[Rule] = []
_FT_OFF = {"notconfigured", "disabled", ""}


@rule(
    RULES,
    "compute.cdrom",
    Severity.WARNING,
    "CD drive connected",
    why="Its image is on a datastore the target does not have; the VM may not start there.",
    remedy="disconnect the drive",
)
def cdrom_connected(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: CD drive connected."""
    if "cdroms" in estate.gaps:
        yield None
    for drive in vm.cdroms:
        if drive.connected is None:
            yield None
        elif drive.connected:
            media = f": {visible(drive.media, 80)}" if drive.media else ""
            yield f"{visible(vm.name)} has {visible(drive.label)} connected{media}"


@rule(
    RULES,
    "compute.fault-tolerance",
    Severity.BLOCKER,
    "Fault tolerance is on",
    why="A VM with a running shadow takes no snapshots.",
    remedy="turn off fault tolerance, move, turn it on at the target",
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
    Severity.BLOCKER,
    "Virtual hardware older than version 7",
    why="It knows no changed block tracking, and current hosts run it with limits or not at all.",
    remedy="upgrade the virtual hardware while the VM is off",
)
def old_hardware(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: virtual hardware older than version 7."""
    if vm.hw_version is None:
        yield None
    elif vm.hw_version < 7:
        yield f"{visible(vm.name)} has virtual hardware version {vm.hw_version}"


@rule(
    RULES,
    "compute.suspended",
    Severity.BLOCKER,
    "VM is suspended",
    why="Its memory lies in a file that only fits the host it was written on; its disks are not consistent.",
    remedy="resume the VM, then shut it down or leave it running",
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
    why="An orphaned, invalid or inaccessible VM can be neither read nor stopped.",
    remedy="repair or remove the registration of the VM, then read the inventory again",
)
def not_connected(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM is not connected."""
    if not vm.connection_state:
        yield None
    elif vm.connection_state.casefold() != "connected":
        yield f"{visible(vm.name)} is {visible(vm.connection_state)} to its vCenter"


@rule(
    RULES,
    "compute.template",
    Severity.INFO,
    "Template or placeholder",
    why="Templates and the placeholders of Site Recovery Manager are not replicated.",
    remedy="rebuild templates at the target; placeholders vanish with their protection",
    of_movable=False,
)
def never_moves(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: template or placeholder."""
    if not vm.movable:
        yield f"{visible(vm.name)} is a {'template' if vm.template else 'placeholder'} and stays"


@rule(
    RULES,
    "compute.agent",
    Severity.INFO,
    "VM that vSphere makes itself",
    why="Cluster agents belong to their cluster; the target makes its own.",
    remedy="exclude the VM",
)
def cluster_agent(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM that vSphere makes itself."""
    if re.match(r"vCLS[-(\s]", vm.name):
        yield f"{visible(vm.name)} is an agent of its cluster"
