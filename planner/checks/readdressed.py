"""Checks of the addresses that the settings give to guests; a VM that keeps its own is in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network

from planner.checks.check import Rule, Work, rule
from planner.checks.estate import Estate
from planner.conduct_addressing import NicAddresses, Subnet
from planner.conduct_planned import PlannedNic
from planner.conduct_readdressing import Readdressing
from planner.fields import Seen
from planner.model import VM, Severity
from planner.names import visible

RULES: list[Rule] = []


@dataclass(frozen=True, slots=True)
class _Given:
    """What every guest gets, who gets which address, and the subnets seen on networks of the target."""

    nics: Mapping[str, tuple[PlannedNic, ...]]  # by VM id
    owners: Mapping[str, tuple[VM, ...]]  # by address without its prefix
    subnets: Mapping[str, frozenset[Subnet]]  # by network


def _given(estate: Estate) -> _Given:
    if (known := estate.memo.get("readdressed")) is None:
        known = estate.memo["readdressed"] = _work_out(estate)
    assert isinstance(known, _Given)
    return known


def _work_out(estate: Estate) -> _Given:
    rules = Readdressing(estate.settings.conduct) if estate.settings else None
    if not rules:
        return _Given({}, {}, {})
    seen = Seen.of(estate.inventory)
    nics = {vm.id: found for vm in estate.inventory.vms if vm.movable and (found := rules.of(vm, seen))}
    owners: dict[str, tuple[VM, ...]] = {}
    for vm in estate.inventory.vms:
        for address in {_plain(one) for said in _live(nics.get(vm.id, ())) for one in said.addresses}:
            owners[address] = (*owners.get(address, ()), vm)
    subnets: dict[str, set[Subnet]] = {}
    for nic in (nic for vm in (estate.target.inventory.vms if estate.target else ()) for nic in vm.nics):
        for text in nic.subnets:
            try:
                subnets.setdefault(nic.network, set()).add(ip_network(text, strict=False))
            except ValueError:
                continue
    return _Given(nics, owners, {name: frozenset(found) for name, found in subnets.items()})


def _live(nics: tuple[PlannedNic, ...]) -> Iterator[NicAddresses]:
    return (nic.live for nic in nics if nic.live)


def _plain(address: str) -> str:
    return address.partition("/")[0]


@rule(
    RULES,
    "network.readdress.duplicate",
    Severity.BLOCKER,
    "New address is another's",
    why="Two guests with one address on one network cut each other off as soon as both run.",
    remedy="give one of them another address under conduct.nics or conduct.subnets in the settings",
    condition="the settings give a guest an address that they give to another one too, or that a guest of "
    "the target inventory reports",
    properties=("guest.net.ipConfig.ipAddress",),
    reference="wherry settings: conduct.nics, conduct.subnets",
    work=Work(15),
    kinds=("nics",),
)
def new_address_twice(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: new address is another's; whether it is one at the target is unknown without its inventory."""
    given = _given(estate)
    addresses = {_plain(one): None for said in _live(given.nics.get(vm.id, ())) for one in said.addresses}
    if addresses and estate.target is None:
        yield None
    for address in addresses:
        others = [other.name for other in given.owners[address] if other.id != vm.id]
        if estate.target is not None:
            there = estate.target.by_address.get(address.casefold(), ())
            others += [f"{other.name} at the target" for other in there if other.id != vm.id]
        if others:
            names = ", ".join(visible(name, 60) for name in others[:3])
            yield f"{visible(vm.name)} gets the address {address} that {names} has too"


@rule(
    RULES,
    "network.readdress.subnet",
    Severity.WARNING,
    "New address is not of its network",
    why="Nobody on the target network reaches an address of another subnet.",
    remedy="correct the address or its prefix, or the map of the network in the settings",
    condition="no subnet that guests of the target inventory report on the adapter's target network holds "
    "the address that the settings give",
    properties=("guest.net.ipConfig.ipAddress", "guest.net.ipConfig.prefixLength"),
    reference="wherry settings: conduct.nics, conduct.subnets, networks",
    work=Work(15),
    kinds=("nics",),
)
def new_address_elsewhere(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: new address is not of its network; unknown where no guest there reports a subnet."""
    given = _given(estate)
    networks = {nic.label: nic.network for nic in vm.nics}
    for nic in given.nics.get(vm.id, ()):
        source = networks.get(nic.nic, "")
        network = estate.settings.networks.get(source, source) if estate.settings else source
        for address in nic.live.addresses if nic.live else ():
            found = ip_interface(address)
            known = [one for one in given.subnets.get(network, ()) if one.version == found.version]
            if not known:
                yield None
            elif not any(found.ip in one for one in known):
                shown = ", ".join(sorted(map(str, known))[:3])
                yield f"{visible(vm.name)} gets {address}, and {visible(network)} is {shown} at the target"


@rule(
    RULES,
    "network.readdress.gateway",
    Severity.BLOCKER,
    "Gateway of another subnet",
    why="A guest cannot reach a gateway outside the subnet of its address, and so nothing beyond it.",
    remedy="correct the gateway or the prefix under conduct.nics or conduct.subnets in the settings",
    condition="a gateway that the settings give is in the subnet of none of the adapter's new addresses, or "
    "is one of them",
    properties=("guest.net.ipConfig.ipAddress", "guest.net.ipConfig.prefixLength"),
    reference="wherry settings: conduct.nics, conduct.subnets",
    work=Work(15),
    kinds=("nics",),
)
def gateway_elsewhere(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: gateway of another subnet."""
    for said in _live(_given(estate).nics.get(vm.id, ())):
        addresses = [ip_interface(address) for address in said.addresses]
        for gateway in map(ip_address, said.gateways):
            if gateway.is_link_local:  # of version 6 it usually is
                continue
            reached = any(gateway in address.network for address in addresses)
            if not reached or any(gateway == address.ip for address in addresses):
                why = "its own address" if reached else f"not in the subnet of {', '.join(said.addresses)}"
                yield f"{visible(vm.name)} gets the gateway {gateway}, {why}"


@rule(
    RULES,
    "network.readdress.guest",
    Severity.WARNING,
    "New address has to be set by hand",
    why="A site changes addresses through VMware Tools, in guests that it knows; the run waits for a person.",
    remedy="install or start VMware Tools, or have somebody with a console login at hand in the night",
    condition="the settings give the guest other addresses, and its VMware Tools are not installed or do not "
    "run while it does, or its operating system is none that can be customised",
    properties=("guest.toolsStatus", "guest.guestId"),
    reference="vSphere: guest operating system customization requirements",
    work=Work(20),
    kinds=("nics",),
)
def set_by_hand(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: new address has to be set by hand; unknown while nobody knows about the tools."""
    given = _given(estate).nics.get(vm.id, ())
    if why := next((nic.by_hand for nic in given if nic.by_hand), ""):
        yield f"{visible(vm.name)} gets another address, and {why}"
    elif given and not vm.tools:
        yield None
