"""From what a file calls a machine to a VM of one inventory.

    settled by a person, id, name, DNS name, host name, address: the first that finds one VM decides

Two VMs for one name or address are no answer: such an endpoint stays ambiguous until a person
settles it or its other half (name or address) points at one of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from planner.evidence.addresses import Subnets, address_of, names_nobody
from planner.evidence.records import Endpoint, settled_key
from planner.model import VM, Inventory


class Verdict(StrEnum):
    """What became of an endpoint."""

    VM = "vm"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"  # a name, or an address in a subnet of the estate, that no VM has
    EXTERNAL = "external"  # an address outside, or said to be by a person


@dataclass(frozen=True, slots=True)
class Resolved:
    """``vm`` is the one VM's id; ``candidates`` are the ids between which nobody chose yet."""

    verdict: Verdict
    vm: str = ""
    candidates: tuple[str, ...] = ()


_UNKNOWN = Resolved(Verdict.UNKNOWN)
_EXTERNAL = Resolved(Verdict.EXTERNAL)


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, vm in pairs:
        if key and vm not in found.setdefault(key, []):
            found[key].append(vm)
    return found


_DOMAIN_NAME = re.compile(
    r"([a-z0-9_-]{1,63})(?:\.[a-z0-9_-]{1,63})*\.(?!\d+$)[a-z0-9-]{2,63}", re.IGNORECASE
)


def host_name(name: str) -> str:
    """Return the first label of a full DNS name, folded; "" when ``name`` is none, as ``app-1.2``."""
    match = _DOMAIN_NAME.fullmatch(name.rstrip("."))
    return match[1].casefold() if match else ""


def _hosts(vm: VM) -> Iterable[str]:
    """Yield the host names under which a VM may stand without its domain."""
    yield from (host_name(vm.name), host_name(vm.dns_name))


def _bare(vm: VM) -> str:
    """Return the name that a full DNS name of any domain may stand for.

    A VM whose own full name begins with it has a domain already: another one's is another machine.
    """
    name = vm.name.casefold()
    return "" if host_name(vm.dns_name) == name else name


def addresses(vm: VM) -> frozenset[str]:
    """Return the addresses of a VM that can tell it from others, in canonical text."""
    found = {address_of(text.partition("/")[0]) for nic in vm.nics for text in nic.addresses}
    return frozenset(address for address in found if address and not names_nobody(address))


class Resolver:
    """Resolves endpoints against one inventory and what a person settled."""

    def __init__(self, inventory: Inventory, settled: Mapping[str, str] | None = None) -> None:
        vms = inventory.vms
        self._movable = {vm.id for vm in vms if vm.movable}
        self._ids = {vm.id for vm in vms}
        self._settled = settled or {}
        self._by_name = (
            _index(
                (key.casefold(), vm.id)
                for vm in vms
                for key in (vm.id, vm.instance_uuid, vm.bios_uuid, vm.moref)
            ),
            _index((vm.name.casefold(), vm.id) for vm in vms),
            _index((vm.dns_name.rstrip(".").casefold(), vm.id) for vm in vms),
        )
        self._by_host = _index((host, vm.id) for vm in vms for host in _hosts(vm))
        self._by_bare_name = _index((_bare(vm), vm.id) for vm in vms)
        self._by_address = _index((address, vm.id) for vm in vms for address in addresses(vm))
        self._subnets = Subnets(frozenset(text for vm in vms for nic in vm.nics for text in nic.subnets))
        self._kept: dict[Endpoint, Resolved] = {}

    @property
    def knows_addresses(self) -> bool:
        """False when the inventory says no address of any VM."""
        return bool(self._by_address)

    def resolve(self, endpoint: Endpoint) -> Resolved:
        """Return what the endpoint leads to."""
        found = self._kept.get(endpoint)
        if found is None:
            found = self._kept[endpoint] = self._resolve(endpoint)
        return found

    def _resolve(self, endpoint: Endpoint) -> Resolved:
        for label in (endpoint.name, endpoint.address):
            said = self._settled.get(settled_key(label)) if label else None
            if said == "":
                return _EXTERNAL
            if said in self._ids:
                return Resolved(Verdict.VM, str(said))
        named = self._named(endpoint.name) if endpoint.name else ()
        if len(named) == 1:
            return Resolved(Verdict.VM, named[0])
        placed = self._one_kept(self._by_address.get(endpoint.address, ()))
        both = [vm for vm in placed if vm in named] if named else list(placed)
        if len(both) == 1:
            return Resolved(Verdict.VM, both[0])
        if both or named:
            return Resolved(Verdict.AMBIGUOUS, candidates=tuple(both or named))
        if endpoint.name or self._subnets.hold(endpoint.address):
            return _UNKNOWN
        return _EXTERNAL

    def _named(self, name: str) -> tuple[str, ...]:
        key = name.rstrip(".").casefold()
        for index in self._by_name:
            if found := index.get(key):
                return self._one_kept(found)
        host = host_name(name)
        return self._one_kept((self._by_bare_name.get(host) if host else self._by_host.get(key)) or ())

    def _one_kept(self, found: Iterable[str]) -> tuple[str, ...]:
        """Leave out templates and placeholders where a VM that runs has the same name."""
        every = tuple(found)
        running = tuple(vm for vm in every if vm in self._movable)
        return running if len(every) > 1 and running else every
