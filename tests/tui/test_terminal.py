"""What a real terminal does with the application: stops it for the shell, is copied to, is too small."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.tui import estate
from tests.tui.plain import Told, place, plain
from tests.tui.stage import SMALL, lines, opened, panel, until
from tests.tui.tmux import terminal
from tui.actions.table import action_named
from tui.app import LONGEST

UI = f"{sys.executable} -m tui.cli.entry ui --place inventory"


def test_it_is_stopped_for_the_shell_and_goes_on(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p")
    key = {"exclamation_mark": "!"}[action_named("shell").key]
    with terminal() as seen:
        seen.shell((120, 35), root)
        seen.write(UI)
        seen.press("Enter")
        seen.sees("▸ Inventory", "shop-db-01")
        seen.press(key)
        seen.sees("Stopped", without="▸ Inventory")
        seen.write("stty -a")
        seen.press("Enter")
        seen.sees(" echo ", " icanon ")  # the terminal is as a shell wants it
        seen.write("fg")
        seen.press("Enter")
        seen.sees("▸ Inventory", "shop-db-01", without="Stopped")
        seen.press("Y")  # and it takes keys
        seen.sees("copied 12 rows", "tmux hands it on")
        assert "shop-db-02\t" in seen.clipboard()
        seen.press("q")
        seen.sees("ready>", without="▸ Inventory")
        seen.write("stty -a")
        seen.press("Enter")
        seen.sees(" echo ", " icanon ", times=2)


def test_without_a_shell_it_is_not_stopped(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p")
    with terminal() as seen:
        seen.open((120, 35), root, "ui")
        seen.sees("▸ Overview", "W01")
        seen.press("!")
        seen.sees("to the shell", "no shell with jobs")
        seen.press("q")
        seen.ends()


async def test_what_is_too_long_for_a_terminal_is_not_said_to_be_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    rows = tuple((f"k{at}", f"vm-{at:06}", at, "") for at in range(LONGEST // 10))
    async with plain(Told(rows)) as pilot:
        await pilot.press("y")
        await pilot.pause()
        assert "copied 1 row" in lines(pilot)[-2]
        assert "tmux" not in lines(pilot)[-2]
        kept = pilot.app.clipboard
        await pilot.press("Y")
        await until(lambda: "nothing is copied" in lines(pilot)[-2])
        assert "terminals take 74 994; W writes a table to a file" in lines(pilot)[-2]
        assert pilot.app.clipboard == kept
        assert place(pilot).table.cursor == 0


async def test_a_terminal_that_is_too_small_says_so(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), SMALL) as pilot:
        for size in (SMALL, (80, 23), (60, 18)):
            await pilot.resize_terminal(*size)
            words = f"{size[0]} by {size[1]} is small: all is in sight from 80 by 24 on"
            for key in "21":
                await pilot.press(key)
                await pilot.pause()
                assert (words in lines(pilot)[-2]) == (size != SMALL), key
        await pilot.press("2", "v")
        for size in ((20, 5), (200, 60), SMALL):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert len(pilot.app.screen_stack) == 2  # the dialog stays
        await pilot.press("escape")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 1


async def test_what_is_marked_with_the_mouse_is_copied_and_nothing_is_said_to_be_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with opened(estate.build(tmp_path), place="inventory") as pilot:
        await until(lambda: "vCPU" in panel(pilot, "detail"))
        for start, end, words in (
            ((8, 3), (20, 6), "nothing is marked: q leaves"),  # a table is marked by keys
            (None, None, "copied 1 line"),
        ):
            where = pilot.app.screen.query_one("#detail").region
            start, end = start or (where.x + 2, where.y + 1), end or (where.x + 20, where.y + 1)
            await pilot.mouse_down(offset=start)
            await pilot.hover(offset=end)
            await pilot.mouse_up(offset=end)
            await pilot.press("ctrl+c")
            await until(lambda words=words: words in lines(pilot)[-2])
        assert "Windows" in pilot.app.clipboard
        assert pilot.app.is_running
