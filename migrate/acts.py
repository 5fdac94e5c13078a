"""Everything that was done to a project, in the order in which it was written down.

    audit chain ───────────────┐
    step records of all runs ──┼──▶ Acts: a row each, added to as more is written
    orders to the engine ──────┘

What a run records of an act at a site stands in the chain as well: that is one row, who from the chain,
evidence from the record. Where nobody is on record, nobody is named. Nothing is written here.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from migrate.run.history import RUN_EVENTS, Event
from migrate.run.runbook import steps_in
from planner.effects import Effect
from planner.errors import NotFound

if TYPE_CHECKING:
    import sqlite3

    from planner.store.project import Project

_EVENTS = frozenset(event.value for event in Event)
_OF_RUNS = frozenset(event.value for event in RUN_EVENTS)
_OF_WAVES = frozenset(  # acts that are done to a wave, or how they begin, beside those of its runs
    (
        *("alarm", "approve", "overlook", "pause", "rehearse", "remedy", "retry", "schedule", "unschedule"),
        *("end a rehearsal", "note a rehearsal"),
    )
)
_NEAR_S = 2.0  # a line of the chain about a retry is of the entry beside it
_NEWER = (  # one statement, so that an entry and its line are seen together
    "SELECT at, 0 AS source, seq, coalesce(json_extract(detail, '$.who'), '') AS who, '' AS effect,"
    " kind AS act, step AS subject, run, CASE kind WHEN 'cycle' THEN detail END AS detail"
    " FROM step_record WHERE seq > ?"
    " UNION ALL SELECT at, 1, seq, who, effect, act, subject, json_extract(detail, '$.run'),"
    " CASE json_array_length(detail, '$.waves') WHEN 1 THEN json_extract(detail, '$.waves[0]') END FROM audit"
    " WHERE seq > ?"
    " UNION ALL SELECT at, 2, id, who, 'live', purpose, wave, NULL, NULL FROM work_order"
    " WHERE id > ? AND json_extract(options, '$.cycle') IS NULL"
    " ORDER BY at, source, seq"
)


class Act(NamedTuple):  # there are very many
    """One thing that was done. ``at`` is ISO 8601 in UTC; strings are empty, numbers 0 where there is none.

    ``kind`` is step, gate, run, rehearsal, plan or other; ``what`` is the act in words, as it is, with what
    it was done to where that is no wave.
    ``line``, ``entry`` and ``order`` are its numbers in the chain, the record of steps and among the orders.
    """

    at: str
    wave: str
    who: str
    kind: str
    act: str
    what: str
    run: int = 0
    step: str = ""
    line: int = 0
    entry: int = 0
    order: int = 0

    @property
    def key(self) -> str:
        """What tells it from all others, also when more is added."""
        return f"s{self.entry}" if self.entry else f"a{self.line}" if self.line else f"o{self.order}"

    @property
    def row(self) -> tuple[str, str, str, str, str, str, str, int]:
        """Its key, then the fields of ``planner.places.ACT_WORDS``."""
        return (self.key, self.at, self.wave, self.who, self.kind, self.act, self.what, self.run)


@dataclass(slots=True)
class _Titles:
    """The wave of a run, and title and kind of its steps, those of later rounds among them."""

    wave: str
    of: dict[str, tuple[str, str]]

    def add(self, steps: Iterable[Mapping[str, Any]]) -> None:
        """Take in steps as a runbook has them."""
        self.of.update((one["id"], (one["title"], one["kind"])) for one in steps)

    def title(self, step: str) -> str:
        """Return what a step is called, empty for one that is not known."""
        return self.of.get(step, ("", ""))[0]


@dataclass(slots=True)
class Acts:
    """All acts of a project, the oldest first; ``refresh`` adds what was written since."""

    project: Project
    all: list[Act] = field(default_factory=list)
    _last: list[int] = field(default_factory=lambda: [0, 0, 0])  # entry, line, order
    _runs: dict[int, _Titles] = field(default_factory=dict)

    def refresh(self) -> int:
        """Add what is newer; return how many acts that were."""
        before = len(self.all)
        rows = self.project.rows(_NEWER, *self._last)
        lines: dict[tuple[int, str], deque[sqlite3.Row]] = {}
        for row in rows:
            self._last[row["source"]] = max(self._last[row["source"]], row["seq"])
            if row["source"] == 1 and row["run"] is not None:
                lines.setdefault((row["run"], _tail(row["act"])), deque()).append(row)
        pairs = {row["seq"]: line for row in rows if row["source"] == 0 and (line := _line_of(row, lines))}
        told = {line["seq"] for line in pairs.values()}
        for row in rows:
            if row["source"] == 0:
                self.all.append(self._entry(row, pairs.get(row["seq"])))
            elif row["source"] == 2:
                self.all.append(self._order(row))
            elif row["seq"] not in told:
                self.all.append(self._line(row))
        return len(self.all) - before

    def _entry(self, row: sqlite3.Row, line: sqlite3.Row | None) -> Act:
        run, step, event = row["run"], row["subject"], row["act"]
        titles = self._titles(run)
        if row["detail"]:
            titles.add(json.loads(row["detail"]).get("steps", ()))
        return Act(
            row["at"],
            titles.wave,
            (line["who"] if line is not None else "") or row["who"],
            "run" if event in _OF_RUNS else "gate" if event == "approved" else "step",
            event,
            (titles.title(step) or step) if step else "the whole run",
            run,
            step,
            line["seq"] if line is not None else 0,
            row["seq"],
        )

    def _line(self, row: sqlite3.Row) -> Act:
        act, run = row["act"], row["run"] or 0
        step = act.rpartition(" ")[2] if _tail(act) != act.rpartition(" ")[2] else ""
        of_wave = bool(run) or act in _OF_WAVES or act.split(" ")[0] in _OF_WAVES
        what = self._titles(run).title(step) if run and step else "" if of_wave else row["subject"]
        wave = row["subject"] if of_wave else row["detail"] or ""  # papers of one wave alone are its own
        words = f"{act}: {what}" if what else act
        kind = _kind(act, row["effect"], bool(run))
        return Act(row["at"], wave, row["who"], kind, _first(act), words, run, "", row["seq"])

    def _order(self, row: sqlite3.Row) -> Act:
        words = f"has the engine {row['act']} it"
        return Act(row["at"], row["subject"], row["who"], "run", "order", words, order=row["seq"])

    def _titles(self, run: int) -> _Titles:
        found = self._runs.get(run)
        if found is None:
            rows = self.project.rows("SELECT wave, runbook FROM run WHERE id = ?", run)
            found = self._runs[run] = _Titles(rows[0]["wave"] if rows else "", {})
            found.add(steps_in(json.loads(rows[0]["runbook"])) if rows else ())
        return found

    def on_record(self, act: Act) -> dict[str, Any]:
        """Return what is on record of an act as plain JSON data: ``entry``, ``line``, ``order``, ``of_run``.

        Raises NotFound when it was put away since. ``step_kind`` is what kind of step it is of.
        """
        step_kind = self._titles(act.run).of.get(act.step, ("", ""))[1] if act.step else ""
        return {"step_kind": step_kind, **_on_record(self.project, act)}


def newest(project: Project, least: int) -> list[Act]:
    """Return at least so many of the newest acts, the oldest first, without a look at all others."""
    ends = project.rows(
        "SELECT (SELECT max(seq) FROM step_record), (SELECT max(seq) FROM audit),"
        " (SELECT max(id) FROM work_order)"
    )[0]
    acts = Acts(project, _last=[max((end or 0) - 2 * least, 0) for end in ends])
    acts.refresh()
    return acts.all[-least:]


def _on_record(project: Project, act: Act) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if act.entry:
        row = _one(project, "SELECT * FROM step_record WHERE seq = ?", act.entry)
        found["entry"] = {**row, "detail": json.loads(row["detail"])}
    if act.line:
        row = _one(project, "SELECT * FROM audit WHERE seq = ?", act.line)
        found["line"] = {**row, "detail": json.loads(row["detail"])}
    if act.order:
        row = _one(project, "SELECT * FROM work_order WHERE id = ?", act.order)
        result = None if row["result"] is None else json.loads(row["result"])
        found["order"] = {**row, "options": json.loads(row["options"]), "result": result}
    if act.run:
        row = _one(project, "SELECT id, wave, plan, at, who, kind FROM run WHERE id = ?", act.run)
        earlier = _one(
            project,
            "SELECT count(*) AS n FROM step_record WHERE run = ? AND seq <= ?",
            act.run,
            act.entry or _entry_before(project, act),
        )
        found["of_run"] = {**row, "entries": earlier["n"]}
    return found


def _entry_before(project: Project, act: Act) -> int:
    """Return the number of the last entry of a run up to an act that is none itself."""
    rows = project.rows("SELECT max(seq) AS seq FROM step_record WHERE run = ? AND at <= ?", act.run, act.at)
    return int(rows[0]["seq"] or 0)


def _one(project: Project, sql: str, *values: object) -> dict[str, Any]:
    rows = project.rows(sql, *values)
    if not rows:
        raise NotFound(
            "it is no longer on record: rounds before the last ones are put away",
            "read the list again",
        )
    return {key: rows[0][key] for key in rows[0].keys()}  # noqa: SIM118 - Row iterates over values


def _line_of(row: sqlite3.Row, lines: dict[tuple[int, str], deque[sqlite3.Row]]) -> sqlite3.Row | None:
    """Take the chain's line about an entry of the record out of those that wait for theirs."""
    waiting = lines.get((row["run"], f"{row['act']} {row['subject']}".strip()))
    if not waiting or (row["act"] == Event.RETRY and not _near(row["at"], waiting[0]["at"])):
        return None  # most retries have no line: that a person asked for one has
    return waiting.popleft()


def _near(one: str, other: str) -> bool:
    apart = datetime.fromisoformat(one) - datetime.fromisoformat(other)
    return abs(apart.total_seconds()) < _NEAR_S


def _tail(act: str) -> str:
    """Return what the record calls it: ``remedy done r0/halt`` is ``done r0/halt`` there."""
    words = act.split(" ")
    if len(words) > 1 and words[-2] in _EVENTS:
        return " ".join(words[-2:])
    return words[-1] if words[-1] in _OF_RUNS else act


def _first(act: str) -> str:
    """Return the act in a word: what the record calls it, else what it begins with."""
    return _tail(act.removeprefix("gate ")).split(" ")[0]


def _kind(act: str, effect: str, of_run: bool) -> str:
    if act.startswith("gate "):
        return "gate"
    if "rehears" in act:
        return "rehearsal"
    if of_run or effect in (Effect.LIVE.value, Effect.DESTRUCTIVE.value):
        return "step" if _tail(act).split(" ")[0] in _EVENTS - _OF_RUNS else "run"
    return "plan" if effect == Effect.EDIT_PLAN.value else "other"
