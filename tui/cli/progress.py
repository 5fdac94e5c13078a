"""Progress on stderr: bars with rate and ETA on a terminal, a line now and then elsewhere.

Programs that asked for events get them instead, at most ten a second; see ``tui.cli.events``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from planner.names import visible
from planner.units import show_bytes, show_duration, show_rate
from tui.cli import events
from tui.cli.output import say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from planner.waves.found import Best

_EVERY_S = 2.0
_EVENT_S = 0.1


@dataclass(frozen=True, slots=True)
class Known:
    """What work knows of itself: its rate now, P50 and P95 of what is left, words, fields for programs."""

    rate: float | None = None
    left_s: tuple[float, float] | None = None
    words: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


class Bar:
    """One bar at a time, for work counted in bytes or in pieces; used as a context manager."""

    def __init__(self, in_bytes: bool = True) -> None:
        self._progress: Progress | None = None
        self._told = events.are_told()
        if not self._told:
            self._draw()
        self._in_bytes = in_bytes
        self._task: TaskID | None = None
        self._title = ""
        self._total: int | None = None
        self._begun = self._said = 0.0
        self._base = 0  # what was done when this stretch began

    def _draw(self) -> None:
        """Make the bar, on a terminal that can show one."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        console = Console(stderr=True)
        if console.is_terminal and not console.is_dumb_terminal:
            self._progress = Progress(
                TextColumn(
                    "  {task.description}",
                    markup=False,
                    table_column=Column(no_wrap=True, overflow="ellipsis"),
                ),
                BarColumn(bar_width=24 if console.width >= 110 else 8),
                TextColumn("{task.fields[said]}", markup=False, table_column=Column(no_wrap=True)),
                console=console,
                transient=True,
            )

    def __enter__(self) -> Bar:
        if self._progress:
            self._progress.start()
            self._progress.console.show_cursor(True)  # a killed run must not leave a terminal without one
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._progress:
            from rich.text import Text

            self._progress.console.print(Text(text), highlight=False, soft_wrap=True)
        else:
            say(text)

    def begin(self, title: str) -> None:
        """Start a new bar in place of the last one."""
        self.end()
        self._title = visible(title, 60)
        if self._progress:
            # it pulses until there is a count
            self._task = self._progress.add_task(self._title, total=None, said="")
        self._begun = self._said = time.monotonic()
        self._base = 0
        if self._told:
            events.tell("begin", title=self._title)
            self._total = None
            self._said = 0.0  # the first count is told at once

    def report(self, done: int, total: int, known: Known | None = None) -> None:
        """Move the bar."""
        if self._told:
            self._tell(done, total, known)
        elif self._progress:
            if self._task is None:
                self._task = self._progress.add_task(self._title, total=total, said="")
            said = self._spoken(done, total, known)
            self._progress.update(self._task, completed=done, total=total, said=said)
        elif time.monotonic() - self._said >= _EVERY_S:
            self._said = time.monotonic()
            say(f"  … {self._title}: {self._spoken(done, total, known)}")

    def count(self, title: str, done: int) -> None:
        """Show how many there are so far, where nobody knows how many there will be."""
        if visible(title, 60) != self._title:
            self.begin(title)
        if self._told:
            self._tell(done, None)
        elif self._progress and self._task is not None:
            self._progress.update(self._task, said=f"{done:,}")
        elif time.monotonic() - self._said >= _EVERY_S:
            self._said = time.monotonic()
            say(f"  … {self._title}: {done:,}")

    def report_on(self, title: str, done: int, total: int, known: Known | None = None) -> None:
        """Move the bar of ``title``, starting it when another one was shown."""
        if visible(title, 60) != self._title:
            self.begin(title)
        self.report(done, total, known)

    def _tell(self, done: int, total: int | None, known: Known | None = None) -> None:
        """Tell how far it is, unless it was told a moment ago; the last count is never left out."""
        if total != self._total:
            # Another stretch of the way under the same title goes at a rate of its own.
            if self._total is not None:
                self._begun, self._base = time.monotonic(), done
            self._total = total
        if done != total and time.monotonic() - self._said < _EVENT_S:
            return
        self._said = time.monotonic()
        rate, left_s = self._rate(done), None
        if known is not None:
            rate = known.rate or rate
            left_s = known.left_s and known.left_s[0]
        if left_s is None and rate and total is not None:
            left_s = max(total - done, 0) / rate
        events.tell(
            "progress",
            title=self._title,
            done=done,
            total=total,
            unit="bytes" if self._in_bytes else "pieces",
            rate=round(rate, 3),
            left_s=None if left_s is None else round(left_s, 1),
            **(known.fields if known else {}),
        )

    def _rate(self, done: int) -> float:
        return (done - self._base) / max(time.monotonic() - self._begun, 0.001)

    def _spoken(self, done: int, total: int, known: Known | None) -> str:
        if not self._in_bytes:
            return f"{done} of {total}"
        rate = (known and known.rate) or self._rate(done)
        left = show_duration((total - done) / rate) if rate else "?"
        if known and known.left_s:
            left, longest = map(show_duration, known.left_s)
            left = left if left == longest else f"{left} to {longest}"
        words = f" · {known.words}" if known and known.words else ""
        return f"{show_bytes(done)} of {show_bytes(total)}, {show_rate(rate)}{words}, {left} left"

    def end(self) -> None:
        """Take the bar away."""
        if self._progress and self._task is not None:
            self._progress.remove_task(self._task)
        self._task = None


def tell_best(best: Best) -> None:
    """Tell programs of a plan that is the best so far; people see what the bar says of it."""
    events.tell(
        "best",
        track="shared services" if best.services else "groups",
        phase=best.phase,
        waves=best.waves,
        waves_bound=best.waves_bound,
        cut_share=round(best.cut_share, 6),
        stretch_gb=round(best.stretch_gb, 6),
    )
