"""Slots that only pins open: behind everything else, and held by what has no other place.

Who is pinned late moves late, and who must follow likewise; nobody else is drawn there for the sake of
traffic or of a wave less. Where the earlier slots are too few, first fit has put others behind already, and
then nothing is closed to them.
"""

from __future__ import annotations

from dataclasses import replace

from planner.waves.condense import Model
from planner.waves.fit import first_slots
from planner.waves.ledger import Ledger


def opened_by_pins(model: Model, ledger: Ledger) -> tuple[set[int], set[int]]:
    """Return the slots of a plan that only pins open, and the blocks that pins hold back."""
    pinned = {
        block
        for block, slots in enumerate(model.slots_of)
        if slots is not None and len(slots) == 1 and block not in model.pilots
    }
    if not pinned:
        return set(), set()
    free = [None if block in pinned else slots for block, slots in enumerate(model.slots_of)]
    unpinned = first_slots(replace(model, slots_of=free))
    held = pinned | {block for block, slot in enumerate(first_slots(model)) if slot > unpinned[block]}
    last = max((slot for block, slot in enumerate(ledger.at) if block not in held), default=-1)
    return {slot for slot in ledger.used() if slot > last >= 0}, held


def kept_out(model: Model, closed: set[int], held: set[int]) -> Model:
    """Return the model in which blocks that are not ``held`` cannot have the ``closed`` slots."""
    everywhere = frozenset(range(len(model.sheets))) - closed
    from_slot = {
        earliest: frozenset(slot for slot in everywhere if slot >= earliest)
        for earliest in set(model.earliest)
    }
    slots_of: list[frozenset[int] | None] = []
    for block, slots in enumerate(model.slots_of):
        if block in held:
            slots_of.append(slots)
        else:
            slots_of.append(from_slot[model.earliest[block]] if slots is None else slots - closed)
    return replace(model, slots_of=slots_of)
