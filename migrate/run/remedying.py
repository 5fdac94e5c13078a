"""Carrying out remedies: a run of its own before the wave's, on the same driver and record.

    apply      the fixes of open tasks that wherry can make itself
    take back  all runs of remedies of a wave, the newest first

Only the source is touched, and only while the wave's own run is not under way. No outage is taken that
was not agreed to in this very call, also by a run that goes on. A call that an engine makes anew after a
crash says ``since``, the last entry of any run before it: what ended after that is not done once more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, NoReturn

from migrate.run import controls
from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.arriving import enter, patient_until_s
from migrate.run.driver import Driver, Stopped
from migrate.run.execute import Carried, Onlooker
from migrate.run.history import Entry, Event, History, Mode
from migrate.run.levers import retry_all
from migrate.run.means import Means
from migrate.run.patience import Patience
from migrate.run.record import StepRecord
from migrate.run.remedy_intents import (
    check_outage_back,
    intend_remedies,
    intend_take_back,
    left_to_take_back,
)
from migrate.run.store import Run, RunKind
from migrate.run.waves import find_wave
from migrate.sites.ports import Capability
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
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
    watching, means = onlooker or Onlooker(), means or Means()
    name = find_wave(project, wave_name).wave.name
    with runs.held(project, name):
        if over := _over_since(project, name, since):
            return over
        intended = intend_remedies(project, name, only=only, with_outage=with_outage)
        if intended is None:
            return ()
        book, stored = intended.history.runbook, intended.stored
        return (
            _carried(
                project,
                intended.run or (lambda: runs.begin(project, stored, book, RunKind.REMEDY, means.who)),
                intended.history,
                watching,
                means,
            ),
        )


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
    watching, means = onlooker or Onlooker(), means or Means()
    name = find_wave(project, wave_name).wave.name
    with runs.held(project, name):
        carried = list(_over_since(project, name, since, back=True))
        going = [] if carried and not left_to_take_back(project, name) else intend_take_back(project, name)
        check_outage_back(going, with_outage)
        for run, history in going:
            carried.append(_carried(project, run, history, watching, means, back=True))
            if carried[-1].stopped.outcome is None:
                break
    return tuple(carried)


def _carried(
    project: Project,
    run: Run | Callable[[], Run],
    history: History,
    watching: Onlooker,
    means: Means,
    back: bool = False,
) -> Carried:
    """Carry a run on, or one that begins once its site answers; one that rests waits for its site."""
    wave = history.runbook.wave
    asked = controls.pause_watch(project, wave)
    with ExitStack() as at_end:
        source = enter(
            at_end,
            lambda: closing(_source(project)),
            patient_until_s(history, means.asked_s),
            lambda: asked() or means.halted(),
            watching.clock,
        )
        if source is None:
            assert isinstance(run, Run), "nothing rests of a run that has not begun"
            controls.answer(project, wave)
            return Carried(run, history, Stopped(paused=True))
        _check_source(history, source)
        begun = run if isinstance(run, Run) else run()
        return _drive(project, begun, history, source, watching, means, back)


def _over_since(project: Project, wave: str, since: int | None, back: bool = False) -> tuple[Carried, ...]:
    """Return the runs of a wave's remedies that ended, or were taken back, after an entry of the record."""
    wanted = Outcome.ROLLED_BACK if back else Outcome.COMMITTED
    return tuple(
        Carried(run, history, Stopped(outcome=ended))
        for run, history, ended in (runs.ended_since(project, wave, since) if since is not None else ())
        if run.kind is RunKind.REMEDY and ended is wanted
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
