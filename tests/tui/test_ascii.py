"""Screens in plain ASCII, in every theme, and without colour."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.pilot import Pilot

from planner.store.project import Project
from tests.tui import estate
from tests.tui.cli.terminal import typing
from tests.tui.plain import ROWS, Told, place, plain
from tests.tui.stage import SMALL, opened
from tui.actions.places import place_named
from tui.ascii import plain as in_ascii
from tui.modes import MODES
from tui.preferences import Preferences
from tui.theme import theme_names

THEMES = ("harbour", "daylight", "beacon", "ansi-dark", "ansi-light")


def sent(pilot: Pilot[None]) -> Iterator[Segment]:
    """Yield what goes to the terminal: what is on the screen, through the filters over every line."""
    app = pilot.app
    for strip in app.screen._compositor.render_strips():
        line = strip
        for item in app.get_line_filters():
            if item.enabled:
                line = line.apply_filter(item, app.screen.styles.background)
        assert line.cell_length == strip.cell_length
        yield from line


def said(pilot: Pilot[None]) -> str:
    return "".join(segment.text for segment in sent(pilot))


@pytest.mark.parametrize("text", ["▸✓✔✖▲◆●", "╭─╮│╰╯", "日本語 é ü", "█▊░", "plain", "e\u0301", "…–→⌫"])
def test_ascii_takes_the_same_cells(text: str) -> None:
    assert in_ascii(text).isascii()
    assert len(in_ascii(text)) == cell_len(text)


def test_states_stay_apart_in_ascii() -> None:
    assert len({in_ascii(glyph) for glyph in "✖▲✔·?"}) == 5
    assert len({in_ascii(glyph) for glyph in "▸✓ "}) == 3


@pytest.mark.parametrize("size", [SMALL, (120, 35)])
async def test_every_place_is_drawn_in_ascii(tmp_path: Path, size: tuple[int, int]) -> None:
    root = estate.build(tmp_path, estate.hostile_estate(), waves=3)
    async with opened(root, size, preferences=Preferences(ascii=True)) as pilot:
        for name in MODES:
            await pilot.press(place_named(name).key)
            await pilot.pause()
            assert place_named(name).title in said(pilot)
            strange = {letter for letter in said(pilot) if not " " <= letter <= "~"}
            assert not strange, (name, strange)


async def test_dialogs_help_and_palette_are_drawn_in_ascii() -> None:
    async with plain(preferences=Preferences(ascii=True)) as pilot:
        for keys in (
            ["question_mark"],
            ["v"],
            ["f"],
            ["ctrl+p"],
            ["ctrl+o"],
            ["slash", *"name~crm", "enter"],
        ):
            await pilot.press(*keys)
            await pilot.pause(0.1)
            assert all(" " <= letter <= "~" for letter in said(pilot)), keys
            await pilot.press("escape")
            await pilot.pause()


@pytest.mark.parametrize("theme", THEMES)
async def test_every_theme_shows_where_the_cursor_is(theme: str) -> None:
    assert theme in theme_names()
    async with plain(preferences=Preferences(theme=theme)) as pilot:
        table = place(pilot).table
        look = {y: str(next(iter(table.render_line(y))).style) for y in (1, 2)}
        assert look[1] != look[2]
        assert pilot.app.theme == theme
        await pilot.press("v")
        await pilot.pause()
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert "Inventory" in said(pilot)


async def test_a_theme_chosen_in_the_palette_is_kept(tmp_path: Path) -> None:
    from tui.preferences import load

    file = tmp_path / "ui.json"
    async with plain(likes_file=file) as pilot:
        pilot.app.theme = "beacon"
        await pilot.pause()
        await pilot.press("v", "down", "space", "enter")
        await pilot.pause()
        assert load(file) == Preferences(theme="beacon", columns={"inventory": ("name", "wave")})
    async with plain(Told(ROWS), preferences=load(file)) as pilot:
        assert place(pilot).table.chosen == (0, 2)


async def test_without_colour_nothing_coloured_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with plain() as pilot:
        for keys in ([], ["space"], ["question_mark"], ["escape", "v"]):
            await pilot.press(*keys)
            await pilot.pause()
            for segment in sent(pilot):
                for color in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    assert color is None or color.is_default, segment
        await pilot.press("escape")
        await pilot.pause()
        reverse = [part.text for part in sent(pilot) if part.style and part.style.reverse]
        assert any("crm" in text for text in reverse)  # the cursor is seen all the same


def test_without_colour_a_terminal_gets_no_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Project.create(tmp_path / "project", "acme").close()
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("WHERRY_ASCII", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    code, drawn = typing([(b"wherry", b"q")], "ui", "--project", str(tmp_path / "project"))
    assert code == 0, drawn
    assert "Overview" in drawn
    codes = {part for found in re.findall(r"\x1b\[([0-9;]*)m", drawn) for part in found.split(";")}
    coloured = {str(n) for base in (30, 40, 90, 100) for n in range(base, base + 8)} | {"38", "48"}
    assert not codes & coloured
    assert all(letter.isascii() for letter in drawn)
