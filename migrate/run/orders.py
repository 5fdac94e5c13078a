"""Work orders: what a person asks the engine to do with a wave. Writes ``work_order``.

An order is written by the person's process and ended by the engine, with what came of it: how the
run stopped, or the error that a person gets to read. It stays open over any crash in between.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.errors import NotFound
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    import sqlite3


REVERSE = "reverse"  # the verb that protects a committed wave at its source


@dataclass(frozen=True, slots=True)
class Order:
    """One order. ``purpose`` is the verb; ``result`` is None as long as it is open."""

    id: int
    wave: str
    purpose: str
    who: str
    at: str
    options: dict[str, Any] = field(default_factory=dict)
    begun_at: str | None = None
    ended_at: str = ""
    result: dict[str, Any] | None = None


def place(
    project: Project, wave: str, purpose: str, options: dict[str, Any] | None = None, who: str = ""
) -> Order:
    """Write an order in the name of ``who``, else of the person behind this process.

    Its option ``since`` is the last entry of any run before it: what an engine that takes it up again finds
    after that is its own work.
    """
    from migrate.audit import person

    who, at = who or person(), utc_now()
    with project.write() as db:
        last = db.conn.execute("SELECT coalesce(max(seq), 0) FROM step_record").fetchone()[0]
        options = {**(options or {}), "since": last}
        number = (
            db.table("work_order")
            .insert(
                {
                    "wave": wave,
                    "purpose": purpose,
                    "options": json.dumps(options, ensure_ascii=True),
                    "who": who,
                    "at": at,
                }
            )
            .last_pk
        )
    return Order(int(number or 0), wave, purpose, who, at, options)


def find(project: Project, number: int) -> Order:
    """Return an order; raises NotFound."""
    rows = project.rows("SELECT * FROM work_order WHERE id = ?", number)
    if not rows:
        raise NotFound(f"there is no order {number}", "see 'wherry engine status'")
    return _order(rows[0])


def waiting(project: Project) -> list[Order]:
    """Return the orders that are not ended, oldest first."""
    return [
        _order(row) for row in project.rows("SELECT * FROM work_order WHERE ended_at IS NULL ORDER BY id")
    ]


def waves_that_wait(project: Project) -> frozenset[str]:
    """Return the waves that have an order which is not ended."""
    rows = project.rows("SELECT DISTINCT wave FROM work_order WHERE ended_at IS NULL")
    return frozenset(str(row["wave"]) for row in rows)


def newest(project: Project, wave: str) -> Order | None:
    """Return the newest order of a wave, open or ended."""
    rows = project.rows("SELECT * FROM work_order WHERE wave = ? ORDER BY id DESC LIMIT 1", wave)
    return _order(rows[0]) if rows else None


def why_refused(project: Project, wave: str) -> str:
    """Return what the newest order of a wave was refused or failed with, empty when it was carried out."""
    order = newest(project, wave)
    return "" if order is None or order.result is None else str(order.result.get("message", ""))


def begin(project: Project, number: int) -> None:
    """Note that somebody works on it."""
    with project.write() as db:
        db.conn.execute("UPDATE work_order SET begun_at = ? WHERE id = ?", (utc_now(), number))


def end(project: Project, number: int, result: dict[str, Any]) -> None:
    """Note what came of it; the first word counts."""
    with project.write() as db:
        db.conn.execute(
            "UPDATE work_order SET ended_at = ?, result = ? WHERE id = ? AND ended_at IS NULL",
            (utc_now(), json.dumps(result, ensure_ascii=True), number),
        )


def forget_cycles(project: Project, wave: str) -> None:
    """Take away the orders of a wave's cycles that are ended: the record says what came of them."""
    with project.write() as db:
        db.conn.execute(
            "DELETE FROM work_order WHERE wave = ? AND ended_at IS NOT NULL"
            " AND json_extract(options, '$.cycle') AND id < (SELECT max(id) FROM work_order)",
            (wave,),
        )


def _order(row: sqlite3.Row) -> Order:
    return Order(
        row["id"],
        row["wave"],
        row["purpose"],
        row["who"],
        row["at"],
        json.loads(row["options"]),
        row["begun_at"],
        row["ended_at"] or "",
        None if row["result"] is None else json.loads(row["result"]),
    )
