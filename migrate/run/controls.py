"""Controls: what people ask of a run that another process drives. Writes ``control``.

A request is a row; the driver looks for one between steps and between blocks of a transfer, and
answers it: a pause by stopping there, a retry by trying at once what rests. A request that nobody
answered does not outlive the next start. That snapshots of others are overlooked is no such request: it
is said of one run, by their ids, and holds until that ends.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from planner.effects import Effect
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from sqlite_utils import Database

_LOOK_EVERY_S = 0.25
_PAUSE, _RETRY, _OVERLOOK = "pause", "retry", "overlook"


def ask_to_pause(project: Project, wave: str) -> None:
    """Ask whoever drives the wave to stop at the next edge."""
    with project.write() as db:
        _ask(db, wave, _PAUSE)


def ask_to_hurry(project: Project, wave: str) -> None:
    """Ask whoever drives the wave to try at once what failed and rests, with its whole patience again."""
    with project.write() as db:
        _ask(db, wave, _RETRY)


def ask_to_overlook(
    project: Project, wave: str, run: int, snapshots: Mapping[str, list[str]], reason: str
) -> None:
    """Ask a run to go on beside snapshots that others took: their ids, by VM."""
    with project.write() as db:
        _ask(db, wave, _OVERLOOK, {"run": run, "reason": reason, "snapshots": dict(snapshots)})


def overlooked(project: Project, wave: str, run: int) -> list[dict[str, Any]]:
    """Return what people asked a run to overlook, oldest first.

    Each is a ``request``, the number by which the record knows it, ``who``, ``reason`` and ``snapshots``.
    """
    rows = project.rows(
        "SELECT id, who, detail FROM control WHERE wave = ? AND kind = ?"
        " AND json_extract(detail, '$.run') = ? ORDER BY id",
        *(wave, _OVERLOOK, run),
    )
    return [
        {
            "request": int(row["id"]),
            "who": str(row["who"]),
            **{key: said[key] for key in ("reason", "snapshots")},
        }
        for row in rows
        for said in (json.loads(row["detail"]),)
    ]


def _ask(db: Database, wave: str, kind: str, detail: dict[str, Any] | None = None) -> None:
    from migrate.audit import add, person

    body = json.dumps(detail or {}, ensure_ascii=True)
    db.table("control").insert({"wave": wave, "kind": kind, "who": person(), "at": utc_now(), "detail": body})
    add(db, person(), Effect.LIVE, kind, wave, detail)


def asked_by(project: Project, wave: str, kind: str = _PAUSE) -> str | None:
    """Return who asked for a pause (or what ``kind`` says) that was not answered yet, or None."""
    rows = project.rows(
        "SELECT who FROM control WHERE wave = ? AND kind = ? AND answered_at IS NULL LIMIT 1", wave, kind
    )
    return str(rows[0]["who"]) if rows else None


def paused_since(project: Project, wave: str) -> str:
    """Return when a wave was last asked to stop, or stopped for it; empty when it never was."""
    rows = project.rows(
        "SELECT max(coalesce(answered_at, at)) AS at FROM control WHERE wave = ? AND kind = ?", wave, _PAUSE
    )
    return str(rows[0]["at"] or "")


def pauses(project: Project) -> dict[str, str]:
    """Return ``paused_since`` of each wave that ever was asked to stop."""
    rows = project.rows(
        "SELECT wave, max(coalesce(answered_at, at)) AS at FROM control WHERE kind = ? GROUP BY wave", _PAUSE
    )
    return {row["wave"]: str(row["at"]) for row in rows}


def answer(project: Project, wave: str, *kinds: str) -> None:
    """Mark all requests for a wave as answered, or those of some kinds."""
    with project.write() as db:
        for kind in kinds or (_PAUSE, _RETRY):
            db.conn.execute(
                "UPDATE control SET answered_at = ? WHERE wave = ? AND kind = ? AND answered_at IS NULL",
                (utc_now(), wave, kind),
            )


def pause_watch(project: Project, wave: str) -> Callable[[], bool]:
    """Return a cheap question: did somebody ask for a pause? The store is read four times a second."""
    looked_at = float("-inf")
    asked = False

    def watch() -> bool:
        nonlocal looked_at, asked
        if not asked and time.monotonic() - looked_at >= _LOOK_EVERY_S:
            looked_at = time.monotonic()
            asked = asked_by(project, wave) is not None
        return asked

    return watch


def hurry_watch(project: Project, wave: str) -> Callable[[], str]:
    """Return a question that is asked while something rests: who wants it tried at once? Empty for nobody.

    Asking answers the request.
    """

    def watch() -> str:
        who = asked_by(project, wave, _RETRY)
        if who is not None:
            answer(project, wave, _RETRY)
        return who or ""

    return watch
