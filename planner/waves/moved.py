"""One item put elsewhere by hand: what that breaks and what it costs, at once."""

from __future__ import annotations

from dataclasses import dataclass

from planner.waves.condense import days_of
from planner.waves.problem import Assignment, Problem
from planner.waves.score import traffic_of
from planner.waves.verify import Violation, verify


@dataclass(frozen=True, slots=True)
class Delta:
    """How the score changes; positive is more than before. ``broken`` are the rules that held before."""

    waves: int
    cut_share: float
    stretch_gb: float
    peak_share: float
    violations: int
    broken: tuple[Violation, ...]


def what_if_moved(
    problem: Problem, assignment: Assignment, item: int, slot: int
) -> tuple[tuple[Violation, ...], Delta]:
    """Return the rules the plan breaks with ``item`` in ``slot``, and how its score changes."""
    if not 0 <= slot < len(problem.slots):
        raise ValueError(f"there is no slot {slot}")
    after = (*assignment[:item], slot, *assignment[item + 1 :])
    days = days_of(problem)
    old, new = traffic_of(problem, assignment, days), traffic_of(problem, after, days)
    held, found = verify(problem, assignment), verify(problem, after)
    known = {(violation.cause, violation.items) for violation in held}
    return found, Delta(
        waves=len(set(after)) - len(set(assignment)),
        cut_share=new[0] - old[0],
        stretch_gb=new[1] - old[1],
        peak_share=new[2] - old[2],
        violations=len(found) - len(held),
        broken=tuple(violation for violation in found if (violation.cause, violation.items) not in known),
    )
