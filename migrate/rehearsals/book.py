"""The book of rehearsals: who rehearsed which wave how deeply, what it said, and what people noted.

Writes ``rehearsed``. A rehearsal is of a wave exactly as it stood then: its fingerprint says whether
the plan changed since, and ``reminder`` says it in words.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from migrate import audit
from planner.effects import Effect
from planner.errors import BadInput, NotFound
from planner.names import visible
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    import sqlite3

LISTED = "listed"  # the entry of a report with every call that was predicted
ACT = "rehearse"  # in the audit chain
MAX_NOTE = 2000


class Depth(StrEnum):
    """How deeply a wave is rehearsed."""

    TWIN = "twin"  # on modelled time
    DRY = "dry"  # against the real sites, reading only
    BOOT = "boot"  # a copy of the replicas started in isolation


class Verdict(StrEnum):
    """What a rehearsal came to."""

    CLEAN = "clean"
    PARTIAL = "partial"  # what could be rehearsed is well, but something of it could not
    FINDINGS = "findings"
    FAILED = "failed"  # it did not come to its end


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One line of the book. ``report`` is what the rehearsal said, as plain JSON data."""

    id: int
    wave: str
    fingerprint: str
    plan: int
    depth: Depth
    at: str
    who: str
    verdict: Verdict
    notes: str
    report: dict[str, Any]


def write(
    project: Project,
    wave: str,
    fingerprint: str,
    plan: int,
    depth: Depth,
    verdict: Verdict,
    report: dict[str, Any],
    notes: str = "",
    effect: Effect = Effect.DRY_RUN,
) -> Rehearsed:
    """Write a rehearsal down, with its audit line; raises BadInput for notes that are too long."""
    _check(notes)
    who = audit.person()
    short = {name: value for name, value in report.items() if name != LISTED}  # the book itself has it
    detail = {**short, "depth": depth.value, "verdict": verdict.value, "fingerprint": fingerprint}
    with project.write() as db:
        db.table("rehearsed").insert(
            {
                "wave": wave,
                "fingerprint": fingerprint,
                "plan": plan,
                "depth": depth.value,
                "at": utc_now(),
                "who": who,
                "verdict": verdict.value,
                "notes": notes,
                "report": json.dumps(report, ensure_ascii=True, sort_keys=True),
            }
        )
        (number,) = db.conn.execute("SELECT max(id) FROM rehearsed").fetchone()
        audit.add(db, who, effect, ACT, wave, detail | ({"notes": notes} if notes else {}))
    return _row(project, number)


def amend(project: Project, number: int, verdict: Verdict, report: dict[str, Any]) -> None:
    """Write down how a rehearsal that was begun has ended."""
    wave = _row(project, number).wave
    text = json.dumps(report, ensure_ascii=True, sort_keys=True)
    with project.write() as db:
        db.table("rehearsed").update(number, {"verdict": verdict.value, "report": text})
        detail = {**report, "verdict": verdict.value}
        audit.add(db, audit.person(), Effect.LIVE, "end a rehearsal", wave, detail)


def add_note(project: Project, wave: str, note: str) -> Rehearsed:
    """Add a note to the newest rehearsal of a wave; raises NotFound when there is none, BadInput."""
    found = newest(project, wave)
    if found is None:
        raise NotFound(
            f"{visible(wave)} was never rehearsed", f"rehearse it: wherry rehearse {visible(wave)}"
        )
    notes = f"{found.notes}\n{note}" if found.notes else note
    _check(notes)
    with project.write() as db:
        db.table("rehearsed").update(found.id, {"notes": notes})
        audit.add(
            db, audit.person(), Effect.DRY_RUN, "note a rehearsal", wave, {"of": found.at, "note": note}
        )
    return _row(project, found.id)


def of_wave(project: Project, wave: str) -> tuple[Rehearsed, ...]:
    """Return the rehearsals of a wave, the newest first."""
    rows = project.rows("SELECT * FROM rehearsed WHERE wave = ? ORDER BY id DESC", wave)
    return tuple(map(_read, rows))


def newest(project: Project, wave: str) -> Rehearsed | None:
    """Return the newest rehearsal of a wave, None without one."""
    rows = project.rows("SELECT * FROM rehearsed WHERE wave = ? ORDER BY id DESC LIMIT 1", wave)
    return _read(rows[0]) if rows else None


def reminder(project: Project, wave: str, fingerprint: str, before: str = "") -> str:
    """Return why a wave should be rehearsed (again), empty when it was and nothing changed since.

    With ``before``, ISO 8601 in UTC, only what was rehearsed until then counts.
    """
    rows = project.rows(
        "SELECT fingerprint, at, verdict FROM rehearsed WHERE wave = ? AND (? = '' OR at <= ?)"
        " ORDER BY id DESC LIMIT 1",
        wave,
        before,
        before,
    )
    if not rows:
        return f"{visible(wave)} was never rehearsed" + (" before" if before else "")
    if rows[0]["fingerprint"] != fingerprint:
        return f"{visible(wave)} changed in the plan since it was rehearsed on {rows[0]['at'][:10]}"
    if rows[0]["verdict"] == Verdict.PARTIAL:
        return f"the last rehearsal of {visible(wave)}, on {rows[0]['at'][:10]}, could not start all of it"
    if rows[0]["verdict"] != Verdict.CLEAN:
        return f"the last rehearsal of {visible(wave)}, on {rows[0]['at'][:10]}, was not clean"
    return ""


def _row(project: Project, number: int) -> Rehearsed:
    return _read(project.rows("SELECT * FROM rehearsed WHERE id = ?", number)[0])


def _check(notes: str) -> None:
    if len(notes) > MAX_NOTE:
        raise BadInput(
            f"the notes on a rehearsal would have {len(notes)} characters, more than {MAX_NOTE}",
            "keep them short and name a document instead",
        )


def _read(row: sqlite3.Row) -> Rehearsed:
    return Rehearsed(
        id=row["id"],
        wave=row["wave"],
        fingerprint=row["fingerprint"],
        plan=row["plan"],
        depth=Depth(row["depth"]),
        at=row["at"],
        who=row["who"],
        verdict=Verdict(row["verdict"]),
        notes=row["notes"],
        report=json.loads(row["report"]),
    )
