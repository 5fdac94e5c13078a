"""The twin: the same runbook on a simulated clock, reproducible, and honest about going back."""

from __future__ import annotations

import pytest

from migrate.rehearsal import model_of
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.runbook import COMMIT, GO, Phase
from migrate.steps.kinds import KINDS
from migrate.twin import Twin, TwinRun
from planner.plan import Wave
from planner.settings import Link
from tests.migrate.estate import many_wave, pair_wave, small_wave

WAVES = [small_wave(), pair_wave(), many_wave(15)]
FOREVER = 1_000_000


def run(
    wave: Wave, seed: int = 1, source: dict[str, int] | None = None, target: dict[str, int] | None = None
) -> TwinRun:
    return Twin(compose(wave), model_of(wave, Link()), KINDS, seed, source or {}, target or {}).run()


def struck(wave: Wave, site: str, call: str) -> TwinRun:
    fault = {call: FOREVER}
    return run(wave, source=fault) if site == "source" else run(wave, target=fault)


@pytest.mark.parametrize("wave", WAVES)
def test_a_calm_run_commits_after_every_step_of_the_runbook(wave: Wave) -> None:
    done = run(wave)
    assert done.outcome is Outcome.COMMITTED
    assert set(done.spans) == {step.id for step in compose(wave).steps}
    assert done.back_s is None
    assert done.failed_at == ""
    assert done.seed_s > 0
    assert done.cutover_s > 0


@pytest.mark.parametrize("wave", WAVES)
def test_no_step_begins_before_what_it_needs_has_ended(wave: Wave) -> None:
    done = run(wave)
    for step in compose(wave).steps:
        begin, end = done.spans[step.id]
        assert begin <= end
        assert all(done.spans[need][1] <= begin for need in step.needs)


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    wave = pair_wave()
    assert run(wave, 5) == run(wave, 5)
    assert run(wave, 5).cutover_s != run(wave, 6).cutover_s


def test_independent_steps_overlap() -> None:
    wave = many_wave(15)
    done = run(wave)
    stops = [done.spans[step.id] for step in compose(wave).steps if step.kind == "stop"]
    assert sum(end - begin for begin, end in stops) > 2 * (
        max(end for _, end in stops) - min(begin for begin, _ in stops)
    )


@pytest.mark.parametrize(
    ("site", "call"),
    [("target", "power_on"), ("target", "create_vm"), ("source", "shut_down"), ("source", "quiesce")],
)
def test_a_fault_after_go_rolls_back(site: str, call: str) -> None:
    wave = small_wave()
    done = struck(wave, site, call)
    assert done.outcome is Outcome.ROLLED_BACK
    assert done.back_s is not None
    assert done.back_s > 0
    assert done.cutover_s >= 0
    assert compose(wave).step(done.failed_at).phase is Phase.CUTOVER
    assert COMMIT not in done.spans


@pytest.mark.parametrize(("site", "call"), [("target", "create_disk"), ("source", "take_snapshot")])
def test_a_fault_before_go_aborts(site: str, call: str) -> None:
    done = struck(small_wave(), site, call)
    assert done.outcome is Outcome.ABORTED
    assert GO not in done.spans
    assert done.cutover_s == 0
    assert done.seed_s > 0


def test_past_the_point_of_no_return_nothing_is_rolled_back() -> None:
    done = run(small_wave(), source={"rename": FOREVER})
    assert done.outcome is Outcome.COMMITTED
    assert done.back_s is None
    assert done.failed_at.endswith("/fence")
