"""Runs: one execution of one approved wave, of the remedies before it or of its failback. Writes ``run``.

A run keeps the runbook it began with. At most one run of a wave and kind is unfinished, and one process
at a time drives any of them (a file lock that death releases).
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from migrate.run.actions import Finish, Outcome, next_actions
from migrate.run.history import Entry, Event, History, Mode
from migrate.run.runbook import Runbook, dump_runbook, load_runbook
from planner.errors import Blocked, NotFound, ProjectBusy
from planner.names import content_id, visible
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    import sqlite3

    from planner.store.plans import StoredPlan

ENDLESS = 2**62  # the number of no entry: all of them count
_EVENTS = {event.value: event for event in Event}
_PATIENCE_S = 0.5  # is_held takes the lock for an instant to test it


class RunKind(StrEnum):
    """What a run carries out."""

    WAVE = "wave"
    REMEDY = "remedy"
    FAILBACK = "failback"  # of a committed wave: reverse protection, then the way back


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it lies in the store. ``runbook`` is the one it began with."""

    id: int
    wave: str
    fingerprint: str
    plan: int
    at: str
    who: str
    runbook: Runbook
    kind: RunKind = RunKind.WAVE

    @property
    def generation(self) -> int:
        """The fencing token: milliseconds at which the run began, larger for any later run."""
        return int(datetime.fromisoformat(self.at).timestamp() * 1000)


def begin(
    project: Project, stored: StoredPlan, runbook: Runbook, kind: RunKind = RunKind.WAVE, who: str = ""
) -> Run:
    """Store a new run of a wave of that plan, begun by ``who``, else by the person behind this process."""
    from migrate.audit import person

    who = who or person()
    with project.write() as db:
        at = _after(db.conn.execute("SELECT max(at) FROM run").fetchone()[0])
        number = (
            db.table("run")
            .insert(
                {
                    "wave": runbook.wave,
                    "fingerprint": runbook.fingerprint,
                    "plan": stored.version,
                    "at": at,
                    "who": who,
                    **_stored(runbook),
                    "kind": kind.value,
                }
            )
            .last_pk
        )
    return Run(int(number or 0), runbook.wave, runbook.fingerprint, stored.version, at, who, runbook, kind)


def restore(
    project: Project,
    number: int,
    at: str,
    stored: StoredPlan,
    runbook: Runbook,
    kind: RunKind = RunKind.WAVE,
) -> Run:
    """Store a run that was lost, under the number and time at which it began."""
    with project.write() as db:
        db.table("run").insert(
            {
                "id": number,
                "wave": runbook.wave,
                "fingerprint": runbook.fingerprint,
                "plan": stored.version,
                "at": at,
                "who": "recovery",
                **_stored(runbook),
                "kind": kind.value,
            }
        )
    return get(project, number)


def _stored(runbook: Runbook) -> dict[str, str]:
    told, params = dump_runbook(runbook)
    return {"runbook": json.dumps(told), "params": json.dumps(params)}


def _after(last: str | None) -> str:
    """Return the time, or just after ``last`` when the clock went back: a later run has to count as later."""
    now = utc_now()
    if last is None or now > last:
        return now
    bumped = datetime.fromisoformat(last) + timedelta(milliseconds=1)
    return bumped.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def latest(project: Project, wave: str, kind: RunKind = RunKind.WAVE) -> Run | None:
    """Return the newest run of a wave, finished or not."""
    rows = project.rows(
        "SELECT * FROM run WHERE wave = ? AND kind = ? ORDER BY id DESC LIMIT 1", wave, kind.value
    )
    return _run(rows[0]) if rows else None


def several(project: Project, numbers: Collection[int]) -> list[Run]:
    """Return runs by their numbers, oldest first; unknown ones are left out."""
    sql = "SELECT * FROM run WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
    return [_run(row) for row in project.rows(sql, json.dumps(list(numbers)))]


def every(project: Project, kind: RunKind) -> list[Run]:
    """Return all runs of a kind, oldest first."""
    return [_run(row) for row in project.rows("SELECT * FROM run WHERE kind = ? ORDER BY id", kind.value)]


def of_wave(project: Project, wave: str) -> list[Run]:
    """Return all runs of a wave, of every kind, oldest first."""
    return [_run(row) for row in project.rows("SELECT * FROM run WHERE wave = ? ORDER BY id", wave)]


def _run(row: sqlite3.Row) -> Run:
    runbook = load_runbook(json.loads(row["runbook"]), row["params"])
    return Run(
        row["id"],
        row["wave"],
        row["fingerprint"],
        row["plan"],
        row["at"],
        row["who"],
        runbook,
        RunKind(row["kind"]),
    )


def get(project: Project, number: int) -> Run:
    """Return a run by its number; raises NotFound."""
    rows = project.rows("SELECT * FROM run WHERE id = ?", number)
    if not rows:
        raise NotFound(f"there is no run {number}", "see 'wherry status'")
    return _run(rows[0])


