"""The problem on flat lists: items that cannot be parted become blocks, names become numbers.

    Problem ──blocks, caps, ties──▶ Model ──▶ ledger, fit, anneal, cpsat

Latency pairs and order ties that run in a circle without a lag share a slot. A pair that cannot share
one (pins, order, apart) is left as two blocks: ``verify`` then says what the plan breaks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from planner.waves.line import Line, line_of
from planner.waves.problem import Assignment, Item, Problem
from planner.waves.weights import Key, Plain, Sheet, oversize, permitted, sheet_of, sheets, together

UNDATED_DAYS = 7.0  # how far undated slots are apart
_Edges = dict[tuple[int, int], int]


@dataclass(slots=True)
class Model:
    """Blocks by number; lists are indexed by block unless they say otherwise. Nobody changes it."""

    problem: Problem
    members: list[tuple[int, ...]]
    block_of: list[int]  # by item
    plain: list[Plain]
    each: list[tuple[tuple[int, float], ...]]  # (key, amount)
    key_kinds: list[int]  # by key: its place in EACH
    sheets: list[Sheet]  # by slot
    before: list[tuple[tuple[int, int], ...]]  # (block, lag)
    after: list[tuple[tuple[int, int], ...]]
    apart: list[frozenset[int]]
    near: list[tuple[tuple[int, float], ...]]  # (block, bytes a day)
    slots_of: list[frozenset[int] | None]  # where its own limits let it, None = anywhere from ``earliest``
    earliest: list[int]
    oversize: list[bool]
    pilots: tuple[int, ...]
    risk: list[float]
    days: list[float]  # by slot: its place in time
    line: Line
    seeds: list[float]  # bytes to send
    churn: list[float]  # bytes a day
    last: list[int]  # the slot it had in the last plan, -1 = none

    def may_have(self, block: int, slot: int) -> bool:
        """True when nothing but other blocks could keep ``block`` out of ``slot``."""
        slots = self.slots_of[block]
        return slot >= self.earliest[block] if slots is None else slot in slots

    def spread(self, slots: list[int]) -> Assignment:
        """Return the slot of each item for the slot of each block."""
        return tuple(slots[block] for block in self.block_of)


def days_of(problem: Problem) -> list[float]:
    """Return where slots stand in time, in days; undated ones follow a week apart."""
    days: list[float] = []
    for slot in problem.slots:
        if slot.start_s is not None:
            days.append(slot.start_s / 86_400)
        else:
            days.append(days[-1] + UNDATED_DAYS if days else 0.0)
    return days


class _Merger:
    """Union-find over items that refuses unions nobody could place; one that is merely big it makes."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._parent = list(range(len(problem.items)))
        self.members = [[at] for at in range(len(problem.items))]
        self._parted = {(tie.before, tie.after) for tie in problem.order if tie.lag > 0}
        self._parted |= {(pair.a, pair.b) for pair in problem.apart}

    def root(self, at: int) -> int:
        while self._parent[at] != at:
            self._parent[at] = at = self._parent[self._parent[at]]
        return at

    def join(self, a: int, b: int) -> None:
        a, b = sorted((self.root(a), self.root(b)))
        if a != b and self._can_share(self.members[a], self.members[b]):
            self._parent[b] = a
            self.members[a] += self.members[b]

    def _can_share(self, first: list[int], second: list[int]) -> bool:
        if any((a, b) in self._parted or (b, a) in self._parted for a in first for b in second):
            return False
        items = [self._problem.items[at] for at in (*first, *second)]
        return not any(item.allowed is not None or item.pinned is not None for item in items) or any(
            all(permitted(item, slot) for item in items) for slot in range(len(self._problem.slots))
        )


def _ties(problem: Problem, root: list[int]) -> _Edges:
    """Return the lag of each order tie between blocks, the longest where there are several."""
    found: _Edges = {}
    for tie in problem.order:
        pair = root[tie.before], root[tie.after]
        if pair[0] != pair[1]:
            found[pair] = max(tie.lag, found.get(pair, tie.lag))
    return found


def _circles(ties: _Edges) -> list[list[int]]:
    import networkx

    graph = networkx.DiGraph()
    graph.add_edges_from(ties)
    return sorted(
        sorted(component) for component in networkx.strongly_connected_components(graph) if len(component) > 1
    )


