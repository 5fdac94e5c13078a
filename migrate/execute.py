"""Carrying out a wave: open the run, say yes to the gates the verb stands for, drive.

    replicate  up to the go gate; again there: one more round
    cutover    through the go gate, up to the commit gate
    commit     through the commit gate to the end
    rollback   back to the go gate; abort: back to before the first step

Only an approved wave runs, exactly as it was approved, and one process at a time drives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from migrate import runs
from migrate.actions import Outcome, Wait, check_rollback, next_actions
from migrate.audit import person
from migrate.clock import Clock, SystemClock
from migrate.compose import COMMIT, GO, another_round, compose
from migrate.driver import Driver, Stopped, Told
from migrate.history import Entry, Event, History, Mode, Status
from migrate.kept import Checkpoints
from migrate.record import Record, StepRecord
from migrate.runbook import Phase, dump_step
from migrate.runs import Run
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from migrate.transfers.ports import Moving
from planner.errors import Blocked
from planner.store import approvals, plans
from planner.store import settings as settings_store
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who is told what happens, and where a process may be made to die in a test."""

    tell: Callable[[Told], None] = lambda told: None
    report: Callable[[Moving], None] = lambda moving: None
    boundary: Callable[[str], None] = lambda point: None
    clock: Clock = field(default_factory=SystemClock)
    pause_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of it: the run, its history, and why the driver came back."""

    run: Run
    history: History
    stopped: Stopped


def carry_out(
    project: Project, wave_name: str, purpose: Purpose, onlooker: Onlooker | None = None
) -> Carried:
    """Carry a wave on as far as ``purpose`` allows.

    Raises Blocked when it may not (not approved, past the point of no return, nothing to do),
    ProjectBusy when another process drives it, Unreachable when a site cannot be asked.
    """
    watching = onlooker or Onlooker()
    stored = plans.latest(project)
    wave = stored.plan.wave(wave_name)
    with runs.held(project, wave.name):
        run, history = _open(project, stored, wave, purpose)
        record = StepRecord(project, run.id, history, person())
        _prepare(project, run, history, record, purpose)
        with _context(project, run, history, watching) as ctx:
            driver = Driver(
                ctx,
                KINDS,
                record,
                tell=watching.tell,
                boundary=watching.boundary,
                pause_s=watching.pause_s,
            )
            word = {"who": person(), "at": utc_now(), "verb": purpose.value}
            stopped = driver.drive(dict.fromkeys(OPENS[purpose], word))
    return Carried(run, history, stopped)


def _open(project: Project, stored: StoredPlan, wave: Wave, purpose: Purpose) -> tuple[Run, History]:
    """Return the unfinished run of the wave, or begin one if the purpose may."""
    run = runs.latest(project, wave.name)
    if run is not None:
        history = runs.history(project, run)
        ended = runs.outcome(history)
        if ended is None:
            return run, history
        if ended is Outcome.COMMITTED:
            raise Blocked(f"{wave.name} is committed", "see 'wherry export --report' for what was done")
    if purpose in (Purpose.COMMIT, Purpose.ROLLBACK, Purpose.ABORT):
        raise Blocked(
            f"{wave.name} has no run under way, so there is nothing to {purpose.value}", "see 'wherry status'"
        )
    if wave.name not in approvals.valid(project, stored.plan):
        raise Blocked(
            f"{wave.name} is not approved as it stands in plan {stored.version}",
            f"review it, then run 'wherry plan approve {wave.name}'",
        )
    run = runs.begin(project, stored, compose(wave))
    return run, History(run.runbook)


def _prepare(project: Project, run: Run, history: History, record: Record, purpose: Purpose) -> None:
    """Turn the person's wish into entries: retry, another round, the way back."""
    if history.mode is not Mode.FORWARD and purpose.value != history.mode.value:
        raise Blocked(
            f"{run.wave} is on its way back", f"finish that with 'wherry {history.mode.value} {run.wave}'"
        )
    if purpose is Purpose.ROLLBACK and history.mode is Mode.FORWARD:
        check_rollback(history)
        record.append(Entry("", Event.ROLLBACK, detail={"who": person()}))
    if purpose is Purpose.ABORT and history.mode is Mode.FORWARD:
        _check_abort(history)
        record.append(Entry("", Event.ABORT, detail={"who": person()}))
    waiting = {
        action.step.id for action in next_actions(history.runbook, history) if isinstance(action, Wait)
    }
    if purpose is Purpose.COMMIT and COMMIT not in waiting:
        raise Blocked(f"{run.wave} is not cut over yet", f"run 'wherry cutover {run.wave}' first")
    if purpose is Purpose.REPLICATE and COMMIT in waiting:
        raise Blocked(f"{run.wave} runs at the target and waits for commit", "commit it or roll it back")
    if purpose is Purpose.REPLICATE and GO in waiting:
        wave = plans.get(project, run.plan).plan.wave(run.wave)
        steps = another_round(wave, _rounds(history))
        record.append(Entry("", Event.CYCLE, detail={"gate": GO, "steps": [dump_step(s) for s in steps]}))
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


def _rounds(history: History) -> int:
    """Return the number of the next round: rounds are numbered from 0, the seed."""
    return 1 + max(
        (int(step.id.rsplit("/", 1)[1]) for step in history.runbook.steps if step.kind == "snapshot"),
        default=-1,
    )


@contextmanager
def _context(project: Project, run: Run, history: History, watching: Onlooker) -> Iterator[Context]:
    from migrate.daemons.receiver import connect_receiver
    from migrate.replication.channel import SocketChannel
    from migrate.sites.opening import open_site
    from migrate.transfers.streamed import StreamedTransfers

    settings = settings_store.load(project)
    policies = plans.get(project, run.plan).plan.wave(run.wave).policies
    source = open_site(settings, "source", project.root)
    target = open_site(settings, "target", project.root)
    transfers = StreamedTransfers(
        source,
        lambda: SocketChannel(connect_receiver(target.directory)),
        generation=run.generation,
        level=policies.zstd_level,
        block_bytes=policies.block_kib * 1024,
    )
    checkpoints: Any = Checkpoints(project.root / "checkpoints")
    yield Context(
        run=f"{project.id}-{run.id}",
        wave=run.wave,
        source=source,
        target=target,
        transfers=transfers,
        keeper=checkpoints,
        clock=watching.clock,
        history=history,
        report=watching.report,
    )