def last_entry(project: Project) -> int:
    """Return the number of the newest entry of any run, 0 when there is none."""
    return int(project.rows("SELECT coalesce(max(seq), 0) AS last FROM step_record")[0]["last"])


def last_at(project: Project, run: Run, upto: int = ENDLESS) -> str:
    """Return when the newest entry of a run, up to that number, was written, ISO 8601 in UTC.

    Without one, when the run began.
    """
    rows = project.rows(
        "SELECT at FROM step_record WHERE run = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", run.id, upto
    )
    return str(rows[0]["at"]) if rows else run.at


def last_times(project: Project) -> dict[int, str]:
    """Return when the newest entry of each run was written, by run; one without entries is left out."""
    rows = project.rows(
        "SELECT run, at FROM step_record WHERE seq IN (SELECT max(seq) FROM step_record GROUP BY run)"
    )
    return {row["run"]: str(row["at"]) for row in rows}


def key_of(project: Project, run: Run) -> str:
    """Return the key with which everything begins that a run stamps at the sites."""
    return f"{project.id}-{run.id}-{run.generation}"


def history(project: Project, run: Run, before: int = ENDLESS) -> History:
    """Return what has happened in a run so far, or ``before`` the entry of that number."""
    return timed(project, run, before)[0]


def timed(project: Project, run: Run, before: int = ENDLESS) -> tuple[History, list[str]]:
    """Return what has happened in a run, and when each of its entries became durable."""
    rows = project.rows(
        "SELECT step, kind, attempt, detail, at FROM step_record WHERE run = ? AND seq < ? ORDER BY seq",
        run.id,
        before,
    )
    return History(run.runbook, map(entry_of, rows)), [str(row["at"]) for row in rows]


def entry_of(row: sqlite3.Row | tuple[Any, ...]) -> Entry:
    """Return the entry of a row that begins with step, kind, attempt and detail."""
    return Entry(row[0], _EVENTS[row[1]], row[2], _detail(row[3]))


def _detail(text: str) -> dict[str, Any]:
    """Return what an entry holds; most intents hold nothing."""
    return {} if text == "{}" else dict(json.loads(text))


def outcome(past: History) -> Outcome | None:
    """Return how a run ended, None when it did not."""
    if past.mode is Mode.FORWARD and (past.unsettled or past.ready):  # as most are, of hundreds of disks
        return None
    match next_actions(past.runbook, past):
        case [Finish(ended)]:
            return ended
    return None


def ended_since(project: Project, wave: str, entry: int) -> list[tuple[Run, History, Outcome]]:
    """Return the runs of a wave, of every kind, that ended after an entry of the record, the newest first."""
    rows = project.rows(
        "SELECT DISTINCT r.id FROM run r JOIN step_record s ON s.run = r.id"
        " WHERE r.wave = ? AND s.seq > ? ORDER BY r.id DESC",
        wave,
        entry,
    )
    found = []
    for row in rows:
        run = get(project, row["id"])
        past = history(project, run)
        if (ended := outcome(past)) is not None:
            found.append((run, past, ended))
    return found


@contextmanager
def held(project: Project, wave: str) -> Iterator[None]:
    """Hold a wave for this process; raises ProjectBusy when another one drives it, Blocked for a guest."""
    try:
        handle = _lock_file(project, wave).open("a")
    except PermissionError as error:
        raise Blocked(
            f"{visible(wave)} is run by another login, whose engine works on this project",
            "have it done there; at gates your word is enough: wherry gate approve",
        ) from error
    with handle:
        deadline = time.monotonic() + _PATIENCE_S
        while not _locked(handle, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise ProjectBusy(
                    f"{visible(wave)} is being run by another process",
                    "watch it with 'wherry status --watch'",
                )
            time.sleep(0.01)
        yield


def is_held(project: Project, wave: str) -> bool:
    """Return whether some process drives the wave now."""
    try:
        with _lock_file(project, wave).open() as handle:
            return not _locked(handle, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False
    except PermissionError:  # locks are of the login that runs the engine; its orders can be read
        begun = "SELECT 1 FROM work_order WHERE wave = ? AND begun_at IS NOT NULL AND ended_at IS NULL"
        return bool(project.rows(begun, wave))


def driven(project: Project, waves: Collection[str]) -> tuple[str, ...]:
    """Return those of the waves that some process drives now: ``is_held``, with one look for all of them."""
    try:
        there = {path.name for path in project.run_dir.iterdir()}
    except PermissionError:
        return tuple(wave for wave in waves if is_held(project, wave))
    return tuple(wave for wave in waves if _lock_name(wave) in there and is_held(project, wave))


def _lock_file(project: Project, wave: str) -> Path:
    return project.run_dir / _lock_name(wave)


def _lock_name(wave: str) -> str:
    return f"wave-{content_id(wave)}.lock"


def _locked(handle: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
