"""Gates: no sequence of words opens what its rule keeps shut, whoever says them in whatever order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.gates.opening import Open, Shut, by_policy, standing
from migrate.gates.words import Verdict, Word
from migrate.run.runbook import GATE, Phase, Step
from planner.conduct import GateRule
from planner.effects import Effect

PLAN, OTHER = "f" * 64, "0" * 64
OPENS = datetime(2026, 12, 5, 22, 0, tzinfo=UTC)
WINDOW = {"start": "2026-12-05T22:00:00", "hours": 6, "zone": "UTC"}


def gate(window: dict[str, Any] | None = None, **rule: Any) -> Step:
    params = {"rule": GateRule(**rule).model_dump(), "window": window}
    return Step("go", GATE, "go", "W01", Phase.CUTOVER, Effect.LIVE, params=params)


def word(verdict: Verdict, uid: int = 1, *, ticket: str = "", plan: str = PLAN, at: str = "go") -> Word:
    return Word(1, at, verdict, f"p{uid}", uid, "2026-12-05T21:00:00Z", plan, ticket, "because")


def words(uids: Iterable[int] = (1, 2, 3), plan: str = PLAN) -> st.SearchStrategy[list[Word]]:
    return st.lists(
        st.builds(
            word,
            st.sampled_from(Verdict),
            st.sampled_from(tuple(uids)),
            ticket=st.sampled_from(("", "CHG1", "CHG1\n", "no")),
            plan=st.just(plan),
        ),
        max_size=12,
    )


@given(words(uids=(7,)))
def test_one_person_never_opens_a_gate_for_two(said: list[Word]) -> None:
    assert isinstance(standing(gate(persons=2), said, OPENS, PLAN), Shut)


@given(words(plan=OTHER), st.sampled_from((1, 2)))
def test_words_on_another_plan_never_open(said: list[Word], persons: int) -> None:
    assert isinstance(standing(gate(persons=persons), said, OPENS, PLAN), Shut)


@given(words())
def test_words_at_another_gate_never_open(said: list[Word]) -> None:
    moved = [word(one.verdict, one.uid, at="commit") for one in said]
    assert isinstance(standing(gate(), moved, OPENS, PLAN), Shut)


@given(words(), words(uids=(1, 2)), st.sampled_from((Verdict.HOLD, Verdict.REFUSE)))
def test_a_hold_always_wins_until_the_same_person_says_otherwise(
    before: list[Word], after: list[Word], verdict: Verdict
) -> None:
    held = [*before, word(verdict, 3), *after]
    shut = standing(gate(), held, OPENS, PLAN)
    assert isinstance(shut, Shut)
    assert "p3" in shut.reason
    assert isinstance(by_policy(gate(), held, OPENS, PLAN, OPENS), Shut)
    by_himself = [*held, word(Verdict.APPROVE, 1), word(Verdict.APPROVE, 2), word(Verdict.RELEASE, 3)]
    assert isinstance(standing(gate(persons=2), by_himself, OPENS, PLAN), Open)


@given(words(), st.sampled_from((1, 2)))
def test_the_newest_word_of_each_person_decides(said: list[Word], persons: int) -> None:
    newest = {one.uid: one for one in said}
    yes = sum(one.verdict is Verdict.APPROVE for one in newest.values())
    no = any(one.verdict in (Verdict.HOLD, Verdict.REFUSE) for one in newest.values())
    found = standing(gate(persons=persons), said, OPENS, PLAN)
    assert isinstance(found, Open) is (yes >= persons and not no)
    if isinstance(found, Open):
        assert len({one["uid"] for one in found.evidence["words"]}) >= persons


@given(words())
def test_without_a_fitting_ticket_nobody_opens(said: list[Word]) -> None:
    found = standing(gate(ticket=r"CHG\d"), said, OPENS, PLAN)
    if isinstance(found, Open):
        assert {one["ticket"] for one in found.evidence["words"]} == {"CHG1"}


@pytest.mark.parametrize(
    ("after", "opens"),
    [
        (timedelta(seconds=-1), False),
        (timedelta(), True),
        (timedelta(hours=6, seconds=-1), True),
        (timedelta(hours=6), False),
    ],
)
def test_the_clock_opens_it_in_the_window_only(after: timedelta, opens: bool) -> None:
    found = standing(gate(WINDOW, in_window=True), [word(Verdict.APPROVE)], OPENS + after, PLAN)
    assert isinstance(found, Open) is opens


def test_what_only_the_clock_keeps_shut_says_when_it_opens() -> None:
    early = OPENS - timedelta(hours=1)
    found = standing(gate(WINDOW, in_window=True), [word(Verdict.APPROVE)], early, PLAN)
    assert found == Shut(
        "the window, which opens at 2026-12-05 22:00 UTC",
        ("the window, which opens at 2026-12-05 22:00 UTC",),
        OPENS,
    )
    unsaid = standing(gate(WINDOW, in_window=True), [], early, PLAN)
    assert isinstance(unsaid, Shut)
    assert unsaid.until is None, "time alone does not open it"
    assert len(unsaid.missing) == 2


def test_a_wave_without_a_window_is_not_open_for_ever() -> None:
    found = standing(gate(None, in_window=True), [word(Verdict.APPROVE)], OPENS, PLAN)
    assert isinstance(found, Shut)
    assert "gives it none" in found.reason


def test_a_local_window_is_read_in_its_zone() -> None:
    berlin = {**WINDOW, "zone": "Europe/Berlin"}
    said = [word(Verdict.APPROVE)]
    at = OPENS - timedelta(hours=1)
    assert isinstance(standing(gate(berlin, in_window=True), said, at, PLAN), Open)


def test_what_is_missing_is_said_one_by_one() -> None:
    rule = gate(persons=2, ticket=r"CHG\d+")
    given_badly = standing(rule, [word(Verdict.APPROVE, 1, ticket="tomorrow\x1b[2J")], OPENS, PLAN)
    assert isinstance(given_badly, Shut)
    assert given_badly.reason == (
        r"the approval of 2 persons with a ticket like CHG\d+ (p1 gave tomorrow␛[2J)"
    )
    half = standing(rule, [word(Verdict.APPROVE, 1, ticket="CHG1")], OPENS, PLAN)
    assert isinstance(half, Shut)
    assert half.reason == r"the approval of another person with a ticket like CHG\d+"


def test_the_policy_needs_the_end_of_the_window_and_no_person() -> None:
    early = by_policy(gate(persons=2), [], OPENS, PLAN, OPENS + timedelta(minutes=5))
    assert isinstance(early, Shut)
    assert early.until == OPENS + timedelta(minutes=5)
    late = by_policy(gate(persons=2), [], OPENS, PLAN, OPENS)
    assert isinstance(late, Open)
    assert late.evidence["who"] == "the approved plan"


def test_a_gate_of_an_older_runbook_wants_one_person() -> None:
    old = Step("go", GATE, "go", "W01", Phase.CUTOVER, Effect.LIVE)
    assert isinstance(standing(old, [], OPENS, PLAN), Shut)
    assert isinstance(standing(old, [word(Verdict.APPROVE)], OPENS, PLAN), Open)
