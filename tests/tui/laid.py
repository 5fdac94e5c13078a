"""A small project with a plan of the real planner, opened on 4 Waves with that plan laid out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from planner.model import Inventory, Tie
from planner.plan import Plan
from planner.store import inventories, plans
from planner.store import settings as settings_store
from planner.store.project import Project
from tests.planner.sketch import disk, estate, needs, settings, vm
from tests.planner.waves.laid import SATURDAYS, made
from tests.tui.estate import session
from tests.tui.stage import BIG, opened, until
from tui.hand import Hand
from tui.screens.waves import WavesScreen

RULES: dict[str, Any] = {
    "caps": {"vms": 2},
    "windows": SATURDAYS,
    "freezes": [{"start": "2026-10-11T00:00:00", "end": "2026-10-14T00:00:00", "why": "audit"}],
}


def eight() -> Inventory:
    """Eight VMs, each a group but for the pair ``e1`` and ``e2``, called shop; ``d`` needs ``c`` first."""
    names = ("a", "b", "c", "d")
    return estate(
        *(vm(name, cpus=2, memory_bytes=2**31) for name in names),
        *(vm(name, disk(), application="shop", environment="prod") for name in ("e1", "e2")),
        vm("f"),
        vm("g"),
        ties=(
            needs("d", "c", Tie.ORDER),
            needs("e1", "e2"),
            needs("a", "b", Tie.SOFT, traffic_bytes=3 * 2**30),
        ),
    )


_PLANNED: dict[str, Plan] = {}  # by what it is made of: planning is what these projects cost


def build(root: Path, inventory: Inventory | None = None, standing: Any = None, **rules: Any) -> Path:
    """Make the project with its settings and plan 1; ``standing`` is a slot for every VM, by id."""
    inventory, rules = inventory or eight(), {**RULES, **rules}
    key = repr((inventory, standing, rules))
    if key not in _PLANNED:
        _PLANNED[key] = made(inventory, **rules, **({"standing": standing} if standing else {}))
    with Project.create(root, "acme") as project:
        inventories.save(project, inventory)
        settings_store.save(project, settings(**rules), "ann")
        plans.save(project, _PLANNED[key], "ann")
    return root


def homes(root: Path) -> dict[str, str]:
    """Return VM name → wave of the newest plan in the store."""
    with Project.open(root) as project:
        plan = plans.latest(project).plan
    return {item.name: wave.name for wave in plan.waves for item in wave.vms}


def versions(root: Path) -> int:
    """Return how many plans there are."""
    with Project.open(root) as project:
        return int(project.rows("SELECT count(*) AS n FROM plan")[0]["n"])


def acts(root: Path) -> list[str]:
    """Return what was noted, the oldest first."""
    with Project.open(root) as project:
        return [row["act"] for row in project.rows("SELECT act FROM audit ORDER BY seq")]


def place(pilot: Pilot[None]) -> WavesScreen:
    """Return the place."""
    return next(item for item in pilot.app.screen_stack if isinstance(item, WavesScreen))


def laid(pilot: Pilot[None]) -> Hand:
    """Return the plan on the desk as the place knows it now."""
    hand = place(pilot).hand
    assert hand is not None
    return hand


@asynccontextmanager
async def waves(
    root: Path, size: tuple[int, int] = BIG, lay: bool = True, **more: Any
) -> AsyncIterator[Pilot[None]]:
    """Yield the pilot of the application on 4 Waves; with ``lay`` the plan lies on the desk."""
    async with opened(root, size, session(root), **{"place": "waves", **more}) as pilot:
        await pilot.press("4")
        await pilot.pause()
        if lay:
            place(pilot).lay_out()
            await until(lambda: place(pilot).hand is not None)
            await until(lambda: bool(place(pilot).known_groups))
            await pilot.pause()
        yield pilot


async def at_group(pilot: Pilot[None], name: str) -> None:
    """Put the cursors on a group and its wave."""
    here = place(pilot)
    assert here.hand is not None
    wave = next(wave for wave, row in here.hand.rows.items() if name in row.groups)
    here.select(wave)
    await until(lambda: wave in here.known_groups and here.where() == wave)
    key = next(group["vms"][0][0] for group in here.known_groups[wave] if group["name"] == name)
    await until(lambda: here.groups.move_to(key))
    await pilot.pause()


async def pressed(pilot: Pilot[None], key: str, done: Any) -> None:
    """Press a key and wait until something holds."""
    await pilot.press(key)
    await until(done)
    await pilot.pause()
