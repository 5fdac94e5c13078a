"""Windows before open ends: a problem cut down to its dated slots, when those hold everything.

A wave without a date is not a short plan but an unfinished one; so undated slots are looked at only
when the windows cannot hold all that moves.
"""

from __future__ import annotations

from dataclasses import replace

from planner.waves.condense import condense
from planner.waves.fit import first_fit
from planner.waves.louvain import ahead_first, louvain_order
from planner.waves.problem import Item, Problem
from planner.waves.verify import verify


def _within(item: Item, slots: int) -> Item | None:
    """Return the item with no slot beyond the first ``slots``, None when that leaves it none."""
    if item.earliest >= slots or (item.pinned is not None and item.pinned >= slots):
        return None
    if item.allowed is None:
        return item
    allowed = frozenset(slot for slot in item.allowed if slot < slots)
    return replace(item, allowed=allowed) if allowed else None


def dated_only(problem: Problem, seed: int) -> Problem | None:
    """Return the problem without its undated slots; None when it has no others, or first fit needs them."""
    dated = sum(slot.start_s is not None for slot in problem.slots)
    if not dated or dated == len(problem.slots):
        return None
    items = [found for item in problem.items if (found := _within(item, dated))]
    if len(items) < len(problem.items):
        return None
    last = problem.last and tuple(slot if slot < dated else -1 for slot in problem.last)
    small = replace(problem, items=tuple(items), slots=problem.slots[:dated], last=last)
    model = condense(small)
    for order in (louvain_order(model, seed), ahead_first(model, list(range(len(model.members))))):
        ledger, holds = first_fit(model, order)[:2]
        if holds and not verify(small, model.spread(ledger.at)):
            return small
    return None
