"""The waves of Overview: how far each one is, in rows that are filtered and sorted, and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from planner.names import visible
from tui.session import View
from tui.text import fill, size_cell, window_start
from tui.theme import state_mark
from tui.widgets.column import Column

if TYPE_CHECKING:
    from migrate.wave_status import WaveStatus

# a key, then what planner.places.PROGRESS_WORDS asks for; steps done and all, the start of the window
Row = tuple[Any, ...]


def _share(percent: int | None) -> str:
    return "…" if percent is None else f"{fill(percent, 100, 10)} {percent:>3}%"


def _tone(percent: int | None) -> str:
    return "dim" if percent is None else "good" if percent == 100 else "warn"


def _steps(done: tuple[int, int]) -> str:
    return f"{fill(*done, 4)} {done[0]}/{done[1]}" if done[1] else "–"


COLUMNS = (
    Column(1, "wave", 6, keep=9),
    Column(2, "name", 12, flex=True, keep=8),
    Column(3, "groups", 6, str, right=True, keep=1, kind="number"),
    Column(4, "VMs", 4, str, right=True, keep=6, kind="number"),
    Column(5, "data", 9, size_cell, right=True, keep=5, kind="size"),
    Column(6, "state", 15, lambda state: visible(state_mark(state).text),
           lambda state: state_mark(state).tone, keep=9),
    Column(7, "cutover", 16, lambda text: visible(text) or "no window", keep=4, sorts=12),
    Column(8, "not blocked", 15, _share, _tone, keep=2, name="free", kind="number"),
    Column(11, "steps", 12, _steps, keep=0, kind="number", sorts=9),
    Column(10, "now", 22, lambda text: visible(text) or "–", keep=3),
)  # fmt: skip


def progress_rows(view: View, blocked: Mapping[str, int]) -> tuple[Row, ...]:
    """Return a row for each wave; ``blocked`` counts the VMs of a wave that a blocker holds."""
    planned = {wave.name: wave.window for wave in view.waves if wave.window}
    rows = []
    for wave in view.status.waves if view.status else ():
        window, free = planned.get(wave.name), wave.vms - blocked.get(wave.name, 0)
        is_judged = view.tallies is not None and wave.vms
        rows.append(
            (wave.name, wave.name, wave.title, wave.groups, wave.vms, wave.size_bytes, wave.state,
             window_start(window) if window else wave.window,
             _percent(free, wave.vms) if is_judged else None,
             _percent(wave.steps_done, wave.steps_total) if wave.steps_total else None,
             _now(wave), (wave.steps_done, wave.steps_total),
             window.start_utc.timestamp() if window else None)
        )  # fmt: skip
    return tuple(rows)


def _now(wave: WaveStatus) -> str:
    """Return what is the matter with a wave, and what it does."""
    return " · ".join(filter(None, (*wave.flags, wave.gate or wave.current)))


def _percent(part: int, whole: int) -> int:
    return part * 100 // whole  # never 100 before it is
