"""What every place with a table can do, on a plain one."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.tui.plain import HOSTILE, ROWS, PlainPlace, Told, place, plain
from tests.tui.stage import lines, text, until
from tui.preferences import Preferences
from tui.widgets.flash import FLASH_S


def copied(pilot: Any) -> str:
    return str(pilot.app.clipboard)


async def test_a_filter_is_written_applied_completed_and_left() -> None:
    async with plain() as pilot:
        await pilot.press("slash", "n", "a")
        await until(lambda: place(pilot).bar._input._suggestion)
        await pilot.press("tab")
        await until(lambda: len(place(pilot).table.order) == 2)
        assert "4 things · 2 match" in text(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert place(pilot).table.has_focus
        await pilot.press("tab")
        await pilot.press("escape")
        await pilot.pause()
        assert len(place(pilot).table.order) == 4


async def test_a_wrong_filter_is_said_and_the_last_good_one_stays() -> None:
    async with plain() as pilot:
        await pilot.press("slash", *"disk>100", "enter")
        await until(lambda: place(pilot).table.shown_keys() == ["k1"])
        place(pilot).bar.set("disk>100 colour:r")
        await until(lambda: place(pilot).complaint())
        await pilot.press("slash", "enter")
        await pilot.pause()
        assert "▲" in lines(pilot)[-2]
        assert place(pilot).table.shown_keys() == ["k1"]
        assert place(pilot).bar.writing


async def test_keys_while_a_filter_over_many_rows_waits_go_into_the_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    matching = PlainPlace.matching

    def counted(self: PlainPlace, filter_text: str, rows: Any) -> Any:
        asked.append(filter_text)
        return matching(self, filter_text, rows)

    monkeypatch.setattr(PlainPlace, "matching", counted)
    many = tuple((f"k{i}", f"vm-{i:06}", i, "") for i in range(100_000))
    async with plain(Told(many)) as pilot:
        await pilot.press("slash")
        for key in "vm-099999":
            pilot.app.simulate_key(key)
        await until(lambda: place(pilot).table.shown_keys() == ["k99999"])
        assert len(asked) < 9  # not once a key
        assert place(pilot).bar.text == "vm-099999"


async def test_saved_filters_are_picked() -> None:
    async with plain(Told(saved={"big": "disk>100", "[b]odd[/]": "wave:W09"})) as pilot:
        await pilot.press("f")
        await pilot.pause()
        assert "[b]odd[/]" in text(pilot)
        await pilot.press(*"big", "enter")
        await until(lambda: place(pilot).table.shown_keys() == ["k1"])
        assert place(pilot).bar.text == "@big"


async def test_marks_sorting_and_columns_go_by_keys() -> None:
    async with plain() as pilot:
        table = place(pilot).table
        await pilot.press("space", "space")
        assert table.marks == {"k1", "k2"}
        assert "2 marked" in text(pilot)
        assert place(pilot).chosen() == ["k1", "k2"]
        await pilot.press("asterisk")
        assert len(table.marks) == 4
        await pilot.press("asterisk")
        assert not table.marks
        assert place(pilot).chosen() == [table.key]
        await pilot.press("s", "s", "S")
        await pilot.pause()
        assert "by disk ↓" in text(pilot)
        assert table.shown_keys() == ["k1", "k2", "k4", "k3"]  # unknown stays last
        await pilot.press("v", "down", "space", "enter")
        await pilot.pause()
        assert table.chosen == (0, 2)
        await pilot.press("space", "escape")
        await pilot.pause()
        assert not table.marks


async def test_what_is_copied_is_plain_text_with_tabs() -> None:
    async with plain() as pilot:
        await pilot.press("y")
        assert copied(pilot) == "name\tdisk\twave\ncrm-db-01\t120\tW08"
        await pilot.press("space", "down", "space", "y")
        assert [row.split("\t")[0][:9] for row in copied(pilot).splitlines()] == [
            "name", "crm-db-01", "[bold]x[/",
        ]  # fmt: skip
        await pilot.press("escape", "Y")
        await pilot.pause()
        body = copied(pilot).splitlines()
        assert len(body) == 1 + len(ROWS)
        assert all(row.count("\t") == 2 for row in body)  # the tab in a name does not break a cell
        assert not {"\x1b", "\u202e"} & set(copied(pilot))
        assert "[bold]x[/]" in copied(pilot)
        assert "copied 4 rows" in lines(pilot)[-2]


async def test_the_copy_reaches_the_terminal_as_one_harmless_sequence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import base64

    async with plain() as pilot:
        sent: list[str] = []
        assert pilot.app._driver is not None
        monkeypatch.setattr(pilot.app._driver, "write", sent.append)
        await pilot.press("Y")
        (found,) = [part for part in sent if part.startswith("\x1b]52;c;")]
        assert found.endswith("\a")
        assert base64.b64decode(found.removeprefix("\x1b]52;c;")[:-1]).decode("utf-8") == copied(pilot)


async def test_the_table_is_written_to_a_new_file_that_no_spreadsheet_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with plain(Told((*ROWS, ("k5", "=cmd|' /C calc'!A0", 1, "")))) as pilot:
        for _ in range(2):
            await pilot.press("W")
            await pilot.pause()
            await pilot.press("ctrl+s")
            await pilot.pause()
        assert "inventory.csv exists" in lines(pilot)[-2]
        with (tmp_path / "inventory.csv").open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
        assert rows[0] == ["name", "disk", "wave"]
        assert len(rows) == 6
        assert not any(cell.startswith("=") for row in rows for cell in row)


async def test_changed_cells_flash_but_not_those_of_the_first_read() -> None:
    assert FLASH_S == 1.0
    told = Told()
    async with plain(told) as pilot:
        table = place(pilot).table
        assert table.flashed == {}
        await until(lambda: table.flashes)
        await pilot.press("down")
        told.tell((*ROWS[:1], ("k2", "crm-app-01", 41, ""), *ROWS[2:]))
        await until(lambda: table.flashed)
        assert table.flashed == {"k2": frozenset({2})}
        assert table.key == "k2"
        await until(lambda: not table.flashed)


async def test_who_likes_it_calm_sees_no_flash() -> None:
    told = Told()
    async with plain(told, preferences=Preferences(calm=True)) as pilot:
        told.tell((("k1", "other", 1, ""), *ROWS[1:]))
        await until(lambda: place(pilot).table.rows[0][1] == "other")
        assert place(pilot).table.flashed == {}


async def test_hostile_names_are_shown_and_do_nothing() -> None:
    async with plain() as pilot:
        assert "[bold]x[/]␛[31m" in text(pilot)
        assert not {"\x1b", "\u202e", "\t"} & set(text(pilot))
        await pilot.press("slash", *"x[/]")
        await until(lambda: place(pilot).table.shown_keys() == ["k3"])
        assert HOSTILE in place(pilot).table.rows[2]
