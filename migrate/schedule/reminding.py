"""What people are told of the calendar: appointments that come near, and those that did not or will not hold.

One that was missed is told until the wave has a newer appointment or went on without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from migrate.needs import Need
from migrate.rehearsals import book
from migrate.schedule import calendar
from migrate.schedule.calendar import Appointed
from migrate.schedule.times import show
from planner.names import visible
from planner.units import show_duration

if TYPE_CHECKING:
    from migrate.run.waves import StandingRow
    from migrate.schedule.calendar import Appointment
    from planner.store.project import Project

NEAR = timedelta(hours=24)
_BEFORE = {  # the states, in words, of a wave that has not done yet what an appointment is for
    Appointed.REPLICATE: frozenset({"planned", "approved"}),
    Appointed.CUTOVER: frozenset({"planned", "approved", "replicating", "in sync", "failed"}),
}


@dataclass(frozen=True, slots=True)
class Dated:
    """A wave as the calendar sees it: its row, and the word for where it stands."""

    row: StandingRow
    state: str


def reminders(project: Project, waves: Mapping[str, Dated], now: datetime) -> Iterator[Need]:
    """Yield what is to be said of appointments at ``now``, and of rehearsals that are owed before them."""
    entries = calendar.newest(project)
    if not entries:
        return
    looks = _somebody_looks(project)
    for entry in entries:
        dated = waves.get(entry.wave)
        if not entry.ended_at:
            yield from _standing(project, entry, dated, now, looks)
        elif calendar.failed(entry) and dated is not None and dated.state in _BEFORE[entry.purpose]:
            yield _void(entry, entry.ended_why)


def _standing(
    project: Project, entry: Appointment, dated: Dated | None, now: datetime, looks: bool
) -> Iterator[Need]:
    from migrate.gates.due import of_appointment

    due = of_appointment(entry, dated.row if dated else None, now)
    if not due.purpose or dated is None:
        yield _void(entry, due.why)
    elif entry.at - now <= NEAR:
        left_s = (entry.at - now).total_seconds()
        when = f"in {show_duration(left_s)}" if left_s > 0 else "now"
        text = f"{_what(entry)} begins {when}, at {show(entry.at)} ({due.why})"
        back = f"wherry schedule remove {entry.id} takes it back"
        if looks:
            yield Need("info", text, back, entry.wave)
        else:
            hint = f"wherry engine start; {back}"
            yield Need("warning", f"{text}, but no engine looks at the calendar", hint, entry.wave)
        if owed := book.reminder(project, entry.wave, dated.row.wave.fingerprint):
            yield Need("warning", owed, f"wherry rehearse {entry.wave}", entry.wave)


def _void(entry: Appointment, why: str) -> Need:
    text = f"{_what(entry)} did not begin: {visible(why, 200)}"
    if not entry.ended_at:
        text = f"{_what(entry)} will not begin: {visible(why, 200)}"
    hint = f"make another one: wherry schedule add {entry.wave} TIME --purpose {entry.purpose.value}"
    return Need("warning", text, hint, entry.wave)


def _what(entry: Appointment) -> str:
    names = {Appointed.CUTOVER: "the cutover", Appointed.REPLICATE: "the replication"}
    return f"{names[entry.purpose]} of {entry.wave}"


def _somebody_looks(project: Project) -> bool:
    from migrate.engine.presence import running

    return running(project.run_dir) is not None
