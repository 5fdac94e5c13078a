"""Asks one check about one object and says what came of it: finding, fine or unknown."""

from __future__ import annotations

from typing import Any

from planner.checks.registry import run_checks
from planner.model import VM, Cluster, Finding, Host, Inventory, Method, Network, Nic, Power, VCenter
from planner.settings import Settings

TAKEN = "2026-06-30T00:00:00+00:00"
Item = VM | Host | Cluster | Network | VCenter | None
_LISTS = {VM: "vms", Host: "hosts", Cluster: "clusters", Network: "networks", VCenter: "vcenters"}


def findings(
    check: str,
    item: Item = None,
    *others: VM,
    target: Inventory | None = None,
    settings: Settings | None = None,
    method: Method | None = None,
    **more: Any,
) -> tuple[list[Finding], bool]:
    """Return what a check finds of the item in an estate of these objects, and whether it left any open."""
    fields: dict[str, Any] = {"vms": others, **more}
    if item is not None:
        name = _LISTS[type(item)]
        fields[name] = (item, *fields.get(name, ()))
    readiness = run_checks(Inventory("test", TAKEN, **fields), settings, target, method=method)
    found = [
        finding
        for finding in readiness.findings
        if finding.check == check and (item is None or finding.subject in {item.id, "estate"})
    ]
    return found, check in readiness.unknown


def verdict(check: str, item: Item = None, *others: VM, **more: Any) -> str:
    """Return ``finding``, ``fine`` or ``unknown``."""
    found, undecided = findings(check, item, *others, **more)
    return "finding" if found else "unknown" if undecided else "fine"


def estate(*vms: VM, **more: Any) -> Inventory:
    """Return an inventory, as a target for instance."""
    return Inventory("there", TAKEN, vms, **more)


def vm(name: str = "app-01", **more: Any) -> VM:
    """Return a VM that says little."""
    return VM(**{"id": f"id-{name}", "name": name, **more})


def nic(network: str = "lan", **more: Any) -> Nic:
    """Return an adapter on a network."""
    return Nic(**{"label": "Network adapter 1", "network": network, **more})


ON, OFF = Power.ON, Power.OFF
