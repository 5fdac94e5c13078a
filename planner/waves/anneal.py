"""Seeded simulated annealing: blocks move and change places, every rule kept at each step.

Four in five moves go where a neighbour in the traffic graph is; a slot without room gives a block back.
The budget is a number of steps, so the same input and seed end in the same plan on any machine.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log
from random import Random

from planner.waves.condense import Model
from planner.waves.cost import Cost
from planner.waves.ledger import Ledger

_TOWARDS = 0.8
_POLL = 2_000
_SAMPLES = 1_000
Stop = Callable[[], bool]


def anneal(
    ledger: Ledger,
    cost: Cost,
    slots: list[int],
    floor: int,
    steps: int,
    seed: int,
    heat: tuple[float, float] = (0.5, 0.002),
    report: Callable[[int, list[int]], None] | None = None,
    stop: Stop | None = None,
) -> float:
    """Improve the plan in ``ledger`` in place within ``slots``; return the cost of the best.

    ``heat`` is the first and last temperature, relative to the mean cost of a tie;
    ``report`` is told the step and the best plan so far.
    """
    model = ledger.model
    movable = [
        block
        for block in range(len(model.members))
        if block not in set(model.pilots)
        and sum(model.may_have(block, slot) and slot >= floor for slot in slots) > 1
    ]
    total = cost.of(model, ledger.at)
    if not movable or len(slots) < 2 or steps <= 0:
        return total
    usable = set(slots)
    rng = Random(seed)  # noqa: S311 - a plan must come out the same again
    uniform = rng.random
    at, near, apart, bias = ledger.at, model.near, cost.apart, cost.bias
    plain, inside = model.plain, ledger.inside
    vms, size = ledger.vms, ledger.bytes
    cap_vms, cap_bytes = ledger.cap_vms, ledger.cap_bytes
    is_movable = [False] * len(model.members)
    for block in movable:
        is_movable[block] = True
    step = _typical(cost, model, at, movable, slots, rng)
    hot, ratio = heat[0] * step, log(heat[1] / heat[0])
    temperature = hot
    best, best_at = total, at[:]
    count, open_slots = len(movable), len(slots)
    for number in range(steps):
        if number % _POLL == 0:
            temperature = hot * exp(ratio * number / steps)
            if number:
                if total < best:
                    best, best_at = total, at[:]
                if stop is not None and stop():
                    break
                if report is not None:
                    report(number, best_at)
        block = movable[int(uniform() * count)]
        others = near[block]
        here = at[block]
        if others and uniform() < _TOWARDS:
            there = at[others[int(uniform() * len(others))][0]]
            if there not in usable:
                continue
        else:
            there = slots[int(uniform() * open_slots)]
        if there == here or there < floor:
            continue
        row, other_row = apart[here], apart[there]
        delta = 0.0
        for other, weight in others:
            place = at[other]
            delta += weight * (other_row[place] - row[place])
        if bias and bias[block]:
            delta += bias[block][there] - bias[block][here]
        use = plain[block]
        swap = -1
        if vms[there] + use[0] > cap_vms[there] or size[there] + use[1] > cap_bytes[there] or uniform() < 0.1:
            # No room, or out of curiosity: change places with one that stands there.
            crowd = inside[there]
            if not crowd:
                continue
            swap = crowd[int(uniform() * len(crowd))]
            if not is_movable[swap]:
                continue
            back = plain[swap]
            if (
                vms[there] + use[0] - back[0] > cap_vms[there]
                or size[there] + use[1] - back[1] > cap_bytes[there]
                or vms[here] + back[0] - use[0] > cap_vms[here]
                or size[here] + back[1] - use[1] > cap_bytes[here]
            ):
                continue
            at[block] = there
            for other, weight in near[swap]:
                place = at[other]
                delta += weight * (row[place] - other_row[place])
            at[block] = here
            if bias and bias[swap]:
                delta += bias[swap][here] - bias[swap][there]
        if delta > 0 and (temperature <= 0 or uniform() >= exp(-delta / temperature)):
            continue
        if swap >= 0:
            if not _swapped(ledger, block, swap):
                continue
        else:
            ledger.take(block)
            if not ledger.fits(block, there):
                ledger.put(block, here)
                continue
            ledger.put(block, there)
        total += delta
    if total > best:
        _restore(ledger, best_at)
    return cost.of(model, ledger.at)


def _typical(
    cost: Cost, model: Model, at: list[int], movable: list[int], slots: list[int], rng: Random
) -> float:
    """Return how much a random move changes the cost, in the mean of some that change it."""
    found = []
    for _ in range(_SAMPLES):
        block, there = rng.choice(movable), rng.choice(slots)
        row, other_row = cost.apart[at[block]], cost.apart[there]
        delta = sum(weight * (other_row[at[other]] - row[at[other]]) for other, weight in model.near[block])
        if cost.bias and cost.bias[block]:
            delta += cost.bias[block][there] - cost.bias[block][at[block]]
        if delta:
            found.append(abs(delta))
    return sum(found) / len(found) if found else 0.0


def _swapped(ledger: Ledger, block: int, other: int) -> bool:
    """Let two blocks change places; False, and nothing changed, when a rule forbids it."""
    here, there = ledger.take(block), ledger.take(other)
    if ledger.fits(block, there):
        ledger.put(block, there)
        if ledger.fits(other, here):
            ledger.put(other, here)
            return True
        ledger.take(block)
    ledger.put(block, here)
    ledger.put(other, there)
    return False


def _restore(ledger: Ledger, slots: list[int]) -> None:
    moved = [block for block, slot in enumerate(slots) if ledger.at[block] != slot]
    for block in moved:
        ledger.take(block)
    for block in moved:
        ledger.put(block, slots[block])
