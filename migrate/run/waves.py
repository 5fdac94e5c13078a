"""Waves as they stand: what the newest plan says, or what a run under way began with.

A run keeps the wave it began with until it ends, even when a newer plan has another one of that name
or none at all. A run that is over counts only while the plan still means the same wave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.history import History, Mode
from migrate.run.store import Run, RunKind
from planner.errors import Blocked, NotFound
from planner.names import visible
from planner.store import plans
from planner.store.plans import StoredPlan
from planner.store.project import Project

if TYPE_CHECKING:
    from planner.plan import Plan, Wave


@dataclass(frozen=True, slots=True)
class Standing:
    """A wave, the plan it stands in, and its newest run with what happened in it; None for neither."""

    stored: StoredPlan
    wave: Wave
    run: Run | None = None
    history: History | None = None


def standing_waves(project: Project, newest: StoredPlan) -> Iterator[Standing]:
    """Yield every wave of the newest plan, then runs under way whose waves it no longer has."""
    names = [wave.name for wave in newest.plan.waves]
    for row in project.rows("SELECT DISTINCT wave FROM run WHERE kind = 'wave' ORDER BY wave"):
        if row["wave"] not in names:
            names.append(row["wave"])
    for name in names:
        found = _stands(project, newest, name)
        if found is not None:
            yield found


def under_way(project: Project, newest: StoredPlan) -> tuple[str, ...]:
    """Return the waves of the newest plan that began as they stand there, and were not taken back."""
    kept = (None, Outcome.COMMITTED)
    return tuple(
        item.wave.name
        for item in standing_waves(project, newest)
        if item.history is not None
        and item.history.mode is Mode.FORWARD
        and runs.outcome(item.history) in kept
        and any(wave.name == item.wave.name for wave in newest.plan.waves)
        and newest.plan.wave(item.wave.name).fingerprint == item.wave.fingerprint
    )


def find_wave(project: Project, name: str) -> Standing:
    """Return a wave by name, case ignored; raises NotFound."""
    newest = plans.latest(project)
    wanted = name.casefold()
    names = [wave.name for wave in newest.plan.waves]
    names += [row["wave"] for row in project.rows("SELECT DISTINCT wave FROM run WHERE kind = 'wave'")]
    known = next((item for item in names if item.casefold() == wanted), name)
    found = _stands(project, newest, known)
    if found is None:
        raise _unknown(newest.plan, name)
    return found


def check_alone(project: Project, wave: Wave) -> None:
    """Raise Blocked when another run under way has a VM of the wave: two would write one replica."""
    members = {vm.id: vm.name for vm in wave.vms}
    for other in standing_waves(project, plans.latest(project)):
        if other.wave.name == wave.name or other.run is None or other.history is None:
            continue
        shared = [members[vm.id] for vm in other.wave.vms if vm.id in members]
        if shared and runs.outcome(other.history) is None:
            raise Blocked(
                f"{visible(shared[0])} of {wave.name} is in the run of {other.wave.name} that is under way",
                f"end that one first, or go back: wherry abort {other.wave.name} --live",
            )


def half_remedied(project: Project, wave: str) -> str:
    """Return the command that goes on with a wave's remedies, empty when none is half done."""
    run = runs.latest(project, wave, RunKind.REMEDY)
    if run is None or runs.outcome(history := runs.history(project, run)) is not None:
        return ""
    return f"wherry remedy {wave}{'' if history.mode is Mode.FORWARD else ' --undo'} --live"


def check_remedied(project: Project, wave: Wave) -> None:
    """Raise Blocked while a run of the wave's remedies is half done: a VM may be down for it."""
    if command := half_remedied(project, wave.name):
        raise Blocked(f"the remedies of {wave.name} are half done", f"finish them first: {command}")


def _stands(project: Project, newest: StoredPlan, name: str) -> Standing | None:
    planned = next((wave for wave in newest.plan.waves if wave.name == name), None)
    run = runs.latest(project, name)
    if run is not None:
        history = runs.history(project, run)
        if runs.outcome(history) is None:
            stored = newest if run.plan == newest.version else plans.get(project, run.plan)
            return Standing(stored, stored.plan.wave(name), run, history)
        if planned is not None and planned.fingerprint == run.fingerprint:
            return Standing(newest, planned, run, history)
    return None if planned is None else Standing(newest, planned)


def _unknown(plan: Plan, name: str) -> NotFound:
    try:
        plan.wave(name)
    except NotFound as error:
        return error
    raise AssertionError("unreachable")
