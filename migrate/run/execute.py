"""Carrying out a wave: open the run, say yes to the gates the verb stands for, drive.

    replicate  up to the go gate; again there: one more round
    cutover    through the go gate, up to the commit gate
    commit     through the commit gate to the end
    rollback   back to the go gate; abort: back to before the first step

Only an approved wave runs, exactly as it was approved, and one process at a time drives it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.audit import person
from migrate.clock import Clock, SystemClock
from migrate.kept import Checkpoints
from migrate.run import controls
from migrate.run import store as runs
from migrate.run.actions import Outcome, Wait, check_rollback, next_actions
from migrate.run.compose import COMMIT, GO, another_round, compose
from migrate.run.crew import Crew
from migrate.run.driver import Driver, Stopped, Told
from migrate.run.history import Entry, Event, History, Mode, Status
from migrate.run.landed import check_landed, check_sites
from migrate.run.line_policy import LinePolicy, lanes
from migrate.run.record import Record, StepRecord
from migrate.run.runbook import Phase, dump_step
from migrate.run.seed_map import read_seeds
from migrate.run.store import Run
from migrate.run.waves import check_alone, check_remedied, find_wave
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from migrate.transfers.ports import Moving
from planner.errors import Blocked
from planner.store import approvals, plans
from planner.store import settings as settings_store
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from migrate.sites.lab.client import LabSite
    from planner.plan import Wave
    from planner.store.plans import StoredPlan


class Purpose(StrEnum):
    """What a person wants of a wave."""

    REPLICATE = "replicate"
    CUTOVER = "cutover"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    ABORT = "abort"


OPENS: dict[Purpose, tuple[str, ...]] = {
    Purpose.REPLICATE: (),
    Purpose.CUTOVER: (GO,),
    Purpose.COMMIT: (COMMIT,),
    Purpose.ROLLBACK: (),
    Purpose.ABORT: (),
}
SAID: dict[Purpose, str] = {Purpose.COMMIT: "commit", Purpose.ROLLBACK: "roll back", Purpose.ABORT: "abort"}


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who is told what happens, and where a process may be made to die in a test."""

    tell: Callable[[Told], None] = lambda told: None
    report: Callable[[Moving], None] = lambda moving: None
    boundary: Callable[[str], None] = lambda point: None
    clock: Clock = field(default_factory=SystemClock)
    pause_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Intended:
    """What a verb would go on with: an unfinished run, or (``run`` is None) the wave as it is planned."""

    stored: StoredPlan
    wave: Wave
    run: Run | None
    history: History


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
) -> Carried:
    """Carry a wave on as far as ``purpose`` allows; a new run brings in the images of ``seed_from``.

    Raises Blocked when it may not (not approved, past the point of no return, nothing to do),
    ProjectBusy when another process drives it, Unreachable when a site cannot be asked. Nothing is
    written before both sites answer.
    """
    watching = onlooker or Onlooker()
    with runs.held(project, find_wave(project, wave_name).wave.name):
        intended = intend(project, wave_name, purpose, seed_from)
        if intended.run is None:
            check_approved(project, intended)
            check_alone(project, intended.wave)
            check_remedied(project, intended.wave)
        with ExitStack() as open_sites:
            sites = _sites(project, open_sites)
            history = intended.history
            check_sites(history, *sites)
            if purpose is Purpose.COMMIT and COMMIT in _waiting(history):
                check_landed(history, *sites)
            run = intended.run or runs.begin(project, intended.stored, history.runbook)
            record = StepRecord(project, run.id, history, person())
            _prepare(project, run, history, record, purpose)
            controls.answer(project, run.wave)
            paused = controls.pause_watch(project, run.wave)
            plan = plans.get(project, run.plan).plan
            line = LinePolicy(project, plan.wave(run.wave))
            crew = Crew(line.limits, lanes(project, plan, line) if line.limits().at_once > 1 else {})
            driver = Driver(
                _context(project, run, history, watching, lambda: paused() or crew.halted(), line, *sites),
                KINDS,
                record,
                tell=watching.tell,
                boundary=watching.boundary,
                paused=paused,
                pause_s=watching.pause_s,
                crew=crew,
            )
            word = {"who": person(), "at": utc_now(), "verb": purpose.value}
            stopped = driver.drive(dict.fromkeys(OPENS[purpose], word))
        if stopped.paused:
            controls.answer(project, run.wave)
    return Carried(run, history, stopped)


def intend(project: Project, wave_name: str, purpose: Purpose, seed_from: Path | None = None) -> Intended:
    """Return what ``purpose`` would go on with; raises NotFound, and Blocked when it may not.

    ``seed_from`` says which images a new run brings in; raises BadInput when one does not fit.
    Whether a new run is approved is for ``check_approved`` to say. Changes nothing.
    """
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
        if ended is Outcome.COMMITTED:
            raise Blocked(f"{wave.name} is committed", "see its report: wherry export")
    if purpose in (Purpose.COMMIT, Purpose.ROLLBACK, Purpose.ABORT):
        raise Blocked(
            f"{wave.name} has no run under way, so there is nothing to {SAID[purpose]}", "see 'wherry status'"
        )
    seeds = read_seeds(seed_from, found.stored.plan, wave) if seed_from is not None else {}
    return Intended(found.stored, wave, None, History(compose(wave, seeds)))


def check_approved(project: Project, intended: Intended) -> None:
    """Raise Blocked unless the wave is approved exactly as it stands in the plan."""
    wave, stored = intended.wave, intended.stored
    if wave.name not in approvals.valid(project, stored.plan):
        raise Blocked(
            f"{wave.name} is not approved as it stands in plan {stored.version}",
            f"review it with 'wherry plan show {wave.name}', then run 'wherry plan approve {wave.name}'",
        )


