"""Small estates for tests, said in few words."""

from __future__ import annotations

from typing import Any

from planner.checks.check import Check, Work
from planner.fingerprint import inventory_fingerprint
from planner.model import VM, Backing, Dependency, Disk, Finding, Inventory, Method, Power, Severity, Tie
from planner.plan import Plan
from planner.planning import make_plan
from planner.settings import Settings
from planner.units import GIB
from planner.waves.arrange import Draw


def disk(key: str = "2000", **more: Any) -> Disk:
    """A disk of 10 GiB; pass any field of Disk."""
    return Disk(**{"key": key, "label": f"Hard disk {key}", "size_bytes": 10 * GIB, **more})


def rdm(lun: str, key: str = "2001", **more: Any) -> Disk:
    """A physical RDM of 10 GiB."""
    return disk(key, **{"backing": Backing.RDM_PHYSICAL, "lun": lun, **more})


def vm(name: str, *disks: Disk, **more: Any) -> VM:
    """A running VM whose id is ``id-<name>``; without disks it gets one of its own."""
    fields = {"id": f"id-{name}", "name": name, "power": Power.ON, "disks": disks or (disk(),), **more}
    return VM(**fields)


def needs(source: str, target: str, tie: Tie = Tie.HARD, **more: Any) -> Dependency:
    """The VM named ``source`` needs the one named ``target``."""
    fields = {"source": f"id-{source}", "target": f"id-{target}", "tie": tie, "reason": "calls", **more}
    return Dependency(**fields)


def estate(*vms: VM, ties: tuple[Dependency, ...] = (), **more: Any) -> Inventory:
    """An inventory of these VMs and dependencies."""
    fields = {"source": "test", "taken_at": "2026-10-01T00:00:00+00:00", "vms": vms, "dependencies": ties}
    return Inventory(**{**fields, **more})


def settings(**more: Any) -> Settings:
    """Validated settings from plain values."""
    return Settings.model_validate(more)


def check(name: str, work: Work | None) -> Check:
    """A check of that name; what it takes to clear a finding is ``work``."""
    severities = dict.fromkeys(Method, Severity.WARNING)
    return Check(name, f"{name} is odd", severities, "it is", f"mend {name}", work=work)


def plan(
    inventory: Inventory,
    findings: tuple[Finding, ...] = (),
    own_checks: tuple[Check, ...] = (),
    **more: Any,
) -> Plan:
    """The plan of an inventory under these settings."""
    return make_plan(
        project="test",
        inventory=inventory,
        inventory_fingerprint=inventory_fingerprint(inventory),
        settings=settings(**more),
        created_at="2026-10-01T08:00:00+00:00",
        findings=findings,
        own_checks=own_checks,
        draw=Draw(effort="quick"),
    )
