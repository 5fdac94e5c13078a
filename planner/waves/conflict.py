"""What to give up when not every rule can hold: the fewest rules to relax, each as a sentence.

Up to ``EXACT`` items CP-SAT looks for the fewest. The rules such a plan (above, or without the library,
the best plan known) breaks are then insisted on one by one: none of those left can be spared as far as
first fit, or CP-SAT where it is small enough, finds a plan.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from math import ceil, floor, inf
from typing import Any

from planner.units import show_count
from planner.waves import cpsat
from planner.waves.condense import Model, condense
from planner.waves.fit import first_fit
from planner.waves.line import line_of
from planner.waves.louvain import ahead_first
from planner.waves.problem import Assignment, Caps, Link, Problem, Slot
from planner.waves.verify import EXIT, Violation, verify
from planner.waves.weights import EACH, PLAIN, each_of, plain_of, together

EXACT = 60
_LIMIT = 20.0  # deterministic time
Cause = tuple[str, int | str]


def lifted(problem: Problem, causes: Collection[Cause]) -> Problem:
    """Return the problem without the rules of ``causes``."""
    gone = set(causes)
    caps = {str(name): None for kind, name in gone if kind == "cap"}
    items = tuple(
        replace(
            item,
            pinned=None if ("pinned", at) in gone else item.pinned,
            allowed=None if ("allowed", at) in gone else item.allowed,
            earliest=0 if ("earliest", at) in gone else item.earliest,
            pilot=item.pilot and ("pilot", "all") not in gone,
        )
        for at, item in enumerate(problem.items)
    )
    slots = (
        tuple(replace(slot, caps=replace(slot.caps, **caps)) for slot in problem.slots)
        if caps
        else problem.slots
    )
    if ("slots", "count") in gone:
        slots += tuple(Slot(None, slots[-1].hours if slots else 8.0, Caps()) for _ in problem.items)
    if EXIT in gone:
        slots = tuple(replace(slot, late="") for slot in slots)
    room = problem.room
    for kind, name in gone:
        if kind == "room":
            field = {"vCPUs": "vcpus", "memory": "memory_bytes", "storage": "storage_bytes"}[str(name)]
            room = replace(room, **{field: None})
    return replace(
        problem,
        items=items,
        slots=slots,
        order=tuple(tie for at, tie in enumerate(problem.order) if ("order", at) not in gone),
        apart=tuple(pair for at, pair in enumerate(problem.apart) if ("apart", at) not in gone),
        latency=tuple(pair for at, pair in enumerate(problem.latency) if ("latency", at) not in gone),
        link=Link() if ("link", "all") in gone else problem.link,
        room=room,
    )


def conflict(problem: Problem, plan: Assignment | None = None, seed: int = 1) -> tuple[Violation, ...]:
    """Return one violation for each rule to relax, none when all can hold.

    ``plan`` is the best plan known. Relaxing what is returned makes a plan possible.
    """
    best = plan if plan is not None else _placed(problem)
    if not verify(problem, best):
        return ()
    if any(slot.late for slot in problem.slots):
        # A date is easier to speak about than the caps it asks to exceed.
        later = _holding(lifted(problem, {EXIT}), seed)
        if later is not None:
            return _one_each(verify(problem, later))
    if _exact(problem):
        best = _Relaxation(problem).solve(seed) or best
    return _one_each(verify(problem, _spared(problem, best, seed)))


def _exact(problem: Problem) -> bool:
    return len(problem.items) <= EXACT and cpsat.available()


def _one_each(violations: tuple[Violation, ...]) -> tuple[Violation, ...]:
    found: dict[Cause, Violation] = {}
    for violation in violations:
        found.setdefault(violation.cause, violation)
    late = sum(violation.cause == EXIT for violation in violations)
    if late > 1:
        text = f"{found[EXIT].text}, with {show_count(late - 1, 'more group')}"
        found[EXIT] = replace(found[EXIT], text=text)
    return tuple(found.values())


def _placed(problem: Problem) -> Assignment:
    model = condense(problem)
    return model.spread(first_fit(model, ahead_first(model, list(range(len(model.members)))))[0].at)


def _holding(problem: Problem, seed: int) -> Assignment | None:
    """Return a plan that breaks nothing, None when none was found."""
    found: Assignment | None = _placed(problem)
    if found is not None and verify(problem, found) and _exact(problem):
        found, _ = cpsat.anywhere(condense(problem), _LIMIT, seed)
    return None if found is None or verify(problem, found) else found


def _spared(problem: Problem, plan: Assignment, seed: int) -> Assignment:
    """Return a plan that breaks fewer rules, found by insisting on one after the other."""
    best = plan
    for cause in sorted({violation.cause for violation in verify(problem, plan)}, key=str):
        broken = {violation.cause for violation in verify(problem, best)}
        if cause in broken:
            found = _holding(lifted(problem, broken - {cause}), seed)
            if found is not None and {one.cause for one in verify(problem, found)} < broken:
                best = found
    return best


class _Relaxation:
    """Every rule with a switch of its own, and as few of them off as possible."""

    def __init__(self, problem: Problem) -> None:
        from ortools.sat.python import cp_model

        self._cp: Any = cp_model
        self.model: Any = cp_model.CpModel()
        self._problem = problem
        self._off: dict[Cause, Any] = {}
        slots = range(len(problem.slots))
        self.x = [[self.model.new_bool_var("") for _ in slots] for _ in problem.items]
        self.at = [sum(slot * one for slot, one in enumerate(row)) for row in self.x]
        for row in self.x:
            self.model.add_exactly_one(row)
        self._places()
        self._pairs()
        condensed = condense(problem)
        self._caps(condensed)
        self._line()
        self.model.minimize(sum(self._off.values()))

    def off(self, kind: str, name: int | str) -> Any:
        cause = kind, name
        if cause not in self._off:
            self._off[cause] = self.model.new_bool_var("")
        return self._off[cause]

    def _places(self) -> None:
        pilots = [at for at, item in enumerate(self._problem.items) if item.pilot]
        for at, item in enumerate(self._problem.items):
            for slot, one in enumerate(self.x[at]):
                if item.pinned is not None and slot != item.pinned:
                    self.model.add_implication(one, self.off("pinned", at))
                if item.allowed is not None and slot not in item.allowed:
                    self.model.add_implication(one, self.off("allowed", at))
                if self._problem.slots[slot].late:
                    self.model.add_implication(one, self.off(*EXIT))
                if slot < item.earliest:
                    self.model.add_implication(one, self.off("earliest", at))
            for pilot in pilots:
                if pilot != at:
                    self.model.add(self.at[pilot] <= self.at[at]).only_enforce_if(~self.off("pilot", "all"))

    def _pairs(self) -> None:
        problem = self._problem
        for number, tie in enumerate(problem.order):
            held = self.model.add(self.at[tie.before] + tie.lag <= self.at[tie.after])
            held.only_enforce_if(~self.off("order", number))
        for number, pair in enumerate(problem.apart):
            for one, other in zip(self.x[pair.a], self.x[pair.b], strict=True):
                self.model.add_bool_or(~one, ~other, self.off("apart", number))
        for number, (a, b) in enumerate(problem.latency):
            self.model.add(self.at[a] == self.at[b]).only_enforce_if(~self.off("latency", number))

    def _caps(self, condensed: Model) -> None:
        items = self._problem.items
        whole = [condensed.oversize[block] for block in condensed.block_of]
        for slot, sheet in enumerate(condensed.sheets):
            small = [at for at in range(len(items)) if not whole[at]]
            closed = min(*sheet[0], *sheet[1]) <= 0
            for at in range(len(items)):
                for other in range(len(items)):
                    mates = condensed.block_of[at] == condensed.block_of[other]
                    if whole[at] and not mates and (other > at or not whole[other]):
                        self.model.add_bool_or(
                            ~self.x[at][slot], ~self.x[other][slot], self._any_cap(condensed, at)
                        )
                if whole[at] and closed:
                    self.model.add_implication(self.x[at][slot], self._any_cap(condensed, at))
            for kind, name in enumerate(PLAIN):
                self._sum(
                    name, sheet[0][kind], [(plain_of(items[at])[kind], self.x[at][slot]) for at in small]
                )
            by_key: dict[tuple[int, str], list[tuple[float, Any]]] = {}
            for at in small:
                for key, amount in each_of(items[at]):
                    by_key.setdefault(key, []).append((amount, self.x[at][slot]))
            for (kind, _), pairs in sorted(by_key.items()):
                self._sum(EACH[kind], sheet[1][kind], pairs)

    def _any_cap(self, condensed: Model, at: int) -> Any:
        """Return the switch of the cap that makes an item too big for company."""
        block = condensed.block_of[at]
        for kind, name in enumerate(PLAIN):
            if condensed.plain[block][kind] > max(sheet[0][kind] for sheet in condensed.sheets):
                return self.off("cap", name)
        mine = [
            item for item, own in zip(self._problem.items, condensed.block_of, strict=True) if own == block
        ]
        for (kind, _), amount in sorted(together(mine)[1].items()):
            if amount > max(sheet[1][kind] for sheet in condensed.sheets):
                return self.off("cap", EACH[kind])
        return self.off("cap", EACH[2])

    def _sum(self, name: str, cap: float, pairs: list[tuple[float, Any]]) -> None:
        if cap < inf and sum(amount for amount, _ in pairs) > cap:
            scale = 1 if all(amount == int(amount) for amount, _ in pairs) else 1_000
            total = sum(ceil(amount * scale - 1e-6) * one for amount, one in pairs)
            held = self.model.add(total <= floor(cap * scale + 1e-6))
            held.only_enforce_if(~self.off("cap", name))

    def _line(self) -> None:
        line = line_of(self._problem)
        for slot, carried in enumerate(line.carried):
            if carried < inf:
                sent = sum(
                    ceil(line.weight(item.seed_bytes, item.churn_bytes_day, early) - 1e-6) * self.x[at][early]
                    for at, item in enumerate(self._problem.items)
                    for early in range(slot + 1)
                )
                self.model.add(sent <= floor(carried + 1e-6)).only_enforce_if(~self.off("link", "all"))

    def solve(self, seed: int) -> Assignment | None:
        solver = self._cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = _LIMIT
        if solver.solve(self.model) not in (self._cp.OPTIMAL, self._cp.FEASIBLE):
            return None
        return tuple(
            next(slot for slot, one in enumerate(row) if solver.boolean_value(one)) for row in self.x
        )
