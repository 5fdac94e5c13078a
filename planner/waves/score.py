"""The score card of a plan: what it costs, what no plan can beat, and what name order would have cost.

``cut_share`` is traffic between items of different slots over all traffic between items, ``peak_share`` the
largest traffic across one boundary between slots over the same, ``stretch_gb`` traffic times days apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from planner.waves.bounds import Bound, end_h, makespan_bound_h, waves_bound
from planner.waves.condense import Model, condense
from planner.waves.fit import first_fit
from planner.waves.louvain import ahead_first
from planner.waves.problem import Assignment, Problem
from planner.waves.verify import verify
from planner.waves.weights import PLAIN, plain_of

_GB = 1e9


@dataclass(frozen=True, slots=True)
class Card:
    """The figures that plans are compared by; shares run from 0 to 1."""

    waves: int
    waves_bound: int
    makespan_h: float
    makespan_bound_h: float
    cut_share: float
    stretch_gb: float
    peak_share: float
    hard_violations: int
    order_violations: int
    latency_violations: int


@dataclass(frozen=True, slots=True)
class Score:
    """A card, the card of the plan by name order, and what people ask next.

    ``utilisation`` has (resource, mean, largest share of the cap over used slots); ``risk_ramp`` the share of
    all risk in the first, second and last third of the used slots; ``stability`` the share of VMs in the slot
    they had in the last plan, None without one.
    """

    card: Card
    baseline: Card | None
    binds: str
    utilisation: tuple[tuple[str, float, float], ...]
    risk_ramp: tuple[float, float, float]
    stability: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the score as it stands in documents."""
        return {
            **figures(self.card),
            "baseline": None if self.baseline is None else figures(self.baseline),
            "waves_bound_binds": self.binds,
            "utilisation": {
                name: {"mean": round(mean, 4), "max": round(most, 4)} for name, mean, most in self.utilisation
            },
            "risk_ramp": [round(share, 4) for share in self.risk_ramp],
            "stability": None if self.stability is None else round(self.stability, 4),
        }


def figures(card: Card) -> dict[str, float | int]:
    """Return the figures of a card as they stand in documents, rounded."""
    return {
        "waves": card.waves,
        "waves_bound": card.waves_bound,
        "makespan_h": round(card.makespan_h, 2),
        "makespan_bound_h": round(card.makespan_bound_h, 2),
        "cut_share": round(card.cut_share, 4),
        "stretch_gb": round(card.stretch_gb, 3),
        "peak_share": round(card.peak_share, 4),
        "hard_violations": card.hard_violations,
        "order_violations": card.order_violations,
        "latency_violations": card.latency_violations,
    }


def traffic_of(problem: Problem, plan: Assignment, days: list[float]) -> tuple[float, float, float]:
    """Return (cut share, stretch in GB, peak share) of a plan."""
    total = cut = stretch = 0.0
    steps = [0.0] * (len(problem.slots) + 1)
    for a, b, weight in problem.traffic:
        total += weight
        first, later = plan[a], plan[b]
        if first == later:
            continue
        if first > later:
            first, later = later, first
        cut += weight
        stretch += weight * (days[later] - days[first])
        steps[first] += weight
        steps[later] -= weight
    if not total:
        return 0.0, 0.0, 0.0
    return cut / total, stretch / _GB, max(max(accumulate(steps)), 0.0) / total


def card_of(model: Model, plan: Assignment, bound: int, bound_h: float) -> Card:
    """Return the card of a plan."""
    problem = model.problem
    cut, stretch, peak = traffic_of(problem, plan, model.days)
    kinds = [violation.kind for violation in verify(problem, plan)]
    return Card(
        waves=len(set(plan)),
        waves_bound=bound,
        makespan_h=end_h(model, max(plan)) if plan else 0.0,
        makespan_bound_h=bound_h,
        cut_share=cut,
        stretch_gb=stretch,
        peak_share=peak,
        hard_violations=sum(kind not in ("order", "latency") for kind in kinds),
        order_violations=kinds.count("order"),
        latency_violations=kinds.count("latency"),
    )


def by_name(model: Model) -> Assignment:
    """Return the plan a spreadsheet makes: first fit in the order of names."""
    names = [model.problem.items[block[0]].name for block in model.members]
    order = sorted(range(len(names)), key=lambda block: (names[block].casefold(), names[block], block))
    return model.spread(first_fit(model, ahead_first(model, order))[0].at)


def _utilisation(problem: Problem, plan: Assignment) -> tuple[tuple[str, float, float], ...]:
    loads: dict[int, list[float]] = {}
    for item, slot in zip(problem.items, plan, strict=True):
        own = loads.setdefault(slot, [0.0] * len(PLAIN))
        for kind, use in enumerate(plain_of(item)):
            own[kind] += use
    found = []
    for kind, name in enumerate(PLAIN):
        shares = []
        for slot, own in loads.items():
            cap = getattr(problem.slots[slot].caps, name)
            if cap:
                shares.append(own[kind] / cap)
        if shares:
            found.append((name, sum(shares) / len(shares), max(shares)))
    return tuple(found)


def _risk_ramp(problem: Problem, plan: Assignment) -> tuple[float, float, float]:
    used = {slot: rank for rank, slot in enumerate(sorted(set(plan)))}
    thirds = [0.0, 0.0, 0.0]
    for item, slot in zip(problem.items, plan, strict=True):
        thirds[used[slot] * 3 // len(used)] += item.risk * item.criticality
    total = sum(thirds)
    if not total:
        return 0.0, 0.0, 0.0
    return thirds[0] / total, thirds[1] / total, thirds[2] / total


def _stability(problem: Problem, plan: Assignment) -> float | None:
    kept = known = 0
    for item, slot, before in zip(problem.items, plan, problem.last or (), strict=False):
        if before >= 0:
            known += item.vms
            kept += item.vms * (slot == before)
    return kept / known if known else None


def score_model(
    model: Model, plan: Assignment, baseline: Assignment | None = None, proved_waves: int = 0
) -> Score:
    """Return the score of a plan.

    ``baseline`` is the plan by name order, made anew when None; ``proved_waves`` a bound a search proved.
    """
    problem = model.problem
    bound = waves_bound(model)
    if proved_waves > bound.waves:
        bound = Bound(proved_waves, "all rules together")
    bound_h = makespan_bound_h(model, bound.waves)
    other = by_name(model) if baseline is None and plan else baseline
    return Score(
        card=card_of(model, plan, bound.waves, bound_h),
        baseline=None if other is None else card_of(model, other, bound.waves, bound_h),
        binds=bound.binds,
        utilisation=_utilisation(problem, plan),
        risk_ramp=_risk_ramp(problem, plan),
        stability=_stability(problem, plan),
    )


def score(problem: Problem, assignment: Assignment) -> Score:
    """Return the score of a plan for a problem."""
    return score_model(condense(problem), assignment)
