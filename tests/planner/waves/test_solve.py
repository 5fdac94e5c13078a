"""The solver on small problems whose answers are known."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from planner.waves import cpsat
from planner.waves.conflict import conflict, lifted
from planner.waves.moved import what_if_moved
from planner.waves.problem import Apart, Caps, Item, Link, Order, Problem, Slot
from planner.waves.score import score
from planner.waves.solve import slack_of, solve
from planner.waves.verify import verify

WEEK = 7 * 86_400.0


def items(count: int, **fields: object) -> tuple[Item, ...]:
    return tuple(Item(f"g{at:02}", 5, 10, 10, **fields) for at in range(count))  # type: ignore[arg-type]


def undated(count: int, caps: Caps = Caps(vms=10)) -> tuple[Slot, ...]:  # noqa: B008 - frozen
    return tuple(Slot(None, 8.0, caps, f"w{at + 1}") for at in range(count))


def dated(count: int, caps: Caps = Caps()) -> tuple[Slot, ...]:  # noqa: B008 - frozen
    return tuple(Slot(at * WEEK + 30 * 86_400, 8.0, caps, f"w{at + 1}") for at in range(count))


def test_those_who_talk_share_a_slot() -> None:
    """Eight groups, two in a slot, four pairs that talk: nothing needs to be cut."""
    problem = Problem(items(8), undated(8), tuple((at, at + 4, 100.0) for at in range(4)))
    found = solve(problem)
    card = found.score.card
    assert (card.waves, card.waves_bound, card.cut_share, card.stretch_gb) == (4, 4, 0.0, 0.0)
    assert found.feasible
    assert found.score.baseline is not None
    assert found.score.baseline.cut_share == 1.0
    assert found.score.binds == "VMs per window"


def test_a_small_problem_is_proved() -> None:
    pytest.importorskip("ortools", reason="not run: OR-tools, an extra, is not installed")
    ties = tuple((a, b, float(a + b + 1)) for a in range(6) for b in range(a + 1, 6))
    assert solve(Problem(items(6), undated(4), ties)).proved


def test_without_the_solver_library_the_rest_works_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools", None)
    monkeypatch.setattr(cpsat, "find_spec", lambda name: None)
    found = solve(Problem(items(8), undated(8), ((0, 4, 1.0),)))
    assert found.feasible
    assert not found.proved
    assert found.notes == ("OR-tools is not installed: the plan is annealed only, and nothing is proved",)
    asked = conflict(Problem(items(4), undated(1)))
    assert [one.cause for one in asked] == [("cap", "vms")]


def test_the_score_has_the_keys_people_were_promised() -> None:
    promised = {
        "waves",
        "waves_bound",
        "makespan_h",
        "makespan_bound_h",
        "cut_share",
        "stretch_gb",
        "peak_share",
        "hard_violations",
        "order_violations",
        "latency_violations",
    }
    found = solve(Problem(items(3), undated(3))).score.as_dict()
    assert promised <= set(found)
    assert set(found["baseline"]) == promised


def test_shares_are_of_traffic_between_groups_and_stretch_of_days() -> None:
    problem = Problem(items(3), undated(3, Caps()), ((0, 1, 3e9), (0, 2, 1e9)))
    card = score(problem, (0, 0, 2)).card
    assert (card.cut_share, card.stretch_gb, card.peak_share) == (0.25, 14.0, 0.25)
    card = score(problem, (0, 1, 2)).card
    assert (card.cut_share, card.stretch_gb, card.peak_share) == (1.0, 35.0, 1.0)


def test_order_pins_pilots_and_apart_are_kept() -> None:
    group = list(items(6))
    group[3] = Item("pilot", 5, 10, pilot=True)
    group[5] = Item("pinned", 5, 10, pinned=3)
    problem = Problem(
        tuple(group),
        undated(6),
        tuple((a, b, 10.0) for a in range(6) for b in range(a + 1, 6)),
        order=(Order(0, 1, 2),),
        apart=(Apart(2, 4),),
    )
    found = solve(problem)
    at = found.assignment
    assert found.feasible
    assert at[1] - at[0] >= 2
    assert at[2] != at[4]
    assert at[5] == 3
    assert at[3] == min(at)


def test_what_exceeds_every_slot_moves_alone() -> None:
    big = Item("big", 40, 10)
    found = solve(Problem((*items(2), big), undated(4), ((0, 2, 5.0), (1, 2, 5.0))))
    assert found.feasible
    assert found.assignment.count(found.assignment[2]) == 1


def test_the_line_holds_groups_back() -> None:
    """The line carries a group a week: the second one cannot go in the first window."""
    line = Link(bytes_s=(10 / WEEK,) * 168, begins_s=30 * 86_400 - WEEK)
    problem = Problem(items(3), dated(5), link=line)
    found = solve(problem)
    assert found.feasible
    assert all(slot >= number for number, slot in enumerate(sorted(found.assignment)))
    assert any(one.kind == "link" for one in verify(problem, (0, 0, 1)))
    assert found.score.card.makespan_bound_h <= found.score.card.makespan_h


def test_hours_of_the_week_without_a_line_carry_nothing() -> None:
    days_only = Link(
        bytes_s=tuple(0.0 if at % 24 < 12 else 20 / WEEK for at in range(168)), begins_s=30 * 86_400 - WEEK
    )
    assert verify(Problem(items(2), dated(3), link=days_only), (0, 1)) == ()
    reserved = Link(bytes_s=days_only.bytes_s, reserved_bytes_s=20 / WEEK, begins_s=days_only.begins_s)
    assert verify(Problem(items(2), dated(3), link=reserved), (0, 1)) != ()


def test_the_line_carries_what_is_in_use_and_caps_count_what_is_provisioned() -> None:
    line = Link(bytes_s=(10 / WEEK,) * 168, begins_s=30 * 86_400 - WEEK)
    thin = tuple(Item(f"g{at}", 5, size_bytes=100, seed_bytes=5) for at in range(2))
    assert verify(Problem(thin, dated(2), link=line), (0, 0)) == ()
    assert [one.kind for one in verify(Problem(thin, dated(2, Caps(size_bytes=150)), link=line), (0, 0))] == [
        "cap"
    ]
    found = solve(Problem(thin, dated(2), link=line))
    assert (found.score.card.waves, found.feasible) == (1, True)
    assert found.score.card.makespan_bound_h == pytest.approx(168 + 8)


def test_without_dates_hours_count_from_the_first_slot() -> None:
    found = solve(Problem(items(1), undated(2), link=Link(bytes_s=(1.0,) * 168, begins_s=15 * 86_400.0)))
    assert found.score.card.makespan_h == found.score.card.makespan_bound_h == 8.0


def test_churn_is_sent_as_well() -> None:
    line = Link(bytes_s=(10 / WEEK,) * 168, begins_s=30 * 86_400 - WEEK)
    quiet = Problem(items(1), dated(2), link=line)
    busy = Problem(items(1, churn_bytes_day=1.0), dated(2), link=line)
    assert verify(quiet, (0,)) == ()
    assert [one.kind for one in verify(busy, (0,))] == ["link"]


def test_slack_is_kept_where_the_estate_is_small() -> None:
    assert slack_of(1_000) == 0.10
    assert slack_of(10_000) == 0.03
    assert slack_of(100_000) == 0.01
    circle = (*((at, at + 1, 1.0) for at in range(39)), (0, 39, 1.0))
    found = solve(Problem(items(40), undated(40), circle), effort="quick")
    assert found.score.card.waves_bound == 20
    assert found.score.card.waves <= 22


def test_the_fewest_slots_are_found_and_proved() -> None:
    """Sizes that first fit wastes room on: 6 5 5 4 3 3 2 2 fill three slots of ten to the brim."""
    pytest.importorskip("ortools", reason="not run: OR-tools, an extra, is not installed")
    group = tuple(Item(f"g{at}", vms, 1) for at, vms in enumerate((5, 4, 3, 3, 5, 2, 6, 2)))
    found = solve(Problem(group, undated(8), ((0, 1, 1.0),)))
    assert (found.score.card.waves, found.score.card.waves_bound) == (3, 3)
    # Four of five and two of six: pairs fill slots beyond what the sums say.
    tight = tuple(Item(f"g{at}", vms, 1) for at, vms in enumerate((4, 4, 4, 4, 4, 4)))
    found = solve(Problem(tight, undated(8, Caps(vms=11))))
    assert (found.score.card.waves, found.score.card.waves_bound) == (3, 3)
    odd = tuple(Item(f"g{at}", vms, 1) for at, vms in enumerate((4,) * 5 + (3,)))
    found = solve(Problem(odd, undated(8, Caps(vms=11))))
    assert (found.score.card.waves, found.score.card.waves_bound) == (3, 3)


def test_few_slots_are_early_ones_however_many_there_are() -> None:
    """Twenty that fill five slots to the brim: first fit needs a sixth, and any five of eighty would do."""
    pytest.importorskip("ortools", reason="not run: OR-tools, an extra, is not installed")
    sizes = (10, 4, 16, 40, 4, 4, 5, 5, 50, 51, 20, 23, 18, 37, 29, 16, 3, 61, 31, 58)
    group = tuple(Item(f"g{at}", vms, 1) for at, vms in enumerate(sizes))
    found = solve(Problem(group, undated(80, Caps(vms=97))), effort="quick")
    assert [step[:2] for step in found.history[:2]] == [
        ("first fit, Louvain order", 6),
        ("CP-SAT for few slots", 5),
    ]
    assert len(set(found.assignment)) == 5
    assert max(found.assignment) <= 5  # no later than first fit ends


def test_stopping_at_once_leaves_a_plan_that_holds() -> None:
    problem = Problem(items(40), undated(40), tuple((at, at + 1, 1.0) for at in range(39)))
    found = solve(problem, stop=lambda: True)
    assert found.feasible
    assert found.stopped


def test_progress_ends_where_the_plan_does() -> None:
    told: list[tuple[float, int, int]] = []
    problem = Problem(items(40), undated(40), tuple((at, at + 1, 1e9) for at in range(39)))
    found = solve(problem, effort="quick", report=lambda best, step, of: told.append((best, step, of)))
    assert told[0][0] > told[-1][0]
    assert told[-1][1] == told[-1][2]
    assert found.history[0][0].startswith("first fit")


def test_an_edit_by_hand_says_what_it_breaks_and_costs() -> None:
    problem = Problem(items(4), undated(4), ((0, 1, 1e9), (2, 3, 1e9)), order=(Order(0, 2, 1, "test first"),))
    broken, delta = what_if_moved(problem, (0, 0, 1, 1), 2, 0)
    assert [one.kind for one in broken] == ["order", "cap"]
    assert broken[0].text == ("g00 must move at least 1 wave ahead of g02 (test first), and both stand in w1")
    assert (delta.cut_share, delta.stretch_gb, delta.violations) == (0.5, 7.0, 2)
    assert delta.broken == broken


def test_a_contradiction_names_the_fewest_rules() -> None:
    """One of two pins or the order between them has to go; what else is asked can be had."""
    group = (Item("a", 1, 1, pinned=2), Item("b", 1, 1, pinned=1), *items(2))
    asked = conflict(Problem(group, undated(4), order=(Order(0, 1, 1),), apart=(Apart(0, 2),)))
    assert len(asked) == 1
    assert asked[0].cause in {("order", 0), ("pinned", 0), ("pinned", 1)}


def test_a_target_without_room_is_said() -> None:
    from planner.waves.problem import Room

    problem = Problem(items(2, vcpus=8), undated(2), room=Room(vcpus=10.0))
    found = solve(problem)
    assert [one.text for one in found.violations] == [
        "the target needs 16 vCPUs for all that moves, and 10 are free"
    ]
    assert [one.cause for one in conflict(problem)] == [("room", "vCPUs")]


def test_the_last_plan_is_kept_where_nothing_speaks_against_it() -> None:
    last = (1, 2, 2, 0, 1, 0)
    found = solve(Problem(items(6), undated(4), last=last))
    assert found.assignment == last
    assert found.score.stability == 1.0


@pytest.mark.parametrize("exact", [True, False])
def test_a_plan_before_that_is_wasteful_now_costs_no_waves(
    exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cap of one group a wave became one of three: eight waves become three, and who can stays."""
    if not exact:
        monkeypatch.setattr(cpsat, "find_spec", lambda name: None)
    last = tuple(range(8))
    found = solve(Problem(items(8), undated(8, Caps(vms=15)), last=last))
    assert found.feasible
    assert found.score.card.waves == found.score.card.waves_bound == 3
    assert [slot for slot in found.assignment if slot in last[:3]] == list(found.assignment)
    assert found.assignment[:3] == last[:3]


