"""The views of 4 Waves: which is shown, and which days or waves of it are in sight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tui.drawings.axis import Slots, Span
from tui.drawings.board import Lane
from tui.drawings.chart import Row
from tui.screens.waves_chart import (
    Times,
    card_of,
    chart_of,
    chart_row,
    first_axis,
    following,
    lane_of,
    times_of,
)
from tui.screens.waves_lines import WaveLine
from tui.screens.waves_place import WavesPlace
from tui.screens.waves_table import VIEWS

_STEP, _ZOOM = 0.25, 0.6


class Charting(WavesPlace):
    """Gantt, list and board."""

    def __init__(self) -> None:
        super().__init__()
        self._times = Times(None, {}, ())
        self._axis: Span | Slots | None = None
        self._soak = timedelta()
        self._viewed = False

    def chart_lines(self, lines: Sequence[WaveLine]) -> None:
        """Take other lines for the drawings; what is in sight stays in sight."""
        dated = self._times.span is not None
        self._times = times_of(lines)
        if lines and not self._viewed:  # without dates a chart says less than the list
            self._viewed = True
            self.show_view("list" if self._times.span is None else "gantt")
        if self._axis is None or dated is not (self._times.span is not None):
            self._axis = first_axis(lines, self._times) if lines else None
        self._draw(lines)

    def _draw(self, lines: Sequence[WaveLine]) -> None:
        table = self.waves
        table.row_of, table.lane_of = self._row, self._lane
        if self._axis is not None:
            settings = self.wherry.session.settings()
            self._soak = timedelta(days=settings.waves.soak_days)
            rate = f"{settings.link.rate_mbit * settings.link.share:,.0f} Mbit/s"
            table.chart = chart_of(self._axis, self._times, lines, settings, self.wherry.now(), rate)
        table.refresh()

    def _row(self, index: int) -> Row:
        line = self.waves.rows[index]
        assert isinstance(line, WaveLine)
        return chart_row(line, self._times, self._soak, line.key in self.waves.marks)

    def _lane(self, index: int) -> Lane:
        line = self.waves.rows[index]
        assert isinstance(line, WaveLine)
        found, marks = self.groups_of(line.wave), self.groups.marks  # asked for before they are in sight
        cards = None
        if found is not None:
            cards = [card_of(line.wave, one, line.locked, one["vms"][0][0] in marks) for one in found]
        return lane_of(line, cards, line.key in self.waves.marks)

    def _look_at(self, axis: Span | Slots) -> None:
        self._axis = axis
        self._draw([line for line in self.waves.rows if isinstance(line, WaveLine)])

    def chart_follows(self) -> None:
        """Move the chart as far as the wave under the cursor needs to be in sight."""
        if self._axis is not None and (axis := following(self._axis, self.wave_line)) != self._axis:
            self._look_at(axis)

    def ask_lanes(self) -> None:
        """Ask at once for the groups of all waves that the board shows."""
        names = [str(self.waves.rows[index][0]) for index in self.waves.lanes_in_sight]
        known = self.hand.rows if self.hand is not None else {}
        new = [name for name in names if name in known and name not in self.known_groups]
        self.ask_groups([*new, *(name for name in names if name in self.old_groups)])

    # keys

    def action_view(self, by: int) -> None:
        """Show the next view."""
        self.show_view(VIEWS[(VIEWS.index(self.waves.view) + by) % len(VIEWS)])
        self.describe_table()
        self.show_wave()

    def show_view(self, view: str) -> None:
        """Show the waves as a list, a chart or a board."""
        self.set_class(view == "board", "board")
        self.waves.show_as(view)

    def action_scroll(self, by: int) -> None:
        """Show earlier or later dates; on the board go to the next wave."""
        if self.waves.view == "board":
            self.waves.step(by)
        elif self._axis is not None:
            self._look_at(self._axis.moved(by * _STEP))

    def action_zoom(self, nearer: int) -> None:
        """Show fewer days, or more."""
        if self._axis is None:
            return
        factor, line = _ZOOM if nearer > 0 else 1 / _ZOOM, self.wave_line
        if isinstance(self._axis, Slots):
            around = None if line is None or line.slot is None else float(line.slot + 1)
            self._look_at(self._axis.zoomed(factor, around))
        else:
            self._look_at(self._axis.zoomed(factor, line.window.start_utc if line and line.window else None))

    def action_whole(self) -> None:
        """Show all dates."""
        lines = self.waves.rows
        if self._times.span is not None:
            self._look_at(self._times.span)
        elif self._axis is not None:
            last = max((line.slot for line in lines if line.slot is not None), default=len(lines))  # type: ignore[attr-defined]
            self._look_at(Slots(1.0, float(last + 2)))