def condense(problem: Problem) -> Model:
    """Return the model of a problem."""
    count = len(problem.items)
    merger = _Merger(problem)
    for a, b in problem.latency:
        merger.join(a, b)
    ties = _ties(problem, [merger.root(at) for at in range(count)])
    for circle in _circles(ties):
        inside = set(circle)
        if all(lag <= 0 for pair, lag in ties.items() if inside.issuperset(pair)):
            for other in circle[1:]:
                merger.join(circle[0], other)
    roots = [at for at in range(count) if merger.root(at) == at]
    number = {root: at for at, root in enumerate(roots)}
    block_of = [number[merger.root(at)] for at in range(count)]
    members = [tuple(sorted(merger.members[root])) for root in roots]
    ties = _ties(problem, block_of)
    for circle in _circles(ties):  # nobody can obey them, so they hold up nothing else
        inside = set(circle)
        ties = {pair: lag for pair, lag in ties.items() if not inside.issuperset(pair)}
    return _model(problem, members, block_of, ties)


def _slots_of(groups: list[list[Item]], slots: int, late: frozenset[int]) -> list[frozenset[int] | None]:
    """Return the slots each block may have, None where only ``earliest`` counts."""
    in_time: dict[int, frozenset[int]] = {}  # by the first slot: most blocks share it
    bound: dict[tuple[object, ...], frozenset[int]] = {}  # by what holds their items, likewise

    def open_to(items: list[Item]) -> frozenset[int] | None:
        if any(item.allowed is not None or item.pinned is not None for item in items):
            held = tuple((item.earliest, item.allowed, item.pinned) for item in items)
            if held not in bound:
                bound[held] = frozenset(
                    slot
                    for slot in range(slots)
                    if slot not in late and all(permitted(item, slot) for item in items)
                )
            return bound[held]
        if not late:
            return None
        first = max(item.earliest for item in items)
        if first not in in_time:
            in_time[first] = frozenset(range(first, slots)) - late
        return in_time[first]

    return [open_to(items) for items in groups]


def _model(
    problem: Problem,
    members: list[tuple[int, ...]],
    block_of: list[int],
    ties: _Edges,
) -> Model:
    count = len(members)
    before: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    after: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for (first, later), lag in sorted(ties.items()):
        before[later].append((first, lag))
        after[first].append((later, lag))
    apart: list[set[int]] = [set() for _ in range(count)]
    for pair in problem.apart:
        a, b = block_of[pair.a], block_of[pair.b]
        if a != b:
            apart[a].add(b)
            apart[b].add(a)
    near: list[dict[int, float]] = [defaultdict(float) for _ in range(count)]
    for one, other, weight in problem.traffic:
        a, b = block_of[one], block_of[other]
        if a != b:
            near[a][b] += weight
            near[b][a] += weight
    groups = [[problem.items[at] for at in block] for block in members]
    late = frozenset(at for at, slot in enumerate(problem.slots) if slot.late)
    every_sheet = [sheet_of(slot.caps) for slot in problem.slots]
    open_sheets = sheets(problem)
    capped = {kind for kind in range(4) if any(sheet[1][kind] != float("inf") for sheet in every_sheet)}
    keys: dict[Key, int] = {}
    plain: list[Plain] = []
    each: list[tuple[tuple[int, float], ...]] = []
    for items in groups:
        takes, own = together(items)
        plain.append(takes)
        each.append(
            tuple(
                (keys.setdefault(key, len(keys)), amount) for key, amount in own.items() if key[0] in capped
            )
        )
    last = problem.last or ()
    return Model(
        problem=problem,
        members=members,
        block_of=block_of,
        plain=plain,
        each=each,
        key_kinds=[kind for kind, _ in keys],
        sheets=every_sheet,
        before=[tuple(pairs) for pairs in before],
        after=[tuple(pairs) for pairs in after],
        apart=[frozenset(others) for others in apart],
        near=[tuple(sorted(others.items())) for others in near],
        slots_of=_slots_of(groups, len(every_sheet), late),
        earliest=[max(item.earliest for item in items) for items in groups],
        oversize=[oversize(items, open_sheets) for items in groups],
        pilots=tuple(at for at, items in enumerate(groups) if any(item.pilot for item in items)),
        risk=[sum(item.risk * item.criticality for item in items) for items in groups],
        days=days_of(problem),
        line=line_of(problem),
        seeds=[float(sum(item.seed_bytes for item in items)) for items in groups],
        churn=[sum(item.churn_bytes_day for item in items) for items in groups],
        last=[next((last[at] for at in block if at < len(last) and last[at] >= 0), -1) for block in members],
    )
