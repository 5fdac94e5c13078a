"""Runs that began after the backup: made anew from the plan, once their stamps are found at the sites.

A run that brings a committed wave home says of the run before it that it was committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback, fenced_names, last_stood
from migrate.run.readdress_steps import found_before
from migrate.run.stamps import Stamp, run_of
from migrate.run.store import RunKind
from migrate.steps.fencing import moved_name
from migrate.steps.untouched import COMMITTED, LEFT_BEHIND
from planner.errors import Blocked
from planner.freezing import unfrozen_at
from planner.store import plans, settings

if TYPE_CHECKING:
    from migrate.run.runbook import Runbook
    from migrate.run.store import Run
    from migrate.sites.reached import Reached
    from planner.plan import Wave
    from planner.store.plans import StoredPlan
    from planner.store.project import Project


def lost_runs(project: Project, found: list[Stamp], source: Reached) -> Iterator[Run]:
    """Make anew the runs that began after the backup, and yield them; raises Blocked when none fits.

    ``source`` is asked under which names the VMs of a committed wave are fenced.
    """
    newest = plans.latest(project)
    for number in sorted({stamp.run for stamp in found} - _known(project)):
        mine = [stamp for stamp in found if stamp.run == number]
        wave = _wave_of(newest.plan.waves, mine)
        at = _said(mine[0].generation)
        if not any(stamp.homeward for stamp in mine):
            yield runs.restore(project, number, at, newest, _composed(project, wave))
            continue
        out = _committed(project, wave) or _out(project, newest, wave, number, mine[0].generation)
        forward = runs.history(project, out)
        fenced = {**_named(source, wave, mine[0].generation), **fenced_names(forward)}
        again = any(
            run.id > out.id and run.wave == wave.name for run in runs.every(project, RunKind.FAILBACK)
        )
        base = LEFT_BEHIND if again else COMMITTED  # what an earlier way home wrote is not known here
        unfrozen = unfrozen_at(settings.load(project), "target", wave)
        before, stood = found_before(forward), last_stood(forward)
        home = compose_failback(wave, fenced, before, base, stood, unfrozen=unfrozen)
        yield runs.restore(project, number, at, newest, home, RunKind.FAILBACK)


def drop_snapshots(project: Project, *sites: Reached) -> int:
    """Remove snapshots of the project's runs that nobody knows; return how many."""
    known, dropped = _known(project), 0
    for site in sites:
        for item in site.list_snapshots():
            number = run_of(project.id, item.op)
            if number is not None and number not in known:
                site.drop_snapshot(item.id, f"{item.op}/lost")
                dropped += 1
    return dropped


def _known(project: Project) -> set[int]:
    return {int(row["id"]) for row in project.rows("SELECT id FROM run")}


def _committed(project: Project, wave: Wave) -> Run | None:
    """Return the run that moved a wave out, as far as the backup knows it: it may have seen its beginning."""
    out = runs.latest(project, wave.name)
    gone = (Outcome.ROLLED_BACK, Outcome.ABORTED)
    return None if out is None or runs.outcome(runs.history(project, out)) in gone else out


def _out(project: Project, newest: StoredPlan, wave: Wave, home: int, generation: int) -> Run:
    """Make the run that committed the wave anew, under the highest number that is free before ``home``."""
    free = set(range(1, home)) - _known(project)
    if not free:
        raise Blocked(
            f"run {home} brings {wave.name} home, and no run before it moved it out",
            "restore a backup that knows the plan it ran by",
        )
    return runs.restore(project, max(free), _said(generation - 1), newest, _composed(project, wave))


def _composed(project: Project, wave: Wave) -> Runbook:
    return compose(wave, unfrozen=unfrozen_at(settings.load(project), "source", wave))


def _named(source: Reached, wave: Wave, generation: int) -> dict[str, str]:
    """Return under which names the VMs are fenced; one that has its own again gets the day of its return."""
    day = datetime.fromtimestamp(generation / 1000, UTC).date()
    states = {vm.id: source.observe(vm.id) for vm in wave.vms}
    return {
        vm.id: state.name
        if (state := states[vm.id]) is not None and state.name != vm.name
        else moved_name(vm.name, day)
        for vm in wave.vms
    }


def _wave_of(waves: tuple[Wave, ...], mine: list[Stamp]) -> Wave:
    touched = {stamp.vm for stamp in mine}
    for wave in waves:
        if touched <= {vm.id for vm in wave.vms}:
            return wave
    raise Blocked(
        f"run {mine[0].run} touched {len(touched)} VMs that are in no wave of the newest plan together",
        "restore a backup that has the plan it ran by",
    )


def _said(generation: int) -> str:
    at = datetime.fromtimestamp(generation / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
