"""One run of a rehearsal as a chart of its steps over time, played, paused and scrubbed through.

Times are simulated. What lies before the cursor of time is drawn as done; the steps under way are kept in
sight. Names are made harmless where they are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from planner.names import visible
from planner.store.plan_waves import PlannedWindow
from planner.units import show_duration
from tui.drawings.axis import Span
from tui.drawings.chart import Bar, Chart, Column, Kind, Row, Shade
from tui.drawings.gantt import frame_lines, gantt
from tui.text import fit, line, stack

SPEEDS = (1, 5, 15, 30, 60, 120, 240, 480, 960, 1920, 3840, 7680)
_FRAME_S = 0.1
_WATCHED_S = 20.0  # how long a run is watched unless a person says otherwise
_ROOMY = 100  # cells in which what a step is about and what it does have columns of their own
_SCRUBS = 40  # of a run
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)


class Course(Widget, can_focus=True):
    """The chart of one run. ``at_s`` is the cursor, in seconds after the run's start."""

    DEFAULT_CSS = """
    Course { border: round $border-blurred; border-title-color: $text; border-subtitle-color: $text-muted;
             padding: 0 1; }
    Course:focus { border: round $primary; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.course: Mapping[str, Any] | None = None
        self.at_s = 0.0
        self.speed = SPEEDS[5]
        self.whole = False
        self._of = ""
        self._window: PlannedWindow | None = None
        self._marks: Sequence[tuple[str, float]] = ()
        self._empty = ""
        self._timer: Timer | None = None
        self.border_subtitle = Content("space play · ← → scrub · + - speed · z whole run")

    def show(
        self,
        of: str,
        course: Mapping[str, Any] | None,
        window: PlannedWindow | None = None,
        marks: Sequence[tuple[str, float]] = (),
        empty: str = "",
    ) -> None:
        """Show another run, at its end; ``marks`` are named times after the cutover gate, in seconds."""
        if course is self.course and of == self._of and empty == self._empty:
            return
        self.pause()
        self.course, self._of, self._window, self._marks, self._empty = course, of, window, marks, empty
        self._begin()

    def _begin(self) -> None:
        first, last = self.frame
        steps = self.course["steps"] if self.course is not None else ()
        self.at_s = next((step["end_s"] for step in steps if step["failed"]), last)
        self.speed = next((speed for speed in SPEEDS if (last - first) / speed <= _WATCHED_S), SPEEDS[-1])
        self._describe()
        self.refresh()

    @property
    def frame(self) -> tuple[float, float]:
        """What is drawn of the run: from the cutover gate on, or all of it."""
        if self.course is None:
            return 0.0, 0.0
        go_s = self.course["go_s"]
        return (0.0 if self.whole or go_s is None else float(go_s)), float(self.course["ended_s"])

    @property
    def playing(self) -> bool:
        """Whether the cursor moves by itself."""
        return self._timer is not None

    # playing

    def play(self) -> None:
        """Play on, from the beginning once the end was reached."""
        first, last = self.frame
        if self.at_s >= last:
            self.at_s = first
        if self._timer is None:
            self._timer = self.set_interval(_FRAME_S, self._tick)
        self._describe()

    def pause(self) -> None:
        """Let the cursor stand."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._describe()

    def _tick(self) -> None:
        self._move(self.at_s + _FRAME_S * self.speed)
        if self.at_s >= self.frame[1]:
            self.pause()

    def _move(self, to_s: float) -> None:
        first, last = self.frame
        self.at_s = min(max(to_s, first), last)
        self._describe()
        self.refresh()

    def scrub(self, by: int) -> None:
        """Move the cursor by a part of the run; it stands then."""
        first, last = self.frame
        self.pause()
        self._move(self.at_s + by * (last - first) / _SCRUBS)

    def hurry(self, by: int) -> None:
        """Play faster or slower."""
        at = min(max(SPEEDS.index(self.speed) + by, 0), len(SPEEDS) - 1)
        self.speed = SPEEDS[at]
        self._describe()

    def turn_whole(self) -> None:
        """Draw the run from its start, or from the cutover gate."""
        self.whole = not self.whole
        self._begin()

    # drawing

    def _describe(self) -> None:
        if self.course is None:
            self.border_title = Content(self._of)
            return
        seconds = int(self.at_s - self.frame[0])
        clock = f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
        what = "from its start" if self.whole else "from the cutover gate"
        state = "▸ playing" if self.playing else "‖ paused"
        self.border_title = Content(
            f"{self._of} · run {self.course['seed']} {what} · simulated clock {clock} · {self.speed}× {state}"
        )

    def _steps(self) -> list[Mapping[str, Any]]:
        assert self.course is not None
        first = self.frame[0]
        kept = (step for step in self.course["steps"] if step["begin_s"] >= first)
        return sorted(kept, key=lambda step: (step["begin_s"], step["end_s"]))

    def _when(self, at_s: float) -> datetime:
        assert self.course is not None
        base = self._window.start_utc if self._window else _NO_DATE
        return base + timedelta(seconds=at_s - (self.course["go_s"] or 0.0))

    def _row(self, step: Mapping[str, Any]) -> Row:
        about, _, what = str(step["title"]).rpartition(": ")
        begin, end, now = step["begin_s"], step["end_s"], self.at_s
        bars = []
        if step["kind"] == "gate":
            bars = [Bar(Kind.GATE, self._when(begin), self._when(end))]
        else:
            if begin < now or end <= now:  # what took no time is over as well
                bars.append(Bar(Kind.CUTOVER, self._when(begin), self._when(min(end, now)), step["failed"]))
            if end > now:
                bars.append(Bar(Kind.SYNC, self._when(max(begin, now)), self._when(end)))
        verdict, tone = show_duration(end - begin), ""
        if step["failed"]:
            verdict, tone = f"✖ failed, {verdict}", "bad"
        elif end > now:
            verdict, tone = ("◐ under way", "accent") if begin < now else ("· to come", "dim")
        if self.content_size.width < _ROOMY:
            return Row(f"{fit(visible(about), 14).rstrip()} {what}", (), tuple(bars), verdict, tone)
        return Row(about, (what,), tuple(bars), verdict, tone)

    def render(self) -> Content:
        """Draw the steps that are under way, and those around them."""
        width, height = self.content_size.width, self.content_size.height
        if self.course is None:
            return stack([line(""), line((f"   {self._empty}", "dim"))])
        steps = self._steps()
        rows = [self._row(step) for step in steps]
        go_s = self.course["go_s"] or 0.0
        rows += [
            Row(f"commit gate {word}", (), (Bar(Kind.GATE, self._when(go_s + s), self._when(go_s + s)),),
                show_duration(s))
            for word, s in self._marks
        ]  # fmt: skip
        last = max([self.frame[1], *(go_s + s for _, s in self._marks)])
        axis = Span(self._when(self.frame[0]), self._when(last + (last - self.frame[0]) * 0.03))
        shades = (Shade(self._window.start_utc, self._window.end_utc, "window"),) if self._window else ()
        roomy = width >= _ROOMY
        chart = Chart(
            axis,
            (Column("step", 20),) if roomy else (),
            "about",
            self._window.zone if self._window else "UTC",
            shades,
            self._when(self.at_s),
            label_width=min(34, width // 5) if roomy else 30,
            verdict_width=12,
            kinds=(),
            legend=False,
        )
        room = max(1, height - frame_lines(chart))
        picture = gantt(chart, rows, width, self._first(steps, len(rows), room), room)
        lines = list(picture.lines)
        if self._window is None:  # the day is none
            lines[0] = line(("  no window: hours and minutes after the cutover gate", "dim"))
        return stack(lines[:height])

    def _first(self, steps: Sequence[Mapping[str, Any]], rows: int, room: int) -> int:
        """Return the first row drawn: the earliest step under way, with one that is done above it."""
        under_way = next(
            (at for at, step in enumerate(steps) if step["end_s"] > self.at_s or step["failed"]), rows
        )
        return max(0, min(under_way - 1, rows - room))
