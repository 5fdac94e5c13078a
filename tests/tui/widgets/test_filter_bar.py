from collections.abc import Callable
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Button

from tests.tui.stage import until
from tui.widgets.filter_bar import FilterBar


def _ending(text: str) -> str:
    return "name~crm" if text and "name~crm".startswith(text) and text != "name~crm" else ""


class Host(App[None]):
    """A filter bar between two buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.done: list[str] = []
        self.asked: list[str] = []
        self.ending: Callable[[str], str] = _ending

    def compose(self) -> ComposeResult:
        yield Button("before", id="before")
        yield FilterBar("write here", self.complete)
        yield Button("after", id="after")

    def complete(self, text: str) -> str:
        self.asked.append(text)
        return self.ending(text)

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        if type(event) is FilterBar.Changed:
            self.told.append(event.text)

    def on_filter_bar_done(self, event: FilterBar.Done) -> None:
        self.done.append(event.text)

    @property
    def bar(self) -> FilterBar:
        return self.query_one(FilterBar)

    @property
    def at(self) -> Any:
        return self.focused.id if self.focused else None


async def test_typing_is_told_once_it_pauses_and_not_for_every_key() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.bar.write()
        for key in ("n", "a", "m"):
            app.simulate_key(key)
        await until(lambda: app.told[-1:] == ["nam"])
        assert len(app.told) < 3
        for key in ("backspace", "m"):  # at once, however slow the machine
            app.simulate_key(key)
        await pilot.pause(0.3)
        assert app.told.count("nam") == 1  # the same text again is nothing new


async def test_enter_tells_at_once_and_that_it_is_done() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.bar.write()
        await pilot.press("x", "enter")
        await pilot.pause()
        assert app.told == ["x"]
        assert app.done == ["x"]


async def test_tab_takes_the_ending_and_goes_on_where_there_is_none() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.bar.write()
        await pilot.press("n", "a")
        await until(lambda: app.bar._input._suggestion == "name~crm")
        await pilot.press("tab")
        await pilot.pause()
        assert app.bar.text == "name~crm"
        assert app.bar.writing
        await pilot.press("tab")
        await pilot.pause()
        assert app.at == "after"
        await pilot.press("shift+tab", "shift+tab")
        await pilot.pause()
        assert app.at == "before"


async def test_tab_in_the_midst_of_the_text_only_moves_on() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.bar.write()
        await pilot.press("n", "a")
        await until(lambda: app.bar._input._suggestion == "name~crm")
        await pilot.press("left", "tab")
        await pilot.pause()
        assert app.bar.text == "na"
        assert app.at == "after"


async def test_another_filter_is_told_at_once_and_the_same_one_is_not() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.bar.set("@mine")
        await pilot.pause()
        assert app.told == ["@mine"]
        app.bar.set("@mine")
        await pilot.pause(0.2)
        assert app.told == ["@mine"]


@pytest.mark.parametrize("width", [80, 20])
async def test_names_of_saved_filters_leave_room_to_write(width: int) -> None:
    app = Host()
    async with app.run_test(size=(width, 10)) as pilot:
        app.bar.show_saved("saved: @" + "[bold]x[/]" * 20)
        await pilot.pause()
        assert app.bar._input.size.width >= width // 2 - 4
        assert app.bar.size.height == 1


@pytest.mark.parametrize("bad", ["\x1b[31m", "\u202e", "\x9b31m", "\x07"])
async def test_nothing_that_a_terminal_acts_on_gets_into_the_line(bad: str) -> None:
    app = Host()
    app.ending = lambda text: f"name:{bad}"
    async with app.run_test() as pilot:
        app.bar.write()
        app.bar._input.post_message(events.Paste(f"x{bad}y"))
        await pilot.press("n")
        await pilot.pause(0.2)
        assert app.bar.text == "n"
        assert app.asked  # an ending was looked for, and is not offered
        assert not app.bar._input._suggestion
