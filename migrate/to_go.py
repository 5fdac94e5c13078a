"""How long it is from a moment of a run to its commit gate, and how much later than was to be expected at go.

    runs of the twin ──seconds of every step──▶ Expected ─┐
    the sheet: what is done, since when what goes on ─────┼──▶ the longest way to the gate, of each ──▶ ToGo
    what moves now, and how long it says it takes ────────┘

Steps of a sort that this run was slower or faster at than the twin are believed to go on like that. What
people take at gates is not foreseen: it shows in how late it is. The same record gives the same figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from migrate.rehearsal import model_of, spread
from migrate.run.history import Mode
from migrate.run.runbook import COMMIT, GO
from migrate.run.step_phases import SEED, phase_of
from migrate.run.store import RunKind
from migrate.steps.kinds import KINDS
from migrate.twin import Twin

if TYPE_CHECKING:
    from migrate.run.runbook import Step
    from migrate.run.store import Run
    from migrate.sheet import Sheet, SheetStep
    from planner.plan import Wave
    from planner.settings import Link

_SEED = 1  # of the first run of the twin: everybody is told the same
_MOST, _LEAST, _STEPS = 60, 8, 6_000  # runs of the twin: many of a small runbook, and never too few
_LEAST_S = 1.0  # of a step, where paces are told: those of moments say nothing of those of minutes
_SETTLED = ("done", "skipped")

Lefts = Mapping[str, tuple[float, float]]  # seconds left of disks under way, P50 and P95, by volume


@dataclass(frozen=True, slots=True)
class Expected:
    """How long each step of a runbook took on the twin: seconds by step, of each run."""

    runs: tuple[Mapping[str, float], ...]


@dataclass(frozen=True, slots=True)
class ToGo:
    """Seconds to the commit gate: ``p50_s`` and ``p95_s``; from the go gate while a run has not passed it.

    ``late_s`` is how much later the gate is than was to be expected at go, None before that; less than 0 is
    earlier. ``over`` is the title of a step that goes on for longer than it ever took on the twin.
    """

    p50_s: float
    p95_s: float
    late_s: float | None = None
    over: str = ""


def expect(run: Run, wave: Wave, link: Link) -> Expected:
    """Run the runbook of a run on the twin some times; at most about a second of processor time."""
    model = model_of(wave, link)
    number = max(_LEAST, min(_MOST, _STEPS // len(run.runbook.steps)))
    found = (Twin(run.runbook, model, KINDS, _SEED + at).run() for at in range(number))
    return Expected(
        tuple(
            {step: end - begin for step, (begin, end) in one.spans.items()}
            for one in found
            if COMMIT in one.spans
        )
    )


def to_go(sheet: Sheet, expected: Expected, lefts: Lefts) -> ToGo | None:
    """Return how long it is to the commit gate; None for a run that stands there, is past it or turned."""
    forward = sheet.run.kind is RunKind.WAVE and sheet.mode is Mode.FORWARD and not sheet.outcome
    commit = sheet.step(COMMIT)
    if not (forward and expected.runs) or commit is None or commit.status in (*_SETTLED, "waits"):
        return None
    steps = sheet.run.runbook.steps
    gate = sheet.step(GO)
    go_at = gate.at if gate is not None and gate.status in _SETTLED else ""
    at_go = {step.id for step in steps[: sheet.run.runbook.index.get(GO, -1) + 1]}
    settled = {one.id for one in sheet.steps if one.status in _SETTLED} | at_go
    left_s = _Ways(sheet, expected, _paces(sheet, expected, ""), lefts)
    ways = spread(list(left_s.to_commit(settled, goes_on=bool(go_at))))
    if not go_at:
        return ToGo(ways.p50, ways.p95)
    then = _Ways(sheet, expected, _paces(sheet, expected, go_at), {})
    said = spread(list(then.to_commit(at_go, goes_on=False)))
    spent_s = (sheet.moment - datetime.fromisoformat(go_at)).total_seconds()
    return ToGo(ways.p50, ways.p95, spent_s + ways.p50 - said.p50, left_s.over())


def _sort(step: Step) -> tuple[str, bool]:
    """Return what steps have to have in common for one to tell of another: first copies are of their own."""
    return step.kind, phase_of(step) == SEED


def _paces(sheet: Sheet, expected: Expected, upto: str) -> dict[tuple[str, bool], float]:
    """Return how many times as long as on the twin steps of each sort took, of those begun up to a time."""
    took: dict[tuple[str, bool], tuple[float, float]] = {}
    for step, one in zip(sheet.run.runbook.steps, sheet.steps, strict=True):
        if one.took_s is None or one.status != "done" or (upto and one.begun > upto):
            continue
        now_s, twin_s = took.get(_sort(step), (0.0, 0.0))
        usual_s = median(max(run.get(step.id, 0.0), _LEAST_S) for run in expected.runs)
        took[_sort(step)] = now_s + one.took_s, twin_s + usual_s
    return {sort: now_s / twin_s for sort, (now_s, twin_s) in took.items()}


@dataclass(slots=True)
class _Ways:
    """The ways to the commit gate from a moment of a run, one for each run of the twin."""

    sheet: Sheet
    expected: Expected
    paces: Mapping[tuple[str, bool], float]
    lefts: Lefts  # none of what is not under way at that moment

    def to_commit(self, settled: Collection[str], *, goes_on: bool) -> Iterator[float]:
        """Yield the seconds of the longest way; with ``goes_on`` what is under way has some of it behind."""
        under_way = {one.id: one for one in self.sheet.steps if goes_on and _is_under_way(one)}
        steps = self.sheet.run.runbook.steps
        steps = steps[: self.sheet.run.runbook.index[COMMIT]]
        needs = self.sheet.run.runbook.step(COMMIT).needs
        for number, run in enumerate(self.expected.runs):
            share = (number + 0.5) / len(self.expected.runs)
            ends: dict[str, float] = {}
            for step in steps:
                if step.id in settled:
                    continue
                begins = max((ends.get(need, 0.0) for need in step.needs), default=0.0)
                ends[step.id] = begins + self._rest_s(step, under_way.get(step.id), run, share)
            yield max((ends.get(need, 0.0) for need in needs), default=0.0)

    def _whole_s(self, step: Step, run: Mapping[str, float]) -> float:
        twin_s, pace = run.get(step.id, 0.0), self.paces.get(_sort(step))
        return twin_s if pace is None else max(twin_s, _LEAST_S) * pace

    def _rest_s(self, step: Step, now: SheetStep | None, run: Mapping[str, float], share: float) -> float:
        if now is None:
            return self._whole_s(step, run)
        if (said := self.lefts.get(step.params.get("volume", ""))) is not None:
            p50_s, p95_s = said
            return p50_s + (p95_s - p50_s) * max(share - 0.5, 0.0) / 0.45
        return max(self._whole_s(step, run) - self._gone_s(now), 0.0)

    def _gone_s(self, step: SheetStep) -> float:
        return (self.sheet.moment - datetime.fromisoformat(step.begun)).total_seconds()

    def over(self) -> str:
        """Return the title of the first step that goes on for longer than in any run of the twin."""
        for step, one in zip(self.sheet.run.runbook.steps, self.sheet.steps, strict=True):
            if _is_under_way(one) and step.params.get("volume", "") not in self.lefts:
                most_s = max(self._whole_s(step, run) for run in self.expected.runs)
                if self._gone_s(one) > most_s:
                    return one.title
        return ""


def _is_under_way(step: SheetStep) -> bool:
    return step.status in ("started", "rests") and bool(step.begun)
