"""CP-SAT (OR-tools, an extra) on blocks and slots of a ledger, everything else held where it is.

One worker, a fixed seed and limits in deterministic time: the same input ends in the same plan. Without
the library ``available`` is false and nothing here is called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil, floor, inf
from typing import Any

from planner.waves.condense import Model
from planner.waves.cost import Cost
from planner.waves.ledger import Ledger
from planner.waves.problem import Assignment

_SCALE = 1_000  # hours and other fractions become integers of thousandths
_FINE = 1_000_000_000  # the heaviest price in the objective
_TICK_S = 0.1
Stop = Callable[[], bool]


def available() -> bool:
    """True when OR-tools is installed."""
    return find_spec("ortools") is not None


@dataclass(frozen=True, slots=True)
class Found:
    """The slots of the free blocks, None when none were found; ``proved`` says no better ones exist."""

    slots: dict[int, int] | None
    proved: bool
    bound: float


class Search:
    """A constraint model of free blocks in some slots; the ledger is left as it was found."""

    def __init__(
        self, ledger: Ledger, free: Sequence[int], slots: Sequence[int], floor_slot: int = 0
    ) -> None:
        from ortools.sat.python import cp_model

        self._cp: Any = cp_model
        self.model: Any = cp_model.CpModel()
        self._ledger, self._estate = ledger, ledger.model
        self._free = sorted(free)
        self._slots = sorted(slots)
        self._homes = {block: ledger.at[block] for block in self._free}
        for block, slot in self._homes.items():
            if slot >= 0:
                ledger.take(block)
        self.x: dict[tuple[int, int], Any] = {}
        self.at: dict[int, Any] = {}
        try:
            self._place(floor_slot)
            self._order()
            self._caps()
            self._line()
        finally:
            for block, slot in self._homes.items():
                if slot >= 0:
                    ledger.put(block, slot)

    def _place(self, floor_slot: int) -> None:
        estate, ledger = self._estate, self._ledger
        inside = set(self._free)
        for block in self._free:
            open_slots = []
            for slot in self._slots:
                held = any(ledger.at[other] == slot for other in estate.apart[block])
                if slot >= floor_slot and estate.may_have(block, slot) and not held:
                    self.x[block, slot] = self.model.new_bool_var("")
                    open_slots.append(slot)
            self.model.add_exactly_one(self.x[block, slot] for slot in open_slots)
            self.at[block] = sum(slot * self.x[block, slot] for slot in open_slots)
            for slot in open_slots:
                for other in estate.apart[block]:
                    if other in inside and other < block and (other, slot) in self.x:
                        self.model.add_at_most_one(self.x[block, slot], self.x[other, slot])

    def _order(self) -> None:
        estate, placed = self._estate, self._ledger.at
        for block in self._free:
            for other, lag in estate.before[block]:
                if other in self.at:
                    self.model.add(self.at[other] + lag <= self.at[block])
                elif placed[other] >= 0:
                    self.model.add(self.at[block] >= placed[other] + lag)
            for other, lag in estate.after[block]:
                if other not in self.at and placed[other] >= 0:
                    self.model.add(self.at[block] <= placed[other] - lag)

    def _caps(self) -> None:
        estate, ledger = self._estate, self._ledger
        for slot in self._slots:
            here = [block for block in self._free if (block, slot) in self.x]
            big = [block for block in here if estate.oversize[block]]
            closed = min(*estate.sheets[slot][0], *estate.sheets[slot][1]) <= 0
            for block in here:
                if (estate.oversize[block] and (ledger.inside[slot] or closed)) or (
                    not estate.oversize[block] and ledger.big[slot]
                ):
                    self.model.add(self.x[block, slot] == 0)
            for block in big:
                for other in here:
                    if other != block:
                        self.model.add_at_most_one(self.x[block, slot], self.x[other, slot])
            small = [block for block in here if not estate.oversize[block]]
            loads = (ledger.vms[slot], ledger.bytes[slot], ledger.cutovers[slot], ledger.hours[slot])
            for kind, (load, cap) in enumerate(zip(loads, estate.sheets[slot][0], strict=True)):
                self._sum(
                    slot, [(block, estate.plain[block][kind]) for block in small], cap - load, kind == 3
                )
            by_key: dict[int, list[tuple[int, float]]] = {}
            for block in small:
                for key, amount in estate.each[block]:
                    by_key.setdefault(key, []).append((block, amount))
            for key, pairs in by_key.items():
                cap = estate.sheets[slot][1][estate.key_kinds[key]]
                self._sum(slot, pairs, cap - ledger.each[slot].get(key, 0.0), False)

    def _sum(self, slot: int, pairs: list[tuple[int, float]], room: float, fractions: bool) -> None:
        if room == inf or sum(amount for _, amount in pairs) <= room:
            return
        scale = _SCALE if fractions else 1
        self.model.add(
            sum(ceil(amount * scale - 1e-6) * self.x[block, slot] for block, amount in pairs if amount)
            <= floor(room * scale + 1e-6)
        )

    def _line(self) -> None:
        estate, ledger = self._estate, self._ledger
        line = estate.line
        if not line.limited:
            return
        for number, slot in enumerate(self._slots):
            until = self._slots[number + 1] if number + 1 < len(self._slots) else len(estate.sheets)
            room = min(ledger.slack[slot:until])
            if room == inf:
                continue
            self.model.add(
                sum(
                    ceil(line.weight(estate.seeds[block], estate.churn[block], at) - 1e-6) * one
                    for (block, at), one in self.x.items()
                    if at <= slot
                )
                <= floor(room + 1e-6)
            )

    def gather_pilots(self) -> None:
        """Ask for all pilots in the first slot that is used, wherever that is; all blocks must be free."""
        pilots = [block for block in self._estate.pilots if block in self.at]
        for other in self._free:
            for pilot in pilots:
                if other != pilot:
                    self.model.add(
                        self.at[other] == self.at[pilot]
                        if other in pilots
                        else self.at[other] >= self.at[pilot]
                    )

    def fewest(self) -> None:
        """Ask for the fewest slots."""
        used = []
        for slot in self._slots:
            here = [one for (_, at), one in self.x.items() if at == slot]
            if self._ledger_holds(slot):
                continue
            flag = self.model.new_bool_var("")
            for one in here:
                self.model.add_implication(one, flag)
            used.append(flag)
        self.model.minimize(sum(used))

    def _ledger_holds(self, slot: int) -> bool:
        return any(block not in self.at for block in self._ledger.inside[slot])

    def cheapest(self, cost: Cost) -> None:
        """Ask for the least cost; prices are rounded to a billionth of the heaviest."""
        estate, placed = self._estate, self._ledger.at
        rows: dict[tuple[int, int], float] = {}
        ties: list[tuple[int, int, float]] = []
        for block in self._free:
            for slot in self._slots:
                if (block, slot) in self.x:
                    price = cost.bias[block][slot] if cost.bias and cost.bias[block] else 0.0
                    row = cost.apart[slot]
                    price += sum(
                        weight * row[placed[other]]
                        for other, weight in estate.near[block]
                        if other not in self.at
                    )
                    rows[block, slot] = price
            least = min((rows[block, slot] for slot in self._slots if (block, slot) in rows), default=0.0)
            for slot in self._slots:
                if (block, slot) in rows:
                    rows[block, slot] -= least
            ties += [
                (block, other, weight)
                for other, weight in estate.near[block]
                if other in self.at and block < other
            ]
        # Days in hundredths keep the objective in integers.
        days = {slot: round((cost.days[slot] - cost.days[self._slots[0]]) * 100) for slot in self._slots}
        widest = max(days.values())
        heaviest = max(
            [*rows.values(), *(weight * (widest / 100 + cost.fixed) for _, _, weight in ties)], default=0
        )
        if not heaviest:
            return
        unit = _FINE / heaviest
        terms: list[Any] = [
            round(price * unit) * self.x[key] for key, price in rows.items() if round(price * unit)
        ]
        for a, b, weight in ties:
            far = self.model.new_int_var(0, widest, "")
            split = self.model.new_bool_var("")
            one = sum(days[slot] * self.x[a, slot] for slot in self._slots if (a, slot) in self.x)
            other = sum(days[slot] * self.x[b, slot] for slot in self._slots if (b, slot) in self.x)
            self.model.add(far >= one - other)
            self.model.add(far >= other - one)
            for slot in self._slots:
                for first, second in ((a, b), (b, a)):
                    if (first, slot) in self.x:
                        self.model.add(split >= self.x[first, slot] - self.x.get((second, slot), 0))
            terms += [round(weight * unit / 100) * far, round(weight * cost.fixed * unit) * split]
        self.model.minimize(sum(terms))

    def solve(self, limit: float, seed: int, hint: bool = True, stop: Stop | None = None) -> Found:
        """Return what is found within ``limit`` of deterministic time (about seconds)."""
        if hint:
            for (block, slot), one in self.x.items():
                self.model.add_hint(one, self._homes[block] == slot)
        solver = self._cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = limit
        with _Watch(solver, stop):
            status = solver.solve(self.model)
        if status not in (self._cp.OPTIMAL, self._cp.FEASIBLE):
            return Found(None, status == self._cp.INFEASIBLE, inf)
        slots = {block: slot for (block, slot), one in self.x.items() if solver.boolean_value(one)}
        return Found(slots, status == self._cp.OPTIMAL, solver.best_objective_bound)


class _Watch:
    """Ends a search from another thread when ``stop`` says so."""

    def __init__(self, solver: Any, stop: Stop | None) -> None:
        self._solver, self._stop = solver, stop
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        if self._stop is not None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(_TICK_S):
            if self._stop is not None and self._stop():
                self._solver.stop_search()
                return

    def __exit__(self, *problem: object) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()


def apply(ledger: Ledger, slots: dict[int, int]) -> None:
    """Move blocks to their new slots."""
    moved = [block for block, slot in slots.items() if ledger.at[block] != slot]
    for block in moved:
        if ledger.at[block] >= 0:
            ledger.take(block)
    for block in moved:
        ledger.put(block, slots[block])


def anywhere(
    model: Model, limit: float, seed: int, stop: Stop | None = None, most: int | None = None
) -> tuple[Assignment | None, int]:
    """Return a plan in few slots, made from nothing, and a number of slots no plan can beat.

    With ``most`` both are of plans in the first so many slots. The plan is None when none was found.
    """
    slots = range(len(model.sheets) if most is None else most)
    search = Search(Ledger(model), range(len(model.members)), slots)
    search.gather_pilots()
    search.fewest()
    found = search.solve(limit, seed, hint=False, stop=stop)
    if found.slots is None:
        return None, 0
    plan = model.spread([found.slots[block] for block in range(len(model.members))])
    return plan, ceil(found.bound - 1e-6)
