"""Words: what people say at a gate. Writes ``gate_word``; nothing is ever changed or deleted.

A person is a login that the kernel tells, never an option. A word is bound to the run and to the
fingerprint of what its wave will do, so that a word for another plan does not count.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from migrate import audit
from planner.effects import Effect
from planner.errors import BadInput
from planner.store.project import Project, utc_now
from planner.ticket import LONGEST

if TYPE_CHECKING:
    import sqlite3

    from migrate.run.store import Run

_LONGEST_REASON = 500


class Verdict(StrEnum):
    """What somebody says. A person's newest word at a gate is the one that counts."""

    APPROVE = "approve"
    REFUSE = "refuse"
    HOLD = "hold"
    RELEASE = "release"  # takes back whatever this person said last


@dataclass(frozen=True, slots=True)
class Person:
    """A login and its number, as the kernel knows them; two people are two numbers."""

    uid: int
    who: str


@dataclass(frozen=True, slots=True)
class Word:
    """One person's word at one gate of one run."""

    run: int
    gate: str
    verdict: Verdict
    who: str
    uid: int
    at: str
    fingerprint: str
    ticket: str = ""
    reason: str = ""


def here() -> Person:
    """Return the person behind this process."""
    return Person(os.getuid(), audit.person())


def say(
    project: Project,
    run: Run,
    gate: str,
    verdict: Verdict,
    ticket: str = "",
    reason: str = "",
    by: Person | None = None,
) -> Word:
    """Write down a word on exactly what the run does, and audit it; raises BadInput.

    ``by`` is only for what a person said ahead, as with an appointment; else it is who runs this.
    """
    ticket, reason = ticket.strip(), reason.strip()
    check_text(ticket, reason)
    if verdict in (Verdict.REFUSE, Verdict.HOLD) and not reason:
        raise BadInput(f"a {verdict.value} without a reason helps nobody", "add --reason TEXT")
    person = by or here()
    word = Word(run.id, gate, verdict, person.who, person.uid, utc_now(), run.fingerprint, ticket, reason)
    with project.write() as db:
        db.table("gate_word").insert(
            {
                "run": word.run,
                "gate": word.gate,
                "verdict": word.verdict.value,
                "who": word.who,
                "uid": word.uid,
                "at": word.at,
                "fingerprint": word.fingerprint,
                "ticket": word.ticket,
                "reason": word.reason,
            }
        )
        audit.add(
            db,
            word.who,
            Effect.LIVE,
            f"gate {word.verdict.value} {gate}",
            run.wave,
            {"run": run.id, "uid": word.uid, "plan": run.fingerprint, "ticket": ticket, "reason": reason},
        )
    return word


def check_text(ticket: str, reason: str) -> None:
    """Raise BadInput for a ticket or a reason that is too long to be kept."""
    if len(ticket) > LONGEST:
        raise BadInput(f"the ticket has {len(ticket)} characters, {LONGEST} are kept", "give its number only")
    if len(reason) > _LONGEST_REASON:
        raise BadInput(
            f"the reason has {len(reason)} characters, {_LONGEST_REASON} are kept", "say it shorter"
        )


def of(project: Project, run: int, gate: str, until: str = "") -> tuple[Word, ...]:
    """Return all words at a gate of a run, oldest first; with ``until``, in UTC, those up to then."""
    rows = project.rows(
        "SELECT * FROM gate_word WHERE run = ? AND gate = ? AND (? = '' OR at <= ?) ORDER BY id",
        *(run, gate, until, until),
    )
    return tuple(map(_word, rows))


def stamp(now: datetime) -> str:
    """Return an aware time as the times of words are written."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_run(project: Project, run: int) -> dict[str, tuple[Word, ...]]:
    """Return all words of a run by gate, oldest first."""
    found: dict[str, tuple[Word, ...]] = {}
    for row in project.rows("SELECT * FROM gate_word WHERE run = ? ORDER BY id", run):
        found[row["gate"]] = (*found.get(row["gate"], ()), _word(row))
    return found


def unwitnessed(project: Project) -> list[Word]:
    """Return the words that have no line of their own in the audit chain: nobody said them through wherry."""
    lines = Counter(
        (row["act"], row["who"], row["run"], row["uid"], row["plan"], row["ticket"], row["reason"])
        for row in project.rows(
            "SELECT act, who, json_extract(detail, '$.run') AS run, json_extract(detail, '$.uid') AS uid,"
            " json_extract(detail, '$.plan') AS plan, json_extract(detail, '$.ticket') AS ticket,"
            " json_extract(detail, '$.reason') AS reason FROM audit WHERE act LIKE 'gate %'"
        )
    )
    missing: list[Word] = []
    for word in map(_word, project.rows("SELECT * FROM gate_word ORDER BY id")):
        act = f"gate {word.verdict.value} {word.gate}"
        line = (act, word.who, word.run, word.uid, word.fingerprint, word.ticket, word.reason)
        lines[line] -= 1
        if lines[line] < 0:
            missing.append(word)
    return missing


def _word(row: sqlite3.Row) -> Word:
    return Word(
        row["run"],
        row["gate"],
        Verdict(row["verdict"]),
        row["who"],
        row["uid"],
        row["at"],
        row["fingerprint"],
        row["ticket"],
        row["reason"],
    )
