"""Texts of every theme are read without straining: contrast as WCAG 2 counts it, of what is really drawn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from textual.app import ComposeResult
from textual.color import Color
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from tests.tui import estate
from tests.tui.stage import opened
from tui.actions.places import PLACES
from tui.app import WherryApp
from tui.contrast import ThemedApp, legible
from tui.dialogs.confirm import Confirm
from tui.dialogs.pick import Choice, Pick
from tui.preferences import Preferences
from tui.text import line
from tui.theme import STYLES, THEMES
from tui.widgets.column import Column
from tui.widgets.lines import EdgeLine, Item, ItemLine
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

# ours, and those of Textual that were hardest to read: not the ANSI ones, whose colours are the terminal's
COLOURED = (
    *(make.__name__ for make in THEMES),
    *("textual-light", "solarized-light", "solarized-dark", "atom-one-dark", "tokyo-night"),
)
NEEDED = {name: 7.0 if name == "beacon" else 4.5 for name in COLOURED}
TONES = tuple(STYLES)
COLUMNS = tuple(
    Column(at, tone or "plain", 9, tone=str)
    for at, tone in enumerate(TONES, 1)  # a cell says its tone
)


def luminance(color: Color) -> float:
    """Return the relative luminance of WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [value / 255 for value in color.rgb]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: Color, b: Color) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(a), luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


class Coloured(ThemedApp[None]):
    """A table, a panel, line 1 and the keys with a text of every tone, and a line to write in."""

    CSS_PATH = "../../tui/screens/place.tcss"

    def __init__(self, theme: str) -> None:
        super().__init__()
        self.theme = theme

    def compose(self) -> ComposeResult:
        yield EdgeLine("line1")
        yield VirtualTable(COLUMNS)
        yield Panel("panel")
        yield Input(placeholder="write here")
        yield ItemLine("keys")

    def on_mount(self) -> None:
        tones = line(*((tone or "plain", tone) for tone in TONES))
        self.query_one(EdgeLine).show(tones)
        self.query_one(Panel).show(tones)
        styles = (*STYLES.values(), "$text-disabled")
        self.query_one(ItemLine).show(tuple(Item(f"key{at} ", style) for at, style in enumerate(styles)))
        table = self.query_one(VirtualTable)
        table.border_title = Content("title")
        table.set_rows([(key, *TONES) for key in range(3)])
        table.focus()


def drawn(screen: Screen[Any]) -> Iterator[Segment]:
    """Yield what a screen shows in letters, without what it lies over."""
    width, height = screen.size
    for y, strip in enumerate(screen._compositor.render_strips()):
        x = 0
        for part in strip:
            first = x + len(part.text) - len(part.text.lstrip())
            x += part.cell_length
            lettered = any(letter.isalnum() for letter in part.text) and first < width and y < height
            if lettered and screen.get_widget_at(first, y)[0] is not screen:
                yield part


def stands_out(screen: Screen[Any], theme: str) -> set[Any]:
    """Fail where a text does not stand out; return the colours behind texts."""
    behind_all = set()
    for part in drawn(screen):
        fore, behind = colours(part)
        behind_all.add(behind.rgb)
        ratio = contrast(fore, behind)
        assert ratio >= NEEDED[theme], f"{theme}: {part.text!r}: {ratio:.2f} of {fore.hex} on {behind.hex}"
    return behind_all


def colours(part: Segment) -> tuple[Color, Color]:
    assert part.style is not None
    assert part.style.color is not None
    assert part.style.bgcolor is not None
    return Color.from_rich_color(part.style.color), Color.from_rich_color(part.style.bgcolor)


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", COLOURED)
async def test_every_text_stands_out_from_what_is_behind_it(theme: str) -> None:
    app = Coloured(theme)
    async with app.run_test(size=(90, 24)) as pilot:
        backgrounds: set[Any] = set()
        for target in (VirtualTable, Panel, Input):
            app.query_one(target).focus()
            await pilot.pause()
            words = {part.text.strip() for part in drawn(app.screen)}
            assert words >= {tone or "plain" for tone in TONES}
            assert any("rite here" in word for word in words)
            backgrounds |= stands_out(app.screen, theme)
        assert len(backgrounds) >= 4  # background, panel, cursor line, line to write in
        for dialog in (
            Confirm("Sure?", line("It is ", ("bad", "bad")), "Do it", tone="bad"),
            Pick("Which?", [Choice("a", "a thing", "and a note"), Choice("b", "b", "", "not now")]),
        ):
            await app.push_screen(dialog)
            await pilot.pause()
            assert stands_out(dialog, theme)
            dialog.dismiss()
            await pilot.pause()


@pytest.mark.parametrize("theme", COLOURED[:3])
async def test_every_place_is_read_in_every_theme_of_ours(tmp_path: Path, theme: str) -> None:
    async with opened(estate.build(tmp_path), preferences=Preferences(theme=theme)) as pilot:
        app = pilot.app
        assert isinstance(app, WherryApp)
        for place in PLACES:
            await app.action_go(place.id)
            await pilot.pause()
            assert len(stands_out(app.screen, theme)) >= 2, place.id
        for key in ("question_mark", "ctrl+p", "v", "i"):
            await pilot.press(key)
            await pilot.pause()
            assert stands_out(app.screen, theme), key
            await pilot.press("escape")
            await pilot.pause()


def test_what_cannot_be_read_is_raised_and_the_rest_stays() -> None:
    """Negative control: a theme of greys on grey."""
    greys = dict.fromkeys(("primary", "secondary", "success", "warning", "error", "accent"), "#777777")
    texts = {f"text-{name}": "#777777" for name in greys}
    ground = {"background": "#202020", "surface": "#202020", "panel": "#202020", "foreground": "#767676"}
    raised = legible({**greys, **texts, **ground, "border": "#444444"})
    assert raised["border"] == "#444444"
    assert raised["primary"] == "#777777"
    for name in (*texts, "text-muted", "text-disabled", "foreground"):
        assert contrast(Color.parse(raised[name]), Color.parse("#202020")) >= 4.5, name
    assert contrast(Color.parse(greys["primary"]), Color.parse("#202020")) < 4.5
