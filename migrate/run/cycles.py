"""Cycles: the rounds that keep a wave up to date from its first copy until its cutover, and after its commit
the same the other way.

A run keeps in its record what it was planned with, the newest whole cycle, on which the next one stands,
and the one under way. Older ones are put away as a line each in ``cycle``, so that weeks of waiting leave
a record that is as short as an hour's. Writes ``cycle``.

The recovery point of a group is the instant of its newest whole copy: the intent of the snapshot from which
it was made, which is before the snapshot itself. What a wave would lose is told by its oldest group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from migrate.run import controls
from migrate.run import store as runs
from migrate.run.actions import Wait, next_actions
from migrate.run.history import Entry, Event, History, Mode, Status
from migrate.run.runbook import GO, Runbook, Step, part_of
from migrate.run.store import RunKind

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.store.project import Project

_INTENTS = (
    "SELECT run, step, max(at) AS at FROM step_record WHERE kind = 'intent' AND step LIKE '%/snapshot/%'"
)


@dataclass(frozen=True, slots=True)
class Cycle:
    """One whole round of a group; ``instant`` and ``ended_at`` are ISO 8601 in UTC.

    ``proven`` is the site's name of the snapshot that its copies were compared with, byte for byte; empty
    where that was not done, or was put away by an older wherry.
    """

    part: str  # the group's of step ids: g0
    number: int
    instant: str
    ended_at: str
    data_bytes: int
    wire_bytes: int
    proven: str = ""

    @property
    def snapshot(self) -> str:
        """The id of the step from whose snapshot it was copied."""
        return f"{self.part}/snapshot/{self.number}"


def times_of(project: Project, run: int | None = None) -> dict[tuple[int, str], str]:
    """Return when each snapshot of a run, or of all runs, was about to be taken, by run and step."""
    where, given = (" AND run = ?", (run,)) if run is not None else ("", ())
    rows = project.rows(f"{_INTENTS}{where} GROUP BY run, step", *given)
    return {(row["run"], row["step"]): str(row["at"]) for row in rows}


def copied_at(run: Run, history: History, times: Mapping[tuple[int, str], str]) -> str:
    """Return the instant of the newest whole copy of the group that has the oldest; empty without one.

    Groups that nothing of can be copied before the stop have none, and do not count.
    """
    return min(copied_by_group(run, history, times).values(), default="")


def copied_by_group(run: Run, history: History, times: Mapping[tuple[int, str], str]) -> dict[str, str]:
    """Return the instant of each group's newest whole copy, by its part of step ids; empty without one."""
    newest: dict[str, str] = {}
    for step in _snapshots(history.runbook):
        part, at = part_of(step.id), times.get((run.id, step.id), "")
        newest.setdefault(part, "")
        if at and is_whole(history, step):
            newest[part] = max(newest[part], at)
    return newest


def is_whole(history: History, snapshot: Step) -> bool:
    """Return whether all that is copied from a snapshot is at the target."""
    return history.status[snapshot.id] is Status.DONE and all(
        history.status[step.id] is Status.DONE for step in _passes(history, snapshot)
    )


def target_s(history: History) -> float:
    """Return the recovery point objective that the wave was approved with, in seconds; 0 when none."""
    return 60.0 * float(_go(history).params.get("rpo_min", 0.0))


def every(history: History) -> timedelta | None:
    """Return how often the wave was approved to be brought up to date while it waits, None for never."""
    minutes = float(_go(history).params.get("cycle_min", 0.0))
    return timedelta(minutes=minutes) if minutes > 0 else None


def next_cycle(project: Project, run: Run, history: History, at: str) -> datetime | None:
    """Return when a run's next cycle is due after a copy of ``at``; None when none is.

    It waits at its go gate, or a cycle of it failed and is tried again. Whoever paused it, pauses this.
    """
    wanted = every(history)
    if wanted is None or not at or not has_cycles(run, history) or history.mode is not Mode.FORWARD:
        return None
    if not (waits_for_go(history) or _cut_short(history)) or is_paused(project, run):
        return None
    return datetime.fromisoformat(at) + wanted


def has_cycles(run: Run, history: History) -> bool:
    """Return whether a run is brought up to date while it waits: on its way out, or home through a journal.

    A run home without one goes over the only copy of what was committed: its rounds are asked for.
    """
    if run.kind is RunKind.FAILBACK:
        return any(step.kind == "journal" for step in history.runbook.steps)
    return run.kind is RunKind.WAVE


def waits_for_go(history: History) -> bool:
    """Return whether a run waits at its go gate, with all copies whole."""
    actions = next_actions(history.runbook, history)
    return any(isinstance(action, Wait) and action.step.id == GO for action in actions)


def is_paused(project: Project, run: Run) -> bool:
    """Return whether a person paused the run, and nothing went on since."""
    return nothing_since(controls.paused_since(project, run.wave), runs.last_at(project, run))