def test_a_plan_before_of_services_behind_others_is_made_in_fewer_waves_as_well() -> None:
    late = items(6, earliest=4)
    found = solve(Problem(late, undated(12, Caps(vms=15)), last=(4, 5, 6, 7, 8, 9)))
    assert sorted(set(found.assignment)) == [4, 5]


def test_a_hundred_groups_follow_relaxed_caps_too() -> None:
    """Above what CP-SAT takes whole."""
    circle = (*((at, at + 1, 1.0) for at in range(99)), (0, 99, 1.0))
    last = tuple(at // 2 for at in range(100))
    found = solve(Problem(items(100), undated(60, Caps(vms=50)), circle, last=last), effort="quick")
    assert found.score.card.waves_bound == 10
    assert found.score.card.waves <= 11


@pytest.mark.parametrize("exact", [True, False])
def test_a_late_pin_draws_nobody_else(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All talk to the pinned one, and its wave would take them all: they move when they can."""
    if not exact:
        monkeypatch.setattr(cpsat, "find_spec", lambda name: None)
    group = (*items(7), Item("pinned", 5, 10, pinned=6))
    ties = tuple((at, 7, 100.0) for at in range(7))
    found = solve(Problem(group, dated(8, Caps(vms=20)), ties))
    assert found.feasible
    assert found.assignment[7] == 6
    assert max(found.assignment[:7]) <= 2
    assert found.notes[:1] == ("1 wave that only pins ask for take nobody else",)


def test_who_must_follow_a_late_pin_does_and_an_early_one_takes_company() -> None:
    group = (*items(4), Item("pinned", 5, 10, pinned=5))
    follows = Problem(group, undated(9), ((1, 4, 9.0), (2, 4, 9.0)), order=(Order(4, 3, 1),))
    found = solve(follows)
    assert found.feasible
    assert found.assignment[3] > found.assignment[4] == 5
    assert max(found.assignment[:3]) <= 2
    early = (*items(4), Item("pinned", 5, 10, pinned=1))
    found = solve(Problem(early, undated(9), ((2, 4, 9.0),)))
    assert found.assignment[2] == found.assignment[4] == 1
    assert not found.notes


def test_a_late_pin_takes_company_where_the_earlier_waves_are_full() -> None:
    group = (*items(7), Item("pinned", 5, 10, pinned=3))
    found = solve(Problem(group, undated(4)))
    assert found.feasible
    assert found.assignment.count(3) == 2


def ending(slots: tuple[Slot, ...], first_late: int) -> tuple[Slot, ...]:
    return tuple(
        replace(slot, late="2026-10-05") if at >= first_late else slot for at, slot in enumerate(slots)
    )


@pytest.mark.parametrize("count", [8, 100])
def test_the_exit_date_is_kept_where_it_can_be(count: int) -> None:
    """Hard groups that would go late, and all talk to the last; the plan before ran past the exit."""
    group = tuple(Item(f"g{at}", 5, 10, risk=1.0, criticality=1.0) for at in range(count))
    slots = ending(undated(count, Caps(vms=20)), count // 4)
    ties = tuple((at, count - 1, 1.0) for at in range(count - 1))
    found = solve(Problem(group, slots, ties, last=tuple(range(count))), effort="quick")
    assert found.feasible
    assert max(found.assignment) < count // 4


@pytest.mark.parametrize("count", [8, 100])
def test_an_exit_date_that_cannot_be_kept_is_what_is_to_be_relaxed(count: int) -> None:
    """Two groups a wave, one wave too few before the exit: 2 of 8 or of 100 are late at the least."""
    problem = Problem(items(count), ending(undated(count), count // 2 - 1), order=(Order(0, 1, 1),))
    found = solve(problem, effort="quick")
    assert found.violations
    asked = conflict(problem, found.assignment)
    assert [one.cause for one in asked] == [("exit", "all")]
    assert "which is after the exit date 2026-10-05, with" in asked[0].text
    eased = lifted(problem, {("exit", "all")})
    assert solve(eased, effort="quick").feasible
    late = tuple(at // 2 for at in range(count))
    kinds = [one.kind for one in verify(replace(problem, order=()), late)]
    assert kinds == ["late", "late"]
    assert score(replace(problem, order=()), late).card.hard_violations == 2


def test_a_pin_behind_the_exit_names_the_exit_and_other_rules_beside_it() -> None:
    group = (*items(3), Item("p", 1, 1, pinned=3))
    assert [one.cause for one in conflict(Problem(group, ending(undated(4), 3)))] == [("exit", "all")]
    both = Problem((*group, Item("q", 1, 1, pinned=2)), ending(undated(4), 3), order=(Order(3, 4, 1),))
    causes = {one.cause for one in conflict(both)}
    assert len(causes) <= 2
    assert solve(lifted(both, causes), effort="quick").feasible


def test_hard_ones_go_late() -> None:
    group = tuple(Item(f"g{at}", 5, 10, risk=float(at < 3), criticality=1.0) for at in range(6))
    found = solve(Problem(group, undated(6, Caps(vms=5))))
    assert found.score.risk_ramp[2] > found.score.risk_ramp[0]


def test_nothing_to_move_is_a_plan() -> None:
    assert solve(Problem((), undated(2))).assignment == ()
