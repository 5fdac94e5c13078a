"""Every table shows, hides and orders its columns, and shows them so again."""

from __future__ import annotations

from pathlib import Path

from tests.tui import estate
from tests.tui.stage import BIG, opened, until
from tui.dialogs.columns import Columns
from tui.screens.columned import ColumnedPlace
from tui.widgets.table import VirtualTable

# the keys that lead there, the table, what the preferences call it
TABLES = (
    ("1", "waves", "overview.waves"),
    ("1", "needs", "overview.needs"),
    ("3", "groups", "dependencies"),
    ("3", "inside", "dependencies.inside"),
    ("3 h", "hubs", "dependencies.hubs"),
    ("4", "plan", "waves"),
    ("4", "groups", "waves.groups"),
    ("5", "rehearsed", "rehearse"),
    ("0", "blocks", "settings.blocks"),
    ("0", "entries", "settings.values"),
)


async def test_each_table_has_its_own_columns_and_has_them_again(tmp_path: Path) -> None:
    root = estate.build(tmp_path)
    async with opened(root, BIG, estate.session(root)) as pilot:
        for keys, name, liked in TABLES:
            await pilot.press(*keys.split())
            await pilot.pause()
            place = pilot.app.screen
            assert isinstance(place, ColumnedPlace)
            table = place.query_one(f"#{name}", VirtualTable)
            before = table.chosen
            table.focus()
            await pilot.press("v")
            await until(lambda: isinstance(pilot.app.screen, Columns))
            await pilot.press("down", "space", "enter")
            await until(lambda: len(table.chosen) == len(before) - 1)  # noqa: B023  (waited for here)
            assert table.chosen == (before[0], *before[2:]), liked
            likes = pilot.app.preferences  # type: ignore[attr-defined]
            assert likes.columns[liked] == tuple(table.columns[at].asked for at in table.chosen)
    async with opened(root, BIG, estate.session(root), preferences=likes) as pilot:
        await pilot.press("0")
        await pilot.pause()
        entries = pilot.app.screen.query_one("#entries", VirtualTable)
        assert tuple(entries.columns[at].asked for at in entries.chosen) == likes.columns["settings.values"]
        await pilot.press("5", "tab", "v")
        await until(lambda: isinstance(pilot.app.screen, Columns))  # of the place's own table
