"""Checks of the addresses of VMs: what must be unique here and there, and what has to be kept."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, rule
from planner.checks.estate import Estate, besides, names_of
from planner.model import VM, Power, Severity
from planner.names import visible

RULES: list[Rule] = []


def _macs(vm: VM) -> dict[str, None]:
    return dict.fromkeys(nic.mac.casefold() for nic in vm.nics if nic.mac)


@rule(
    RULES,
    "network.mac.duplicate",
    Severity.BLOCKER,
    "MAC address used twice",
    why="Two VMs with one address on one network cut each other off as soon as both run.",
    remedy="generate a new MAC address for one of them",
    condition="an adapter has a MAC address that another VM of the inventory has too",
    properties=("config.hardware.device[VirtualEthernetCard].macAddress",),
    reference="vSphere Networking: MAC addresses",
    work=Work(30, outage=True),
    kinds=("nics",),
)
def duplicate_mac(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: MAC address used twice."""
    if any(not nic.mac for nic in vm.nics):
        yield None
    for mac in _macs(vm):
        if others := besides(vm, estate.by_mac[mac]):
            yield f"{visible(vm.name)} has the MAC address {visible(mac, 20)} that {names_of(others)} has too"


@rule(
    RULES,
    "network.mac.target",
    Severity.BLOCKER,
    "MAC address is in use at the target",
    why="The VM keeps its MAC address; two with one address on one network cut each other off.",
    remedy="find out whether the VM was moved already, else generate a new MAC address for one of them",
    condition="an adapter has a MAC address that a VM of the target inventory has",
    properties=("config.hardware.device[VirtualEthernetCard].macAddress",),
    reference="vSphere Networking: MAC addresses",
    work=Work(30, outage=True),
    kinds=("nics",),
)
def mac_at_target(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: MAC address in use at the target; unknown while no target was discovered."""
    if estate.target is None:
        yield None
        return
    if "nics" in estate.target.gaps or any(not nic.mac for nic in vm.nics):
        yield None
    for mac in _macs(vm):
        if found := estate.target.by_mac.get(mac):
            there = names_of(found)
            yield f"{visible(vm.name)} has the MAC address {visible(mac, 20)} that {there} has at the target"


@rule(
    RULES,
    "network.mac.manual",
    Severity.INFO,
    "MAC address set by hand",
    why="Somebody chose it: a licence, a DHCP reservation or a firewall rule may hang on it.",
    remedy="see to it that the address is kept at the target, and ask the owner what hangs on it",
    condition="the address type of an adapter is manual",
    properties=("config.hardware.device[VirtualEthernetCard].addressType",),
    reference="vSphere API: VirtualEthernetCardMacType",
    kinds=("nics",),
)
def manual_mac(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: MAC address set by hand."""
    for nic in vm.nics:
        if not nic.mac_type:
            yield None
        elif nic.mac_type.casefold() == "manual":
            yield f"{visible(vm.name)}: {visible(nic.label)} has a MAC address set by hand"


@rule(
    RULES,
    "network.address.duplicate",
    Severity.WARNING,
    "IP address used twice",
    why="It may be a cluster address that wanders, or a clone that was never changed.",
    remedy="ask the owner; keep VMs that pass an address between them in one move group",
    condition="a guest reports an IP address that another guest reports too, link-local ones left aside",
    properties=("guest.net.ipConfig.ipAddress",),
    reference="vSphere API: GuestNicInfo",
    work=Work(30),
    kinds=("nics",),
)
def duplicate_address(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: IP address used twice."""
    said = {address.casefold() for nic in vm.nics for address in nic.addresses}
    if not said:
        yield None
    for address in sorted(said & estate.by_address.keys()):
        if others := besides(vm, estate.by_address[address]):
            shown = visible(address, 45)
            yield f"{visible(vm.name)} has the IP address {shown} that {names_of(others)} has too"


@rule(
    RULES,
    "network.address.target",
    Severity.WARNING,
    "IP address is in use at the target",
    why="On a stretched network the two answer in turns; on another one the address has no route there.",
    remedy="find out whether the VM was moved already, else give one of them another address",
    condition="a guest reports an IP address that a guest of the target inventory reports",
    properties=("guest.net.ipConfig.ipAddress",),
    reference="vSphere API: GuestNicInfo",
    work=Work(60),
    kinds=("nics",),
)
def address_at_target(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: IP address in use at the target; unknown while no target was discovered."""
    said = {address.casefold() for nic in vm.nics for address in nic.addresses}
    if estate.target is None or not said:
        yield None
        return
    for address in sorted(said & estate.target.by_address.keys()):
        found = names_of(estate.target.by_address[address])
        yield f"{visible(vm.name)} has the IP address {visible(address, 45)} that {found} has at the target"


@rule(
    RULES,
    "network.address.missing",
    Severity.WARNING,
    "Running VM without an IP address",
    why="Whether it answers after the move cannot be probed, and it cannot be given another address.",
    remedy="install or start VMware Tools in the guest",
    condition="the VM runs, its VMware Tools run, an adapter is connected, and no address is reported",
    properties=("runtime.powerState", "guest.toolsRunningStatus", "guest.net.ipConfig.ipAddress"),
    reference="vSphere API: GuestInfo.net",
    work=Work(30),
    kinds=("nics",),
)
def missing_address(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: running VM without an IP address.

    Tools that run and report none are a finding; without their word it is unknown.
    """
    if vm.power is not Power.ON or not vm.nics or any(nic.addresses for nic in vm.nics):
        if vm.power is Power.UNKNOWN:
            yield None
    elif vm.tools in {"toolsOk", "toolsOld"} and any(nic.connected for nic in vm.nics):
        yield f"{visible(vm.name)} runs, but reports no IP address"
    else:
        yield None


@rule(
    RULES,
    "network.address.dhcp",
    Severity.INFO,
    "Address from DHCP",
    why="The VM keeps its MAC address, but another DHCP server knows no lease or reservation of it.",
    remedy="carry reservations over to the DHCP server of the target network, or relay to the old one",
    condition="the guest says that an adapter takes its address by DHCP",
    properties=("guest.net.ipConfig.dhcp",),
    reference="vSphere API: NetDhcpConfigInfo",
    work=Work(10, shared=True, each_min=2),
    kinds=("nics",),
)
def by_dhcp(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: address from DHCP."""
    for nic in vm.nics:
        if nic.dhcp is None:
            yield None
        elif nic.dhcp:
            yield f"{visible(vm.name)}: {visible(nic.label)} takes its address by DHCP"
