"""The twin: the same runbook, the same step kinds, the same ``next_actions``, on a simulated clock.

Actions that may go on together do; the earliest to end is recorded first. Nothing is stored, nothing
is touched. One step costs tens of microseconds, so hundreds of runs are affordable.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, assert_never

from migrate.clock import SimulatedClock
from migrate.kept import KeptVolume
from migrate.run.actions import Ask, Decide, Do, Finish, Outcome, Skip, Undo, Wait, next_actions
from migrate.run.compose import COMMIT, GO
from migrate.run.history import Entry, Event, History, Mode
from migrate.run.runbook import Runbook
from migrate.sites.configuration import Configuration
from migrate.sites.ports import DiskState
from migrate.sites.simulated import SimulatedSite, populate
from migrate.steps.kind import Context, StepKind
from migrate.transfers.modelled import ModelledTransfers
from planner.errors import WherryError
from planner.estimate import COMPARE_BYTES_S


@dataclass(frozen=True, slots=True)
class Model:
    """What a twin needs to know of the world; plain data, made once for many runs."""

    vms: tuple[tuple[str, str, bool, tuple[DiskState, ...]], ...]
    rate_bytes_s: float
    churn_bytes_s: float
    configurations: Mapping[str, Configuration] = field(default_factory=dict)
    compare_bytes_s: float = COMPARE_BYTES_S[0]
    pass_s: float = 0.0  # of a pass over what changed on one disk, beyond its bytes


@dataclass(frozen=True, slots=True)
class TwinRun:
    """One rehearsal on the clock. Times are simulated seconds.

    ``seed_s`` is start to the cutover gate, ``cutover_s`` from there to the commit gate, ``back_s``
    what going back took (None when it was not needed). ``spans`` holds begin and end of each step that
    was not passed over.
    """

    outcome: Outcome
    seed_s: float
    cutover_s: float
    back_s: float | None
    failed_at: str
    spans: Mapping[str, tuple[float, float]]


@dataclass(slots=True)
class _KeepsNothing:
    """A keeper for a world without bytes."""

    kept: int = 0

    def keep(self, name: str, wave: str, volumes: list[KeptVolume]) -> dict[str, Any]:
        self.kept += 1
        return {"name": name, "bytes": 0}


@dataclass(slots=True)
class Twin:
    """One run of a runbook against two simulated sites."""

    runbook: Runbook
    model: Model
    kinds: Mapping[str, StepKind]
    seed: int
    source_faults: Mapping[str, int] = field(default_factory=dict)
    target_faults: Mapping[str, int] = field(default_factory=dict)

    def run(self) -> TwinRun:
        """Run to commit; a step that fails for good is answered by rolling back (or aborting).

        Past the commit gate there is no way back: the run is then committed, and says what failed.
        """
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
        )
        return self._loop(ctx, clock, history)

    def _loop(self, ctx: Context, clock: SimulatedClock, history: History) -> TwinRun:
        heap: list[tuple[float, int, float, Entry]] = []
        in_flight: set[str] = set()
        spans: dict[str, tuple[float, float]] = {}
        now = 0.0
        number = 0
        turned_at: float | None = None
        failed_at = ""
        while True:
            for action in next_actions(history.runbook, history, in_flight):
                match action:
                    case Do(step) | Undo(step):
                        clock.at_s = now
                        entry = self._perform(ctx, history, action)
                        in_flight.add(step.id)
                        number += 1
                        heappush(heap, (clock.at_s, number, now, entry))
                    case Wait(step):
                        history.append(Entry(step.id, Event.APPROVED))
                        spans[step.id] = (now, now)
                    case Skip(step, why):
                        history.append(Entry(step.id, Event.SKIPPED, detail=why))
                        spans.pop(step.id, None)
                    case Decide(step):
                        if in_flight:
                            continue  # let what is under way end first
                        if history.mode is not Mode.FORWARD:
                            return self._report(Outcome.ABORTED, spans, now, turned_at, step.id)
                        if COMMIT in spans:
                            return self._report(Outcome.COMMITTED, spans, now, None, step.id)
                        turned_at, failed_at = now, step.id
                        back = Event.ROLLBACK if GO in spans else Event.ABORT
                        history.append(Entry("", back))
                        break
                    case Finish(outcome):
                        return self._report(outcome, spans, now, turned_at, failed_at)
                    case Ask():
                        raise AssertionError("a twin never loses an outcome")
                    case _:
                        assert_never(action)
            if heap:
                now, _, begun, entry = heappop(heap)
                in_flight.discard(entry.step)
                history.append(entry)
                spans[entry.step] = (begun, now)

    def _perform(self, ctx: Context, history: History, action: Do | Undo) -> Entry:
        step, attempt = action.step, action.attempt
        kind = self.kinds[step.kind]
        doing = isinstance(action, Do)
        history.append(Entry(step.id, Event.INTENT if doing else Event.UNDO_INTENT, attempt))
        try:
            if doing:
                result = kind.act(ctx, step, ctx.op(step, attempt))
                return Entry(step.id, Event.DONE, attempt, result)
            result = kind.undo(ctx, step, ctx.op(step, attempt, "undo"))
            return Entry(step.id, Event.UNDONE, attempt, result)
        except WherryError as error:
            event = Event.FAILED if doing else Event.UNDO_FAILED
            return Entry(step.id, event, attempt, error.as_json())

    def _report(
        self,
        outcome: Outcome,
        spans: dict[str, tuple[float, float]],
        now: float,
        turned_at: float | None,
        failed_at: str,
    ) -> TwinRun:
        ended = now if turned_at is None else turned_at  # of going forward
        go = spans.get(GO, (ended, ended))[0]
        commit = spans.get(COMMIT, (ended, ended))[0]
        back = None if turned_at is None else now - turned_at
        return TwinRun(outcome, go, commit - go, back, failed_at, spans)
