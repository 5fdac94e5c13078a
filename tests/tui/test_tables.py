"""Every table filters, sorts, chooses its columns, is copied and written; what is none says why."""

from __future__ import annotations

import ast
import csv
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.migrate.gates.standing import planned, stored
from tests.tui import estate
from tests.tui.plain import HOSTILE, plain
from tests.tui.screens.linked import Near, build, press, settled
from tests.tui.screens.test_checks import found
from tests.tui.stage import BIG, opened, until
from tui.actions.places import PLACES
from tui.dialogs.columns import Columns
from tui.dialogs.form import Form
from tui.dialogs.tasks import Tasks
from tui.screens.table_place import TablePlace
from tui.widgets.table import VirtualTable

# by place: the key that turns to a table, and the table
TABLES = {
    "overview": (("", "waves"), ("", "needs")),
    "inventory": (("", "vms"),),
    "dependencies": (("", "groups"), ("", "inside"), ("t", "ties"), ("h", "hubs")),
    "waves": (("", "plan"), ("", "groups")),
    "rehearse": (("", "rehearsed"),),
    "replicate": (("", "lanes"),),
    "checks": (("", "checks"), ("", "found"), ("b", "vms")),
    "settings": (("", "entries"),),
}  # fmt: skip
OF_RUNS = {"cutover": "steps", "journal": "acts"}  # which have rows once there was a run
NO_TABLES = {
    ("overview", "guide"): "steps in their order, each a key: filtered or sorted they would lead nowhere",
    ("settings", "blocks"): "the menu of the place: the keys of tables are about the entries beside it",
}
NO_TABLES_IN_BOXES = {
    "pick_some.py": "names to be marked, one column",
}
AS_HUBS = {("dependencies", name): "one of the tables that take turns, as the hubs are one"
           for name in ("oversized", "cycles", "suggestions", "names")}  # fmt: skip


def place(pilot: Pilot[None]) -> TablePlace:
    assert isinstance(pilot.app.screen, TablePlace)
    return pilot.app.screen


async def tried(pilot: Pilot[None], table: VirtualTable, folder: Path) -> list[str]:
    """Return what a table cannot do."""
    wrong = []
    rows = len(table.order)
    if not rows:
        wrong.append("there is no row to try it with")
    await press(pilot, "slash")
    place(pilot).bar._input.value = "qqzz"
    await press(pilot, "enter")
    await until(lambda: not len(table.order) or place(pilot).complaint())
    if len(table.order):
        wrong.append(f"it is not filtered: {place(pilot).complaint()}")
    await press(pilot, "escape")
    await until(lambda: len(table.order) == rows)
    table.focus()
    await settled(pilot)
    await press(pilot, "s")
    if table.sorted_by is None:
        wrong.append("s does not sort it")
    turned = table.reverse
    await press(pilot, "S")
    if table.reverse == turned:
        wrong.append("S does not turn it")
    await press(pilot, "Y")
    head, *lines = pilot.app.clipboard.splitlines()
    titles = [table.columns[at].title for at in table.chosen]
    if head.split("\t") != titles or len(lines) != rows:
        wrong.append(f"Y copies {len(lines)} of {rows} rows under {head!r}")
    await press(pilot, "W")
    await until(lambda: isinstance(pilot.app.screen, Form))
    await press(pilot, "ctrl+s")
    (path,) = folder.glob("*.csv")
    with path.open(newline="", encoding="utf-8-sig") as file:
        written = list(csv.reader(file))
    if written[0] != titles or len(written) != rows + 1:
        wrong.append(f"W writes {written[:1]} and {len(written) - 1} rows")
    path.unlink()
    await press(pilot, "v")
    if not isinstance(pilot.app.screen, Columns) or pilot.app.screen._columns != table.columns:
        wrong.append("v does not choose its columns")
    await press(pilot, "escape")
    return wrong


