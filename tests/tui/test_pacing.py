"""A burst of keys does what the same keys do when they are typed one by one."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui import estate
from tests.tui.screens.linked import Near, build
from tests.tui.stage import opened, table, text, until
from tui.pacing import PacedApp
from tui.screens.dependencies import DependenciesScreen
from tui.screens.place import PlaceScreen
from tui.session import Session


def burst(pilot: Pilot[None], *keys: str) -> None:
    """Hand over keys as a terminal does that read them at once."""
    driver = pilot.app._driver
    assert driver is not None
    for key in keys:
        driver.send_message(Key(key, key if len(key) == 1 else None))


def filters(pilot: Pilot[None]) -> list[str]:
    """Return what stands in the filter, if the place has one."""
    return [field.value for field in pilot.app.screen.query("#filter").results(Input)]


async def test_a_burst_reaches_the_place_it_went_to_the_filter_it_opened_and_the_table(
    tmp_path: Path,
) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        burst(pilot, "2", "slash", *"shop", "enter", "down", "down")
        await until(lambda: filters(pilot) == ["shop"])
        await until(lambda: "▸  shop-app-01" in text(pilot))


async def test_a_burst_opens_a_dialog_and_leaves_it(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        burst(pilot, "i", "escape", "question_mark", "escape", "4", "slash", *"W02", "enter", "9", "2")
        await until(lambda: "▸ Inventory" in text(pilot))
        assert len(pilot.app.screen_stack) == 1
        burst(pilot, "4")
        await until(lambda: "▸ Waves" in text(pilot))
        await until(lambda: filters(pilot) == ["W02"])


async def test_without_pacing_a_burst_goes_astray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: Textual's own way gives keys to whatever has the focus."""
    monkeypatch.setattr(PacedApp, "on_event", App.on_event)
    async with opened(estate.build(tmp_path)) as pilot:
        burst(pilot, "2", "slash", *"shop", "enter", "down", "down")
        for _ in range(20):
            await pilot.pause(0.05)
        assert filters(pilot) != ["shop"]


class Slow(Near):
    """A study whose answers to a filter that was written come when they are let go."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.free = threading.Event()
        self.asked = threading.Event()

    def ask(self, op: str, /, *, progress: object = None, **args: Any) -> Any:
        if op == "edges.find" and args["text"]:
            self.asked.set()
            self.free.wait(60)
        return super().ask(op, progress=progress, **args)


@asynccontextmanager
async def ties_filtered_in_a_burst(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    """Yield it once the study was asked, with two keys behind the enter that sent the filter."""
    async with opened(build(tmp_path)) as pilot:
        app = pilot.app
        app.study = study = Slow(tmp_path)  # type: ignore[attr-defined]
        burst(pilot, "3", "t")
        await until(lambda: "11 ties" in text(pilot))
        burst(pilot, "slash", *"port:1433", "enter", "down", "space")
        await until(study.asked.is_set)
        try:
            yield pilot
        finally:
            study.free.set()


async def test_keys_wait_for_a_filter_that_the_study_answers(tmp_path: Path) -> None:
    async with ties_filtered_in_a_burst(tmp_path) as pilot:
        await until(lambda: table_of_ties(pilot).has_focus)
        for _ in range(10):
            await pilot.pause(0.02)
        assert (table_of_ties(pilot).cursor, table_of_ties(pilot).marks) == (0, set())
        pilot.app.study.free.set()  # type: ignore[attr-defined]
        await until(lambda: bool(table_of_ties(pilot).marks))
        ties = table_of_ties(pilot)
        assert (len(ties.order), ties.marks) == (2, {ties.rows[1][0]})


async def test_keys_do_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.screens.table_place._WAIT_S", 0.3)
    async with ties_filtered_in_a_burst(tmp_path) as pilot:
        await until(lambda: bool(table_of_ties(pilot).marks))
        ties = table_of_ties(pilot)
        assert (len(ties.order), ties.marks) == (11, {ties.rows[1][0]})


async def test_without_waiting_for_filters_keys_go_to_rows_that_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    monkeypatch.setattr(DependenciesScreen, "is_under_way", PlaceScreen.is_under_way)
    async with ties_filtered_in_a_burst(tmp_path) as pilot:
        await until(lambda: bool(table_of_ties(pilot).marks))
        assert len(table_of_ties(pilot).order) == 11


def table_of_ties(pilot: Pilot[None]) -> Any:
    """Return the table of all ties."""
    return pilot.app.screen.query_one("#ties")


async def test_keys_wait_for_fields_that_are_still_being_read(tmp_path: Path) -> None:
    estate.build(tmp_path)
    session = Session(tmp_path, status_of=estate.status_of, judges=False)  # type: ignore[arg-type]
    async with opened(tmp_path, session=session) as pilot:
        burst(pilot, "2", "slash", *"disks>0", "enter", "down", "space")
        await until(lambda: "▸ Inventory" in text(pilot))
        await until(lambda: table(pilot).has_focus and "still being read" in text(pilot))
        assert not table(pilot).marks
        estate.judge(tmp_path)
        await until(lambda: bool(table(pilot).marks))
        assert "still being read" not in text(pilot)
        rows = table(pilot)
        assert rows.marks == {rows.rows[rows.order[1]][0]}
