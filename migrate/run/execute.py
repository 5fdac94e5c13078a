"""Carrying out a wave: open the run, say yes to the gates the verb stands for, drive.

    replicate  up to the go gate; again there: one more round
    cutover    through the go gate, up to the commit gate
    commit     through the commit gate to the end
    rollback   back to the go gate; abort: back to before the first step
    reverse    after commit: as replicate, from the target to the source; failback: as cutover, the same way

Only an approved wave runs, exactly as it was approved, and one process at a time drives it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.clock import Clock, SystemClock
from migrate.run import controls, orders
from migrate.run import store as runs
from migrate.run.actions import Outcome, check_rollback
from migrate.run.arriving import enter, patient_until_s
from migrate.run.beside import Known
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback, fenced_names, last_stood
from migrate.run.crew import Crew
from migrate.run.cycles import put_away
from migrate.run.driver import Driver, Stopped, Told
from migrate.run.gatekeeper import Gatekeeper
from migrate.run.history import Entry, Event, History, Mode, Status
from migrate.run.landed import check_landed, check_sites
from migrate.run.left_behind import left_behind
from migrate.run.levers import retry_all
from migrate.run.line_policy import LinePolicy, known_of
from migrate.run.means import Means
from migrate.run.patience import Patience
from migrate.run.readdress_steps import found_before
from migrate.run.record import Record, StepRecord
from migrate.run.returning import Returning, find_returning, need_returning
from migrate.run.room_watch import RoomWatch
from migrate.run.rounds import next_round, round_of, waiting
from migrate.run.runbook import COMMIT, GO, Phase, dump_step
from migrate.run.seed_map import read_seeds
from migrate.run.showing import Shower
from migrate.run.store import Run, RunKind
from migrate.run.waves import check_alone, check_remedied, find_wave
from migrate.run.world import both_sites, context
from migrate.steps.kinds import KINDS
from migrate.transfers.ports import Moving
from planner.errors import Blocked
from planner.freezing import unfrozen_at
from planner.store import approvals, plans, settings
from planner.store.project import Project

if TYPE_CHECKING:
    from migrate.sites.reached import Reached
    from planner.plan import Wave
    from planner.store.plans import StoredPlan


class Purpose(StrEnum):
    """What a person wants of a wave."""

    REPLICATE = "replicate"
    CUTOVER = "cutover"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    ABORT = "abort"
    REVERSE = orders.REVERSE
    FAILBACK = "failback"


OPENS: dict[Purpose, tuple[str, ...]] = {
    Purpose.REPLICATE: (),
    Purpose.CUTOVER: (GO,),
    Purpose.COMMIT: (COMMIT,),
    Purpose.ROLLBACK: (),
    Purpose.ABORT: (),
    Purpose.REVERSE: (),
    Purpose.FAILBACK: (GO,),
}
HOMEWARD = frozenset({Purpose.REVERSE, Purpose.FAILBACK})
_ROUNDS = frozenset({Purpose.REPLICATE, Purpose.REVERSE})
SAID: dict[Purpose, str] = {Purpose.COMMIT: "commit", Purpose.ROLLBACK: "roll back", Purpose.ABORT: "abort"}


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who is told what happens, and where a process may be made to die in a test."""

    tell: Callable[[Told], None] = lambda told: None
    report: Callable[[Moving], None] = lambda moving: None
    boundary: Callable[[str], None] = lambda point: None
    clock: Clock = field(default_factory=SystemClock)
    patience: Patience | None = None  # None: as the settings say


