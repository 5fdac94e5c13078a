"""Panels and tables paint what has changed and nothing else."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.visual import Visual

from tui.widgets.column import Column
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

WORDS = "a line that has to be wrapped in so narrow a panel, as 🚢 most of the remedies are"


class _Seen(VirtualTable):
    drawn = 0

    def render_line(self, y: int):  # type: ignore[no-untyped-def]
        self.drawn += 1
        return super().render_line(y)


class _Both(App[None]):
    CSS = "VirtualTable, Panel { border: round white; padding: 0 1; }"

    def compose(self) -> ComposeResult:
        yield _Seen((Column(1, "name", 10),), id="table")
        yield Panel("panel", "words")


async def test_a_panel_wraps_as_content_is_drawn_and_draws_what_is_in_sight() -> None:
    async with _Both().run_test(size=(30, 24)) as pilot:
        panel = pilot.app.query_one(Panel)
        lines = [Content(f"{number} {WORDS[: number % 90]}") for number in range(2_000)]
        panel.show(lines)
        await pilot.pause()
        whole = Visual.to_strips(panel, panel.render(), 25, None, panel.visual_style, pad=True)
        assert panel.scrollable_content_region.width == 25  # beside border, padding and scrollbar
        assert panel.virtual_size.height == len(whole) > 2_000
        assert len(panel._strips) < 100
        panel.scroll_to(y=4_000, animate=False)
        await pilot.pause()
        assert panel.render_line(3).text == whole[panel.scroll_offset.y + 3].text
        assert panel.text.startswith("0 \n1 a\n2 a ")
        panel.focus()
        await pilot.press("g")
        assert panel.scroll_target_y == 0
        await pilot.press("G")
        assert panel.scroll_target_y == panel.max_scroll_y > 4_000


async def test_another_title_paints_the_border_alone() -> None:
    async with _Both().run_test(size=(30, 24)) as pilot:
        table = pilot.app.query_one(_Seen)
        table.set_rows([(number, f"vm-{number}") for number in range(50)])
        await pilot.pause()
        table.drawn = 0
        table.set_title(Content("50 VMs"), Content("row 2 of 50"))
        await pilot.pause()
        assert table.drawn == 0
        assert "row 2 of 50" in str(table.border_subtitle)
        table.move_to(1)
        await pilot.pause()
        assert 0 < table.drawn <= 3  # the line that was left and the one that was gone to


class _Alone(App[None]):
    def __init__(self, height: str) -> None:
        super().__init__()
        self._height = height

    def compose(self) -> ComposeResult:
        yield Panel("panel", "words")

    def on_mount(self) -> None:
        panel = self.query_one(Panel)
        panel.styles.border, panel.styles.padding = ("round", "white"), (0, 1)
        panel.styles.height, panel.styles.max_height = self._height, "100%"


@pytest.mark.parametrize("height", ["1fr", "auto"])
async def test_a_terminal_of_a_few_cells_ends_nothing_and_all_is_back_afterwards(height: str) -> None:
    async with _Alone(height).run_test(size=(60, 8)) as pilot:
        panel = pilot.app.query_one(Panel)
        panel.show(Content("\n".join(WORDS[:number] for number in range(40))))
        await pilot.pause()
        lines = panel.virtual_size.height
        for width in (6, 4, 3, 2, 1, 3, 60):
            await pilot.resize_terminal(width, 8)
            await pilot.pause()
        assert panel.virtual_size.height == lines
