"""The lines of 4 Waves: every wave as it was saved, with what lies on the desk laid over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from planner.names import visible
from planner.sized import AtLeast
from planner.store.plan_waves import PlannedWindow, WaveRow
from tui.hand import Hand, Laid
from tui.listing import Tally
from tui.session import View
from tui.text import count, size_cell, spread_minutes, window_start
from tui.theme import state_mark, tally_tone, tally_words
from tui.widgets.column import Column

LIMITS = {
    "vms": "VMs",
    "size_bytes": "size",
    "cutovers": "cutovers",
    "engineer_h": "work",
    "items_per_owner": "owner",
    "items_per_team": "team",
    "bytes_per_datastore": "datastore",
    "disks_per_host": "host",
}


# What is moving, has moved or is on its way back stays as it is, and the verb that takes it back if one does.
_BEGUN = {
    "replicating": "abort",
    "in sync": "abort",
    "cutting over": "rollback",
    "before commit": "rollback",
    "committing": "",
    "committed": "",
    "reverse protected": "",
    "failing back": "",
    "rolling back": "",
    "aborting": "",
    "failed": "",
}


def begun(wave: str, state: str) -> str:
    """Say why a wave in a state stays as it is, and what would change that; empty when it may be changed."""
    if state not in _BEGUN:
        return ""
    then = f"first 'wherry {verb} {wave}'" if (verb := _BEGUN[state]) else "see 'wherry status'"
    return f"{visible(wave)} {'has' if state == 'failed' else 'is'} {state}, it stays as it is: {then}"


class WaveLine(NamedTuple):
    """A wave in the table. None and "" are not known, ``AtLeast`` in part; ``broken`` None: not looked at."""

    key: str
    wave: str
    title: str
    groups: int
    vms: int
    size_bytes: int
    window_text: str
    downtime: tuple[float, float] | None
    full: tuple[float, str, bool] | None  # the limit used most: its share and name; True: it is the least
    state: str
    approved: str
    checks: Tally | None
    broken: int | None
    edited: str
    locked: bool
    window: PlannedWindow | None
    seed_h: tuple[float, float] | None
    overrun: float | None
    slot: int | None

    @property
    def begun(self) -> str:
        """Say why the wave stays as it is, empty when it may be changed."""
        return begun(self.wave, self.state)


def full_words(full: tuple[float, str, bool] | None) -> str:
    """Return ``94% size``: never 100% before it is; None is not looked at."""
    if full is None:
        return "…"
    share, limit, is_least = full
    return f"{'≥' if is_least else ''}{int(share * 100)}% {LIMITS.get(limit, limit)}"


def _broken_words(broken: int | None) -> str:
    return "…" if broken is None else f"✖ {broken}" if broken else "✔"


def _broken_tone(broken: int | None) -> str:
    return "dim" if broken is None else "bad" if broken else "good"


COLUMNS = (
    Column(1, "wave", 5, keep=12),
    Column(13, "edit", 4, keep=10, tone=lambda said: "accent"),
    Column(2, "title", 14, flex=True, keep=9),
    Column(3, "groups", 6, count, right=True, keep=2, kind="number"),
    Column(4, "VMs", 5, count, right=True, keep=7, kind="number"),
    Column(5, "data", 9, size_cell, right=True, keep=6, kind="size"),
    Column(6, "window", 16, lambda text: visible(text) or "no window", keep=5, sorts=18),
    Column(7, "down P50/P95", 20, lambda pair: spread_minutes(*pair) if pair else "?", right=True, keep=3,
           name="downtime", kind=""),
    Column(8, "limits", 9, full_words, keep=4, kind=""),
    Column(9, "state", 15, lambda state: visible(state_mark(state).text),
           lambda state: state_mark(state).tone, keep=8),
    Column(10, "approved", 10, lambda who: f"✔ {visible(who)}" if who else "–",
           lambda who: "good" if who else "dim", keep=3),
    Column(11, "checks", 10, tally_words, tally_tone, keep=5, kind=""),
    Column(12, "broken", 6, _broken_words, _broken_tone, keep=11, kind="number"),
)  # fmt: skip


def wave_lines(view: View, hand: Hand | None) -> tuple[WaveLine, ...]:
    """Return a line for each wave there is now, in order."""
    if view.plan is None:
        return ()
    if hand is None or hand.plan < view.plan.version:
        return tuple(_lines(view, {}, None))
    return tuple(_lines(view, hand.rows, hand))


def _lines(view: View, laid: Mapping[str, Laid], hand: Hand | None) -> Iterator[WaveLine]:
    from planner.waves.pins import slot_named

    states = {item.name: item.state for item in view.status.waves} if view.status else {}
    saved = {wave.name: wave for wave in view.waves}
    for name in laid or saved:
        found = laid.get(name)
        slot = found.slot if found else slot_named(name)
        yield _line(name, saved.get(name), found, hand, states.get(name, ""), slot, view)


def _line(
    name: str,
    saved: WaveRow | None,
    laid: Laid | None,
    hand: Hand | None,
    state: str,
    slot: int | None,
    view: View,
) -> WaveLine:
    edited = hand is not None and name in hand.edited
    takes = hand.edited[name] if hand is not None and edited else None
    approval = view.approvals.get(name)
    fullest = laid.fullest if laid else None
    window = saved.window if saved else _window(laid)
    tallies = None if view.tallies is None else view.wave_tallies.get(name, (0, 0, 0))
    now = takes if edited else saved
    size = laid.size_bytes if laid else saved.size_bytes if saved else AtLeast(0)
    timed = now if not isinstance(size, AtLeast) else None  # times of a part of it are not its times
    return WaveLine(
        name,
        name,
        saved.title if saved else "new wave",
        len(laid.groups) if laid else saved.groups if saved else 0,
        laid.vms if laid else saved.vms if saved else 0,
        size,
        window_start(window) if window else "",
        timed.downtime_min if timed else None,
        (fullest[1] / fullest[2], fullest[0], isinstance(size, AtLeast)) if fullest and fullest[2] else None,
        state or ("approved" if approval else "planned"),
        approval.who if approval and not edited else "",
        None if edited else tallies,
        len(laid.violations) if laid else None,
        "● new" if edited and saved is None else "●" if edited else "",
        laid.locked if laid else False,
        window,
        now.seed_h if now and size else None,
        saved.overrun if saved and not edited else None,
        slot,
    )


def _window(laid: Laid | None) -> PlannedWindow | None:
    """Return the window of a wave that no plan has yet, in UTC: nobody said a zone."""
    if laid is None or not laid.start:
        return None
    start, end = map(datetime.fromisoformat, (laid.start, laid.end))
    return PlannedWindow(start, (end - start).total_seconds() / 3600, "UTC")
