"""Large-neighbourhood search: CP-SAT re-plans a few neighbouring slots at a time, the rest stands still."""

from __future__ import annotations

from collections.abc import Callable

from planner.waves.cost import Cost
from planner.waves.cpsat import Search, Stop, apply
from planner.waves.ledger import Ledger

_SLOTS = 5
_MOST_BLOCKS = 90


def windows(ledger: Ledger, slots: list[int], offset: int) -> list[list[int]]:
    """Return runs of neighbouring slots that overlap by about half; runs get shorter where slots are full."""
    found = []
    start = offset
    while start < len(slots):
        run, blocks = [], 0
        for slot in slots[start : start + _SLOTS]:
            blocks += len(ledger.inside[slot])
            if blocks > _MOST_BLOCKS:
                break
            run.append(slot)
        if len(run) > 1:
            found.append(run)
        start += max(len(run) // 2, 1)
        if start + 1 >= len(slots):
            break
    return found


def improve(
    ledger: Ledger,
    cost: Cost,
    slots: list[int],
    floor: int,
    rounds: int,
    limit: float,
    seed: int,
    most: int,
    report: Callable[[int, int], None] | None = None,
    stop: Stop | None = None,
) -> int:
    """Improve the plan in place; return how many sub-problems made it better.

    ``rounds`` passes over all slots, ``most`` sub-problems in all, each with ``limit`` of deterministic
    time.
    """
    model = ledger.model
    still = set(model.pilots)
    better = 0
    total = cost.of(model, ledger.at)
    runs = [run for number in range(rounds) for run in windows(ledger, slots, number % _SLOTS)][:most]
    for number, run in enumerate(runs):
        if stop is not None and stop():
            break
        if report is not None:
            report(number, len(runs))
        free = [
            block
            for slot in run
            for block in ledger.inside[slot]
            if block not in still and not model.oversize[block]
        ]
        if len(free) < 2:
            continue
        search = Search(ledger, free, run, floor)
        search.cheapest(cost)
        found = search.solve(limit, seed + number, stop=stop)
        if found.slots is None:
            continue
        before = {block: ledger.at[block] for block in free}
        apply(ledger, found.slots)
        after = cost.of(model, ledger.at)
        if after < total * (1 - 1e-9):
            total = after
            better += 1
        else:
            apply(ledger, before)
    return better
