"""Waves as they stand: what the newest plan says, or what a run under way began with.

A run keeps the wave it began with until it ends, even when a newer plan has another one of that name
or none at all. A run that is over counts only while the plan still means the same wave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.run import remembered
from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.history import History, Mode
from migrate.run.store import Run, RunKind
from planner.errors import Blocked
from planner.names import visible
from planner.store import plans
from planner.store.plan_waves import WaveRow
from planner.store.plans import StoredPlan
from planner.store.project import Project

if TYPE_CHECKING:
    from planner.plan import Wave


@dataclass(frozen=True, slots=True)
class Standing:
    """A wave, the plan it stands in, and its newest run with what happened in it; None for neither."""

    stored: StoredPlan
    wave: Wave
    run: Run | None = None
    history: History | None = None


@dataclass(frozen=True, slots=True)
class StandingRow:
    """The same without the plan: what one line says of the wave, and the version it stands in."""

    version: int
    wave: WaveRow
    run: Run | None = None
    history: History | None = None


def standing_waves(project: Project, newest: int) -> Iterator[StandingRow]:
    """Yield every wave of the newest plan, then runs under way whose waves it no longer has."""
    planned = {row.name: row for row in plans.waves(project, newest)}
    ran = remembered.newest(project)
    histories = remembered.histories(project, ran.values())
    for name in dict.fromkeys((*planned, *ran)):
        if (run := ran.get(name)) is None:
            yield StandingRow(newest, planned[name])
        elif (found := _stood(project, newest, planned.get(name), run, histories[run.id])) is not None:
            yield found


def waves_with_runs(project: Project, kind: RunKind = RunKind.WAVE) -> dict[str, None]:
    """Return the names of all waves that ever had a run of a kind, in order."""
    rows = project.rows("SELECT DISTINCT wave FROM run WHERE kind = ? ORDER BY wave", kind.value)
    return {row["wave"]: None for row in rows}


def under_way(project: Project, newest: StoredPlan) -> tuple[str, ...]:
    """Return the waves of the newest plan that began as they stand there, and did not come back."""
    kept = (None, Outcome.COMMITTED)
    fingerprints = {row.name: row.fingerprint for row in plans.waves(project, newest.version)}
    return tuple(
        item.wave.name
        for item in standing_waves(project, newest.version)
        if item.history is not None
        and item.history.mode is Mode.FORWARD
        and runs.outcome(item.history) in kept
        and fingerprints.get(item.wave.name) == item.wave.fingerprint
        and not (item.run and _is_home(project, item.run))
    )


def _is_home(project: Project, run: Run) -> bool:
    home = newest_home(project, run)
    return home is not None and runs.outcome(home[1]) is Outcome.COMMITTED


def newest_home(project: Project, run: Run) -> tuple[Run, History] | None:
    """Return the newest run home of a committed run, None when there is none or it was taken back."""
    back = runs.latest(project, run.wave, RunKind.FAILBACK)
    if back is None or back.id < run.id:
        return None
    history = runs.history(project, back)
    return (back, history) if runs.outcome(history) in (None, Outcome.COMMITTED) else None


def find_wave(project: Project, name: str) -> Standing:
    """Return a wave by name, case ignored; raises NotFound."""
    from planner.plan import no_wave

    newest = plans.latest(project)
    wanted = name.casefold()
    planned = {row.name: row for row in plans.waves(project, newest.version)}
    names = (*planned, *waves_with_runs(project))
    known = next((item for item in names if item.casefold() == wanted), name)
    found = _stands(project, newest.version, planned.get(known), known)
    if found is None:
        raise no_wave(name, list(planned))
    stored = newest if found.version == newest.version else plans.get(project, found.version)
    return Standing(stored, stored.plan.wave(found.wave.name), found.run, found.history)


def check_alone(project: Project, wave: Wave) -> None:
    """Raise Blocked when another run under way has a VM of the wave: two would write one replica."""
    members = {vm.id: vm.name for vm in wave.vms}
    for other in standing_waves(project, plans.head(project).version):
        if other.wave.name == wave.name or other.history is None or runs.outcome(other.history) is not None:
            continue
        theirs = plans.wave(project, other.version, other.wave.name)
        shared = [members[vm.id] for vm in theirs.vms if vm.id in members]
        if shared:
            raise Blocked(
                f"{visible(shared[0])} of {wave.name} is in the run of {other.wave.name} that is under way",
                f"end that one first, or go back: wherry abort {other.wave.name} --live",
            )


def remedies_under_way(project: Project, wave: str) -> tuple[Run, History] | None:
    """Return the run of a wave's remedies that is not over, None when there is none."""
    run = runs.latest(project, wave, RunKind.REMEDY)
    if run is None or runs.outcome(history := runs.history(project, run)) is not None:
        return None
    return run, history


def half_remedied(project: Project, wave: str) -> str:
    """Return the command that goes on with a wave's remedies, empty when none is half done."""
    if (found := remedies_under_way(project, wave)) is None:
        return ""
    return f"wherry remedy {wave}{'' if found[1].mode is Mode.FORWARD else ' --undo'} --live"


def check_remedied(project: Project, wave: Wave) -> None:
    """Raise Blocked while a run of the wave's remedies is half done: a VM may be down for it."""
    if command := half_remedied(project, wave.name):
        raise Blocked(f"the remedies of {wave.name} are half done", f"finish them first: {command}")


def _stands(project: Project, newest: int, planned: WaveRow | None, name: str) -> StandingRow | None:
    run = runs.latest(project, name)
    if run is None:
        return None if planned is None else StandingRow(newest, planned)
    return _stood(project, newest, planned, run, runs.history(project, run))


def _stood(
    project: Project, newest: int, planned: WaveRow | None, run: Run, history: History
) -> StandingRow | None:
    """Return where a wave stands whose newest run is that one."""
    if runs.outcome(history) is None:
        row = planned if planned is not None and run.plan == newest else None
        row = row or plans.wave_line(project, run.plan, run.wave)
        return StandingRow(run.plan, row, run, history)
    if planned is not None and planned.fingerprint == run.fingerprint:
        return StandingRow(newest, planned, run, history)
    return None if planned is None else StandingRow(newest, planned)
