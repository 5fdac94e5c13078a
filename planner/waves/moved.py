"""A plan changed by hand: what that breaks and what it costs, at once.

A rule that was broken before stays open to every change that makes it no worse: by less over a cap is fine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from planner.waves.condense import days_of
from planner.waves.problem import Assignment, Problem
from planner.waves.score import traffic_of
from planner.waves.verify import Violation, verify

_EASE = 1e-9  # relative, for sums of fractions
Rule = tuple[str | int | tuple[int, ...], ...]
Known = Mapping[Rule, tuple[float, ...]]  # rules that are broken already, and by how much


@dataclass(frozen=True, slots=True)
class Delta:
    """How the score changes; positive is more than before. ``broken`` are the rules that held before."""

    waves: int = 0
    cut_share: float = 0.0
    stretch_gb: float = 0.0
    peak_share: float = 0.0
    violations: int = 0
    broken: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan with what it breaks and costs now, so that many changes can be held against it.

    ``known`` are the rules it breaks and how far, ``parents`` the items that new ones were parted from.
    """

    problem: Problem
    assignment: Assignment
    days: list[float]
    held: tuple[Violation, ...]
    traffic: tuple[float, float, float]
    known: Known
    parents: Mapping[int, int] = field(default_factory=dict)


def _rule(one: Violation, plan: Assignment, parents: Mapping[int, int]) -> Rule:
    """Return which rule is broken, and where: a wave for those that each wave has, else the items."""
    if one.kind == "cap":
        return one.kind, one.cause[1], plan[one.items[0]], one.whose
    if one.kind in ("link", "room"):
        return one.cause
    items = tuple(parents.get(at, at) for at in one.items)
    if one.kind in ("allowed", "pinned"):  # another wave that takes nobody else is another rule
        return one.kind, items, plan[one.items[0]]
    return one.kind, items


def _known(held: Iterable[Violation], plan: Assignment) -> Known:
    return {_rule(one, plan, {}): one.amounts for one in held}


def _worse(was: Standing, one: Violation, plan: Assignment) -> bool:
    """True for a rule that held before, or was broken by less."""
    before = was.known.get(_rule(one, plan, was.parents))
    if before is None:
        return True
    return any(now > then + abs(then) * _EASE for then, now in zip(before, one.amounts, strict=True))


def standing(problem: Problem, assignment: Assignment) -> Standing:
    """Return a plan with its figures."""
    days = days_of(problem)
    held = verify(problem, assignment)
    known = _known(held, assignment)
    return Standing(problem, assignment, days, held, traffic_of(problem, assignment, days), known)


def standing_parted(
    was: Standing, problem: Problem, assignment: Assignment, parents: Mapping[int, int]
) -> Standing:
    """Return a plan some items of which were parted, where they are; what breaks by that is not held."""
    parted = Standing(
        problem,
        assignment,
        was.days,
        was.held,
        traffic_of(problem, assignment, was.days),
        was.known,
        parents,
    )
    if not was.held:
        return parted
    full = [one for one in was.held if one.kind == "cap"]
    found = (one for one in verify(problem, assignment, ()) if not _worse(parted, one, assignment))
    return Standing(problem, assignment, parted.days, (*found, *full), parted.traffic, was.known, parents)


def standing_held(was: Standing, problem: Problem) -> Standing:
    """Return the same plan of a problem in which items may have other slots than before."""
    full = [one for one in was.held if one.kind == "cap"]
    held = (*verify(problem, was.assignment, ()), *full)
    return Standing(problem, was.assignment, was.days, held, was.traffic, _known(held, was.assignment))


def changed(
    was: Standing, after: Assignment, touched: Iterable[int] = ()
) -> tuple[tuple[Violation, ...], Delta]:
    """Return the rules that another assignment of the same problem breaks, and how the score changes.

    ``touched`` are slots whose items were parted, beside those that an item left or entered.
    """
    then, delta = restood(was, after, touched)
    return then.held, delta


def restood(was: Standing, after: Assignment, touched: Iterable[int] = ()) -> tuple[Standing, Delta]:
    """Return another assignment of the same problem as it stands, and how the score changes."""
    old, new = was.traffic, traffic_of(was.problem, after, was.days)
    pairs = zip(was.assignment, after, strict=True)
    slots = {slot for left, entered in pairs if left != entered for slot in (left, entered)} | set(touched)
    full = [one for one in was.held if one.kind == "cap" and after[one.items[0]] not in slots]
    found = (*verify(was.problem, after, slots), *full)
    return Standing(was.problem, after, was.days, found, new, _known(found, after)), Delta(
        waves=len(set(after)) - len(set(was.assignment)),
        cut_share=new[0] - old[0],
        stretch_gb=new[1] - old[1],
        peak_share=new[2] - old[2],
        violations=len(found) - len(was.held),
        broken=tuple(one for one in found if _worse(was, one, after)),
    )


def what_if_moved(
    problem: Problem, assignment: Assignment, item: int, slot: int
) -> tuple[tuple[Violation, ...], Delta]:
    """Return the rules the plan breaks with ``item`` in ``slot``, and how its score changes."""
    if not 0 <= slot < len(problem.slots):
        raise ValueError(f"there is no slot {slot}")
    return changed(standing(problem, assignment), (*assignment[:item], slot, *assignment[item + 1 :]))
