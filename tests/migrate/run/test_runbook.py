"""Runbooks: plain data in an order, that come back from the store as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest

from migrate.run.compose import another_round, compose
from migrate.run.runbook import GO, Phase, Runbook, Step, dump_runbook, dump_step, load_runbook
from planner.effects import Effect
from planner.errors import NotFound
from tests.migrate.estate import pair_wave, small_wave


def step(name: str, *needs: str) -> Step:
    return Step(name, "check", name, name, Phase.REPLICATE, Effect.VIEW, needs)


@pytest.mark.parametrize(
    "steps",
    [
        (step("a"), step("a")),
        (step("a", "b"), step("b")),
        (step("a", "a"),),
        (step("a", "nowhere"),),
    ],
)
def test_an_order_that_cannot_be_followed_is_refused(steps: tuple[Step, ...]) -> None:
    with pytest.raises(ValueError, match="step a"):
        Runbook("W", "f", steps)


def test_an_unknown_step_is_not_found() -> None:
    with pytest.raises(NotFound):
        Runbook("W", "f", (step("a"),)).step("b")


def test_dependents_are_the_needs_turned_round() -> None:
    runbook = compose(pair_wave())
    turned = {(need, user) for need, users in runbook.dependents.items() for user in users}
    assert turned == {(need, item.id) for item in runbook.steps for need in item.needs}


@pytest.mark.parametrize("wave", [small_wave(), pair_wave()])
def test_a_runbook_comes_back_from_json_as_it_was(wave: object) -> None:
    before = compose(wave)  # type: ignore[arg-type]
    told, params = json.loads(json.dumps(dump_runbook(before)))
    after = load_runbook(told, json.dumps(params))
    assert after == before
    assert [dump_step(step) for step in after.steps] == [dump_step(step) for step in before.steps]


def test_params_are_decoded_when_they_are_asked_for_but_those_of_gates_are_there() -> None:
    told, params = dump_runbook(compose(small_wave()))
    assert load_runbook(told, "no JSON").step(GO).params == params[told["steps"].index(gate_in(told))]
    broken = load_runbook(told, "no JSON").steps[0]
    with pytest.raises(ValueError, match="Expecting value"):
        broken.params.get("vms")
    with pytest.raises(TypeError):
        broken.params["vms"] = ()  # type: ignore[index]


def gate_in(told: dict[str, Any]) -> list[Any]:
    """Return the row of the go gate."""
    return next(step for step in told["steps"] if step[0] == GO)


def test_with_cycle_puts_a_round_between_what_the_gate_waited_for_and_the_gate() -> None:
    wave = pair_wave()
    before = compose(wave)
    after = before.with_cycle(GO, another_round(wave, 2))
    gate = before.step(GO)
    added = [item for item in after.steps if item.id not in before.index]
    assert [item.id for item in after.steps if item.id in before.index] == [item.id for item in before.steps]
    assert {item.kind for item in added} == {"snapshot", "transfer", "checkpoint", "drop-snapshot"}
    assert all(item.needs == gate.needs for item in added if item.kind == "snapshot")
    waits = set(after.step(GO).needs) - set(gate.needs)
    assert waits == {item.id for item in added if item.kind == "drop-snapshot"}
    assert before.step(GO) == gate


def test_with_cycle_of_nothing_changes_nothing() -> None:
    before = compose(small_wave())
    assert before.with_cycle(GO, ()) == before


def by_names(runbook: Runbook) -> dict[str, Any]:
    """Return a runbook as it was stored when every step named its fields."""
    steps = [dump_step(step) for step in runbook.steps]
    told = {"wave": runbook.wave, "fingerprint": runbook.fingerprint, "steps": steps}
    return dict(json.loads(json.dumps(told)))


def test_a_runbook_whose_steps_name_their_fields_is_read() -> None:
    before = compose(pair_wave())
    assert load_runbook(by_names(before)) == before


def test_fields_are_known_by_their_names_not_by_their_places() -> None:
    before = compose(small_wave())
    told, params = json.loads(json.dumps(dump_runbook(before)))
    told["fields"].reverse()
    for step in told["steps"]:
        step.reverse()
    assert load_runbook(told, json.dumps(params)) == before
    told["fields"][0] = "unheard-of"
    with pytest.raises(TypeError, match="unheard-of"):
        load_runbook(told)


@pytest.mark.parametrize(("attempts", "retried"), [(3, True), (1, False)])
def test_steps_that_were_stored_with_a_number_of_attempts_are_read(attempts: int, retried: bool) -> None:
    old = by_names(compose(small_wave()))
    for step in old["steps"]:
        del step["retried"]
        step["attempts"] = attempts
    assert {step.retried for step in load_runbook(old).steps} == {retried}
