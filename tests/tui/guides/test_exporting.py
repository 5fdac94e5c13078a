"""Exporting by the dialog: formats with who reads them, how they begin, the files with their sizes."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from planner.export.formats import FORMATS
from tests.tui import estate
from tests.tui.stage import BIG, SMALL, lines, on, opened, reached, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.app import WherryApp
from tui.guides.exporting import _READERS, Papers
from tui.guides.exporting import offer_export as offer


def test_every_format_has_a_reader() -> None:
    assert set(_READERS) == set(FORMATS)


async def asked(pilot: Pilot[None]) -> OptionList:
    await pilot.press("e")
    await until(lambda: on(pilot, Papers) and "Folder" in text(pilot))
    return pilot.app.screen.query_one(OptionList)


async def test_marked_formats_are_written_and_the_choice_is_remembered(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p", waves=2)
    out = tmp_path / "papers"
    async with opened(root, BIG) as pilot:
        options = await asked(pilot)
        assert "✔ xlsx" in text(pilot)
        await pilot.press("asterisk")
        assert not [line for line in lines(pilot)[2:18] if "│ · " in line]
        await pilot.press("asterisk", "ctrl+s")
        await pilot.pause()
        assert "mark a format first: space" in text(pilot)
        for name in ("csv-waves", "ics"):
            options.highlighted = list(FORMATS).index(name)
            await pilot.press("space")
        pilot.app.screen.query_one("#folder", Input).value = str(out)
        await pilot.press("ctrl+s")
        await until(lambda: "2 files written" in text(pilot))
        assert sorted(path.name for path in out.iterdir()) == ["plan.ics", "waves.csv"]
        assert f"{out}/plan.ics" in text(pilot)
        assert " B " in text(pilot) or "KiB" in text(pilot)
        await pilot.press("escape")
        await asked(pilot)
        assert "✔ ics" in text(pilot)
        assert "✔ xlsx" not in text(pilot)
        assert str(out) in text(pilot)


async def test_a_text_format_shows_how_it_begins_and_a_workbook_says_why_not(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, estate.hostile_estate(), waves=2), SMALL) as pilot:
        options = await asked(pilot)
        await pilot.press("p")
        await until(lambda: "a workbook has no lines to show" in text(pilot))
        options.highlighted = list(FORMATS).index("csv")
        await pilot.press("p")
        await until(lambda: "csv begins like this" in text(pilot))
        assert "wave_id" in text(pilot)
        nothing_took_effect(pilot)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, Papers)


async def test_some_waves_alone_are_written_where_a_format_may_hold_them(tmp_path: Path) -> None:
    root = estate.build(tmp_path, waves=3)
    async with opened(root, BIG) as pilot:
        options = await asked(pilot)
        pilot.app.screen.query_one("#waves", Input).value = "w02 W01"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "xlsx is of a whole plan" in text(pilot)
        for name in ("xlsx", "markdown", "json", "hcx"):
            options.highlighted = list(FORMATS).index(name)
            await pilot.press("space")
        await pilot.press("ctrl+s")
        await until(lambda: "1 file written" in text(pilot))
    (file,) = (root / "exports").iterdir()
    assert file.name == "plan-W01-W02-hcx.csv"
    body = file.read_text("utf-8")
    assert "shop-db-01" in body
    assert "jump-01" not in body


async def test_a_file_is_no_folder(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p")
    file = tmp_path / "file"
    file.write_text("x", "utf-8")
    async with opened(root, SMALL) as pilot:
        await asked(pilot)
        pilot.app.screen.query_one("#folder", Input).value = str(file)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "that is a file" in text(pilot)
        assert cast(WherryApp, pilot.app).job is None


@pytest.mark.parametrize("size", [SMALL, BIG])
async def test_all_of_it_fits_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with opened(estate.build(tmp_path), size) as pilot:
        offer(cast(WherryApp, pilot.app))
        await reached(pilot, Papers)
        await pilot.pause()
        shown = lines(pilot)
        assert any("Write" in line and "Leave it" in line for line in shown)
        assert any("Folder" in line for line in shown)


async def test_an_answer_that_comes_after_it_was_left_ends_nothing(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), BIG) as pilot:
        await pilot.press("e")
        await reached(pilot, Papers)
        papers = cast(Papers, pilot.app.screen)
        await pilot.press("escape")
        await until(lambda: not on(pilot, Papers))
        papers._wrong("the study was closed")
        await pilot.pause()
        assert pilot.app.is_running


async def test_without_a_plan_it_says_what_to_do(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, planned=False), BIG) as pilot:
        await pilot.press("e")
        await pilot.pause()
        assert "there is no plan yet" in lines(pilot)[-2]
