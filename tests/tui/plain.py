"""The application around one plain table, without a project: for what every place with a table can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from textual.app import ComposeResult
from textual.pilot import Pilot

import tui.app
from tests.tui.stage import until
from tui.actions.keymap import bindings_at
from tui.screens.table_place import TablePlace
from tui.session import Session, View
from tui.widgets.column import Column
from tui.widgets.table import VirtualTable

Row = tuple[Any, ...]
HOSTILE = "[bold]x[/]\x1b[31m\u202e\ttab"
ROWS: tuple[Row, ...] = (
    ("k1", "crm-db-01", 120, "W08"),
    ("k2", "crm-app-01", 40, ""),
    ("k3", HOSTILE, None, HOSTILE),
    ("k4", "日本語サーバー", 7, "W09"),
)


class PlainPlace(TablePlace):
    """A table of names, sizes and waves."""

    BINDINGS = bindings_at("inventory")
    place_id = "inventory"
    noun = "thing"
    columns = (
        Column(1, "name", 16, flex=True, keep=9),
        Column(2, "disk", 8, lambda size: "–" if size is None else str(size), right=True, kind="number"),
        Column(3, "wave", 6),
    )

    def compose_body(self) -> ComposeResult:
        yield self.filter_bar("name~crm disk>100")
        yield VirtualTable(self.columns, id="plain")

    def completed(self, text: str) -> str:
        return "name~crm" if text and "name~crm".startswith(text) and text != "name~crm" else ""

    def show(self, view: View) -> None:
        self.set_rows(view.rows)
        self.describe_table()


class Told:
    """A session that was told what there is."""

    def __init__(self, rows: tuple[Row, ...] = ROWS, saved: Mapping[str, str] | None = None) -> None:
        self.saved = dict(saved or {})
        self.view = View(name="acme")
        self.root = Path("nowhere")  # the study is never asked
        self._rows = rows
        self._fresh = True

    def tell(self, rows: tuple[Row, ...]) -> None:
        """Have other rows for the next look."""
        self._rows, self._fresh = rows, True

    def refresh(self, force: bool = False) -> Iterator[View]:
        if self._fresh:
            self._fresh = False
            self.view = View(name="acme", inventory_id=1, rows=cast(Any, self._rows), complete=True)
            yield self.view

    def saved_filters(self, place: str = "inventory") -> Mapping[str, str]:
        return self.saved

    def close(self) -> None:
        pass


class PlainApp(tui.app.WherryApp):
    """The application with that place alone."""

    CSS_PATH = Path(tui.app.__file__).parent / "screens" / "place.tcss"
    MODES = {"inventory": PlainPlace}  # noqa: RUF012  (Textual's own shape)
    DEFAULT_MODE = "inventory"

    @property
    def told(self) -> Told:
        return cast(Told, self.session)


@asynccontextmanager
async def plain(
    told: Told | None = None, size: tuple[int, int] = (100, 20), **more: Any
) -> AsyncIterator[Pilot[None]]:
    """Yield the pilot of an application that shows its table."""
    app = PlainApp(Path(), session=cast(Session, told or Told()), period_s=0.05, **more)
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.view.complete)
        await pilot.pause()
        yield pilot


def place(pilot: Pilot[None]) -> PlainPlace:
    """Return the place under any dialog."""
    found = cast(PlainApp, pilot.app).place
    assert isinstance(found, PlainPlace)
    return found
