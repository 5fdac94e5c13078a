"""The waves of 5 Rehearse: a row each with what its last rehearsal said, and the columns that show it."""

from __future__ import annotations

import math
from collections.abc import Callable

from planner.names import visible
from planner.store.plan_waves import WaveRow
from tui.acts.rehearsing import Rehearsed
from tui.screens.rehearse_words import spread_words, verdict_mark, verdict_of
from tui.session import View
from tui.text import count, short_time, window_start
from tui.widgets.column import Column

# a key, then what planner.places.REHEARSAL_WORDS asks for; P50 and P95 in seconds, the start of the window
Row = tuple[
    str, str, str, int, str, str, int | None, int | None, str, tuple[float, float] | None, float | None
]


def _dash(text: str) -> str:
    return visible(text) or "–"


def _verdict(words: str) -> str:
    return f"{verdict_mark(words)[0]} {visible(words)}"


COLUMNS = (
    Column(1, "wave", 7, keep=9),
    Column(2, "name", 14, _dash, flex=True, keep=5),
    Column(3, "VMs", 5, count, right=True, keep=4, kind="number"),
    Column(4, "window", 16, lambda text: visible(text) or "no window", keep=3, sorts=10),
    Column(5, "last rehearsal", 16, _dash, keep=6, name="rehearsed"),
    Column(9, "cutover P50 / P95", 22, spread_words, right=True, keep=7, name="cutover", kind="number"),
    Column(7, "fits", 6, lambda share: "–" if share is None else f"{share}%", right=True, keep=2,
           kind="number"),
    Column(8, "verdict", 20, _verdict, lambda words: verdict_mark(words)[1], keep=8),
)  # fmt: skip


def rehearsal_rows(view: View, last: Callable[[str], Rehearsed | None]) -> tuple[Row, ...]:
    """Return a row for each wave of the plan; ``last`` knows the newest rehearsal of a wave."""
    return tuple(_row(wave, last(wave.name)) for wave in view.waves) if view.plan is not None else ()


def _row(wave: WaveRow, last: Rehearsed | None) -> Row:
    cutover = last.cutover if last else None
    return (
        wave.name,
        wave.name,
        wave.title,
        wave.vms,
        window_start(wave.window) if wave.window else "",
        short_time(last.at)[:16] if last else "",
        math.ceil(cutover[1] / 60) if cutover else None,
        int(last.fits * 100) if last and last.fits is not None else None,  # never 100% before it is
        verdict_of(last, wave),
        cutover,
        wave.window.start_utc.timestamp() if wave.window else None,
    )
