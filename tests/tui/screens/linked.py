"""A project whose VMs are tied in every way, planned over three waves, for the tests of 3 Dependencies."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from planner.model import Dependency, Inventory, Tie
from planner.settings import Caps, Settings
from planner.store import settings
from planner.store.project import Project
from planner.units import GIB
from tests.tui import estate
from tests.tui.stage import until
from tui.study.protocol import written
from tui.study.registry import call, find
from tui.study.room import Room

NAMES = ("crm-app-01", "crm-db-01", "crm-web-01", "mdm-01", "report-01", "dc-01", "loop-a", "loop-b",
         "shop-p-web-01", "shop-p-db-01", "big-01", "big-02", "big-03", "old-box")  # fmt: skip
KNOWN = {"crm": "CRM", "mdm": "MDM"}


def inventory() -> Inventory:
    """Return an estate with a group of two, order ties, a circle, a hub, a chain of three, a suggestion."""
    vms = tuple(
        estate.vm(at, name, KNOWN.get(name.split("-")[0], ""), tier="directory" if name == "dc-01" else "")
        for at, name in enumerate(NAMES)
    )
    at = {vm.name: vm.id for vm in vms}

    def tie(a: str, b: str, kind: Tie, port: int | None, size: int | None, sure: float = 1.0) -> Dependency:
        return Dependency(at[a], at[b], kind, f"{a} calls", port, "flows.csv row 1", sure, size)

    ties = (
        tie("crm-app-01", "crm-db-01", Tie.HARD, 1433, 2 * GIB),
        tie("crm-web-01", "crm-app-01", Tie.ORDER, 8080, None),
        tie("report-01", "crm-db-01", Tie.SOFT, 1433, 900 * GIB),
        tie("crm-app-01", "mdm-01", Tie.SOFT, 10000, 3 * GIB, 0.5),
        tie("crm-app-01", "dc-01", Tie.SOFT, 389, 1 * GIB),
        tie("loop-a", "loop-b", Tie.ORDER, 1, 10, 0.9),
        tie("loop-b", "loop-a", Tie.ORDER, 2, 10, 0.4),
        tie("shop-p-web-01", "shop-p-db-01", Tie.SOFT, 5432, 50),
        tie("big-01", "big-02", Tie.HARD, 7, 4 * GIB),
        tie("big-02", "big-03", Tie.HARD, 8, 1 * GIB),
        tie("big-01", "mdm-01", Tie.SOFT, 9, 300 * GIB),
    )
    return replace(estate.estate(), vms=vms, dependencies=ties)


def build(root: Path, found: Inventory | None = None) -> Path:
    """Make the project; groups above two VMs are too large."""
    estate.build(root, found or inventory(), waves=3)
    with Project.open(root) as project:
        settings.save(project, Settings(caps=Caps(vms=2)), "ann")
    return root


class Near:
    """A study in this process: the same ops, over the same lines, without the start of a child."""

    def __init__(self, root: Path, looking: bool = False) -> None:
        self.room = Room(root, looking)
        self._turn = threading.Lock()

    def ask(self, op: str, /, *, progress: object = None, **args: Any) -> Any:
        with self._turn:
            said = json.loads(written({"args": args}))
            value = call(find(op, self.room.looking), self.room, op, said["args"])
            return json.loads(written({"value": value}))["value"]

    def close(self) -> None:
        with self._turn:
            self.room.close()


async def settled(pilot: Pilot[None]) -> None:
    """Wait until nothing is asked any more."""
    app = pilot.app
    quiet = 0
    for _ in range(600):
        await pilot.pause()
        asking = any(worker.group in ("study", "read") and worker.is_running for worker in app.workers)
        asking = asking or bool(app._busy) or not app.screen.is_mounted  # type: ignore[attr-defined]
        asking = (
            asking or getattr(app.screen, "_telling", None) is not None
        )  # the cursor came to rest just now
        live = getattr(app.screen, "live", None)
        asking = asking or (live is not None and not (live.complete or live.error))
        quiet = 0 if asking else quiet + 1
        if quiet == 3:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come to rest")


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one by one, each once all is quiet."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def write(pilot: Pilot[None], text: str) -> None:
    """Write into the line that has the focus."""
    from textual.widgets import Input

    await until(lambda: isinstance(pilot.app.focused, Input))
    line = pilot.app.focused
    assert isinstance(line, Input)
    line.value = text
    await pilot.pause(0.3)  # longer than a filter waits for the next letter
    await settled(pilot)
