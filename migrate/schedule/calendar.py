"""Appointments: a person's word, given ahead, that a wave begins at a time. Writes ``appointment``.

It holds for exactly what the wave was to do when it was made: a changed plan needs a new one. One that
is over stays, with the reason; nothing is deleted. Whether its time has come is for ``due`` to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from migrate import audit
from migrate.gates.words import Person, here
from planner.effects import Effect
from planner.errors import Blocked, NotFound
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    import sqlite3

    from planner.plan import Wave


class Appointed(StrEnum):
    """What can be begun by calendar. Commit has a policy of its own, in the plan."""

    REPLICATE = "replicate"
    CUTOVER = "cutover"


@dataclass(frozen=True, slots=True)
class Appointment:
    """One entry of the calendar. ``due`` is ISO 8601 in UTC; ``ended_at`` is empty while it stands."""

    id: int
    wave: str
    purpose: Appointed
    due: str
    fingerprint: str
    ticket: str
    who: str
    uid: int
    made_at: str
    ended_at: str = ""
    ended_why: str = ""

    @property
    def at(self) -> datetime:
        """When it is due, as an aware time."""
        return datetime.fromisoformat(self.due)

    @property
    def by(self) -> Person:
        """Who gave the word."""
        return Person(self.uid, self.who)


def add(
    project: Project, wave: Wave, purpose: Appointed, at: datetime, ticket: str = "", reason: str = ""
) -> Appointment:
    """Write an appointment of whoever runs this; raises Blocked when one for the same stands already.

    ``reason`` is why a rule of the calendar does not count this time, and stands in the audit chain.
    """
    person, due = here(), at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    made_at = utc_now()
    with project.write() as db:
        there = db.conn.execute(
            "SELECT id FROM appointment WHERE wave = ? AND purpose = ? AND ended_at IS NULL",
            (wave.name, purpose.value),
        ).fetchone()
        if there is not None:
            raise Blocked(
                f"{wave.name} has an appointment for {purpose.value} already, number {there[0]}",
                f"take that one back first: wherry schedule remove {there[0]}",
            )
        number = (
            db.table("appointment")
            .insert(
                {
                    "wave": wave.name,
                    "purpose": purpose.value,
                    "due": due,
                    "fingerprint": wave.fingerprint,
                    "ticket": ticket,
                    "who": person.who,
                    "uid": person.uid,
                    "made_at": made_at,
                    "ended_why": "",
                }
            )
            .last_pk
        )
        made = Appointment(
            int(number or 0),
            wave.name,
            purpose,
            due,
            wave.fingerprint,
            ticket,
            person.who,
            person.uid,
            made_at,
        )
        audit.add(
            db,
            person.who,
            Effect.LIVE,
            f"schedule {purpose.value}",
            wave.name,
            {"appointment": made.id, "due": due, "plan": wave.fingerprint, "reason": reason},
        )
    return made


def standing(project: Project) -> tuple[Appointment, ...]:
    """Return the appointments that are still to come, in order of time."""
    rows = project.rows("SELECT * FROM appointment WHERE ended_at IS NULL ORDER BY due, id")
    return tuple(map(_appointment, rows))


def every(project: Project) -> tuple[Appointment, ...]:
    """Return all appointments, oldest first."""
    return tuple(map(_appointment, project.rows("SELECT * FROM appointment ORDER BY id")))


def newest(project: Project) -> tuple[Appointment, ...]:
    """Return the newest appointment of each wave and purpose, in order of time."""
    rows = project.rows(
        "SELECT * FROM appointment WHERE id IN (SELECT max(id) FROM appointment GROUP BY wave, purpose)"
        " ORDER BY due, id"
    )
    return tuple(map(_appointment, rows))


def title(entry: Appointment) -> str:
    """Return what an appointment is called in a sentence; whatever ends one without a person begins so."""
    return f"appointment {entry.id} of {entry.who}"


def failed(entry: Appointment) -> bool:
    """Return whether an appointment ended without anything having begun, by nobody's wish."""
    return entry.ended_why.startswith(f"{title(entry)} ")


def get(project: Project, number: int) -> Appointment:
    """Return an appointment by number; raises NotFound."""
    rows = project.rows("SELECT * FROM appointment WHERE id = ?", number)
    if not rows:
        raise NotFound(f"there is no appointment {number}", "see 'wherry schedule list --all'")
    return _appointment(rows[0])


def end(project: Project, number: int, why: str, by: Person | None = None) -> Appointment:
    """Note that an appointment is over: taken back, begun, missed. Raises NotFound, Blocked when it is."""
    found = get(project, number)
    person, now = by or here(), utc_now()
    with project.write() as db:
        changed = db.conn.execute(
            "UPDATE appointment SET ended_at = ?, ended_why = ? WHERE id = ? AND ended_at IS NULL",
            (now, why, number),
        ).rowcount
        if not changed:
            raise Blocked(f"appointment {number} is over: {found.ended_why}", "see 'wherry schedule list'")
        detail = {"appointment": number, "why": why}
        audit.add(db, person.who, Effect.LIVE, f"unschedule {found.purpose.value}", found.wave, detail)
    return get(project, number)


def _appointment(row: sqlite3.Row) -> Appointment:
    return Appointment(
        row["id"],
        row["wave"],
        Appointed(row["purpose"]),
        row["due"],
        row["fingerprint"],
        row["ticket"],
        row["who"],
        row["uid"],
        row["made_at"],
        row["ended_at"] or "",
        row["ended_why"],
    )