def nothing_since(paused_at: str, last_at: str) -> bool:
    """Return whether a run was paused, and its newest entry is no younger than that."""
    return bool(paused_at) and paused_at >= last_at


def put_away(project: Project, run: Run, history: History) -> int:
    """Put away the cycles on which nothing stands any more; return how many.

    Only of a run that waits at its go gate. The ``history`` that was read before does not
    know of it: read it anew.
    """
    if not has_cycles(run, history) or history.mode is not Mode.FORWARD or not waits_for_go(history):
        return 0
    old = _superseded(history)
    if not old:
        return 0
    gone = [str(step["id"]) for entry in old for step in entry.detail["steps"]]
    lines = [asdict(one) for one in _recorded(project, run, history) if one.snapshot in gone]
    with project.write() as db:
        db.table("cycle").insert_all({"run": run.id, **line} for line in lines)
        seqs = db.conn.execute(
            "SELECT seq FROM step_record WHERE run = ? AND kind = 'cycle' ORDER BY seq", (run.id,)
        ).fetchall()
        db.conn.executemany("DELETE FROM step_record WHERE seq = ?", seqs[: len(old)])
        db.conn.executemany(
            "DELETE FROM step_record WHERE run = ? AND step = ?", ((run.id, step) for step in gone)
        )
    return len(old)


def _superseded(history: History) -> list[Entry]:
    """Return the added rounds before the newest one that is whole: one that was passed over replaces none."""
    added = [entry for entry in history.entries if entry.event is Event.CYCLE]
    whole = [at for at, entry in enumerate(added) if _is_whole_round(history, entry)]
    return added[: whole[-1]] if whole else []


def _is_whole_round(history: History, added: Entry) -> bool:
    steps = (history.runbook.step(str(step["id"])) for step in added.detail["steps"])
    return all(is_whole(history, step) for step in steps if step.kind == "snapshot")


def cycles_of(project: Project, run: Run, history: History) -> list[Cycle]:
    """Return all whole rounds of a run, those put away too, oldest first."""
    found = [*away_of(project, run), *_recorded(project, run, history)]
    return sorted(found, key=lambda one: (one.number, one.part))


def away_of(project: Project, run: Run) -> list[Cycle]:
    """Return the rounds of a run that were put away, oldest first."""
    rows = project.rows("SELECT * FROM cycle WHERE run = ? ORDER BY number, part", run.id)
    return [Cycle(**{field.name: row[field.name] for field in fields(Cycle)}) for row in rows]


def _recorded(project: Project, run: Run, history: History) -> list[Cycle]:
    """Return the whole rounds that the record of a run has."""
    begun = times_of(project, run.id)
    rows = project.rows(
        "SELECT step, max(at) AS at FROM step_record WHERE run = ? AND kind = 'done' AND step LIKE '%/drop/%'"
        " GROUP BY step",
        run.id,
    )
    ended = {str(row["step"]): str(row["at"]) for row in rows}
    return [
        _cycle(history, step, begun.get((run.id, step.id), ""), ended)
        for step in _snapshots(history.runbook)
        if is_whole(history, step)
    ]


def _cycle(history: History, snapshot: Step, instant: str, ended: Mapping[str, str]) -> Cycle:
    part, number = part_of(snapshot.id), int(snapshot.id.rpartition("/")[2])
    results = [history.results.get(step.id, {}) for step in _passes(history, snapshot)]
    data, wire = (sum(int(one.get(what, 0)) for one in results) for what in ("data_bytes", "wire_bytes"))
    ended_at = ended.get(f"{part}/drop/{number}", "")
    return Cycle(part, number, instant, ended_at, data, wire, proven_by(history, snapshot))


def proven_by(history: History, snapshot: Step) -> str:
    """Return the site's name of a snapshot with which all copies of it were compared, else nothing."""
    proof = snapshot.id.replace("/snapshot/", "/checkpoint/")
    if proof not in history.results:
        return ""
    compared = {volume for volume, _ in history.runbook.step(proof).params["volumes"]}
    if not compared.issuperset(step.params["volume"] for step in _passes(history, snapshot)):
        return ""  # of a first copy only what is sent once is compared
    return str(history.results.get(snapshot.id, {}).get("id", ""))


def _passes(history: History, snapshot: Step) -> list[Step]:
    """Return the passes that read a snapshot."""
    users = (history.runbook.step(user) for user in history.runbook.dependents[snapshot.id])
    return [user for user in users if user.kind == "transfer"]


def _cut_short(history: History) -> bool:
    """Return whether a step of an added round failed: the run was whole before, and can be so again."""
    return any(step in history.added for step in history.unsettled)


def _snapshots(runbook: Runbook) -> Iterator[Step]:
    return (step for step in runbook.steps if step.kind == "snapshot")


def _go(history: History) -> Step:
    return history.runbook.step(GO)
