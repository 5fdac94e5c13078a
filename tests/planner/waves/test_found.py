"""Whoever listens to a search hears of each better plan, and the plan is the same as without a listener."""

from __future__ import annotations

from random import Random

from planner.waves.found import Best
from planner.waves.problem import Caps, Item, Problem, Slot
from planner.waves.solve import solve

WEEK = 7 * 86_400.0


def scattered(count: int = 90, slots: int = 12) -> Problem:
    """Groups that talk to others at random, in slots a week apart: first fit is far from the best."""
    rng = Random(5)
    ties = {}
    for _ in range(count * 3):
        a, b = sorted(rng.sample(range(count), 2))
        ties[a, b] = float(rng.randrange(1, 1_000)) * 1e6
    return Problem(
        tuple(Item(f"g{at:02}", 5, 10, 10) for at in range(count)),
        tuple(
            Slot(at * WEEK, 8.0, Caps(vms=count * 5 // slots + 5), f"w{at + 1}") for at in range(slots + 2)
        ),
        tuple((a, b, weight) for (a, b), weight in ties.items()),
    )


def test_every_better_plan_is_told_and_the_last_is_the_plan() -> None:
    told: list[Best] = []
    solution = solve(scattered(), effort="quick", found=told.append)
    card = solution.score.card
    assert len(told) >= 3
    assert told[0].phase == "first fit"
    assert {best.phase for best in told[1:]} <= {"annealing", "CP-SAT"}
    assert told[-1].stretch_gb < told[0].stretch_gb
    last = told[-1]
    assert (last.waves, last.waves_bound) == (card.waves, card.waves_bound)
    assert (last.cut_share, last.stretch_gb) == (card.cut_share, card.stretch_gb)
    assert not any(best.services for best in told)


def test_a_listener_changes_nothing() -> None:
    heard: list[Best] = []
    with_one = solve(scattered(40, 6), effort="quick", found=heard.append)
    assert heard
    assert with_one == solve(scattered(40, 6), effort="quick")


def test_a_plan_that_breaks_rules_is_never_told_of() -> None:
    told: list[Best] = []
    problem = Problem(
        tuple(Item(f"g{at}", 5, 10, 10) for at in range(4)), (Slot(None, 8.0, Caps(vms=10), "w1"),)
    )
    solution = solve(problem, found=told.append)
    assert solution.violations
    assert told == []


def test_what_is_said_to_be_best_never_gets_worse() -> None:
    gigabytes: list[float] = []
    solve(scattered(), effort="quick", report=lambda gb, step, of: gigabytes.append(gb))
    assert len(gigabytes) > 10
    assert gigabytes[-1] == min(gigabytes)
