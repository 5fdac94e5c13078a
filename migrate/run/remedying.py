"""Carrying out remedies: a run of its own before the wave's, on the same driver and record.

    apply      the fixes of open tasks that wherry can make itself
    take back  all runs of remedies of a wave, the newest first

Only the source is touched, and only while the wave's own run is not under way. No outage is taken that
was not agreed to in this very call, also by a run that goes on. A call that an engine makes anew after a
crash says ``since``, the last entry of any run before it: what ended after that is not done once more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, NoReturn

from migrate.run import controls
from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.driver import Driver, Stopped
from migrate.run.execute import Carried, Intended, Onlooker
from migrate.run.history import SETTLED, Entry, Event, History, Mode, Status
from migrate.run.levers import retry_all
from migrate.run.means import Means
from migrate.run.patience import Patience
from migrate.run.record import StepRecord
from migrate.run.remedy import compose_remedies, fixable
from migrate.run.store import Run, RunKind
from migrate.run.waves import Standing, check_alone, find_wave
from migrate.sites.ports import Capability
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from migrate.steps.outage import to_take_back
from migrate.tasks import task_states
from planner.errors import Blocked
from planner.names import visible
from planner.store import settings as settings_store
from planner.store.project import Project

if TYPE_CHECKING:
    from migrate.sites.ports import FullSite

_NEEDS = {"consolidate": Capability.CONSOLIDATE}


def apply_remedies(
    project: Project,
    wave_name: str,
    *,
    only: str = "",
    with_outage: bool = False,
    onlooker: Onlooker | None = None,
    means: Means | None = None,
    since: int | None = None,
) -> tuple[Carried, ...]:
    """Make the fixes of a wave's open tasks, or go on with them; empty when there is nothing to do.

    ``means`` says in whose name. Raises Blocked when it may not, ProjectBusy when another process drives the
    wave, Unreachable when the source cannot be asked.
    """
    means = means or Means()
    name = find_wave(project, wave_name).wave.name
    with runs.held(project, name):
        if over := _over_since(project, name, since):
            return over
        intended = intend_remedies(project, name, only=only, with_outage=with_outage)
        if intended is None:
            return ()
        with closing(_source(project)) as source:
            _check_source(intended.history, source)
            run = intended.run or runs.begin(
                project, intended.stored, intended.history.runbook, RunKind.REMEDY, means.who
            )
            return (_drive(project, run, intended.history, source, onlooker or Onlooker(), means),)


def take_back(
    project: Project,
    wave_name: str,
    *,
    with_outage: bool = False,
    onlooker: Onlooker | None = None,
    means: Means | None = None,
    since: int | None = None,
) -> tuple[Carried, ...]:
    """Take all remedies of a wave back, the newest run first, up to one that cannot be; same errors."""
    means = means or Means()
    name = find_wave(project, wave_name).wave.name
    with runs.held(project, name):
        carried = list(_over_since(project, name, since, back=True))
        going = [] if carried and not _left_to_take_back(project, name) else intend_take_back(project, name)
        check_outage_back(going, with_outage)
        with closing(_source(project)) as source:
            for run, history in going:
                _check_source(history, source)
                carried.append(
                    _drive(project, run, history, source, onlooker or Onlooker(), means, back=True)
                )
                if carried[-1].stopped.outcome is None:
                    break
    return tuple(carried)


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
    going = _left_to_take_back(project, standing.wave.name)
    if not going:
        raise Blocked(
            f"{standing.wave.name} has no remedies to take back", f"see 'wherry remedy {standing.wave.name}'"
        )
    return going


def _left_to_take_back(project: Project, wave: str) -> list[tuple[Run, History]]:
    """Return the runs of a wave's remedies that did something which is not taken back, the newest first."""
    return [
        (run, history)
        for run, history in _newest_first(project, wave)
        if history.attempts and runs.outcome(history) is not Outcome.ROLLED_BACK
    ]


def _newest_first(project: Project, wave: str) -> list[tuple[Run, History]]:
    mine = [run for run in runs.every(project, RunKind.REMEDY) if run.wave == wave]
    return [(run, runs.history(project, run)) for run in reversed(mine)]


def _over_since(project: Project, wave: str, since: int | None, back: bool = False) -> tuple[Carried, ...]:
    """Return the runs of a wave's remedies that ended, or were taken back, after an entry of the record."""
    if since is None:
        return ()
    wanted = Outcome.ROLLED_BACK if back else Outcome.COMMITTED
    return tuple(
        Carried(run, history, Stopped(outcome=wanted))
        for run, history in _newest_first(project, wave)
        if runs.last_of(project, run) > since and runs.outcome(history) is wanted
    )


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


def _check_source(history: History, source: FullSite) -> None:
    """Raise Blocked when the site cannot make the changes, or is not the one where the run began."""
    kinds = {step.kind for step in history.runbook.steps if "tasks" in step.params}
    needed = {_NEEDS.get(kind, Capability.CONFIGURE) for kind in kinds}
    if missing := needed - source.capabilities:
        raise Blocked(
            f"site {visible(source.name)} cannot {', '.join(sorted(missing))} VMs", "do the tasks by hand"
        )
    began = {result["site"] for result in history.results.values() if "site" in result}
    if began - {source.identity}:
        raise Blocked(
            f"{visible(source.name)} is not the site at which the remedies of {history.runbook.wave} began",
            "point the site's url back to it: wherry site add",
        )


def _source(project: Project) -> Any:
    from migrate.sites.opening import open_site

    return open_site(settings_store.load(project), "source", project.root)


def _drive(
    project: Project,
    run: Run,
    history: History,
    source: FullSite,
    watching: Onlooker,
    means: Means,
    back: bool = False,
) -> Carried:
    record = StepRecord(project, run.id, history, means.who, about=RunKind.REMEDY.value)
    if back and history.mode is Mode.FORWARD:
        record.append(Entry("", Event.ROLLBACK, detail={"who": means.who, "kind": RunKind.REMEDY.value}))
    retry_all(history, record, means.asked_s)
    controls.answer(project, run.wave)
    asked = controls.pause_watch(project, run.wave)
    driver = Driver(
        _context(project, run, history, watching, source),
        KINDS,
        record,
        tell=watching.tell,
        boundary=watching.boundary,
        paused=lambda: asked() or means.halted(),
        hurried=controls.hurry_watch(project, run.wave),
        patience=lambda: watching.patience or Patience(),
    )
    stopped = driver.drive(lambda gate: None)
    if stopped.paused:
        controls.answer(project, run.wave)
    return Carried(run, history, stopped)


class _Nowhere:
    """What a remedy must not touch: the other site, the data plane, the keeper."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"a remedy acts at the source only and asked for {name!r}")


def _context(project: Project, run: Run, history: History, watching: Onlooker, source: FullSite) -> Context:
    nowhere: Any = _Nowhere()
    report: Callable[[Any], None] = watching.report
    return Context(
        run=runs.key_of(project, run),
        wave=run.wave,
        source=source,
        target=nowhere,
        transfers=nowhere,
        keeper=nowhere,
        clock=watching.clock,
        history=history,
        report=report,
    )
