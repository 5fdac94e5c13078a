"""From a problem to a plan: first fit, annealing, CP-SAT, each from what the one before it left.

    Problem ──condense──▶ Model ──first fit──▶ Ledger ──anneal──▶ ──CP-SAT──▶ Solution

Budgets are numbers of steps and deterministic time, never the clock: the same problem, seed and effort
give the same plan on any machine. ``stop`` ends it with the best plan so far, which holds at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from planner.units import show_count
from planner.waves import cpsat
from planner.waves.anneal import anneal
from planner.waves.bounds import waves_bound
from planner.waves.condense import Model, condense
from planner.waves.cost import Cost, cost_of
from planner.waves.fit import first_fit, first_slots
from planner.waves.found import Found, Teller
from planner.waves.ledger import Ledger, ledger_of
from planner.waves.louvain import ahead_first, louvain_order
from planner.waves.neighbourhood import improve
from planner.waves.problem import Assignment, Problem
from planner.waves.score import Score, by_name, score_model, traffic_of
from planner.waves.tail import kept_out, opened_by_pins
from planner.waves.verify import Violation, verify

Report = Callable[[float, int, int], None]  # stretch in GB of the best plan so far, step, of
Stop = Callable[[], bool]
Fit = tuple[Ledger, bool, int]  # whether all rules hold, and the slot of the pilots
WHOLE = 60  # blocks up to which CP-SAT takes the whole problem
_SLACK = ((3_000, 0.10), (30_000, 0.03))  # VMs up to which a share of waves above the bound is kept free
_LEAST_SLACK = 0.01


@dataclass(frozen=True, slots=True)
class Effort:
    """Budgets: steps of annealing, CP-SAT in deterministic time, and its passes over the slots."""

    steps_per_block: int
    most_steps: int
    whole_limit: float
    part_limit: float
    most_parts: int
    rounds: int


EFFORTS = {
    "quick": Effort(500, 500_000, 0.3, 0.2, 0, 0),
    "normal": Effort(6_000, 12_000_000, 4.0, 0.4, 80, 1),
    "thorough": Effort(20_000, 30_000_000, 30.0, 1.0, 400, 3),
}


@dataclass(frozen=True, slots=True)
class Solution:
    """A slot for each item and what is to be said of it.

    ``history`` has (what was done, waves, stretch in GB) step by step; ``violations`` is empty for a plan
    that holds; ``proved`` says that no plan in the same slots costs less (those pins alone open take nobody
    else).
    """

    assignment: Assignment
    score: Score
    history: tuple[tuple[str, int, float], ...]
    notes: tuple[str, ...]
    violations: tuple[Violation, ...] = ()
    proved: bool = False
    stopped: bool = False

    @property
    def feasible(self) -> bool:
        """True when every rule holds."""
        return not self.violations


class _Run:
    """One search: the ledger that holds the best plan, and who is told of it."""

    def __init__(
        self, model: Model, seed: int, effort: Effort, report: Report | None, stop: Stop | None
    ) -> None:
        self.model = model
        self.seed, self.effort = seed, effort
        self.report, self.stop = report, stop
        self.history: list[tuple[str, int, float]] = []
        self.notes: list[str] = []
        self.teller = Teller(model, None)  # nobody is told of a plan that breaks a rule
        self.stopped = False

    def halted(self) -> bool:
        if not self.stopped and self.stop is not None and self.stop():
            self.stopped = True
        return self.stopped

    def stretch(self, at: list[int]) -> float:
        return traffic_of(self.model.problem, self.model.spread(at), self.model.days)[1]

    def did(self, what: str, ledger: Ledger) -> None:
        self.history.append((what, len(ledger.used()), self.stretch(ledger.at)))

    def tell(self, at: list[int], step: int, of: int) -> None:
        if self.report is not None:
            self.report(self.stretch(at), step, of)


def slack_of(vms: float) -> float:
    """Return the share of waves above the bound that is kept free, where nothing asks for more."""
    return next((share for most, share in _SLACK if vms <= most), _LEAST_SLACK)


def _orders(model: Model, seed: int) -> list[tuple[str, list[int]]]:
    """Return the orders that are tried, the best guess first."""
    caps = [max((sheet[0][kind] for sheet in model.sheets), default=1.0) for kind in range(4)]
    share = [
        max(use / cap for use, cap in zip(takes, caps, strict=True) if cap) if any(caps) else 0.0
        for takes in model.plain
    ]
    largest = sorted(range(len(share)), key=lambda block: (-share[block], block))
    return [("Louvain order", louvain_order(model, seed)), ("largest first", ahead_first(model, largest))]


def _ways(model: Model, seed: int, target: int) -> Iterator[tuple[str, Fit]]:
    """Yield first fits, each made when it is asked for: near the plan before, then from nothing."""
    last = any(slot >= 0 for slot in model.last)
    lead = min(first_slots(model))
    few = range(lead, min(lead + target, len(model.sheets)))
    for what, order in _orders(model, seed):
        for near in (True, False) if last else (False,):
            prefer = model.last if near else ()
            said = f"{what}, near the plan before" if near else what
            yield said, first_fit(model, order, prefer)
            yield f"{said}, in few slots", first_fit(model, order, prefer, few)


def _start(run: _Run) -> tuple[Ledger, bool, int, int]:
    """Return a first plan, whether it holds, the slot of the pilots, and how many slots it should use.

    The first that is not wasteful is taken: staying near the plan before costs no slots.
    """
    model = run.model
    bound = waves_bound(model).waves
    target = int(bound * (1 + slack_of(sum(use[0] for use in model.plain))) + 1e-9)
    best: Fit | None = None
    name = ""
    for what, found in _ways(model, run.seed, target):
        if best is None or (found[1], -len(found[0].used())) > (best[1], -len(best[0].used())):
            best, name = found, what
        if (best[1] and len(best[0].used()) <= target) or run.halted():
            break
    assert best is not None
    run.did(f"first fit, {name}", best[0])
    return (*best, target)


def _open_slots(model: Model, ledger: Ledger, floor: int, target: int) -> list[int]:
    """Return the used slots and early empty ones, up to ``target``; undated ones only where none is dated."""
    used = set(ledger.used())
    dated = {slot for slot, own in enumerate(model.problem.slots) if own.start_s is not None}
    for slot, sheet in enumerate(model.sheets):
        if len(used) >= target:
            break
        if (
            slot >= floor
            and slot not in used
            and not model.problem.slots[slot].late
            and min(*sheet[0], *sheet[1]) > 0
            and (slot in dated or not dated)
        ):
            used.add(slot)
    return sorted(used)


def _annealed(run: _Run, ledger: Ledger, cost: Cost, slots: list[int], floor: int) -> None:
    steps = min(run.effort.steps_per_block * len(run.model.members), run.effort.most_steps)
    every = max(steps // 40, 1)
    due = [every]

    def progress(step: int, best: list[int]) -> None:
        if step >= due[0]:
            due[0] += every
            run.teller.offer("annealing", best, cost)
            run.tell(best, step, steps)

    anneal(ledger, cost, slots, floor, steps, run.seed, report=progress, stop=run.halted)
    run.did("annealing", ledger)
    run.teller.offer("annealing", ledger.at, cost)
    run.tell(ledger.at, steps, steps)


def _exact(run: _Run, ledger: Ledger, cost: Cost, slots: list[int], floor: int) -> bool:
    """Improve the plan with CP-SAT; return whether it is proved that no plan in these slots costs less."""
    model = run.model
    still = set(model.pilots)
    free = [block for block in range(len(model.members)) if block not in still]
    if len(model.members) <= WHOLE:
        if len(free) < 2 or not (any(model.near) or cost.bias):
            return not (any(model.near) or cost.bias)
        search = cpsat.Search(ledger, free, slots, floor)
        search.cheapest(cost)
        found = search.solve(run.effort.whole_limit, run.seed, stop=run.halted)
        if found.slots is not None:
            before, old = ledger.at[:], cost.of(model, ledger.at)
            cpsat.apply(ledger, found.slots)
            if cost.of(model, ledger.at) > old * (1 + 1e-9):
                cpsat.apply(ledger, dict(enumerate(before)))
        run.did("CP-SAT, proved" if found.proved else "CP-SAT", ledger)
        run.teller.offer("CP-SAT", ledger.at, cost)
        return found.proved
    if run.effort.rounds:

        def progress(step: int, of: int) -> None:
            run.teller.offer("CP-SAT", ledger.at, cost)
            run.tell(ledger.at, step, of)

        better = improve(
            ledger,
            cost,
            slots,
            floor,
            run.effort.rounds,
            run.effort.part_limit,
            run.seed,
            most=run.effort.most_parts,
            report=progress,
            stop=run.halted,
        )
        run.did(f"CP-SAT on {better} parts", ledger)
        run.teller.offer("CP-SAT", ledger.at, cost)
    return False


def _sooner(run: _Run, plan: Assignment, first: int, enough: int) -> Assignment:
    """Return a plan in at most ``enough`` slots, the first ``first`` of all, or twice as many, and so on.

    It is ``plan`` itself where no other is found: what has few slots may have them years apart.
    """
    while 0 < first <= max(plan) and not run.halted():
        near = cpsat.anywhere(run.model, run.effort.whole_limit, run.seed, run.halted, first)[0]
        if near is not None and len(set(near)) <= enough:
            return near
        first *= 2
    return plan


def _fewest(run: _Run, ledger: Ledger, holds: bool, target: int) -> tuple[Ledger, int, int] | None:
    """Return a plan that holds in fewer slots, the slot of its pilots and a bound on slots; None for none.

    Where the plan in ``ledger`` does not hold, any that does is better. More than ``target`` slots are too
    many; with fewer than that an earlier end counts for more.
    """
    model = run.model
    plan, bound = cpsat.anywhere(model, run.effort.whole_limit, run.seed, run.halted)
    if plan is None:
        return None
    few = len(set(plan))
    plan = _sooner(run, plan, max(ledger.used()) + 1 if holds else few, max(few, target))
    if holds and len(set(plan)) >= len(ledger.used()):
        return ledger, -1, bound
    found = ledger_of(model, [plan[block[0]] for block in model.members])
    run.did("CP-SAT for few slots", found)
    return found, found.at[model.pilots[0]] if model.pilots else 0, bound


def _without_late_company(run: _Run, ledger: Ledger) -> tuple[Ledger, set[int]]:
    """Return the plan in a model that draws nobody into slots which pins alone open, and these slots."""
    model = run.model
    closed, held = opened_by_pins(model, ledger)
    if not closed:
        return ledger, closed
    run.notes.append(f"{show_count(len(closed), 'wave')} that only pins ask for take nobody else")
    run.model = kept_out(model, closed, held)
    return ledger_of(run.model, ledger.at), closed


def solve(
    problem: Problem,
    *,
    seed: int = 1,
    effort: str = "normal",
    report: Report | None = None,
    found: Found | None = None,
    stop: Stop | None = None,
) -> Solution:
    """Return the best plan found for a problem; ``effort`` is one of ``EFFORTS``.

    A plan that breaks rules says which ones in ``violations``: then no better one was found.
    """
    model = condense(problem)
    run = _Run(model, seed, EFFORTS[effort], report, stop)
    if not problem.items:
        return Solution((), score_model(model, ()), (), ())
    if not problem.slots:
        raise ValueError("a problem needs slots")
    ledger, holds, floor, target = _start(run)
    closed: set[int] = set()
    if holds:
        ledger, closed = _without_late_company(run, ledger)
        target += len(closed)
    exact, proved_waves = cpsat.available(), 0
    if not exact:
        run.notes.append("OR-tools is not installed: the plan is annealed only, and nothing is proved")
    elif len(model.members) <= WHOLE and not run.halted() and (not holds or len(ledger.used()) > target):
        fewer = _fewest(run, ledger, holds, target)
        if fewer is not None:
            ledger, holds = fewer[0], True
            proved_waves = 0 if closed else fewer[2]
            floor = floor if fewer[1] < 0 else fewer[1]
    slots = _open_slots(run.model, ledger, floor, target)
    cost = cost_of(run.model, slots)
    if holds:
        run.teller = Teller(run.model, found)
        run.teller.offer("first fit", ledger.at, cost)
    run.tell(ledger.at, 0, 1)
    proved = False
    if not run.halted():
        _annealed(run, ledger, cost, slots, floor)
    if holds and exact and not run.halted():
        proved = _exact(run, ledger, cost, slots, floor)
    plan = model.spread(ledger.at)
    return Solution(
        assignment=plan,
        score=score_model(model, plan, by_name(model), proved_waves),
        history=tuple(run.history),
        notes=tuple(run.notes),
        violations=verify(problem, plan),
        proved=proved,
        stopped=run.stopped,
    )
