"""waves.csv read back: when each wave cuts over, as windows of the settings, or every wrong row named.

People change ``start_utc`` and ``end_utc``; a wave without a window gets one. Names of waves come from their
groups, states from approvals: those columns are not read, and a state that was edited is told. Waves are
numbered in the order of their windows, so that a date which would renumber them is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from planner.export.handover import WAVES, moment, window_id
from planner.export.printout import Printout
from planner.imports.tables import RowsRefused, Sheet, forms
from planner.names import visible
from planner.plan import Wave
from planner.settings import Settings, Window
from planner.units import show_count
from planner.waves.calendar import calendar
from planner.waves.pins import slot_named, wave_name

NEEDED = ("wave_id", "start_utc", "end_utc")
_LONGEST_H = 72.0


@dataclass(frozen=True, slots=True)
class Dated:
    """A wave whose window a person changed; ``before`` is None where it had none."""

    wave: str
    before: Window | None
    after: Window


@dataclass(frozen=True, slots=True)
class _Wish:
    number: int
    wave: Wave
    window: Window | None  # None = as the plan has it


class _Reading:
    """One pass over the rows."""

    def __init__(self, printout: Printout, settings: Settings, frozen: Collection[str]) -> None:
        self._waves = {wave.name.casefold(): wave for wave in printout.plan.waves}
        self._single = {window.start_utc for window in settings.windows}
        self._frozen = frozenset(frozen)
        self._seen: dict[str, int] = {}

    def said(self, number: int, cells: Mapping[str, str]) -> _Wish | str:
        """Return what a row asks for, or why it cannot be."""
        if not cells["wave_id"]:
            return "wave_id is empty"
        wave = self._waves.get(cells["wave_id"].casefold())
        if wave is None:
            return f"wave {visible(cells['wave_id'], 40)} does not exist in the plan"
        if before := self._seen.get(wave.name):
            return f"{wave.name} stands in row {before} already"
        self._seen[wave.name] = number
        if (told := cells.get("window_id")) and told != window_id(wave.window):
            return (
                f"window_id says {visible(told, 40)}, {wave.name} has {window_id(wave.window) or 'none'}; "
                "change start_utc, or move groups in groups.csv"
            )
        window = self._window(cells, wave)
        if isinstance(window, str) or window is None:
            return window or _Wish(number, wave, None)
        if wave.name in self._frozen:
            return f"{wave.name} is under way, its window stays"
        if wave.window and wave.window.start_utc not in self._single:
            return (
                f"the window of {wave.name} comes back by a rule of the settings; "
                "change 'recurring' there, or freeze it and add one of its own"
            )
        return _Wish(number, wave, window)

    def _window(self, cells: Mapping[str, str], wave: Wave) -> Window | str | None:
        """Return the window a row names, None where it is the plan's own."""
        start, end = cells["start_utc"], cells["end_utc"]
        was = wave.window
        if not start and not end:
            return f"start_utc is empty; {wave.name} stays out of a window by a freeze" if was else None
        times = []
        for column, text in (("start_utc", start), ("end_utc", end)):
            at = _moment(text)
            if at is None:
                said = f"says {visible(text, 40)}, which is no time like 2027-01-09T22:00Z"
                return f"{column} {said if text else 'is empty'}"
            times.append(at)
        if was and [moment(was.start_utc), moment(was.end_utc)] == [moment(at) for at in times]:
            return None
        hours = (times[1] - times[0]) / timedelta(hours=1)
        if hours <= 0:
            return f"end_utc {visible(end, 40)} is not after start_utc {visible(start, 40)}"
        if hours > _LONGEST_H:
            return f"the window has {hours:g} h, and {_LONGEST_H:g} h at the most"
        return Window(start=times[0], hours=hours, zone=was.zone if was else "UTC")


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def _hold(waves: Sequence[Wave], wishes: Collection[_Wish], settings: Settings, wrong: list[str]) -> None:
    """Add a sentence for each wave that would not have its window, whether or not it has a row."""
    found = calendar(settings)
    starts = [window.start_utc for window in found.windows]
    by_name = {wish.wave.name: wish for wish in wishes}
    first = next(wish.number for wish in wishes if wish.window)
    for wave in waves:
        wish = by_name.get(wave.name)
        window = wish.window if wish and wish.window else wave.window
        slot = slot_named(wave.name)
        if slot is None or window is None or starts[slot : slot + 1] == [window.start_utc]:
            continue
        at = f"{window.start_utc:%Y-%m-%d %H:%M} UTC"
        said = next((note for note in found.notes if at in note), f"{at} is not open to waves")
        if window.start_utc in starts:
            got = wave_name(starts.index(window.start_utc))
            said = f"waves are numbered in the order of their windows, and that of {at} would be {got}'s"
        wrong.append(f"row {wish.number if wish else first}: {wave.name} cannot have its window: {said}")


def dated(
    table: Sheet, printout: Printout, settings: Settings, frozen: Collection[str]
) -> tuple[tuple[Window, ...], tuple[Dated, ...], int]:
    """Return all windows that hold after an edited waves.csv, the waves it changes, and its rows.

    ``frozen`` are waves under way. Raises BadInput for a file that is no such table, RowsRefused with
    every wrong row.
    """
    table.need(NEEDED, WAVES)
    reading = _Reading(printout, settings, frozen)
    wishes: list[_Wish] = []
    wrong: list[str] = []
    for number, cells in table.rows():
        said = reading.said(number, cells)
        if isinstance(said, str):
            wrong.append(f"row {number}: {said}")
        else:
            wishes.append(said)
    changed = [
        Dated(wish.wave.name, wish.wave.window, wish.window) for wish in wishes if wish.window is not None
    ]
    gone = {item.before.start_utc for item in changed if item.before}
    windows = (
        *(window for window in settings.windows if window.start_utc not in gone),
        *(item.after for item in changed),
    )
    if changed and not wrong:
        _hold(printout.plan.waves, wishes, settings.model_copy(update={"windows": windows}), wrong)
    if wrong:
        raise RowsRefused(table.name, wrong)
    return windows if changed else settings.windows, tuple(changed), len(wishes)


def unread(table: Sheet, printout: Printout) -> str:
    """Return that states or approvers of waves were edited, which changes nothing; empty when none were."""
    edited: list[str] = []
    for _, cells in table.rows():
        wave = next(
            (one for one in printout.plan.waves if one.name.casefold() == cells["wave_id"].casefold()), None
        )
        if wave is None:
            continue
        who, _ = (printout.approvals or {}).get(wave.name, ("", ""))
        is_now = {"status": "approved" if who else "planned", "approver": who}
        for column, now in is_now.items():
            said = cells.get(column, "")
            if said and said.casefold() not in [one.casefold() for one in forms(now)]:
                edited.append(
                    f"{column} of {wave.name} says {visible(said, 40)}, and is {visible(now) or 'empty'}"
                )
    if not edited:
        return ""
    more = f", and {show_count(len(edited) - 1, 'more cell')}" if len(edited) > 1 else ""
    return f"not read back: {edited[0]}{more}; approve waves with 'wherry plan approve'"
