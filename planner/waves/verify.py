"""Does a plan obey every rule? Told from the problem alone, without the ledger that made the plan.

Each violation is one sentence that names its items; ``cause`` says which rule of the problem it breaks, so
that ``conflict`` can lift that rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from planner.names import visible
from planner.units import show_count
from planner.waves.amounts import EACH_WORDS, EASE, WORDS, told_apart
from planner.waves.line import line_of
from planner.waves.pins import wave_name
from planner.waves.problem import Assignment, Order, Problem
from planner.waves.weights import EACH, PLAIN, Sheet, fits, oversize, sheet_of, sheets, together

EXIT = ("exit", "all")  # the cause of everything that is late


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule a plan breaks. ``kind`` is slot, pinned, allowed, late, earliest, cap, order, apart, latency,
    pilot, link or room; ``cause`` is the rule's kind and its number or name.

    ``amounts`` say by how much, the less the better (of the line, slot by slot); ``whose`` is the owner,
    datastore, ... of a cap that counts for each apart.
    """

    kind: str
    items: tuple[int, ...]
    text: str
    cause: tuple[str, int | str]
    amounts: tuple[float, ...] = ()
    whose: str = ""


def _named(problem: Problem, at: int) -> str:
    return visible(problem.items[at].name)


def _slot(problem: Problem, slot: int) -> str:
    name = problem.slots[slot].name if 0 <= slot < len(problem.slots) else ""
    return visible(name) or wave_name(slot)  # people know waves and windows, not slots


def _where(problem: Problem, plan: Assignment, tie: Order) -> str:
    first, later = _slot(problem, plan[tie.before]), _slot(problem, plan[tie.after])
    return f"both stand in {first}" if first == later else f"they stand in {first} and {later}"


def _places(problem: Problem, plan: Assignment) -> Iterator[Violation]:
    for at, (item, slot) in enumerate(zip(problem.items, plan, strict=True)):
        name = visible(item.name)
        if not 0 <= slot < len(problem.slots):
            yield Violation("slot", (at,), f"{name} has no wave", ("slots", "count"))
            continue
        where = _slot(problem, slot)
        if item.pinned is not None and item.pinned != slot:
            meant = _slot(problem, item.pinned)
            yield Violation(
                "pinned", (at,), f"{name} is pinned to {meant} and stands in {where}", ("pinned", at)
            )
        if item.allowed is not None and slot not in item.allowed:
            yield Violation("allowed", (at,), f"{name} may not move in {where}", ("allowed", at))
        if problem.slots[slot].late:
            yield Violation(
                "late",
                (at,),
                f"{name} stands in {where}, which is after the exit date {problem.slots[slot].late}",
                EXIT,
                (slot,),
            )
        if slot < item.earliest:
            first = _slot(problem, item.earliest)
            yield Violation(
                "earliest",
                (at,),
                f"{name} is not ready before {first} and stands in {where}",
                ("earliest", at),
                (item.earliest - slot,),
            )


def _pairs(problem: Problem, plan: Assignment) -> Iterator[Violation]:
    for number, tie in enumerate(problem.order):
        if plan[tie.before] + tie.lag > plan[tie.after]:
            first, later = _named(problem, tie.before), _named(problem, tie.after)
            gap = f"at least {show_count(tie.lag, 'wave')} ahead of" if tie.lag else "not after"
            why = f" ({visible(tie.why)})" if tie.why else ""
            yield Violation(
                "order",
                (tie.before, tie.after),
                f"{first} must move {gap} {later}{why}, and {_where(problem, plan, tie)}",
                ("order", number),
                (plan[tie.before] + tie.lag - plan[tie.after],),
            )
    for number, pair in enumerate(problem.apart):
        if plan[pair.a] == plan[pair.b]:
            why = f" ({visible(pair.why)})" if pair.why else ""
            yield Violation(
                "apart",
                (pair.a, pair.b),
                f"{_named(problem, pair.a)} and {_named(problem, pair.b)} must not share a wave{why}",
                ("apart", number),
            )
    for number, (a, b) in enumerate(problem.latency):
        if plan[a] != plan[b]:
            yield Violation(
                "latency",
                (a, b),
                f"{_named(problem, a)} and {_named(problem, b)} must share a wave: the WAN is too slow",
                ("latency", number),
            )


def inseparable(problem: Problem, items: Sequence[int]) -> bool:
    """True when latency pairs and order ties without a lag hold all of ``items`` in one slot."""
    if len(items) == 1:
        return True
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from(items)
    inside = set(items)
    for a, b in problem.latency:
        if a in inside and b in inside:
            graph.add_edges_from(((a, b), (b, a)))
    graph.add_edges_from(
        (tie.before, tie.after)
        for tie in problem.order
        if tie.lag <= 0 and tie.before in inside and tie.after in inside
    )
    return bool(networkx.is_strongly_connected(graph))


