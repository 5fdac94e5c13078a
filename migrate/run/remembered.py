"""Runs and their histories as one reader remembers them while its project is open: only what is new is read.

They are for looking at. Whoever drives a run reads a history of his own, for he appends to it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrate.run import store
from migrate.run.history import History
from migrate.run.store import RunKind

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.store.project import Project

_KEPT = "runs"
_RUN, _SEQ = 4, 5  # where they stand in a row of the record, after what the entry is made of
_Row = tuple[Any, ...]


@dataclass(slots=True)
class _Past:
    """A history, and how much of the record it was made of: so many entries, up to that number."""

    history: History
    entries: int = 0
    last: int = 0

    def take(self, new: Sequence[_Row]) -> None:
        """Append what came since; of one that cannot be taken in nothing is believed any more."""
        entries, self.entries = self.entries, -1
        for row in new:
            self.history.append(store.entry_of(row))
        if new:
            self.last = new[-1][_SEQ]
        self.entries = entries + len(new)


@dataclass(slots=True)
class _Kept:
    runs: dict[int, Run] = field(default_factory=dict)
    pasts: dict[int, _Past] = field(default_factory=dict)


def newest(project: Project, kind: RunKind = RunKind.WAVE) -> dict[str, Run]:
    """Return the newest run of each wave that ever had one, by wave in order."""
    kept = _kept(project).runs
    rows = project.rows(
        "SELECT max(id) AS id, wave FROM run WHERE kind = ? GROUP BY wave ORDER BY wave", kind.value
    )
    numbers = [row["id"] for row in rows]
    if unknown := [number for number in numbers if number not in kept]:
        kept.update((run.id, run) for run in store.several(project, unknown))
    return {kept[number].wave: kept[number] for number in numbers}


def histories(project: Project, of: Collection[Run]) -> dict[int, History]:
    """Return what has happened in several runs so far, by run. Nobody appends to them."""
    kept = _kept(project)
    rows = project.rows("SELECT run, count(*) AS entries, max(seq) AS last FROM step_record GROUP BY run")
    now = {row["run"]: (row["entries"], row["last"]) for row in rows}
    anew = [
        run for run in of if not _is_known(project, kept.pasts.get(run.id), run, *now.get(run.id, (0, 0)))
    ]
    for run in anew:
        kept.pasts[run.id] = _Past(History(run.runbook))
    for number, rows_of_it in _rows(project, anew).items():
        kept.pasts[number].take(rows_of_it)
    return {run.id: kept.pasts[run.id].history for run in of}


def _is_known(project: Project, past: _Past | None, run: Run, entries: int, last: int) -> bool:
    """Take in what came since; False when the record lost something meanwhile: old cycles are put away."""
    if past is None:
        return False
    if (entries, last) == (past.entries, past.last):
        return True
    kept = project.rows("SELECT count(*) FROM step_record WHERE run = ? AND seq <= ?", run.id, past.last)
    if kept[0][0] != past.entries:
        return False
    past.take(_rows(project, [run], past.last)[run.id])
    return True


def _rows(project: Project, of: Collection[Run], after: int = 0) -> dict[int, list[_Row]]:
    """Return what the record has of several runs after a number: one look at it for all of them."""
    found: dict[int, list[_Row]] = {run.id: [] for run in of}
    rows = project.stream(
        "SELECT step, kind, attempt, detail, run, seq FROM step_record"
        " WHERE run IN (SELECT value FROM json_each(?)) AND seq > ? ORDER BY run, seq",
        json.dumps(list(found)),
        after,
    )
    for row in rows:
        found[row[_RUN]].append(row)
    return found


def _kept(project: Project) -> _Kept:
    found = project.memory.setdefault(_KEPT, _Kept())
    assert isinstance(found, _Kept)
    return found
