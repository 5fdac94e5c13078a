"""Keys and filters measured inside an application that runs on a terminal: processor time until the paint.

    python -m benchmarks.tui_keys WHAT OUT GIVEN     table ROWS, peer ROWS, inventory PROJECT, waves PROJECT

Each writes a list of milliseconds by name as JSON. What is drawn goes to a real terminal driver.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import DataTable

from tui.widgets.column import Column
from tui.widgets.table import VirtualTable

KEYS = ("down", "down", "down", "pagedown", "down", "up", "pageup", "down", "up", "up")
ROUNDS = 20
EDITS = 20
FILTERS = {"a bare word": "web", "one field": "disk>100G", "three terms": "os~win disk>100G -power:off"}
_COLUMNS = (
    Column(1, "name", 18, flex=True, keep=9),
    Column(2, "cluster", 12, keep=2),
    Column(3, "CPU", 4, str, right=True, keep=3, kind="number"),
    Column(4, "disk", 12, str, right=True, keep=5, kind="number"),
)
Spent = dict[str, list[float]]


def rows(count: int) -> list[tuple[Any, ...]]:
    """Return so many plain rows, the key first."""
    return [(at, f"vm-{at:07}", f"cluster-{at % 40}", at % 16 + 1, at * 977 % 100_003) for at in range(count)]


async def painted(app: App[None]) -> None:
    """Wait until what was asked for is on the screen."""
    done = asyncio.Event()
    app.screen.call_after_refresh(done.set)
    await done.wait()


async def cost_ms(app: App[None], act: Callable[[], Any], happened: Callable[[], bool]) -> float:
    """Return the processor time from an act until what came of it was painted."""
    begun = time.process_time()
    act()
    while not happened():
        await asyncio.sleep(0)
    await painted(app)
    return (time.process_time() - begun) * 1000


class Measured(App[None]):
    """An application around one widget, which measures itself and leaves."""

    def __init__(self, widget: Widget, measure: Callable[[App[None]], Any], out: Path) -> None:
        super().__init__()
        self._widget, self._measure, self._out = widget, measure, out

    def compose(self) -> ComposeResult:
        """The widget alone."""
        yield self._widget

    def on_ready(self) -> None:
        """Begin to measure."""
        self.run_worker(self._work())

    async def _work(self) -> None:
        self._out.write_text(json.dumps(await self._measure(self)))
        self.exit()


async def _keys(app: App[None], at: Callable[[], Any]) -> list[float]:
    """Return what each key that moves the cursor cost."""
    spent = []
    for key in KEYS * ROUNDS:
        before = at()
        spent.append(await cost_ms(app, lambda key=key: app.simulate_key(key), lambda b=before: at() != b))
        await asyncio.sleep(0.01)
    return spent


def of_table(count: int, out: Path) -> App[None]:
    """Measure a virtual table of so many rows."""
    table, made = VirtualTable(_COLUMNS), rows(count)

    async def measure(app: App[None]) -> Spent:
        table.focus()
        await painted(app)
        first = await cost_ms(app, lambda: table.set_rows(made), lambda: True)
        return {"first": [first], "keys": await _keys(app, lambda: table.cursor)}

    return Measured(table, measure, out)


def of_peer(count: int, out: Path) -> App[None]:
    """Measure a DataTable of so many rows."""
    table: DataTable[str] = DataTable(cursor_type="row")
    made = [tuple(map(str, row[1:])) for row in rows(count)]

    async def measure(app: App[None]) -> Spent:
        table.focus()
        table.add_columns(*(column.title for column in _COLUMNS))
        await painted(app)
        first = await cost_ms(app, lambda: table.add_rows(made), lambda: True)
        await asyncio.sleep(1.0)
        keys = await _keys(app, lambda: table.cursor_row)

        def anew() -> None:
            table.clear()
            table.add_rows(made[: count // 4])

        return {"first": [first], "keys": keys, "filter": [await cost_ms(app, anew, lambda: True)]}

    return Measured(table, measure, out)


def of_inventory(root: Path, out: Path) -> App[None]:
    """Measure Inventory of a project: keys with the detail that follows them, filters letter by letter."""
    from tui.app import WherryApp
    from tui.screens.inventory import InventoryScreen

    async def measure(app: WherryApp) -> Spent:
        while not (app.view.complete and app.view.tallies):
            await asyncio.sleep(0.1)
        await asyncio.sleep(3.0)  # what is read beforehand is there
        screen = app.place
        assert isinstance(screen, InventoryScreen)
        table, detail = screen.table, screen.panel("detail")
        spent: Spent = {"keys": await _keys(app, lambda: (table.cursor, detail._title))}
        for what, text in FILTERS.items():
            spent[what] = []
            for end in range(1, len(text) + 1):
                part = text[:end]
                if part.endswith(" "):
                    continue
                spent[what].append(
                    await cost_ms(app, lambda p=part: screen.bar.set(p), lambda p=part: screen._filter == p)
                )
                await asyncio.sleep(0.05)
            screen.bar.set("")
            await asyncio.sleep(0.2)
        return spent

    return _application(root, "inventory", measure, out)


async def shifted(app: App[None], screen: Any, key: str, spent: Spent) -> bool:
    """Move the group under the cursor by a key and note what it cost; False when it was refused."""
    from benchmarks.tui_start import children_cpu_s

    await asyncio.sleep(0.5)
    before, unsaved = screen.hand, len(screen.hand.unsaved)
    begun, cpu = time.perf_counter(), time.process_time() + children_cpu_s()
    app.simulate_key(key)
    while screen.hand is before:
        await asyncio.sleep(0.001)
    await painted(app)
    wall_ms = (time.perf_counter() - begun) * 1000
    if len(screen.hand.unsaved) <= unsaved:
        spent["refused"].append(wall_ms)
        return False
    spent["edits"].append(wall_ms)
    spent["edits, processor time"].append((time.process_time() + children_cpu_s() - cpu) * 1000)
    return True


def of_waves(root: Path, out: Path) -> App[None]:
    """Measure groups moved by a key on 4 Waves of a project: until the score with the edit is on the screen.

    Wall clock, as the study answers in a process of its own, and the processor time of both. Refused moves
    are answered too; they are counted apart.
    """
    from tui.app import WherryApp
    from tui.screens.waves import WavesScreen

    async def measure(app: WherryApp) -> Spent:
        while not (app.view.complete and app.view.tallies):
            await asyncio.sleep(0.1)
        screen = app.place
        assert isinstance(screen, WavesScreen)
        screen.lay_out()
        while screen.hand is None:
            await asyncio.sleep(0.05)
        spent: Spent = {"edits": [], "edits, processor time": [], "refused": []}
        # Not the last ones: shared services stand there, and one that moves is laid out anew.
        waves = [row.name for row in app.view.waves[1 : len(app.view.waves) * 3 // 4]]
        there, back = "left_square_bracket", "right_square_bracket"
        for at in range(len(waves)):  # until a group finds room; it is then moved to and fro
            wave = waves[-1 - at]
            screen.select(wave)
            while not (screen.where() == wave and screen.moving()):
                await asyncio.sleep(0.02)
            while await shifted(app, screen, there, spent) and len(spent["edits"]) < EDITS:
                there, back = back, there
            if spent["edits"]:
                break
        return spent

    return _application(root, "waves", measure, out)


def _application(root: Path, place: str, measure: Callable[[Any], Any], out: Path) -> App[None]:
    """Return the application at a place; it measures itself and leaves."""
    import tui.app

    class Itself(tui.app.WherryApp):
        CSS_PATH = Path(tui.app.__file__).parent / "screens" / "place.tcss"

        def on_ready(self) -> None:
            self.run_worker(self._measure())

        async def _measure(self) -> None:
            out.write_text(json.dumps(await measure(self)))
            self.exit()

    return Itself(root, place=place)


if __name__ == "__main__":
    what, file, given = sys.argv[1:4]
    app = {
        "table": lambda: of_table(int(given), Path(file)),
        "peer": lambda: of_peer(int(given), Path(file)),
        "inventory": lambda: of_inventory(Path(given), Path(file)),
        "waves": lambda: of_waves(Path(given), Path(file)),
    }[what]()
    app.run()
