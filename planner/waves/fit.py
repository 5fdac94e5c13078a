"""First fit: each block into the first slot that takes it, in a given order.

Pilots come first and share the first slot that is used; what has one slot only keeps it free. What fits
nowhere is tried again at the head of the order, and at last put where it breaks least.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.waves.condense import Model
from planner.waves.ledger import Ledger
from planner.waves.louvain import ahead_first

_TRIES = 12


def first_slots(model: Model) -> list[int]:
    """Return the first slot each block could have if caps were no matter."""
    first = [
        min(slots, default=len(model.sheets)) if (slots := model.slots_of[block]) is not None else earliest
        for block, earliest in enumerate(model.earliest)
    ]
    for block in ahead_first(model, list(range(len(first)))):
        for other, lag in model.before[block]:
            first[block] = max(first[block], first[other] + lag)
    return first


def _pilot_slot(model: Model, ledger: Ledger, first: Sequence[int]) -> int | None:
    """Place the pilots together in the first slot that takes them all; return it, None when none does."""
    for slot in range(max(first[block] for block in model.pilots), len(model.sheets)):
        placed: list[int] = []
        for block in model.pilots:
            if not ledger.fits(block, slot):
                break
            ledger.put(block, slot)
            placed.append(block)
        if len(placed) == len(model.pilots):
            return slot
        for block in placed:
            ledger.take(block)
    return None


def _one_try(
    model: Model, order: Sequence[int], prefer: Sequence[int], room: Sequence[int] | None
) -> tuple[Ledger, list[int], int]:
    """Return a ledger, the blocks that found no slot, and the first slot anything may have."""
    ledger = Ledger(model)
    first = first_slots(model)
    lead = _pilot_slot(model, ledger, first) if model.pilots else 0
    lost: list[int] = list(model.pilots) if lead is None else []
    floor = lead or 0
    only = [block for block in order if (slots := model.slots_of[block]) is not None and len(slots) == 1]
    stuck = set(only)
    everywhere = range(len(model.sheets))
    for block in (*only, *order):
        if ledger.at[block] >= 0 or (lost and block in lost):
            continue
        start = max(floor, first[block])
        narrow = room and block not in stuck and start <= room[-1]
        ranks = room if room and narrow else everywhere
        wished = prefer[block] if prefer else -1
        if wished >= start and wished in ranks and ledger.fits(block, wished):
            ledger.put(block, wished)
            continue
        for slot in ranks:
            if slot >= start and ledger.fits(block, slot):
                ledger.put(block, slot)
                break
        else:
            lost.append(block)
    return ledger, lost, floor


def first_fit(
    model: Model, order: Sequence[int], prefer: Sequence[int] = (), room: Sequence[int] | None = None
) -> tuple[Ledger, bool, int]:
    """Return a ledger with every block placed, whether all rules hold, and the slot of the pilots (or 0).

    ``order`` has every block behind those that must be ahead; ``prefer`` is the slot a block is tried
    in first, ``room`` the only slots to be used, but by those that have no place in it.
    """
    best = _one_try(model, order, prefer, room)
    urgent: list[int] = []
    for _ in range(_TRIES):
        if not best[1]:
            break
        urgent = [*best[1], *(block for block in urgent if block not in best[1])]
        retry = ahead_first(model, [*urgent, *order])
        found = _one_try(model, retry, prefer, room)
        if len(found[1]) <= len(best[1]):
            best = found
    ledger, lost, floor = best
    for block in lost:
        ledger.put(block, _least_bad(model, ledger, block))
    return ledger, not lost, floor


def _least_bad(model: Model, ledger: Ledger, block: int) -> int:
    """Return the emptiest slot among those its own limits allow, the last when they allow none."""
    slots = [slot for slot in range(len(model.sheets)) if model.may_have(block, slot)]
    if not slots:
        slots = sorted(model.slots_of[block] or ()) or [len(model.sheets) - 1]
    low = max((ledger.at[other] + lag for other, lag in model.before[block]), default=0)
    late = [slot for slot in slots if slot >= low] or slots
    return min(late, key=lambda slot: (len(ledger.inside[slot]), slot))
