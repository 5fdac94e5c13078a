"""Records of a small wave as they would lie in the store, to be changed one entry at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from migrate.gates import words
from migrate.gates.words import Verdict
from migrate.rehearsals import book
from migrate.run.history import Event
from migrate.run.runbook import COMMIT, GO, Runbook
from planner.plan import Wave
from tests.migrate.gates.standing import Standing, planned, stored


def at(run: Standing, when: datetime, pattern: str, kind: str) -> None:
    """Have what the record says of some steps have happened then."""
    with run.project.write() as db:
        db.conn.execute(
            "UPDATE step_record SET at = ? WHERE step LIKE ? AND kind = ?", (text(when), pattern, kind)
        )


def text(when: datetime) -> str:
    """Return a time as the store has it."""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def patch(run: Standing, step: str, kind: str = "done", **detail: Any) -> None:
    """Have a step that ended left something more in the record."""
    with run.project.write() as db:
        (held,) = db.conn.execute(
            "SELECT detail FROM step_record WHERE step = ? AND kind = ?", (step, kind)
        ).fetchone()
        db.conn.execute(
            "UPDATE step_record SET detail = ? WHERE step = ? AND kind = ?",
            (json.dumps({**json.loads(held), **detail}), step, kind),
        )


def rehearsed(
    run: Standing, fingerprint: str = "", ago: timedelta = timedelta(days=9), **report: Any
) -> None:
    """Write a clean rehearsal on the twin into the book, as if it had been some time ago."""
    one = book.write(
        run.project,
        run.wave.name,
        fingerprint or run.run.fingerprint,
        run.run.plan,
        book.Depth.TWIN,
        book.Verdict.CLEAN,
        report,
    )
    with run.project.write() as db:
        db.table("rehearsed").update(one.id, {"at": text(datetime.now(UTC) - ago)})


@contextmanager
def calm(
    root: Path, wave: Wave | None = None, change: Callable[[Runbook], Runbook] = lambda runbook: runbook
) -> Iterator[Standing]:
    """Store a run of a rehearsed wave in which nothing happened yet."""
    with stored(root, wave or planned(), change) as run:
        rehearsed(run)
        yield run


def say_go(run: Standing) -> None:
    """Come to the go gate and pass it, with a word on what the run does."""
    run.go_to(GO)
    words.say(run.project, run.run, GO, Verdict.APPROVE, ticket="CHG-1")
    run.append(GO, Event.APPROVED, who="ada", plan=run.run.fingerprint)


def to_commit(run: Standing) -> None:
    """Come to the commit gate, with all VMs at the target."""
    say_go(run)
    run.go_to(COMMIT)
