"""A run rebuilt from what it left in the world: for a host that is lost with everything on it.

What is there is a backup of ``project.db``, older than the run's last steps, and two sites in which every
act of a run is stamped with its key: project, run, generation, step, attempt. A step whose stamp is found
happened, and so did all that it needs. What no stamp shows is done again where that is harmless; a run
that stopped sources and started nothing goes back, for nobody can prove its last copies any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.history import SETTLED, Entry, Event, History, Mode, Status
from migrate.run.record import StepRecord
from migrate.run.runbook import Phase, Step
from migrate.run.waves import waves_with_runs
from migrate.steps.kinds import KINDS
from planner.errors import Blocked, WherryError
from planner.store import plans

if TYPE_CHECKING:
    from migrate.run.store import Run
    from migrate.sites.lab.client import LabSite
    from migrate.steps.kind import Context
    from planner.plan import Wave
    from planner.store.project import Project

ATTEMPT = 1000  # above any that the lost record may have made, so that no key is given twice
_KEY = re.compile(r"(?P<run>\d+)-(?P<generation>\d+)/(?P<step>.+)/(?P<way>do|undo)\d+")


@dataclass(frozen=True, slots=True)
class Stamp:
    """One key that was found at a site."""

    vm: str
    run: int
    generation: int
    step: str
    undone: bool


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found of a run: the steps that its stamps prove, and which way it goes on."""

    wave: str
    run: int
    made_anew: bool
    found: tuple[str, ...]
    mode: Mode
    snapshots: int


def stamps(project: str, *sites: LabSite) -> list[Stamp]:
    """Return the keys of a project's runs on the VMs of both sites."""
    found = []
    for site in sites:
        for vm in site.vms():
            state = site.observe(vm)
            for key in (state.op, state.last_power_op) if state else ():
                if key.startswith(f"{project}-") and (match := _KEY.fullmatch(key[len(project) + 1 :])):
                    found.append(
                        Stamp(
                            vm,
                            int(match["run"]),
                            int(match["generation"]),
                            match["step"],
                            match["way"] == "undo",
                        )
                    )
    return found


def lost_runs(project: Project, found: list[Stamp]) -> Iterator[Run]:
    """Make anew the runs that began after the backup, and yield them; raises Blocked when none fits."""
    known = {row["id"] for row in project.rows("SELECT id FROM run")}
    newest = plans.latest(project)
    for number in sorted({stamp.run for stamp in found} - known):
        mine = [stamp for stamp in found if stamp.run == number]
        wave = _wave_of(newest.plan.waves, mine)
        at = datetime.fromtimestamp(mine[0].generation / 1000, UTC)
        said = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield runs.restore(project, number, said, newest, compose(wave))


def _wave_of(waves: tuple[Wave, ...], mine: list[Stamp]) -> Wave:
    touched = {stamp.vm for stamp in mine}
    for wave in waves:
        if touched <= {vm.id for vm in wave.vms}:
            return wave
    raise Blocked(
        f"run {mine[0].run} touched {len(touched)} VMs that are in no wave of the newest plan together",
        "restore a backup that has the plan it ran by",
    )


def recover(project: Project, run: Run, ctx: Context, found: list[Stamp], anew: bool) -> Recovered:
    """Bring a run's record up to what its stamps prove; nothing in the world is changed but snapshots.

    Snapshots of the run that its record does not know are removed: nobody would ever do it.
    """
    history = ctx.history
    record = StepRecord(project, run.id, history, "recovery")
    mine = [stamp for stamp in found if stamp.run == run.id and stamp.step in history.status]
    proven = {stamp.step for stamp in mine if not stamp.undone}
    proven |= {*_fenced(ctx, history), *_dropped(ctx, history)}
    before = {step.id for step in history.runbook.steps if history.status[step.id] in SETTLED}
    for step in _needed(history, proven):
        _note(record, history, step)
    if history.mode is Mode.FORWARD and _goes_back(history, mine):
        record.append(Entry("", Event.ROLLBACK, detail={"who": "recovery"}))
    removed = _drop_orphans(ctx, history)
    after = {step.id for step in history.runbook.steps if history.status[step.id] in SETTLED}
    shown = tuple(step.title for step in history.runbook.steps if step.id in after - before)
    return Recovered(run.wave, run.id, anew, shown, history.mode, removed)


def under_way(project: Project) -> Iterator[Run]:
    """Yield the newest run of each wave that is not over."""
    for wave in waves_with_runs(project):
        run = runs.latest(project, wave)
        if run is not None and runs.outcome(runs.history(project, run)) is None:
            yield run


def _fenced(ctx: Context, history: History) -> Iterator[str]:
    """Yield the fences that are up: they leave their stamp in a name."""
    for step in history.runbook.steps:
        if step.kind == "fence":
            try:
                if KINDS["fence"].verify(ctx, step, "") is not None:
                    yield step.id
            except WherryError:
                continue  # a person looks at it when the run gets there


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


def _note(record: StepRecord, history: History, step: Step) -> None:
    """Record that a step happened, without what it would have found: nothing is made up."""
    if step.is_gate:
        record.append(Entry(step.id, Event.APPROVED, ATTEMPT, {"who": "", "recovered": True}))
        return
    if history.status[step.id] is Status.PENDING:
        record.append(Entry(step.id, Event.INTENT, ATTEMPT))
    elif history.status[step.id] is not Status.STARTED:
        record.append(Entry(step.id, Event.RETRY, ATTEMPT))
        record.append(Entry(step.id, Event.INTENT, ATTEMPT))
    record.append(Entry(step.id, Event.DONE, ATTEMPT, {"recovered": True, **_result(step)}))


def _result(step: Step) -> dict[str, Any]:
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
