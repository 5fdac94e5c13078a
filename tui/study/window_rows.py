"""Windows as rows: those said one by one and those that come back, each with what keeps waves out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from planner import settings_fields
from planner.units import show_count, show_duration
from planner.waves.calendar import calendar, closed, said_windows
from tui.study.blocks import Row

if TYPE_CHECKING:
    from planner.settings import Settings, Window

_SHOWN = 12  # days of a window that comes back


def _odd(settings: Settings, every: list[Window]) -> dict[Any, str]:
    """Return what is odd about a window, by its start: closed to waves, or one with another."""
    found = {one.start_utc: why for one in every if (why := closed(one, settings))}
    for a, b in pairwise(every):
        if b.start_utc < a.end_utc and b.start_utc not in found:
            found[b.start_utc] = f"overlaps the window of {a.start_utc:%Y-%m-%d %H:%M} UTC"
    return found


def window_rows(settings: Settings, body: Mapping[str, Any]) -> Iterator[Row]:
    """Yield every window, then those that come back."""
    every = said_windows(settings)
    odd = _odd(settings, every)
    open_ = {one.start_utc for one in calendar(settings).windows}
    for at, (one, item) in enumerate(zip(settings.windows, body["windows"], strict=True)):
        wrong = odd.get(one.start_utc, "")
        if not wrong and one.start_utc not in open_:
            wrong = "too soon after the one before"
        begins = f"{one.start:%a %Y-%m-%d %H:%M} {one.zone}"
        yield Row(
            f"windows/{at}",
            "windows",
            (begins, show_duration(one.hours * 3600), "once", wrong),
            item,
            _said("windows", item),
            [("begins", begins), ("in UTC", f"{one.start_utc:%Y-%m-%d %H:%M} to {one.end_utc:%H:%M}"),
             ("waves", wrong or "may have it")],
            wrong,
        )  # fmt: skip
    for at, (again, item) in enumerate(zip(settings.recurring, body["recurring"], strict=True)):
        days = list(again.windows())
        shut = [day for day in days if day.start_utc in odd]
        wrong = f"{len(shut)} of {show_count(len(days), 'window')} closed" if shut else ""
        which = f" ({', '.join(map(str, again.of_month))} of the month)" if again.of_month else ""
        yield Row(
            f"recurring/{at}",
            "recurring",
            (f"{again.every} {again.at:%H:%M} {again.zone}", show_duration(again.hours * 3600),
             f"{show_count(len(days), 'time')}, {again.first} to {again.until}{which}",
             wrong or ("no day of it lies in its time" if not days else "")),
            item,
            _said("recurring", item),
            [
                ("comes back", f"every {again.every}{which} from {again.first} to {again.until}"),
                *((f"{day.start:%Y-%m-%d}", odd.get(day.start_utc, "waves may have it"))
                  for day in days[:_SHOWN]),
                *([("and", f"{len(days) - _SHOWN} more")] if len(days) > _SHOWN else []),
            ],
            wrong,
        )  # fmt: skip


def _said(name: str, item: Mapping[str, Any]) -> dict[str, str]:
    return {one.name: settings_fields.shown(item[one.name]) for one in settings_fields.fields(name)}