def _full(problem: Problem, plan: Assignment, slots: Container[int] | None) -> Iterator[Violation]:
    inside: dict[int, list[int]] = defaultdict(list)
    for at, slot in enumerate(plan):
        if 0 <= slot < len(problem.slots) and (slots is None or slot in slots):
            inside[slot].append(at)
    open_sheets = sheets(problem)
    for slot, held in sorted(inside.items()):
        sheet = sheet_of(problem.slots[slot].caps)
        eased: Sheet = (
            tuple(cap * (1 + EASE) for cap in sheet[0]),  # type: ignore[assignment]
            tuple(cap * (1 + EASE) for cap in sheet[1]),
        )
        load = together(problem.items[at] for at in held)
        if fits(load, eased):
            continue
        closed = min(*sheet[0], *sheet[1]) <= 0
        if (
            not closed
            and oversize([problem.items[at] for at in held], open_sheets)
            and inseparable(problem, held)
        ):
            continue  # too big for any slot, so it moves whole with one to itself
        where = _slot(problem, slot)
        for kind, (use, cap) in enumerate(zip(load[0], eased[0], strict=True)):
            if use > cap:
                amounts = told_apart(use, sheet[0][kind], in_bytes=kind == 1)
                yield Violation(
                    "cap",
                    tuple(held),
                    f"{where} holds {amounts[0]}{WORDS[kind]}, its cap is {amounts[1]}",
                    ("cap", PLAIN[kind]),
                    (use,),
                )
        for (kind, whose), amount in load[1].items():
            if amount > eased[1][kind]:
                amounts = told_apart(amount, sheet[1][kind], in_bytes=kind == 2)
                yield Violation(
                    "cap",
                    tuple(held),
                    f"{where} holds {amounts[0]}{EACH_WORDS[kind]} {visible(whose)}, its cap is {amounts[1]}",
                    ("cap", EACH[kind]),
                    (amount,),
                    whose,
                )


def _pilots(problem: Problem, plan: Assignment) -> Iterator[Violation]:
    first = min((slot for slot in plan if slot >= 0), default=0)
    for at, item in enumerate(problem.items):
        if item.pilot and plan[at] != first:
            yield Violation(
                "pilot",
                (at,),
                f"{visible(item.name)} is a pilot and stands in {_slot(problem, plan[at])}, "
                f"while others move in {_slot(problem, first)}",
                ("pilot", "all"),
            )


def _line(problem: Problem, plan: Assignment) -> Iterator[Violation]:
    line = line_of(problem)
    if not line.limited:
        return
    by_slot: dict[int, float] = defaultdict(float)
    for item, slot in zip(problem.items, plan, strict=True):
        if 0 <= slot < len(problem.slots):
            by_slot[slot] += line.weight(item.seed_bytes, item.churn_bytes_day, slot)
    sent = list(accumulate(by_slot[slot] for slot in range(len(problem.slots))))
    over = [asked - carried for asked, carried in zip(sent, line.carried, strict=True)]
    for slot, asked in enumerate(sent):
        if asked > line.carried[slot] * (1 + EASE):
            needed, carried = told_apart(asked, line.carried[slot], in_bytes=True)
            yield Violation(
                "link",
                tuple(at for at, own in enumerate(plan) if own <= slot),
                f"until {_slot(problem, slot)} begins the line carries {carried}, and {needed} must be there",
                ("link", "all"),
                tuple(max(0.0, each) for each in over),
            )
            return


def _room(problem: Problem) -> Iterator[Violation]:
    room = problem.room
    asked = (
        ("vCPUs", room.vcpus, sum(item.vcpus for item in problem.items)),
        ("memory", room.memory_bytes, sum(item.memory_bytes for item in problem.items)),
        ("storage", room.storage_bytes, sum(item.target_bytes for item in problem.items)),
    )
    for what, free, need in asked:
        if free is not None and need > free * (1 + EASE):
            amounts = told_apart(need, free, in_bytes=what != "vCPUs")
            yield Violation(
                "room",
                tuple(range(len(problem.items))),
                f"the target needs {amounts[0]} {'' if what == 'vCPUs' else 'of '}{what} for all that moves, "
                f"and {amounts[1]} are free",
                ("room", what),
                (need,),
            )


def verify(
    problem: Problem, assignment: Assignment, slots: Container[int] | None = None
) -> tuple[Violation, ...]:
    """Return every rule ``assignment`` breaks; none for a plan that holds.

    With ``slots`` caps are looked at in these alone: what an edit did not touch is as full as it was.
    """
    if len(assignment) != len(problem.items):
        raise ValueError(f"{len(assignment)} slots for {len(problem.items)} items")
    return (
        *_places(problem, assignment),
        *_pairs(problem, assignment),
        *_full(problem, assignment, slots),
        *_pilots(problem, assignment),
        *_line(problem, assignment),
        *_room(problem),
    )
