"""What each slot holds so far: says in a few steps whether a block fits, and takes and puts it.

Every rule that depends on other blocks is kept here: caps, order with lags both ways, apart, what is
too big for company, and the line. ``Model.may_have`` has those that depend on the block alone.
"""

from __future__ import annotations

from planner.waves.condense import Model

_EASE = 1e-9  # relative, for sums of fractions


class Ledger:
    """Loads of slots. ``at`` is the slot of each block, -1 = none; ``inside`` the blocks of each slot."""

    def __init__(self, model: Model) -> None:
        slots = len(model.sheets)
        self.model = model
        self.at = [-1] * len(model.members)
        self.inside: list[list[int]] = [[] for _ in range(slots)]
        self._place = [0] * len(model.members)  # in its list of ``inside``
        self.vms = [0.0] * slots
        self.bytes = [0.0] * slots
        self.cutovers = [0.0] * slots
        self.hours = [0.0] * slots
        self.each: list[dict[int, float]] = [{} for _ in range(slots)]
        self.big = [0] * slots  # blocks too big for company
        eased = [[cap * (1 + _EASE) for cap in sheet[0]] for sheet in model.sheets]
        self.cap_vms = [caps[0] for caps in eased]
        self.cap_bytes = [caps[1] for caps in eased]
        self.cap_cutovers = [caps[2] for caps in eased]
        self.cap_hours = [caps[3] for caps in eased]
        self._cap_each = [[cap * (1 + _EASE) for cap in sheet[1]] for sheet in model.sheets]
        self.slack = [carried * (1 + _EASE) for carried in model.line.carried]  # bytes the line has left

    def put(self, block: int, slot: int) -> None:
        """Place a block, whether it fits or not."""
        model = self.model
        vms, size, cutovers, hours = model.plain[block]
        self.vms[slot] += vms
        self.bytes[slot] += size
        self.cutovers[slot] += cutovers
        self.hours[slot] += hours
        held = self.each[slot]
        for key, amount in model.each[block]:
            held[key] = held.get(key, 0) + amount
        self.big[slot] += model.oversize[block]
        self._place[block] = len(self.inside[slot])
        self.inside[slot].append(block)
        self.at[block] = slot
        if model.line.limited:
            self._send(block, slot, 1)

    def take(self, block: int) -> int:
        """Remove a block; return the slot it had."""
        model = self.model
        slot = self.at[block]
        vms, size, cutovers, hours = model.plain[block]
        self.vms[slot] -= vms
        self.bytes[slot] -= size
        self.cutovers[slot] -= cutovers
        self.hours[slot] -= hours
        held = self.each[slot]
        for key, amount in model.each[block]:
            held[key] -= amount
        self.big[slot] -= model.oversize[block]
        others = self.inside[slot]
        place, moved = self._place[block], others.pop()
        if moved != block:
            others[place] = moved
            self._place[moved] = place
        self.at[block] = -1
        if model.line.limited:
            self._send(block, slot, -1)
        return slot

    def _send(self, block: int, slot: int, sign: int) -> None:
        model = self.model
        weight = sign * model.line.weight(model.seeds[block], model.churn[block], slot)
        slack = self.slack
        for later in range(slot, len(slack)):
            slack[later] -= weight

    def fits(self, block: int, slot: int) -> bool:
        """True when ``block``, which is placed nowhere now, breaks no rule in ``slot``."""
        model = self.model
        slots = model.slots_of[block]
        if slot < model.earliest[block] if slots is None else slot not in slots:
            return False
        return self._in_order(block, slot) and self._has_room(block, slot)

    def _in_order(self, block: int, slot: int) -> bool:
        model, at = self.model, self.at
        for other, lag in model.before[block]:
            if at[other] >= 0 and at[other] + lag > slot:
                return False
        for other, lag in model.after[block]:
            if 0 <= at[other] < slot + lag:
                return False
        return all(at[other] != slot for other in model.apart[block])

    def _has_room(self, block: int, slot: int) -> bool:
        model = self.model
        if model.oversize[block]:
            if self.inside[slot] or min(*model.sheets[slot][0], *model.sheets[slot][1]) <= 0:
                return False
        elif self.big[slot]:
            return False
        else:
            vms, size, cutovers, hours = model.plain[block]
            if (
                self.vms[slot] + vms > self.cap_vms[slot]
                or self.bytes[slot] + size > self.cap_bytes[slot]
                or self.cutovers[slot] + cutovers > self.cap_cutovers[slot]
                or self.hours[slot] + hours > self.cap_hours[slot]
            ):
                return False
            held, caps, kinds = self.each[slot], self._cap_each[slot], model.key_kinds
            for key, amount in model.each[block]:
                if held.get(key, 0) + amount > caps[kinds[key]]:
                    return False
        if model.line.limited:
            return model.line.weight(model.seeds[block], model.churn[block], slot) <= min(
                self.slack[slot:], default=0.0
            )
        return True

    def used(self) -> list[int]:
        """Return the slots that hold something."""
        return [slot for slot, blocks in enumerate(self.inside) if blocks]


def ledger_of(model: Model, slots: list[int]) -> Ledger:
    """Return the ledger in which each block has its slot."""
    ledger = Ledger(model)
    for block, slot in enumerate(slots):
        if slot >= 0:
            ledger.put(block, slot)
    return ledger
