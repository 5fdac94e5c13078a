"""Plans of small estates laid out on a desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planner.edits import Edit
from planner.fingerprint import inventory_fingerprint
from planner.model import Inventory
from planner.plan import Plan
from planner.planning import ask_for, make_plan
from planner.waves.arrange import Draw
from planner.waves.desk import Desk
from tests.planner.sketch import settings

SATURDAYS = [{"start": f"2026-10-{day:02d}T22:00:00"} for day in (3, 10, 17, 24, 31)]


def homes(found: Plan) -> dict[str, str]:
    """VM name → wave."""
    return {vm.name: wave.name for wave in found.waves for vm in wave.vms}


def places(found: Plan) -> dict[str, int]:
    """VM id → slot."""
    return {vm.id: int(wave.name[1:]) - 1 for wave in found.waves for vm in wave.vms}


def made(inventory: Inventory, edits: Sequence[Edit] = (), last: Plan | None = None, **more: Any) -> Plan:
    """A plan that is searched for; settings may be given, and findings, own_checks, standing, frozen."""
    inputs = {
        name: more.pop(name) for name in ("findings", "own_checks", "standing", "frozen") if name in more
    }
    return make_plan(
        project="test",
        inventory=inventory,
        inventory_fingerprint=inventory_fingerprint(inventory),
        settings=settings(**more),
        created_at="2026-10-01T08:00:00+00:00",
        last=last,
        edits=edits,
        draw=Draw(effort="quick"),
        **inputs,
    )


def desk(inventory: Inventory, found: Plan, edits: Sequence[Edit] = (), **more: Any) -> Desk:
    """A plan laid out under the settings it was made with."""
    inputs = {name: more.pop(name) for name in ("findings", "own_checks", "frozen") if name in more}
    return Desk(
        ask_for(
            inventory=inventory,
            settings=settings(**more),
            last=found,
            edits=edits,
            standing=places(found),
            **inputs,
        )
    )
