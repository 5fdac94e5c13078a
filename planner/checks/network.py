"""Checks of networks and names: what must be unique, and what other programs cannot digest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.checks.check import Rule, rule
from planner.checks.estate import Estate, names_of
from planner.model import VM, Power, Severity
from planner.names import visible

RULES: list[Rule] = []
_OLD_ADAPTERS = ("e1000", "flexible", "vmxnet2", "pcnet32", "vlance", "enhancedvmxnet")


def _others(vm: VM, found: tuple[VM, ...]) -> tuple[VM, ...]:
    return tuple(other for other in found if other.id != vm.id)


@rule(
    RULES,
    "network.mac.duplicate",
    Severity.BLOCKER,
    "MAC address used twice",
    why="Two VMs with one address on one network cut each other off as soon as both run.",
    remedy="generate a new MAC address for one of them",
)
def duplicate_mac(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: MAC address used twice."""
    if "nics" in estate.gaps or any(not nic.mac for nic in vm.nics):
        yield None
    for mac in dict.fromkeys(nic.mac.casefold() for nic in vm.nics if nic.mac):
        if others := _others(vm, estate.by_mac[mac]):
            yield f"{visible(vm.name)} has the MAC address {visible(mac, 20)} that {names_of(others)} has too"


@rule(
    RULES,
    "network.address.duplicate",
    Severity.WARNING,
    "IP address used twice",
    why="It may be a cluster address that wanders, or a clone that was never changed.",
    remedy="ask the owner; keep VMs that pass an address between them in one move group",
)
def duplicate_address(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: IP address used twice."""
    said = {address.casefold() for nic in vm.nics for address in nic.addresses}
    if not said:
        yield None
    for address in sorted(said & estate.by_address.keys()):
        if others := _others(vm, estate.by_address[address]):
            shown = visible(address, 45)
            yield f"{visible(vm.name)} has the IP address {shown} that {names_of(others)} has too"


@rule(
    RULES,
    "network.adapter.old",
    Severity.INFO,
    "Emulated network adapter",
    why="It is slow, and newer hosts stop offering it.",
    remedy="replace it by vmxnet3 when the guest has its driver",
)
def old_adapter(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: emulated network adapter."""
    for nic in vm.nics:
        if not nic.adapter:
            yield None
        elif nic.adapter.casefold().replace(" ", "").startswith(_OLD_ADAPTERS):
            yield f"{visible(vm.name)}: {visible(nic.label)} is of type {visible(nic.adapter, 40)}"


@rule(
    RULES,
    "network.adapter.count",
    Severity.WARNING,
    "More than ten network adapters",
    why="A VM carries ten at most; more are a sign of a damaged inventory.",
    remedy="check the adapters at the source",
)
def many_adapters(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: more than ten network adapters."""
    if "nics" in estate.gaps:
        yield None
    elif len(vm.nics) > 10:
        yield f"{visible(vm.name)} has {len(vm.nics)} network adapters"


@rule(
    RULES,
    "network.address.missing",
    Severity.WARNING,
    "Running VM without an IP address",
    why="Whether it answers after the move cannot be probed, and it cannot be given another address.",
    remedy="install or start VMware Tools in the guest",
)
def missing_address(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: running VM without an IP address.

    Tools that run and report none are a finding; without their word it is unknown.
    """
    if vm.power is not Power.ON or not vm.nics or any(nic.addresses for nic in vm.nics):
        if vm.power is Power.UNKNOWN or "nics" in estate.gaps:
            yield None
    elif vm.tools in {"toolsOk", "toolsOld"} and any(nic.connected for nic in vm.nics):
        yield f"{visible(vm.name)} runs, but reports no IP address"
    else:
        yield None


@rule(
    RULES,
    "names.duplicate",
    Severity.WARNING,
    "VM name used twice",
    why="One folder at the target cannot hold two VMs of one name, and people mix them up.",
    remedy="rename one of them, or map them to different folders",
)
def duplicate_name(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM name used twice."""
    others = _others(vm, estate.by_name[vm.name.casefold()])
    if others:
        count = f"{len(others)} other VMs have" if len(others) > 1 else "another VM has"
        yield f"{visible(vm.name)} has a name that {count} too"


@rule(
    RULES,
    "names.invalid",
    Severity.WARNING,
    "VM name that tools cannot digest",
    why="vSphere allows 80 characters and escapes / \\ and %; control characters and outer blanks break "
    "scripts, exports and people's eyes.",
    remedy="rename the VM",
)
def invalid_name(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: VM name that tools cannot digest."""
    shown = visible(vm.name, 90)
    if len(vm.name) > 80:
        yield f"{shown} has a name of {len(vm.name)} characters"
    elif visible(vm.name) != vm.name or vm.name != vm.name.strip():
        yield f"{shown} has control characters or outer blanks in its name"
    elif re.search(r"[/\\%]", vm.name):
        yield f"{shown} has / \\ or % in its name"


@rule(
    RULES,
    "names.host",
    Severity.WARNING,
    "Guest calls itself localhost",
    why="A guest without a name of its own registers nothing in DNS, so a new address reaches nobody.",
    remedy="set a host name in the guest",
)
def localhost(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: guest calls itself localhost."""
    if not vm.dns_name:
        yield None
    elif vm.dns_name.casefold().split(".")[0] == "localhost":
        yield f"{visible(vm.name)} has the host name {visible(vm.dns_name, 60)}"
