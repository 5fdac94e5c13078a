"""Which addresses the guests of a wave get: what the settings say, over what the inventory knows of them.

    adapter named in ``nics`` ──▶ that   else   address inside a subnet of ``subnets`` ──▶ moved along with it

What a guest has today is its way home, as far as the inventory knows it: addresses, and prefixes where
they are known. Gateways and name servers are read off the guest itself when the run gets there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_interface, ip_network
from typing import TYPE_CHECKING

from planner.conduct import Conduct
from planner.conduct_addressing import WAYS, AddressedNic, Interface, NicAddresses, Subnet, SubnetMap, Way
from planner.conduct_planned import PlannedNic
from planner.fields import Seen
from planner.model import VM, Nic, Power
from planner.names import visible
from planner.query import Filter, parse

if TYPE_CHECKING:
    from planner.plan import Wave

_OF_A_LINK = ("fe80:", "169.254.")
_UNKNOWN_GUESTS = ("freebsd", "darwin", "macos", "solaris", "netware", "os2", "openbsd", "netbsd", "ms-dos")


class Readdressing:
    """The rules of the settings, their filters read once."""

    def __init__(self, conduct: Conduct) -> None:
        self._nics: dict[tuple[str, Way], list[AddressedNic]] = {}
        for said in conduct.nics:
            self._nics.setdefault((said.vm, said.way), []).append(said)
        self._rules: list[tuple[SubnetMap, Subnet, Subnet, Filter]] = [
            (rule, ip_network(rule.source), ip_network(rule.target), parse(rule.vms))
            for rule in conduct.subnets
        ]

    def __bool__(self) -> bool:
        return bool(self._nics or self._rules)

    def of(self, vm: VM, seen: Seen) -> tuple[PlannedNic, ...]:
        """Return what the adapters of a VM get, those that keep what they have left out."""
        if not self:
            return ()
        found = []
        for number, nic in enumerate(vm.nics):
            said = {way: self._said(vm, nic, number, way) or self._moved(vm, nic, way, seen) for way in WAYS}
            if said["live"] or said["test"]:
                home = said["home"] or _today(nic)
                by_hand = why_by_hand(vm)
                found.append(
                    PlannedNic(
                        vm=vm.id, nic=nic.label, live=said["live"], test=said["test"], home=home,
                        by_hand=by_hand,
                    )
                )  # fmt: skip
        return tuple(found)

    def _said(self, vm: VM, nic: Nic, number: int, way: Way) -> NicAddresses | None:
        for said in self._nics.get((vm.name, way), ()):
            if said.nic == nic.label or (not said.nic and number == 0):
                return NicAddresses.model_validate(said.model_dump(exclude={"vm", "nic", "way"}))
        return None

    def _moved(self, vm: VM, nic: Nic, way: Way, seen: Seen) -> NicAddresses | None:
        moved: list[str] = []
        gateways: list[str] = []
        dns: list[str] = []
        search: list[str] = []
        for address in addresses_of(nic):
            rule = next(
                (
                    (rule, source, target)
                    for rule, source, target, wanted in self._rules
                    if rule.way == way and address.ip in source and wanted.matches(vm, seen)
                ),
                None,
            )
            if rule is None:
                continue
            new = _carried(address, rule[1], rule[2])
            moved.append(str(new))
            gateways += [gateway] if (gateway := _gateway_of(rule[0], new)) else []
            dns += rule[0].dns
            search += rule[0].search
        if not moved:
            return None
        return NicAddresses(
            addresses=tuple(moved),
            gateways=tuple(dict.fromkeys(gateways)),
            dns=tuple(dict.fromkeys(dns)),
            search=tuple(dict.fromkeys(search)),
        )


def addresses_of(nic: Nic) -> Iterator[Interface]:
    """Yield the addresses of an adapter that identify it, with their prefix where it is known, else alone."""
    subnets = []
    for text in nic.subnets:
        try:
            subnets.append(ip_network(text, strict=False))
        except ValueError:
            continue
    for text in nic.addresses:
        plain = text.partition("/")[0]
        if plain.casefold().startswith(_OF_A_LINK):
            continue
        try:
            address = ip_address(plain)
        except ValueError:
            continue
        subnet = next((one for one in subnets if address in one), None)
        try:
            yield ip_interface(text if "/" in text else f"{plain}/{subnet.prefixlen}" if subnet else plain)
        except ValueError:
            yield ip_interface(plain)


def why_by_hand(vm: VM) -> str:
    """Return why a site cannot give a guest other addresses, empty when nothing is known against it."""
    if vm.tools == "toolsNotInstalled":
        return "no tools are in its guest"
    if vm.tools == "toolsNotRunning" and vm.power is Power.ON:
        return "the tools in its guest do not run"
    called = f"{vm.guest.guest_id} {vm.guest_os}".casefold()
    if any(word in called for word in _UNKNOWN_GUESTS):
        return f"no site can set addresses in {visible(vm.guest_os or vm.guest.guest_id, 40)}"
    return ""


def readdressing_notes(conduct: Conduct, waves: Iterable[Wave]) -> Iterator[str]:
    """Yield adapters of the settings that no VM has, and guests that get their addresses from a person."""
    waves = tuple(waves)
    moved = {vm.name for wave in waves for vm in wave.vms}
    for name in dict.fromkeys(said.vm for said in conduct.nics if said.vm not in moved):
        yield f"conduct.nics gives addresses to {visible(name)}, which is in no wave"
    for wave in waves:
        labels = {vm.name: {nic.label for nic in vm.nics} for vm in wave.vms}
        for said in conduct.nics:
            if said.vm in labels and said.nic and said.nic not in labels[said.vm]:
                yield f"{visible(said.vm)} has no adapter {visible(said.nic)}: see conduct.nics"
        by_hand = {one.vm: one.by_hand for one in wave.conduct.nics if one.by_hand and one.live}
        for vm, why in by_hand.items():
            yield f"{visible(wave.vm(vm).name)} gets its new addresses from a person: {why}"


def _today(nic: Nic) -> NicAddresses | None:
    """Return what an adapter has today; without prefixes nobody could set it again."""
    found = [str(one) for one in addresses_of(nic) if one.network.prefixlen < one.max_prefixlen]
    return NicAddresses(addresses=tuple(found)) if found else None


def _carried(address: Interface, source: Subnet, target: Subnet) -> Interface:
    host = int(address.ip) - int(source.network_address)
    prefix = address.network.prefixlen
    if prefix < source.prefixlen or prefix == address.max_prefixlen:  # wider, or nobody knows
        prefix = source.prefixlen
    return ip_interface(f"{ip_address(int(target.network_address) + host)}/{prefix}")


def _gateway_of(rule: SubnetMap, address: Interface) -> str:
    if rule.gateway not in ("first", "last"):
        return rule.gateway
    network = address.network
    last = int(network.network_address) + network.num_addresses - 1 - (network.version == 4)
    found = int(network.network_address) + 1 if rule.gateway == "first" else last
    return str(type(network.network_address)(found))
