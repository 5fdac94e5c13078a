"""Keys do what the action table says, those a person chose instead too."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from tests.tui import estate
from tests.tui.plain import PlainPlace, place, plain
from tests.tui.stage import lines, opened, panel, text
from tui.actions.keymap import reworded, shown
from tui.actions.table import actions_at
from tui.preferences import Preferences

CHOSEN = {"filter": "ctrl+f", "sort": "o,f6", "mark": "number_sign", "panel": "n", "help": "f2"}


async def test_every_key_of_a_place_asks_for_its_action(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def act(self: PlainPlace, action_id: str) -> None:
        asked.append(action_id)

    monkeypatch.setattr(PlainPlace, "action_act", act)
    for chosen in ({}, CHOSEN):
        async with plain(preferences=Preferences(keys=chosen)) as pilot:
            for action in actions_at("inventory"):
                for key in chosen.get(action.id, action.key).split(","):
                    asked.clear()
                    await pilot.press(key)
                    assert asked == [action.id], key


async def test_a_chosen_key_works_and_the_old_one_does_nothing() -> None:
    async with plain(preferences=Preferences(keys=CHOSEN)) as pilot:
        table = place(pilot).table
        await pilot.press("slash", "s", "space")
        assert not place(pilot).bar.writing
        assert table.sorted_by is None
        assert not table.marks
        await pilot.press("o")
        assert table.sort_words == "by name ↑"
        await pilot.press("f6")
        assert table.sort_words == "by disk ↑"
        await pilot.press("#")
        assert len(table.marks) == 1
        await pilot.press("ctrl+f")
        assert place(pilot).bar.writing
        await pilot.press("o", "n", "#")  # what can be written is written
        assert pilot.app.screen.query_one("#filter", Input).value == "on#"


async def test_footer_and_help_show_the_chosen_keys() -> None:
    async with plain(size=(120, 30), preferences=Preferences(keys=CHOSEN)) as pilot:
        assert "^f filter" in lines(pilot)[-1]
        assert "o sort" in lines(pilot)[-1]
        assert "# mark" in lines(pilot)[-1]
        assert "/ filter" not in lines(pilot)[-1]
        await pilot.press("f2")
        await pilot.pause()
        shown_help = panel(pilot, "help")
        for action in actions_at("inventory"):
            row = next(text for text in shown_help.splitlines() if text[12:].startswith(action.title))
            assert row[:12].strip() == shown(action, CHOSEN), row


@pytest.mark.parametrize("key", ["j", "down"])
async def test_moving_keys_stay_with_the_table(key: str) -> None:
    async with plain() as pilot:
        await pilot.press(key)
        assert place(pilot).table.cursor == 1


async def test_what_cannot_be_done_says_why_and_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr("tui.app.WherryApp.action_export", lambda self: done.append(1))
    async with plain(size=(120, 24)) as pilot:
        await pilot.press("e")
        await pilot.pause()
        assert "write the plan for people and tools: there is no plan yet" in lines(pilot)[-2]
        assert done == []


async def test_read_only_binds_nothing_above_view_and_says_so() -> None:
    async with plain(read_only=True) as pilot:
        await pilot.press("F")
        await pilot.pause()
        assert "read-only view" in lines(pilot)[-2]


async def test_borders_and_the_line_of_the_filter_show_the_chosen_keys(tmp_path: Path) -> None:
    chosen = {"filter": "f2", "open": "E", "vm.dependencies": "f3"}
    root = estate.build(tmp_path)
    async with opened(root, (140, 40), place="inventory", preferences=Preferences(keys=chosen)) as pilot:
        assert "press f2 to filter" in text(pilot)
        assert "E full page · f3 dependencies · c checks" in text(pilot)
        await pilot.press("E")
        await pilot.pause()
        assert "E or esc back to the table" in text(pilot)


def test_words_that_only_look_like_keys_stay() -> None:
    chosen = {"deps.accept": "K", "open": "E"}
    assert reworded("a part of a name", "waves", chosen) == "a part of a name"
    assert (
        reworded("enter why · a accept · r refuse", "dependencies", chosen) == "E why · K accept · r refuse"
    )
    moved = {"waves.earlier": "f4", "waves.lock": "f6"}
    assert reworded("[ ] move · l lock", "waves", moved) == "f4 ] move · f6 lock"
    assert reworded("row 1 of 40", "inventory", chosen) == "row 1 of 40"
    assert reworded("enter", "inventory", chosen) == "enter"