async def test_every_table_of_every_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder := tmp_path / "out").mkdir()
    monkeypatch.chdir(folder)
    root = build(tmp_path / "p")
    wrong = {}
    async with opened(root, BIG, estate.session(root, checks_of=found)) as pilot:
        pilot.app.study = Near(root)  # type: ignore[attr-defined]
        for where in PLACES:
            if where.id in OF_RUNS:
                continue
            await press(pilot, where.key)
            there = {table.id for table in place(pilot).query(VirtualTable)}
            named = {name for _, name in TABLES[where.id]}
            assert there == named | {name for of, name in NO_TABLES | AS_HUBS if of == where.id}
            for key, name in TABLES[where.id]:
                if key:
                    await press(pilot, key)
                table = place(pilot).query_one(f"#{name}", VirtualTable)
                place(pilot).reveal(table)
                table.focus()
                await settled(pilot)
                if said := await tried(pilot, table, folder):
                    wrong[where.id, name] = said
    assert not wrong


async def test_tables_of_runs_are_tables_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder := tmp_path / "out").mkdir()
    monkeypatch.chdir(folder)
    wrong = {}
    with stored(tmp_path / "move", planned()) as run:
        run.go_to("go")
        run.do("go")
        run.go_to("commit")
        root = run.project.root
        async with opened(root, BIG, estate.session(root)) as pilot:
            for where in (one for one in PLACES if one.id in OF_RUNS):
                await press(pilot, where.key)
                (table,) = place(pilot).query(VirtualTable)
                assert table.id == OF_RUNS[where.id]
                await until(lambda table=table: bool(table.order))
                table.focus()
                await settled(pilot)
                if said := await tried(pilot, table, folder):
                    wrong[where.id] = said
    assert not wrong


def test_tables_in_boxes_are_none_that_nobody_knows_of() -> None:
    boxes = set()
    for path in (Path(__file__).parents[2] / "tui").rglob("*.py"):
        calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
        made = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
        if made & {"VirtualTable", "PagedTable", "WavesTable"} and path.parent.name != "screens":
            boxes.add(path.name)
    assert boxes == {"tasks.py", *NO_TABLES_IN_BOXES}


def task(number: int, owner: str, minutes: int) -> dict[str, Any]:
    return {
        "id": f"t{number}", "state": "open", "due": "", "name": f"vm-{number}", "title": HOSTILE,
        "owner": owner, "effort_min": minutes, "how": "", "over": False, "outage": False, "vm": "",
        "remedy": "do it", "found": (), "check": "vm.off", "said": "",
    }  # fmt: skip


async def test_tasks_before_a_wave_are_a_table_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with plain(size=(130, 30)) as pilot:
        box = Tasks("W01", [task(1, "ann", 90), task(2, "bob", 5), task(3, "ann", 30)], False)
        answers: list[Any] = []
        pilot.app.push_screen(box, answers.append)
        await until(lambda: box.is_mounted and len(box.table.order) == 3)
        await pilot.press("slash", *"owner:ann", "enter")
        await until(lambda: box.table.shown_keys() == ["t1", "t3"])
        for _ in range(sum(index <= 5 for index, _ in box.table._layout)):  # to the effort
            await pilot.press("s")
        await pilot.pause()
        assert "by effort ↑" in str(box.query_one(".box").border_subtitle)
        assert box.table.shown_keys() == ["t3", "t1"]
        await pilot.press("Y")
        assert [row.split("\t")[5] for row in pilot.app.clipboard.splitlines()] == [
            "effort",
            "30 m",
            "1 h 30 m",
        ]
        assert not {"\x1b", "\u202e"} & set(pilot.app.clipboard)
        await pilot.press("W")
        await until(lambda: isinstance(pilot.app.screen, Form))
        await pilot.press("ctrl+s")
        await until((tmp_path / "tasks.csv").is_file)
        assert len((tmp_path / "tasks.csv").read_text("utf-8").splitlines()) == 3
        await until(lambda: pilot.app.screen is box)
        box.bar.set("owner:ann colour:red")
        await until(lambda: "colour" in str(box.query_one(".box").border_subtitle))
        assert box.table.shown_keys() == ["t3", "t1"], "the last filter that can be read stays"
        await pilot.press("escape")
        await until(lambda: len(box.table.order) == 3)
        assert pilot.app.screen is box
        await pilot.press("v")
        await until(lambda: isinstance(pilot.app.screen, Columns))
        await pilot.press("down", "space", "enter")
        await until(lambda: len(box.table.chosen) == 6)
        await pilot.press("enter")
        await until(lambda: answers == ["t1"] or answers == ["t3"])
