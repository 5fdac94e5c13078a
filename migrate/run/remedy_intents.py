"""What a verb would do about remedies: which run goes on or begins, and why it may not. Changes nothing."""

from __future__ import annotations

from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.execute import Intended
from migrate.run.history import SETTLED, History, Mode, Status
from migrate.run.remedy import compose_remedies, fixable
from migrate.run.store import Run, RunKind
from migrate.run.waves import Standing, check_alone, find_wave
from migrate.steps.outage import to_take_back
from migrate.tasks import task_states
from planner.errors import Blocked
from planner.store import settings as settings_store
from planner.store.project import Project


def intend_remedies(
    project: Project, wave_name: str, *, only: str = "", with_outage: bool = False
) -> Intended | None:
    """Return what ``apply_remedies`` would go on with, None when there is nothing; raises Blocked."""
    standing = find_wave(project, wave_name)
    _check_before(project, standing)
    wave = standing.wave
    run = runs.latest(project, wave.name, RunKind.REMEDY)
    if run is not None and runs.outcome(history := runs.history(project, run)) is None:
        _check_goes_on(history, only, with_outage)
        return Intended(standing.stored, wave, run, history)
    states = task_states(project)
    tasks = [
        task
        for task in fixable(wave, only, with_outage)
        if (found := states.get(task.id)) is None or not found.state.is_over
    ]
    if not tasks:
        return None
    runbook = compose_remedies(wave, tasks, settings_store.load(project).remedies, with_outage)
    return Intended(standing.stored, wave, None, History(runbook))


def intend_take_back(project: Project, wave_name: str) -> list[tuple[Run, History]]:
    """Return the runs that ``take_back`` would undo, in its order; raises Blocked when there is none."""
    standing = find_wave(project, wave_name)
    _check_before(project, standing)
    going = left_to_take_back(project, standing.wave.name)
    if not going:
        raise Blocked(
            f"{standing.wave.name} has no remedies to take back", f"see 'wherry remedy {standing.wave.name}'"
        )
    return going


def left_to_take_back(project: Project, wave: str) -> list[tuple[Run, History]]:
    """Return the runs of a wave's remedies that did something which is not taken back, the newest first."""
    mine = [run for run in runs.every(project, RunKind.REMEDY) if run.wave == wave]
    return [
        (run, history)
        for run in reversed(mine)
        for history in (runs.history(project, run),)
        if history.attempts and runs.outcome(history) is not Outcome.ROLLED_BACK
    ]


def _check_before(project: Project, standing: Standing) -> None:
    """Raise Blocked unless the wave's own run is over or has not begun, and no other one has its VMs."""
    name = standing.wave.name
    if standing.run is not None and standing.history is not None:
        ended = runs.outcome(standing.history)
        if ended is Outcome.COMMITTED:
            raise Blocked(f"{name} is committed: its sources are fenced", "see its report: wherry export")
        if ended is None:
            raise Blocked(
                f"{name} has a run under way, and remedies come before it",
                f"go back first: wherry abort {name} --live, or wherry rollback {name} --live",
            )
    check_alone(project, standing.wave)


def _check_goes_on(history: History, only: str, with_outage: bool) -> None:
    """Raise Blocked when a run under way goes another way or further than was asked for now."""
    wave = history.runbook.wave
    if history.mode is not Mode.FORWARD:
        raise Blocked(
            f"the remedies of {wave} are being taken back",
            f"finish that with 'wherry remedy {wave} --undo --live'",
        )
    left = [step for step in history.runbook.steps if history.status[step.id] not in SETTLED]
    if not with_outage and any(step.kind == "halt" and step.params["outage"] for step in left):
        raise Blocked(
            f"the remedies of {wave} that are under way need an outage",
            "add --with-outage, or take them back with --undo",
        )
    if only and any("tasks" in step.params and step.kind != only for step in left):
        raise Blocked(
            f"the remedies of {wave} that are under way are not only {only}",
            "finish them without --only, or take them back with --undo",
        )


def check_outage_back(going: list[tuple[Run, History]], with_outage: bool) -> None:
    """Raise Blocked when a VM would be stopped for the way back and nobody agreed to that."""
    for _, history in going:
        for step in history.runbook.steps:
            if step.kind != "resume" or history.status[step.id] in (Status.UNDONE, Status.PENDING):
                continue
            if not with_outage and any(to_take_back(history, fix) for fix in step.params["fixes"]):
                raise Blocked(
                    f"taking back the remedies of {history.runbook.wave} needs an outage", "add --with-outage"
                )
