"""How few waves and how few hours no plan can beat, and which rule says so.

The bounds are those of bin packing: sums against the largest caps, what is above half, one owner's
groups, chains of order, and sets in which any two must be apart. They are valid, not tight.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from planner.names import visible
from planner.units import show_count
from planner.waves.condense import Model
from planner.waves.fit import first_slots
from planner.waves.line import Meter
from planner.waves.louvain import ahead_first
from planner.waves.weights import Key, together

_PLAIN_WORDS = ("VMs per window", "bytes per window", "cutovers per window", "engineer hours per window")
_EACH_WORDS = ("groups of one owner", "groups of one team", "bytes of one datastore", "disks of one host")


@dataclass(frozen=True, slots=True)
class Bound:
    """A number of waves, and the words for what asks for it."""

    waves: int
    binds: str


def _slots_for(need: float, caps: list[float]) -> int:
    """Return how many of the largest caps hold ``need``; one more than there are when all do not."""
    for count, cap in enumerate(caps):
        if need <= 1e-9:
            return count
        need -= cap * (1 + 1e-9)
    return len(caps) if need <= 1e-9 else len(caps) + 1


def _by_caps(model: Model) -> Iterator[Bound]:
    small = [block for block, big in enumerate(model.oversize) if not big]
    alone = len(model.oversize) - len(small)
    note = f" ({show_count(alone, 'group')} larger than any window)" if alone else ""
    for kind, words in enumerate(_PLAIN_WORDS):
        caps = sorted((sheet[0][kind] for sheet in model.sheets), reverse=True)
        if not caps or caps[0] == inf:
            continue
        uses = [model.plain[block][kind] for block in small]
        yield Bound(alone + _slots_for(sum(uses), caps), words + note)
        yield Bound(
            alone + sum(2 * use > caps[0] * (1 + 1e-9) for use in uses), f"groups above half of {words}"
        )
    problem = model.problem
    items = [problem.items[at] for block in small for at in model.members[block]]
    totals: dict[Key, float] = together(items)[1]
    for (kind, whose), total in totals.items():
        caps = sorted((sheet[1][kind] for sheet in model.sheets), reverse=True)
        if caps and caps[0] != inf:
            yield Bound(_slots_for(total, caps), f"{_EACH_WORDS[kind]} ({visible(whose)})")
    yield Bound(alone, "groups larger than any window")


def _chain(model: Model) -> int:
    """Return the most blocks that must all have different slots because one follows the other."""
    depth = [1] * len(model.members)
    for block in ahead_first(model, list(range(len(depth)))):
        for other, lag in model.before[block]:
            depth[block] = max(depth[block], depth[other] + (lag > 0))
    return max(depth, default=0)


def _clique(model: Model) -> int:
    """Return the size of a set any two of which must be apart, found greedily."""
    best = 0
    for block in range(len(model.members)):
        if len(model.apart[block]) < best:
            continue
        clique = {block}
        for other in sorted(model.apart[block], key=lambda one: (-len(model.apart[one]), one)):
            if clique <= model.apart[other]:
                clique.add(other)
        best = max(best, len(clique))
    return best if any(model.apart) else 0


def waves_bound(model: Model) -> Bound:
    """Return the largest lower bound on the number of used slots."""
    if not model.members:
        return Bound(0, "nothing moves")
    pinned: dict[int, int] = defaultdict(int)
    for slots in model.slots_of:
        if slots is not None and len(slots) == 1:
            pinned[next(iter(slots))] += 1
    found = [
        Bound(1, "something moves"),
        *_by_caps(model),
        Bound(_chain(model), "order"),
        Bound(_clique(model), "groups to be apart"),
        Bound(len(pinned), "pins"),
    ]
    return max(found, key=lambda bound: bound.waves)


def end_h(model: Model, slot: int) -> float:
    """Return hours from when seeding begins (the first slot, when nothing is dated) to a slot's end."""
    begins_s = model.line.begins_s
    begins_days = model.days[0] if begins_s is None else begins_s / 86_400
    return (model.days[slot] - begins_days) * 24 + model.problem.slots[slot].hours


def makespan_bound_h(model: Model, waves: int) -> float:
    """Return hours no plan can beat: the wave bound, the latest first slot, and the line."""
    if not model.members:
        return 0.0
    last = len(model.sheets) - 1
    at = max(waves - 1, *first_slots(model))
    found = end_h(model, min(at, last))
    begins_s = model.line.begins_s
    if model.line.limited and begins_s is not None:
        found = max(found, Meter(model.problem, begins_s).hours_for(_seeds_bound(model)))
    return found


def _seeds_bound(model: Model) -> float:
    """Return bytes the line must have carried whatever the plan; 0 where undated slots take any."""
    undated = any(slot.start_s is None for slot in model.problem.slots)
    return 0.0 if undated else sum(model.seeds)