def _check(history: History, purpose: Purpose) -> None:
    """Raise Blocked when a run under way may not take ``purpose`` from where it stands."""
    wave = history.runbook.wave
    if history.mode is not Mode.FORWARD:
        if purpose.value != history.mode.value:
            raise Blocked(
                f"{wave} is on its way back", f"finish that with 'wherry {history.mode.value} {wave} --live'"
            )
        return
    going, committing = (history.status[gate] is Status.DONE for gate in (GO, COMMIT))
    if purpose is Purpose.ROLLBACK:
        check_rollback(history)
    if purpose is Purpose.ABORT:
        _check_abort(history)
    if purpose is Purpose.COMMIT and not (committing or COMMIT in _waiting(history)):
        raise Blocked(f"{wave} is not cut over yet", f"run 'wherry cutover {wave} --live' first")
    if purpose is Purpose.CUTOVER and committing:
        raise Blocked(f"{wave} is being committed", f"finish that with 'wherry commit {wave} --live'")
    if purpose is Purpose.REPLICATE and going:  # going on here would be the cutover
        if committing:
            raise Blocked(f"{wave} is being committed", f"finish that with 'wherry commit {wave} --live'")
        if COMMIT in _waiting(history):
            raise Blocked(f"{wave} runs at the target and waits for commit", "commit it or roll it back")
        raise Blocked(
            f"{wave} is in the middle of its cutover",
            f"go on with 'wherry cutover {wave} --live', or back with 'wherry rollback {wave} --live'",
        )


def _waiting(history: History) -> set[str]:
    """Return the gates that wait for somebody's word."""
    return {action.step.id for action in next_actions(history.runbook, history) if isinstance(action, Wait)}


def _prepare(project: Project, run: Run, history: History, record: Record, purpose: Purpose) -> None:
    """Turn the person's wish into entries: retry, another round, the way back."""
    if purpose is Purpose.ROLLBACK and history.mode is Mode.FORWARD:
        record.append(Entry("", Event.ROLLBACK, detail={"who": person()}))
    if purpose is Purpose.ABORT and history.mode is Mode.FORWARD:
        record.append(Entry("", Event.ABORT, detail={"who": person()}))
    number = next_round(history) if purpose is Purpose.REPLICATE else None
    if number is not None:
        wave = plans.get(project, run.plan).plan.wave(run.wave)
        steps = another_round(wave, number)
        record.append(Entry("", Event.CYCLE, detail={"gate": GO, "steps": [dump_step(s) for s in steps]}))
    retry_failed(history, record)


def retry_failed(history: History, record: Record) -> None:
    """Note that a person asks for another try at every step that failed on the way the run goes."""
    for step, status in list(history.status.items()):
        if status in (Status.FAILED, Status.UNDO_FAILED) and (
            history.mode is Mode.FORWARD or status is Status.UNDO_FAILED
        ):
            record.append(Entry(step, Event.RETRY, history.attempts.get(step, 1)))


def _check_abort(history: History) -> None:
    """Raise Blocked once a VM may have been touched: from there the way back is rollback."""
    for step in history.runbook.steps:
        if step.phase is not Phase.REPLICATE and history.status[step.id] is not Status.PENDING:
            wave = history.runbook.wave
            raise Blocked(f"{wave} is being cut over", f"use 'wherry rollback {wave}'")


def next_round(history: History) -> int | None:
    """Return the number of one more round (0 was the seed) for a run that waits for its go, else None."""
    if GO not in _waiting(history):
        return None
    return 1 + max(
        (int(step.id.rsplit("/", 1)[1]) for step in history.runbook.steps if step.kind == "snapshot"),
        default=-1,
    )


def _sites(project: Project, stack: ExitStack) -> tuple[LabSite, LabSite]:
    """Open the source and the target site until ``stack`` ends; raises BadInput, Blocked, Unreachable."""
    from migrate.sites.opening import open_site

    settings = settings_store.load(project)
    source, target = (
        stack.enter_context(closing(open_site(settings, role, project.root))) for role in ("source", "target")
    )
    return source, target


def _context(
    project: Project,
    run: Run,
    history: History,
    watching: Onlooker,
    stop: Callable[[], bool],
    line: LinePolicy,
    source: LabSite,
    target: LabSite,
) -> Context:
    from migrate.daemons.receiver import connect_receiver
    from migrate.replication.channel import SocketChannel
    from migrate.replication.throttle import Throttle
    from migrate.transfers.placing import Placing
    from migrate.transfers.streamed import StreamedTransfers

    policies = plans.get(project, run.plan).plan.wave(run.wave).policies
    wanted = settings_store.load(project).transfers
    transfers = StreamedTransfers(
        source,
        lambda: SocketChannel(connect_receiver(target.directory)),
        generation=run.generation,
        level=policies.zstd_level,
        block_bytes=policies.block_kib * 1024,
        adapts=wanted.adapts and policies.zstd_level > 0,
        dedupe=wanted.dedupe,
        throttle=Throttle(line),
        stop=stop,
    )
    checkpoints: Any = Checkpoints(project.root / "checkpoints")
    return Context(
        run=f"{project.id}-{run.id}-{run.generation}",
        wave=run.wave,
        source=source,
        target=target,
        transfers=transfers,
        keeper=checkpoints,
        clock=watching.clock,
        history=history,
        report=watching.report,
        placing=Placing(project.root / "seeds", stop),
    )
