"""What a plan costs beyond its number of slots: traffic times days apart, then risk early, then change.

The three are put on one scale on which the first outweighs the others, so that one number can be annealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from planner.waves.condense import Model

_FIXED = 0.5  # of the distance between slots: what being apart costs however near
_RISK, _CHANGE = 0.01, 0.01  # of all traffic times the distance between slots


@dataclass(frozen=True, slots=True)
class Cost:
    """``apart[s][t]`` for each byte a day between slots, ``bias[block][slot]`` for a place.

    ``apart`` holds days, and ``fixed`` of them for being apart at all; ``bias`` is empty where nothing
    is at stake.
    """

    days: list[float]
    fixed: float
    apart: list[list[float]]
    bias: list[list[float]]

    def of(self, model: Model, at: list[int]) -> float:
        """Return the cost of a whole plan."""
        total = 0.0
        for block, others in enumerate(model.near):
            row = self.apart[at[block]]
            for other, weight in others:
                if other > block:
                    total += weight * row[at[other]]
        return total + sum(row[at[block]] for block, row in enumerate(self.bias) if row)


def cost_of(model: Model, slots: list[int]) -> Cost:
    """Return the cost of plans that use ``slots`` (and those in which blocks are stuck)."""
    days = model.days
    gaps = [later - first for first, later in pairwise(sorted(days[slot] for slot in slots)) if later > first]
    gap = median(gaps) if gaps else 1.0
    fixed = _FIXED * gap
    kept = set(slots)
    apart = [
        [abs(first - later) + (fixed if s != t else 0.0) for t, later in enumerate(days)] if s in kept else []
        for s, first in enumerate(days)
    ]
    return Cost(days, fixed, apart, _bias(model, len(slots), gap))


def _bias(model: Model, open_slots: int, gap: float) -> list[list[float]]:
    """Return what a slot costs a block: risky ones late, and none away from where it was."""
    risks, known = sum(model.risk), sum(slot >= 0 for slot in model.last)
    if not risks and not known:
        return []
    traffic = sum(weight for others in model.near for _, weight in others) / 2 or 1.0
    count = len(model.days)
    risk = _RISK * traffic * gap / (risks * max(open_slots, 1)) if risks else 0.0
    change = _CHANGE * traffic * gap / known if known else 0.0
    rows: list[list[float]] = []
    for block, last in enumerate(model.last):
        early = risk * model.risk[block]
        row = [
            early * (count - slot) + (change if last >= 0 and slot != last else 0.0) for slot in range(count)
        ]
        rows.append(row if early or last >= 0 else [])
    return rows
