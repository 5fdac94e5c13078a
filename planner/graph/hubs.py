"""Hubs: VMs that everyone needs, as directory, DNS, backup, monitoring; why each is taken for one.

They are extended or built first and leave last, and ties with their users close no group. What is found
is shown for a person to confirm or deny; until then it counts.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from planner.model import VM, Inventory, Ruling

if TYPE_CHECKING:
    from planner.settings import Settings

TIERS = frozenset({"directory", "dns", "dhcp", "ntp"})  # a person's word for what all need
# Services of a whole estate by port.
SERVICES = {
    53: "dns", 67: "dhcp", 88: "kerberos", 123: "ntp", 389: "ldap", 464: "kerberos", 514: "syslog",
    636: "ldap", 3268: "ldap", 445: "smb", 161: "snmp", 162: "snmp", 9100: "metrics or printing",
    8530: "updates", 1688: "activation", 10050: "monitoring", 10051: "monitoring", 10080: "backup",
}  # fmt: skip
_CALLED = frozenset({161, 9100, 10050, 10080})  # here the one that calls is the hub
_NAMES = re.compile(
    r"(?:^|[-_. ])(dc|ad|adc|dns|ntp|dhcp|ldap|kdc|idm|ipa|radius|bck|bkp|backup|veeam|mon|monitor"
    r"|monitoring|nagios|zabbix|syslog|log|wsus|sccm|kms|proxy)\d*(?=$|[-_. ])",
    re.IGNORECASE,
)
_FEW_USERS = 30  # below this many nothing is called a hub for its users alone
_FEW_ON_PORT = 10  # users of a service port that make a hub; half as many where the name agrees
_SHOWN_PORTS = 6
_SHARES = 445  # too many serve files: told among the ports, no reason by itself


@dataclass(frozen=True, slots=True)
class Hub:
    """One candidate. ``verdict`` is yes or no by a person, "" while nobody confirmed it."""

    vm: str
    users: int  # VMs that need it, or that it calls on
    traffic_bytes: int | None
    ports: tuple[int, ...]  # the most used first
    reasons: tuple[str, ...]
    verdict: str = ""

    @property
    def counts(self) -> bool:
        """True when plans take it for a hub."""
        return self.verdict != "no"


@dataclass(frozen=True, slots=True)
class _Uses:
    """Who uses whom, by VM id; ``on_port`` holds only VMs that several use."""

    users: dict[str, set[str]]
    called: dict[str, set[str]]
    on_port: dict[str, dict[int, set[str]]]

    @classmethod
    def of(cls, inventory: Inventory) -> _Uses:
        users: dict[str, set[str]] = {}
        called: dict[str, set[str]] = {}
        served = []
        for item in inventory.dependencies:
            source, target, port = item.source, item.target, item.port
            if source == target:
                continue
            found = users.get(target)
            if found is None:
                users[target] = {source}
            else:
                found.add(source)
            if port in _CALLED:
                called.setdefault(source, set()).add(target)
            elif port in SERVICES:
                served.append((target, port, source))
        on_port: dict[str, dict[int, set[str]]] = {}
        for target, port, source in served:
            if len(users[target]) >= _FEW_ON_PORT // 2:
                on_port.setdefault(target, {}).setdefault(port or 0, set()).add(source)
        return cls(users, called, on_port)

    def limit(self) -> float:
        """Return how many users make a hub."""
        usual = median(map(len, self.users.values())) if self.users else 0
        return max(_FEW_USERS, 5 * usual)


def _reasons(vm: VM, uses: _Uses, limit: float) -> list[str]:
    reasons = []
    if (tier := vm.tier.strip().casefold()) in TIERS:
        reasons.append(f"its tier is {tier}")
    if (users := len(uses.users.get(vm.id, ()))) > limit:
        reasons.append(f"{users} VMs need it, the limit is {limit:g}")
    if (called := len(uses.called.get(vm.id, ()))) > limit:
        reasons.append(f"it calls on {called} VMs to watch or save them, the limit is {limit:g}")
    ports = uses.on_port.get(vm.id)
    named = _NAMES.search(vm.name) if reasons or ports else None
    enough = _FEW_ON_PORT // 2 if named else _FEW_ON_PORT
    for port, found in sorted(ports.items()) if ports else ():
        if port != _SHARES and len(found) >= enough:
            reasons.append(f"{len(found)} VMs use its {SERVICES[port]} (port {port})")
    if reasons and named:
        reasons.append(f"its name says {named[1].casefold()}")
    return reasons


def hubs(inventory: Inventory, settings: Settings) -> tuple[Hub, ...]:
    """Return the hubs in inventory order, those that a person denied included.

    A VM is one by a person's word, its tier, more users than max(30, five times the median of VMs that
    are needed at all), or ten users of a port that serves whole estates (five where its name agrees).
    """
    named = set(settings.shared_services)
    said = {item.a: item for item in inventory.decisions if item.ruling in (Ruling.HUB, Ruling.NO_HUB)}
    uses = _Uses.of(inventory)
    limit = uses.limit()
    found: list[tuple[VM, list[str], str]] = []
    for vm in inventory.vms:
        reasons = _reasons(vm, uses, limit)
        verdict = ""
        if vm.name in named or vm.id in named:
            reasons.insert(0, "named in the settings")
            verdict = "yes"
        if decision := said.get(vm.id):
            verdict = "yes" if decision.ruling is Ruling.HUB else "no"
            reasons.insert(0, f"{decision.who} says so" if verdict == "yes" else f"{decision.who} says no")
        if reasons:
            found.append((vm, reasons, verdict))
    return _measured(inventory, found, uses)


def _measured(inventory: Inventory, found: list[tuple[VM, list[str], str]], uses: _Uses) -> tuple[Hub, ...]:
    """Return the hubs with the traffic and the ports they are used on."""
    ids = {vm.id for vm, _, _ in found}
    ports: dict[str, Counter[int]] = {vm: Counter() for vm in ids}
    traffic: dict[str, int] = {}
    for item in inventory.dependencies:
        for end in (item.target, item.source) if item.port in _CALLED else (item.target,):
            if end in ids:
                if item.port is not None:
                    ports[end][item.port] += 1
                if item.traffic_bytes is not None:
                    traffic[end] = traffic.get(end, 0) + item.traffic_bytes
    return tuple(
        Hub(
            vm.id,
            len(uses.users.get(vm.id, set()) | uses.called.get(vm.id, set())),
            traffic.get(vm.id),
            tuple(port for port, _ in ports[vm.id].most_common(_SHOWN_PORTS)),
            tuple(reasons),
            verdict,
        )
        for vm, reasons, verdict in found
    )


def shared_services(inventory: Inventory, settings: Settings) -> tuple[str, ...]:
    """Return the ids of the hubs that count, in inventory order: confirmed, or denied by nobody."""
    return tuple(hub.vm for hub in hubs(inventory, settings) if hub.counts)