@dataclass(frozen=True, slots=True)
class Intended:
    """What a verb would go on with: an unfinished run, or (``run`` is None) the wave as it is planned."""

    stored: StoredPlan
    wave: Wave
    run: Run | None
    history: History
    home: Returning | None = None  # of a run that brings a committed wave home

    @property
    def kind(self) -> RunKind:
        """What kind of run it is or would be."""
        return RunKind.WAVE if self.home is None else RunKind.FAILBACK


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of it: the run, its history, and why the driver came back."""

    run: Run
    history: History
    stopped: Stopped


def carry_out(
    project: Project,
    wave_name: str,
    purpose: Purpose,
    onlooker: Onlooker | None = None,
    *,
    seed_from: Path | None = None,
    means: Means | None = None,
) -> Carried:
    """Carry a wave on as far as ``purpose`` allows; a new run brings in the images of ``seed_from``.

    ``means`` says in whose name, and who moves the bytes.

    Raises Blocked when it may not (not approved, past the point of no return, nothing to do),
    ProjectBusy when another process drives it, Unreachable when a site cannot be asked. Nothing is
    written before both sites answer.
    """
    watching, means = onlooker or Onlooker(), means or Means()
    with runs.held(project, find_wave(project, wave_name).wave.name):
        intended = intend(project, wave_name, purpose, seed_from)
        if purpose in _ROUNDS and _tidied(project, intended):
            intended = intend(project, wave_name, purpose, seed_from)
        if intended.run is None and intended.home is None:
            check_approved(project, intended)
            check_alone(project, intended.wave)
            check_remedied(project, intended.wave)
        with ExitStack() as at_end:
            history = intended.history
            sites = enter(
                at_end,
                lambda: both_sites(project, homeward=intended.home is not None),
                patient_until_s(history, means.asked_s),
                _paused(project, intended.wave.name, means),
                watching.clock,
            )
            if sites is None and intended.run is not None:
                controls.answer(project, intended.run.wave)
                return Carried(intended.run, history, Stopped(paused=True))
            assert sites is not None, "nothing rests of a run that has not begun"
            check_sites(history, *sites)
            if purpose is Purpose.COMMIT and COMMIT in waiting(history):
                check_landed(history, *sites)
            run = intended.run or runs.begin(
                project, intended.stored, history.runbook, intended.kind, means.who
            )
            record = StepRecord(project, run.id, history, means.who)
            _prepare(project, run, history, record, purpose, means)
            controls.answer(project, run.wave)
            gates = Gatekeeper(project, run, history, means, OPENS[purpose], purpose.value)
            stopped = _drive(project, run, history, record, watching, means, sites, gates)
        if stopped.paused:
            controls.answer(project, run.wave)
    return Carried(run, history, stopped)


def _drive(
    project: Project,
    run: Run,
    history: History,
    record: StepRecord,
    watching: Onlooker,
    means: Means,
    sites: tuple[Reached, Reached],
    gates: Gatekeeper,
) -> Stopped:
    """Drive a run with the crew that its limits allow."""
    paused = _paused(project, run.wave, means)
    plan = plans.get(project, run.plan).plan
    line = LinePolicy(project, plan.wave(run.wave))
    board = means.hauling.board if means.hauling else None
    several, leaves = board is not None or line.limits().at_once > 1, sites[0].name
    crew = Crew(line.limits, known_of(project, plan, line, leaves) if several else Known(leaves), board)
    room = RoomWatch(sites[0], history, watching.clock, line.floor)
    ctx = context(
        project,
        run,
        history,
        sites,
        line,
        report=watching.report,
        stop=lambda: paused() or crew.halted(),
        let_go=room.stops,
        clock=watching.clock,
        hauling=means.hauling,
    )
    with closing(Shower(history.runbook, ctx.run, sites, ctx.clock.epoch_s, watching.tell)) as shower:
        driver = Driver(
            ctx,
            KINDS,
            record,
            tell=shower.told,
            boundary=watching.boundary,
            paused=paused,
            hurried=controls.hurry_watch(project, run.wave),
            overlooked=lambda: controls.overlooked(project, run.wave, run.id),
            patience=line.patience if watching.patience is None else lambda: watching.patience or Patience(),
            crew=crew,
            room=room,
        )
        with room:
            return driver.drive(gates.opens)


def _paused(project: Project, wave: str, means: Means) -> Callable[[], bool]:
    """Return whether a person asked for a pause, or this process shall end."""
    asked = controls.pause_watch(project, wave)
    return lambda: asked() or means.halted()


def _tidied(project: Project, intended: Intended) -> bool:
    """Put away the cycles that another one makes superfluous; return whether there were any."""
    return intended.run is not None and put_away(project, intended.run, intended.history) > 0


def intend(project: Project, wave_name: str, purpose: Purpose, seed_from: Path | None = None) -> Intended:
    """Return what ``purpose`` would go on with; raises NotFound, and Blocked when it may not.

    ``seed_from`` says which images a new run brings in; raises BadInput when one does not fit.
    Whether a new run is approved is for ``check_approved`` to say. Changes nothing.
    """
    home = _home(project, wave_name, purpose)
    if home is not None:
        return _intend_home(project, home, purpose)
    found = find_wave(project, wave_name)
    wave = found.wave
    if found.run is not None and found.history is not None:
        ended = runs.outcome(found.history)
        if ended is None:
            _check(found.history, purpose)
            if seed_from is not None:
                raise Blocked(
                    f"{wave.name} has begun, and what it brings in was said then",
                    f"go on without --seed-from, or begin anew after 'wherry abort {wave.name} --live'",
                )
            return Intended(found.stored, wave, found.run, found.history)
        returned = find_returning(project, wave.name)
        if ended is Outcome.COMMITTED and not (returned and returned.is_home):
            raise Blocked(
                f"{wave.name} is committed",
                "see its report: wherry export; the way back is 'wherry failback'",
            )
    if purpose in (Purpose.COMMIT, Purpose.ROLLBACK, Purpose.ABORT):
        raise Blocked(
            f"{wave.name} has no run under way, so there is nothing to {SAID[purpose]}", "see 'wherry status'"
        )
    seeds = read_seeds(seed_from, found.stored.plan, wave) if seed_from is not None else {}
    unfrozen = unfrozen_at(settings.load(project), "source", wave)
    return Intended(found.stored, wave, None, History(compose(wave, seeds, unfrozen=unfrozen)))


def concerned(project: Project, wave_name: str, purpose: Purpose) -> Wave:
    """Return the wave that a verb is about; raises NotFound, and Blocked when there is no way home."""
    home = _home(project, wave_name, purpose)
    return find_wave(project, wave_name).wave if home is None else home.wave


def _home(project: Project, wave_name: str, purpose: Purpose) -> Returning | None:
    """Return the committed wave whose way home ``purpose`` is about; None when it is about the way out."""
    if purpose in HOMEWARD:
        return need_returning(project, wave_name)
    found = find_returning(project, wave_name)
    return found if found is not None and found.under_way and purpose in SAID else None


def _intend_home(project: Project, home: Returning, purpose: Purpose) -> Intended:
    if home.run is not None and home.history is not None:
        _check(home.history, purpose, home=True)
        return Intended(home.stored, home.wave, home.run, home.history, home)
    before, base = found_before(home.forward), left_behind(project, home.wave.name)
    fenced, stood = fenced_names(home.forward), last_stood(home.forward)
    unfrozen = unfrozen_at(settings.load(project), "target", home.wave)
    runbook = compose_failback(home.wave, fenced, before, base, stood, unfrozen=unfrozen)
    return Intended(home.stored, home.wave, None, History(runbook), home)


def check_approved(project: Project, intended: Intended) -> None:
    """Raise Blocked unless the wave is approved exactly as it stands in the plan."""
    wave, stored = intended.wave, intended.stored
    if wave.name not in approvals.valid(project, stored.plan):
        raise Blocked(
            f"{wave.name} is not approved as it stands in plan {stored.version}",
            f"review it with 'wherry plan show {wave.name}', then run 'wherry plan approve {wave.name}'",
        )


def _check(history: History, purpose: Purpose, home: bool = False) -> None:
    """Raise Blocked when a run under way may not take ``purpose`` from where it stands."""
    wave = history.runbook.wave
    if history.mode is not Mode.FORWARD:
        if purpose.value != history.mode.value:
            raise Blocked(
                f"{wave} is on its way back", f"finish that with 'wherry {history.mode.value} {wave} --live'"
            )
        return
    going, committing = (history.status[gate] is Status.DONE for gate in (GO, COMMIT))
    on, where = ("failback", "source") if home else ("cutover", "target")
    if purpose is Purpose.ROLLBACK:
        check_rollback(history)
    if purpose is Purpose.ABORT:
        _check_abort(history)
    if purpose is Purpose.COMMIT and not (committing or COMMIT in waiting(history)):
        not_yet = "did not come back yet" if home else "is not cut over yet"
        raise Blocked(f"{wave} {not_yet}", f"run 'wherry {on} {wave} --live' first")
    if purpose in (Purpose.CUTOVER, Purpose.FAILBACK) and committing:
        raise Blocked(f"{wave} is being committed", f"finish that with 'wherry commit {wave} --live'")
    if purpose in _ROUNDS and going:  # going on here would be the cutover
        if committing:
            raise Blocked(f"{wave} is being committed", f"finish that with 'wherry commit {wave} --live'")
        if COMMIT in waiting(history):
            raise Blocked(f"{wave} runs at the {where} and waits for commit", "commit it or roll it back")
        raise Blocked(
            f"{wave} is in the middle of its {on}",
            f"go on with 'wherry {on} {wave} --live', or back with 'wherry rollback {wave} --live'",
        )


def _prepare(
    project: Project, run: Run, history: History, record: Record, purpose: Purpose, means: Means
) -> None:
    """Turn the person's wish into entries: retry, another round, the way back."""
    if purpose is Purpose.ROLLBACK and history.mode is Mode.FORWARD:
        record.append(Entry("", Event.ROLLBACK, detail={"who": means.who}))
    if purpose is Purpose.ABORT and history.mode is Mode.FORWARD:
        record.append(Entry("", Event.ABORT, detail={"who": means.who}))
    number = next_round(history) if purpose in _ROUNDS else None
    if number is not None:
        wave = plans.get(project, run.plan).plan.wave(run.wave)
        steps = round_of(run.kind, wave, number, history, proven=not means.cycle)
        record.append(Entry("", Event.CYCLE, detail={"gate": GO, "steps": [dump_step(s) for s in steps]}))
    if purpose in (Purpose.CUTOVER, Purpose.FAILBACK):
        _pass_over(history, record, means.who)
    retry_all(history, record, means.asked_s)


def _pass_over(history: History, record: Record, who: str) -> None:
    """Leave an added round that failed or waits for room: what comes has a last delta of its own.

    That holds whatever is half copied. Its snapshot is removed all the same.
    """
    failed = {step for step in history.unsettled if history.status[step] is Status.FAILED}
    failed = (failed | {step for step in history.given_up if not history.gives_up(step)}) & history.added
    if not failed:
        return
    detail = {"who": who, "reason": "the cutover has a last delta of its own"}
    for step in history.runbook.steps:
        waits = history.status[step.id] in (Status.FAILED, Status.PENDING)
        if step.id in history.added and waits and step.kind != "drop-snapshot":
            record.append(Entry(step.id, Event.SKIPPED, history.attempts.get(step.id, 1), detail))


def _check_abort(history: History) -> None:
    """Raise Blocked once a VM may have been touched: from there the way back is rollback."""
    for step in history.runbook.steps:
        if step.phase is not Phase.REPLICATE and history.status[step.id] is not Status.PENDING:
            wave = history.runbook.wave
            raise Blocked(f"{wave} is being cut over", f"use 'wherry rollback {wave}'")
