"""The waves in three views over one cursor, one order and one set of marks: a list, a Gantt chart, a board.

The list is the table everybody knows; the other two are drawings that look only at what is in sight. On the
board the keys up and down go through the cards of a wave, so they are told to the place instead.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.visual import Visual

from tui.drawings.board import CARD_LINES, Chosen, Lane, board, lanes_that_fit
from tui.drawings.cells import Picture, at, first_shown
from tui.drawings.chart import Chart, Row
from tui.drawings.gantt import Kept, frame_lines, gantt
from tui.screens.waves_chart import Made
from tui.widgets.table import VirtualTable

_TALL = 12  # lines from which the load of the link has its place
_LOW = 9  # below it glyphs are not explained: waves need the lines
VIEWS = ("gantt", "list", "board")


class WavesTable(VirtualTable):
    """The waves. ``chart``, ``row_of`` and ``lane_of`` (by index of a row) are given by the place."""

    class Stepped(Message):
        """On the board another card is wanted: so many further."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Pointed(Message):
        """A card was clicked: its wave and group."""

        def __init__(self, wave: str, group: str) -> None:
            super().__init__()
            self.wave, self.group = wave, group

    def __init__(self, columns: Any, id: str) -> None:
        super().__init__(columns, id=id)
        self.view = "list"
        self.chart: Chart | None = None
        self.row_of: Callable[[int], Row] | None = None
        self.lane_of: Callable[[int], Lane] | None = None
        self.card: int | None = None
        self._first = 0
        self._tops: dict[int, int] = {}
        self._picture: Picture | None = None
        self._strips: list[Strip] = []
        self._drawn: tuple[tuple[object, ...], dict[int, tuple[Content, list[Strip]]]] = ((), {})
        self._charted: tuple[Chart | None, tuple[object, ...], Kept] = (None, (), Kept())

    @property
    def draws(self) -> bool:
        """True when a drawing is shown in place of the list."""
        return self.view != "list" and bool(self.order)

    def show_as(self, view: str) -> None:
        """Show another view of the same waves."""
        self.view = view
        self.styles.overflow_y = "auto" if view == "list" else "hidden"
        self.refresh()
        if view == "list":
            self._follow()

    @property
    def lanes_in_sight(self) -> list[int]:
        """The rows whose lanes the board shows, by index."""
        fits = lanes_that_fit(self.size.width)
        first = first_shown(self._first, self.cursor, fits, len(self.order))
        return list(self.order[first : first + fits])

    # drawing

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Any:
        """A drawing is made anew as a whole, its border alone."""
        if self._edge is None:
            self._picture = None
            if getattr(self, "view", "list") != "list":
                regions = ()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _repaint(self, seen: Sequence[tuple[Any, ...]]) -> None:
        if self.draws:
            self.refresh()
        else:
            super()._repaint(seen)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the visible part."""
        if not self.draws:
            return super().render_line(y)
        if self._picture is None:
            self._draw()
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self.rich_style)

    def _draw(self) -> None:
        width, height = self.size
        self._picture = self._board(width, height) if self.view == "board" else self._gantt(width, height)
        style = self.visual_style
        before = self._drawn[1] if self._drawn[0] == (width, style) else {}
        drawn: dict[int, tuple[Content, list[Strip]]] = {}
        for line in self._picture.lines[:height]:  # those that are as they were are strips already
            drawn[id(line)] = before.get(id(line)) or (
                line,
                Visual.to_strips(self, line, width, 1, style, pad=True),
            )
        self._strips = [strip for line in self._picture.lines[:height] for strip in drawn[id(line)][1]]
        self._drawn = ((width, style), drawn)

    def _gantt(self, width: int, height: int) -> Picture:
        assert self.chart is not None
        assert self.row_of is not None
        chart = self.chart if height >= _TALL else replace(self.chart, loads=None)
        chart = replace(chart, legend=height >= _LOW)
        room = max(1, height - frame_lines(chart))
        self._first = first_shown(self._first, self.cursor, room, len(self.order))
        rows = Made(self.order, self.row_of)
        of, shape = self.chart, (width, height >= _TALL, height >= _LOW)
        if self._charted[0] is not of or self._charted[1] != shape:
            self._charted = (of, shape, Kept())
        return gantt(chart, rows, width, self._first, room, self.cursor, self._charted[2])

    def _board(self, width: int, height: int) -> Picture:
        assert self.lane_of is not None
        self._first = first_shown(self._first, self.cursor, lanes_that_fit(width), len(self.order))
        lanes = Made(self.order, self.lane_of)
        chosen = Chosen(self.cursor, self.card)
        return board(lanes, width, height, self._first, chosen, self._tops)

    # moving

    def _follow(self) -> None:
        if not self.draws:
            super()._follow()

    def action_move(self, by: int) -> None:
        """Move the cursor; on the board, through the cards."""
        if self.view == "board" and self.draws:
            self.post_message(self.Stepped(by))
        else:
            super().action_move(by)

    def step(self, by: int) -> None:
        """Go to another wave in any view."""
        super().action_move(by)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go on in a drawing, which is as high as its place."""
        self._turn(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go back in a drawing."""
        self._turn(event, -1)

    def _turn(self, event: events.MouseEvent, by: int) -> None:
        if self.draws:
            event.stop()
            event.prevent_default()
            self.step(by)

    def on_click(self, event: events.Click) -> None:
        """Go to the wave, or the card, under the mouse; again opens it."""
        if not self.draws:
            return  # the list has its own way
        event.prevent_default()
        spot = event.get_content_offset(self)
        if spot is None:
            return
        if self._picture is None:
            self._draw()
        assert self._picture is not None
        height = CARD_LINES if self.view == "board" else 1
        found: Hashable | None = at(self._picture.spots, spot.y, spot.x, height)
        if isinstance(found, int):
            if found == self.cursor and event.chain == 2:
                self.open_row()
            self.cursor = found
        elif isinstance(found, tuple):
            self.post_message(self.Pointed(str(found[0]), str(found[1])))
