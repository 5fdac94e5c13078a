"""Texts of every theme are read without straining: contrast as WCAG 2 counts it, of what is really drawn."""

from collections.abc import Iterator
from typing import Any

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content

from tui.text import line
from tui.theme import STYLES, THEMES
from tui.widgets.column import Column
from tui.widgets.lines import EdgeLine
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

NEEDED = {"harbour": 4.5, "daylight": 4.5, "beacon": 7.0}
TONES = tuple(STYLES)
COLUMNS = tuple(
    Column(at, tone or "plain", 9, tone=lambda value, tone=tone: tone) for at, tone in enumerate(TONES, 1)
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


class Coloured(App[None]):
    """A table, a panel and line 1 with a text of every tone."""

    CSS_PATH = "../../tui/screens/place.tcss"

    def __init__(self, theme: str) -> None:
        super().__init__()
        for make in THEMES:
            self.register_theme(make())
        self.theme = theme

    def compose(self) -> ComposeResult:
        yield EdgeLine("line1")
        yield VirtualTable(COLUMNS)
        yield Panel("panel")

    def on_mount(self) -> None:
        tones = line(*((tone or "plain", tone) for tone in TONES))
        self.query_one(EdgeLine).show(tones)
        self.query_one(Panel).show(tones)
        table = self.query_one(VirtualTable)
        table.border_title = Content("title")
        table.set_rows([(key, *TONES) for key in range(3)])
        table.focus()

    def drawn(self) -> Iterator[Segment]:
        """Yield what is on the screen and holds letters."""
        for strip in self.screen._compositor.render_strips():
            yield from (part for part in strip if any(letter.isalnum() for letter in part.text))


def colours(part: Segment) -> tuple[Color, Color]:
    assert part.style is not None
    assert part.style.color is not None
    assert part.style.bgcolor is not None
    return Color.from_rich_color(part.style.color), Color.from_rich_color(part.style.bgcolor)


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", NEEDED)
async def test_every_text_stands_out_from_what_is_behind_it(theme: str) -> None:
    app = Coloured(theme)
    async with app.run_test(size=(90, 20)) as pilot:
        backgrounds: set[Any] = set()
        for target in (VirtualTable, Panel):
            app.query_one(target).focus()
            await pilot.pause()
            parts = list(app.drawn())
            assert {part.text.strip() for part in parts} >= {tone or "plain" for tone in TONES}
            for part in parts:
                fore, behind = colours(part)
                backgrounds.add(behind.rgb)
                ratio = contrast(fore, behind)
                assert ratio >= NEEDED[theme], f"{part.text!r}: {ratio:.2f} of {fore.hex} on {behind.hex}"
        assert len(backgrounds) >= 3  # background, panel, cursor line
