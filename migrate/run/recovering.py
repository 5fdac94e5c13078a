"""A run rebuilt from what it left in the world: for a host that is lost with everything on it.

What is there is a backup of ``project.db``, older than the run's last steps, and two sites in which every
act of a run is stamped with its key: project, run, generation, step, attempt. A step whose stamp is found
happened, and so did all that it needs. What no stamp shows is done again where that is harmless; a run
that stopped sources and started nothing goes back, for nobody can prove its last copies any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.run import store as runs
from migrate.run.history import SETTLED, Entry, Event, History, Mode, Status
from migrate.run.record import StepRecord
from migrate.run.runbook import COMMIT, Phase, Step
from migrate.run.stamps import Stamp
from migrate.run.store import RunKind
from migrate.run.waves import waves_with_runs
from migrate.steps.fencing import unfenced
from migrate.steps.kinds import KINDS
from planner.errors import WherryError
from planner.store.project import utc_now

if TYPE_CHECKING:
    from migrate.run.store import Run
    from migrate.steps.kind import Context, Result
    from planner.store.project import Project

ATTEMPT = 1000  # above any that the lost record may have made, so that no key is given twice


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found of a run: the steps that its stamps prove, and which way it goes on."""

    wave: str
    run: int
    made_anew: bool
    found: tuple[str, ...]
    mode: Mode
    snapshots: int


def recover(project: Project, run: Run, ctx: Context, found: list[Stamp], anew: bool) -> Recovered:
    """Bring a run's record up to what its stamps prove; nothing in the world is changed but snapshots.

    Snapshots of the run that its record does not know are removed: nobody would ever do it.
    """
    history = ctx.history
    record = StepRecord(project, run.id, history, "recovery")
    mine = [stamp for stamp in found if stamp.run == run.id and stamp.step in history.status]
    proven = {stamp.step for stamp in mine if not stamp.undone}
    fenced = dict(_fenced(ctx, history))
    proven |= {*fenced, *_unfenced(ctx, history), *_dropped(ctx, history)}
    before = {step.id for step in history.runbook.steps if history.status[step.id] in SETTLED}
    for step in _needed(history, proven):
        _note(record, history, step, fenced.get(step.id))
    if history.mode is Mode.FORWARD and _goes_back(history, mine):
        record.append(Entry("", Event.ROLLBACK, detail={"who": "recovery"}))
    removed = _drop_orphans(ctx, history)
    after = {step.id for step in history.runbook.steps if history.status[step.id] in SETTLED}
    shown = tuple(step.title for step in history.runbook.steps if step.id in after - before)
    return Recovered(run.wave, run.id, anew, shown, history.mode, removed)


def under_way(project: Project) -> Iterator[Run]:
    """Yield the newest run of each wave that is not over, out or home."""
    for kind in (RunKind.WAVE, RunKind.FAILBACK):
        for wave in waves_with_runs(project, kind):
            run = runs.latest(project, wave, kind)
            if run is not None and runs.outcome(runs.history(project, run)) is None:
                yield run


def settle(project: Project, run: Run) -> None:
    """Record that a run was committed, for its wave came home afterwards; nothing when it says so itself."""
    history = runs.history(project, run)
    if runs.outcome(history) is not None:
        return
    record = StepRecord(project, run.id, history, "recovery")
    for step in _needed(history, {step.id for step in history.runbook.steps}):
        _note(record, history, step)


def _fenced(ctx: Context, history: History) -> Iterator[tuple[str, Result]]:
    """Yield the fences that are up, with what they came to: they leave their stamp in a note."""
    for step in history.runbook.steps:
        if step.kind == "fence":
            try:
                if (result := KINDS["fence"].verify(ctx, step, "")) is not None:
                    yield step.id, result
            except WherryError:
                continue  # a person looks at it when the run gets there


def _unfenced(ctx: Context, history: History) -> Iterator[str]:
    """Yield the fences that were taken off, also in part: going back puts them up again."""
    for step in history.runbook.steps:
        if step.kind == "unfence" and unfenced(ctx, step):
            yield step.id


def _dropped(ctx: Context, history: History) -> Iterator[str]:
    """Yield the removals of snapshots that are gone: what follows compares what was copied from them."""
    there = {item.id for item in ctx.source.list_snapshots()}
    for step in history.runbook.steps:
        if step.kind == "drop-snapshot":
            taken = ctx.result(step.params["snapshot"]).get("id")
            if taken and taken not in there:
                yield step.id


def _needed(history: History, proven: set[str]) -> list[Step]:
    """Return the steps that are proven or needed by one, in order, without those that are settled."""
    wanted = set(proven)
    for step in reversed(history.runbook.steps):
        if step.id in wanted:
            wanted.update(step.needs)
    return [
        step for step in history.runbook.steps if step.id in wanted and history.status[step.id] not in SETTLED
    ]


def _note(record: StepRecord, history: History, step: Step, told: Result | None = None) -> None:
    """Record that a step happened, with what the world tells of it and no more: nothing is made up."""
    if step.is_gate:
        # From the day of a commit on what is fenced is kept; the real one is lost, this one is no earlier.
        day = {"at": utc_now()} if step.id == COMMIT else {}
        record.append(Entry(step.id, Event.APPROVED, ATTEMPT, {"who": "", "recovered": True, **day}))
        return
    if history.status[step.id] is Status.PENDING:
        record.append(Entry(step.id, Event.INTENT, ATTEMPT))
    elif history.status[step.id] is not Status.STARTED:
        record.append(Entry(step.id, Event.RETRY, ATTEMPT))
        record.append(Entry(step.id, Event.INTENT, ATTEMPT))
    record.append(Entry(step.id, Event.DONE, ATTEMPT, {"recovered": True, **(told or _result(step))}))


def _result(step: Step) -> Result:
    """Return what later steps need of one whose result is lost, where there is a safe answer."""
    if step.kind == "create-disk":
        return {"created": False}  # so it is compared, and never deleted on the way back
    if step.kind == "mark":
        return {"changes": {volume: "" for volume, _ in step.params["volumes"]}}  # so it is compared
    if step.kind == "snapshot":
        return {"id": "", "label": "", "changes": {}}
    return {}


def _goes_back(history: History, mine: list[Stamp]) -> bool:
    """Return whether a run can only go back: it did already, or stopped sources and started nothing."""
    kinds = {
        history.runbook.step(step.id).kind
        for step in history.runbook.steps
        if history.status[step.id] in SETTLED
    }
    if Phase.COMMIT in {
        step.phase
        for step in history.runbook.steps
        if history.status[step.id] in SETTLED and not step.is_gate
    }:
        return False
    if any(stamp.undone and history.runbook.step(stamp.step).phase is Phase.CUTOVER for stamp in mine):
        return True
    return "stop" in kinds and "start" not in kinds


def _drop_orphans(ctx: Context, history: History) -> int:
    known = {str(result.get("id", "")) for result in history.results.values()}
    left = [
        item
        for item in ctx.source.list_snapshots()
        if item.op.startswith(f"{ctx.run}/") and item.id not in known
    ]
    for number, item in enumerate(left):
        ctx.source.drop_snapshot(item.id, f"{ctx.run}/recovery/do{ATTEMPT + number}")
    return len(left)
