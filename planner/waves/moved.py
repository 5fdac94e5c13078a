"""A plan changed by hand: what that breaks and what it costs, at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.waves.condense import days_of
from planner.waves.problem import Assignment, Problem
from planner.waves.score import traffic_of
from planner.waves.verify import Violation, verify


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
    """A plan with what it breaks and costs now, so that many changes can be held against it."""

    problem: Problem
    assignment: Assignment
    days: list[float]
    held: tuple[Violation, ...]
    traffic: tuple[float, float, float]


def standing(problem: Problem, assignment: Assignment, held: tuple[Violation, ...] | None = None) -> Standing:
    """Return a plan with its figures; ``held`` are the rules it breaks, looked for when None."""
    days = days_of(problem)
    broken = verify(problem, assignment) if held is None else held
    return Standing(problem, assignment, days, broken, traffic_of(problem, assignment, days))


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
    known = {(violation.cause, violation.items) for violation in was.held}
    return Standing(was.problem, after, was.days, found, new), Delta(
        waves=len(set(after)) - len(set(was.assignment)),
        cut_share=new[0] - old[0],
        stretch_gb=new[1] - old[1],
        peak_share=new[2] - old[2],
        violations=len(found) - len(was.held),
        broken=tuple(violation for violation in found if (violation.cause, violation.items) not in known),
    )


def what_if_moved(
    problem: Problem, assignment: Assignment, item: int, slot: int
) -> tuple[tuple[Violation, ...], Delta]:
    """Return the rules the plan breaks with ``item`` in ``slot``, and how its score changes."""
    if not 0 <= slot < len(problem.slots):
        raise ValueError(f"there is no slot {slot}")
    return changed(standing(problem, assignment), (*assignment[:item], slot, *assignment[item + 1 :]))
