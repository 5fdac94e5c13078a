"""The audit chain: who did what to what, each line sealed with the digest of the one before.

Writes ``audit``. A line that was changed, removed or inserted breaks the chain at that place; only
cutting off the newest lines cannot be seen, so reports print the last digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.effects import Effect
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One act. ``detail`` is JSON text."""

    seq: int
    at: str
    who: str
    effect: str
    act: str
    subject: str
    detail: str
    previous: str
    digest: str


def person() -> str:
    """Return the login of the person behind this process, as the kernel knows it."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _seal(line: AuditLine) -> str:
    body = [line.seq, line.at, line.who, line.effect, line.act, line.subject, line.detail, line.previous]
    return hashlib.sha256(json.dumps(body, ensure_ascii=True).encode()).hexdigest()


def add(
    db: Database, who: str, effect: Effect, act: str, subject: str, detail: dict[str, Any] | None = None
) -> None:
    """Append a line inside the caller's transaction."""
    last = db.conn.execute("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    line = AuditLine(
        seq=(last[0] if last else 0) + 1,
        at=utc_now(),
        who=who,
        effect=effect.value,
        act=act,
        subject=subject,
        detail=json.dumps(detail or {}, ensure_ascii=True, sort_keys=True),
        previous=last[1] if last else GENESIS,
        digest="",
    )
    db.table("audit").insert(
        {
            "seq": line.seq,
            "at": line.at,
            "who": line.who,
            "effect": line.effect,
            "act": line.act,
            "subject": line.subject,
            "detail": line.detail,
            "previous": line.previous,
            "digest": _seal(line),
        }
    )


def note(
    project: Project, effect: Effect, act: str, subject: str, detail: dict[str, Any] | None = None
) -> None:
    """Append a line in a transaction of its own, as the person behind this process."""
    with project.write() as db:
        add(db, person(), effect, act, subject, detail)


def _line(row: sqlite3.Row) -> AuditLine:
    return AuditLine(**{key: row[key] for key in row.keys()})  # noqa: SIM118 - Row iterates over values


def lines(project: Project, since: str = "") -> list[AuditLine]:
    """Return the lines from ``since`` (ISO 8601 UTC, empty = all) on, oldest first."""
    return [_line(row) for row in project.rows("SELECT * FROM audit WHERE at >= ? ORDER BY seq", since)]


def broken_at(project: Project) -> int | None:
    """Return the sequence number at which the chain breaks, None when it is whole."""
    previous = GENESIS
    for expected, line in enumerate(lines(project), start=1):
        if line.seq != expected or line.previous != previous or line.digest != _seal(line):
            return expected
        previous = line.digest
    return None
