"""The twin: the same runbook, the same step kinds, the same ``next_actions``, on a simulated clock.

Actions that may go on together do; the earliest to end is recorded first. Nothing is stored, nothing
is touched. One step costs tens of microseconds, so hundreds of runs are affordable.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, assert_never, cast

from migrate.clock import SimulatedClock
from migrate.rehearsals.faults import RESTART_S, Fault
from migrate.rehearsals.striking import Strike, StruckSite, StruckTransfers
from migrate.run.actions import Ask, Decide, Do, Finish, Outcome, Skip, Undo, Wait, next_actions, to_retry
from migrate.run.history import Entry, Event, History, Mode
from migrate.run.patience import Patience, Spent, Tried
from migrate.run.runbook import COMMIT, GO, HUMAN, Runbook
from migrate.sites.configuration import Configuration
from migrate.sites.ports import DiskState
from migrate.sites.simulated import SimulatedSite, populate
from migrate.steps.fencing import MARK
from migrate.steps.kind import Context, StepKind
from migrate.transfers.modelled import ModelledHistories, ModelledTransfers
from planner.errors import Unreachable, WherryError
from planner.estimate import COMPARE_BYTES_S

if TYPE_CHECKING:
    from migrate.sites.ports import FullSite
    from migrate.transfers.ports import Moving, Written

_PERSON_S = 300.0  # of a person's step of which nobody said how long it takes


@dataclass(frozen=True, slots=True)
class Model:
    """What a twin needs to know of the world; plain data, made once for many runs."""

    vms: tuple[tuple[str, str, bool, tuple[DiskState, ...]], ...]
    rate_bytes_s: float
    churn_bytes_s: float
    configurations: Mapping[str, Configuration] = field(default_factory=dict)
    compare_bytes_s: float = COMPARE_BYTES_S[0]
    pass_s: float = 0.0  # of a pass over what changed on one disk, beyond its bytes
    fenced: tuple[
        tuple[str, str, bool, tuple[DiskState, ...]], ...
    ] = ()  # VMs at the target, on the way home
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class TwinRun:
    """One rehearsal on the clock. Times are simulated seconds.

    ``seed_s`` is start to the cutover gate, ``cutover_s`` from there to the commit gate, ``back_s``
    what going back took (None when it was not needed). ``spans`` holds begin and end of each step that
    was not passed over. ``decided`` is how often a person had to say "again"; ``stuck`` is True when
    the run ended before its time, because nobody but a person at the site can help it.
    """

    outcome: Outcome
    seed_s: float
    cutover_s: float
    back_s: float | None
    failed_at: str
    spans: Mapping[str, tuple[float, float]]
    ended_s: float = 0.0
    decided: int = 0
    stuck: bool = False


@dataclass(slots=True)
class _KeepsNothing:
    """A keeper for a world without bytes."""

    kept: int = 0

    def keep(
        self, name: str, wave: str, volumes: Sequence[Written], report: Callable[[Moving], None]
    ) -> dict[str, Any]:
        self.kept += 1
        return {"name": name, "bytes": 0}


@dataclass(slots=True)
class Twin:
    """One run of a runbook against two simulated sites; ``strike`` is what goes wrong in it.

    ``turns_at`` is the gate at which it is taken back, empty for none.
    """

    runbook: Runbook
    model: Model
    kinds: Mapping[str, StepKind]
    seed: int
    source_faults: Mapping[str, int] = field(default_factory=dict)
    target_faults: Mapping[str, int] = field(default_factory=dict)
    strike: Strike | None = None
    turns_at: str = ""

    def run(self) -> TwinRun:
        """Run to commit; a step that fails for good is answered by rolling back (or aborting).

        Past the commit gate there is no way back: the run is then committed, and says what failed.
        A step that a strike made fail is tried again first, when the strike passes.
        """
        return self.course().run()

    def course(self) -> Course:
        """Return the run before its first action."""
        rng = random.Random(self.seed)  # noqa: S311 - a model's noise, not a secret
        clock = SimulatedClock()
        rate = self.model.rate_bytes_s * rng.uniform(0.7, 1.1)
        history = History(self.runbook)
        source = SimulatedSite(
            "source", clock, rng, churn_bytes_s=self.model.churn_bytes_s, failing=dict(self.source_faults)
        )
        populate(source, self.model.vms)
        source.configurations.update(self.model.configurations)
        target = SimulatedSite("target", clock, rng, failing=dict(self.target_faults))
        populate(target, self.model.fenced)
        target.vms = {vm: replace(one, connected=False, note=MARK) for vm, one in target.vms.items()}
        transfers = ModelledTransfers(clock, rate, self.model.compare_bytes_s, pass_s=self.model.pass_s)
        ctx = Context(
            run="twin",
            wave=self.runbook.wave,
            source=source,
            target=target,
            transfers=transfers,
            keeper=_KeepsNothing(),
            clock=clock,
            history=history,
            report=lambda moving: None,
            histories=ModelledHistories(clock, self.model.compare_bytes_s),
        )
        if self.strike is not None:
            ctx.source = cast("FullSite", StruckSite(source, self.strike))
            ctx.target = cast("FullSite", StruckSite(target, self.strike))
            ctx.transfers = StruckTransfers(transfers, self.strike)
        patience = self.model.patience
        return Course(self.kinds, ctx, clock, transfers, self.strike, patience, self.turns_at)


@dataclass(slots=True)
class Course:
    """A run under way: what is in flight, when it ends, and what that says.

    ``heap`` holds end, number, begin, step and what is then recorded; None is a step that rested until then.
    """

    kinds: Mapping[str, StepKind]
    ctx: Context
    clock: SimulatedClock
    transfers: ModelledTransfers
    strike: Strike | None
    patience: Patience
    turns_at: str
    now: float = 0.0
    number: int = 0
    turned_at: float | None = None
    failed_at: str = ""
    decided: int = 0
    dies_with: str = ""  # the step at whose end the engine dies
    heap: list[tuple[float, int, float, str, Entry | None]] = field(default_factory=list)
    in_flight: set[str] = field(default_factory=set)
    landed: set[str] = field(default_factory=set)  # not well, and not taken on since
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)

    def run(self) -> TwinRun:
        """Take one action after another until there is none."""
        history = self.ctx.history
        while True:
            for action in next_actions(history.runbook, history, self.in_flight, self._unsettled()):
                match action:
                    case Do(step, due_s=due) | Undo(step, due_s=due) | Ask(step, due_s=due) if due > self.now:
                        self.clock.at_s = due
                        self._fly(step.id, None)
                    case Do(step) | Undo(step) | Ask(step):
                        self.clock.at_s = self.now
                        self._fly(step.id, self._perform(action))
                    case Wait(step) if step.id == self.turns_at:
                        if self.in_flight:
                            continue
                        self._turn()
                        break
                    case Wait(step) if step.kind == HUMAN:
                        self.clock.at_s = self.now + (step.params["takes_s"] or _PERSON_S)
                        self._fly(step.id, Entry(step.id, Event.APPROVED))
                    case Wait(step):
                        history.append(Entry(step.id, Event.APPROVED))
                        self.spans[step.id] = (self.now, self.now)
                    case Skip(step, why):
                        history.append(Entry(step.id, Event.SKIPPED, detail=why))
                        self.spans.pop(step.id, None)
                    case Decide(step):
                        if self.in_flight:
                            continue  # let what is under way end first
                        if self._again():
                            break
                        if history.mode is not Mode.FORWARD:
                            return self._report(Outcome.ABORTED, step.id, stuck=True)
                        if COMMIT in self.spans:
                            return self._report(Outcome.COMMITTED, step.id, stuck=True)
                        self.failed_at = step.id
                        self._turn()
                        break
                    case Finish(outcome):
                        return self._report(outcome, self.failed_at)
                    case _:
                        assert_never(action)
            if self.heap:
                self._land()

    def _unsettled(self) -> list[str]:
        """Return what is unsettled and not in flight, without a look at the thousand passes that are."""
        unsettled = self.ctx.history.unsettled
        if len(self.landed) > 1:
            return [one for one in unsettled if one in self.landed]
        return [one for one in self.landed if one in unsettled]

    def _turn(self) -> None:
        self.turned_at = self.now
        self.ctx.history.append(Entry("", Event.ROLLBACK if GO in self.spans else Event.ABORT))

    def _fly(self, step: str, entry: Entry | None) -> None:
        self.in_flight.add(step)
        self.landed.discard(step)
        self.number += 1
        heappush(self.heap, (self.clock.at_s, self.number, self.now, step, entry))

    def _land(self) -> None:
        """Record what ends next."""
        self.now, _, begun, step, entry = heappop(self.heap)
        if step == self.dies_with:
            self._die()
            return
        self.in_flight.discard(step)
        if entry is not None:
            self.ctx.history.append(entry)
            self.spans[step] = (begun, self.now)
        if step in self.ctx.history.unsettled:
            self.landed.add(step)

    def _die(self) -> None:
        """The engine dies with all that is in flight, and begins anew from its record."""
        self._cut(self.now)
        self.heap.clear()
        self.in_flight.clear()
        self.landed.update(self.ctx.history.unsettled)
        self.dies_with = ""
        self.now += RESTART_S

    def _cut(self, at_s: float) -> None:
        """Note of each pass in flight what is left of it, and let the line go."""
        assert self.strike is not None
        for end, _, begun, step, _ in self.heap:
            if end > at_s > begun and self.ctx.history.runbook.step(step).kind == "transfer":
                self.strike.left[step] = (end - at_s) / (end - begun)
        self.transfers.busy_until_s = min(self.transfers.busy_until_s, at_s)

    def _sever(self) -> None:
        """Fail every pass in flight: what struck one of them strikes all."""
        assert self.strike is not None
        at_s = self.strike.since_s or 0.0
        self._cut(at_s)
        lost = Unreachable("a transfer was cut", "run the verb again; it resumes")
        attempts = self.ctx.history.attempts
        self.heap = [
            (
                at_s,
                number,
                begun,
                step,
                Entry(step, Event.FAILED, attempts[step], self._ill(step, lost, at_s, begun)),
            )
            if entry is not None and end > at_s and self.ctx.history.runbook.step(step).kind == "transfer"
            else (end, number, begun, step, entry)
            for end, number, begun, step, entry in self.heap
        ]
        heapify(self.heap)

    def _again(self) -> bool:
        """Let a person say "again" for all that failed, where that can help."""
        when = self.strike.person(self.now) if self.strike is not None else None
        if when is None:
            return False
        self.now = when
        self.decided += 1
        history = self.ctx.history
        for step in to_retry(history):
            history.append(Entry(step, Event.RETRY, history.attempts[step]))
        return True

    def _perform(self, action: Do | Undo | Ask) -> Entry | None:
        """Act and return what is recorded at its end, None when the outcome has to be asked again."""
        step, attempt, strike = action.step, action.attempt, self.strike
        kind, ctx = self.kinds[step.kind], self.ctx
        struck = strike.hit if strike is not None else ""
        if strike is not None:
            strike.step = step.id
        try:
            match action:
                case Do():
                    return self._act(action)
                case Undo():
                    ctx.history.append(Entry(step.id, Event.UNDO_INTENT, attempt))
                    result = kind.undo(ctx, step, ctx.op(step, attempt, "undo"))
                    return Entry(step.id, Event.UNDONE, attempt, result)
                case Ask():
                    return self._ask(action, None)
        except WherryError as error:
            return self._failed(action, error)
        finally:
            if strike is not None and strike.cuts and strike.hit != struck:
                self._sever()

    def _act(self, action: Do) -> Entry | None:
        step, attempt, strike, ctx = action.step, action.attempt, self.strike, self.ctx
        ctx.history.append(Entry(step.id, Event.INTENT, attempt))
        if strike is not None and strike.dies(step.kind, Fault.BEFORE, self.now):
            self.dies_with = step.id
            return None
        try:
            result = self.kinds[step.kind].act(ctx, step, ctx.op(step, attempt))
        except Unreachable as error:
            return self._ask(action, error)
        if strike is not None and strike.dies(step.kind, Fault.AFTER, self.clock.at_s):
            self.dies_with = step.id
        return Entry(step.id, Event.DONE, attempt, result)

    def _ask(self, action: Do | Ask, unanswered: Unreachable | None) -> Entry:
        """Return what the world says, as the live driver asks it."""
        step, attempt, ctx = action.step, action.attempt, self.ctx
        try:
            result = self.kinds[step.kind].verify(ctx, step, ctx.op(step, attempt))
        except Unreachable as error:
            return Entry(
                step.id, Event.UNKNOWN, attempt, self._ill(step.id, error, self.clock.at_s, self.now)
            )
        if result is not None:
            return Entry(step.id, Event.DONE, attempt, {**result, "asked": True})
        if unanswered is not None:
            return self._failed(action, unanswered)
        return Entry(step.id, Event.NOT_DONE, attempt)

    def _failed(self, action: Do | Undo | Ask, error: WherryError) -> Entry:
        event = Event.UNDO_FAILED if isinstance(action, Undo) else Event.FAILED
        detail = self._ill(action.step.id, error, self.clock.at_s, self.now)
        return Entry(action.step.id, event, action.attempt, detail)

    def _ill(self, step_id: str, error: WherryError, at_s: float, begun_s: float) -> dict[str, Any]:
        """Return what a failure says, as the live driver records it."""
        step, history = self.ctx.history.runbook.step(step_id), self.ctx.history
        spent = Spent(at_s)
        if error.retryable and step.retried:
            spent = self.patience.spend(step.kind, history.spent.get(step_id), at_s, Tried(at_s - begun_s))
        return {**error.as_json(), **spent.as_json()}

    def _report(self, outcome: Outcome, failed_at: str, stuck: bool = False) -> TwinRun:
        turned_at = None if outcome is Outcome.COMMITTED else self.turned_at
        ended = self.now if turned_at is None else turned_at  # of going forward
        go = self.spans.get(GO, (ended, ended))[0]
        commit = self.spans.get(COMMIT, (ended, ended))[0]
        back = None if turned_at is None else self.now - turned_at
        return TwinRun(outcome, go, commit - go, back, failed_at, self.spans, self.now, self.decided, stuck)
