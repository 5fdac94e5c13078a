"""Rehearsals: many twin runs to one report, the same for the same seed."""

from __future__ import annotations

import pytest

from migrate.rehearsal import FAULTS, model_of, rehearse
from migrate.run.compose import compose
from planner.errors import BadInput
from planner.estimate import CHURN_PER_DAY, Measured
from planner.settings import Link, Window
from tests.migrate.estate import pair_wave, small_wave

LINK = Link()


def test_a_calm_rehearsal_commits_every_time() -> None:
    wave = pair_wave()
    said = rehearse(wave, LINK, runs=20, seed=3)
    assert said.outcomes == {"committed": 20}
    assert said.steps == len(compose(wave).steps)
    assert said.fingerprint == wave.fingerprint
    assert 0 < said.cutover.p50 <= said.cutover.p95
    assert said.back is None
    assert said.failed_at == {}
    assert len(said.slowest) == 5
    assert [item.time.p95 for item in said.slowest] == sorted(
        (i.time.p95 for i in said.slowest), reverse=True
    )


def test_the_same_seed_gives_the_same_report() -> None:
    assert rehearse(pair_wave(), LINK, runs=5, seed=3) == rehearse(pair_wave(), LINK, runs=5, seed=3)
    assert rehearse(pair_wave(), LINK, runs=5, seed=3) != rehearse(pair_wave(), LINK, runs=5, seed=9)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_that_can_be_asked_for_strikes(fault: str) -> None:
    said = rehearse(small_wave(), LINK, runs=2, seed=1, fault=fault)
    assert said.failed_at, "a fault that nothing notices must not be on offer"
    assert sum(said.failed_at.values()) == 2
    assert said.cutover.p50 >= 0


@pytest.mark.parametrize("fault", ["boot", "no_such_call", "thaw"])
def test_a_fault_that_would_not_strike_is_refused(fault: str) -> None:
    with pytest.raises(BadInput) as caught:
        rehearse(small_wave(), LINK, runs=1, seed=1, fault=fault)
    assert "power_on" in caught.value.hint


def test_no_runs_is_no_rehearsal() -> None:
    with pytest.raises(BadInput):
        rehearse(small_wave(), LINK, runs=0, seed=1)


def test_one_run_is_a_report_too() -> None:
    said = rehearse(small_wave(), LINK, runs=1, seed=1)
    assert said.cutover.p50 == said.cutover.p95


@pytest.mark.parametrize(("hours", "fits"), [(72, 1.0), (0.001, 0.0)])
def test_the_share_of_runs_that_fit_into_the_window(hours: float, fits: float) -> None:
    window = Window.model_validate({"start": "2026-10-03T22:00:00", "hours": hours})
    said = rehearse(small_wave().model_copy(update={"window": window}), LINK, runs=4, seed=1)
    assert said.fits == fits
    assert said.window_s == hours * 3600


def test_a_slower_link_takes_longer() -> None:
    wave = small_wave(size_bytes=10 << 30)
    fast = rehearse(wave, Link(rate_mbit=1000), runs=3, seed=1)
    slow = rehearse(wave, Link(rate_mbit=100), runs=3, seed=1)
    assert slow.seed.p50 > 5 * fast.seed.p50


def test_what_runs_measured_stands_in_for_the_rules_of_thumb() -> None:
    wave = small_wave(size_bytes=10 << 30)
    rates = Measured(link_bytes_s=5e6, compare_bytes_s=8e6, pass_s=60.0, runs=("W00 of 2026-10-03",))
    plain, said = (rehearse(wave, LINK, runs=3, seed=1, rates=known) for known in (None, rates))
    assert (plain.measured, said.measured) == ((), rates.runs)
    assert said.seed.p50 > 5 * plain.seed.p50
    assert said.cutover.p50 > plain.cutover.p50 + (10 << 30) / 8e6 - (10 << 30) / 1e8
    passes = [
        next(step.end_s - step.begin_s for step in one.course.steps if step.step.endswith("/final"))
        for one in (rehearse(wave, LINK, runs=1, seed=1, rates=Measured(pass_s=s)) for s in (0.0, 60.0))
    ]
    assert passes[1] >= passes[0] + 60


def test_what_vms_write_is_as_measured_by_vm_or_by_a_factor() -> None:
    wave = pair_wave()
    day = model_of(wave, LINK).churn_bytes_s * 86400 * len(wave.disks)
    assert day == pytest.approx(wave.size_bytes * CHURN_PER_DAY)
    assert model_of(wave, LINK, Measured(churn=3.0)).churn_bytes_s * 86400 * len(wave.disks) == (
        pytest.approx(3 * day)
    )
    quiet = Measured(churn_bytes_day={vm.id: 0.0 for vm in wave.vms})
    assert model_of(wave, LINK, quiet).churn_bytes_s == 0.0


def test_the_model_holds_each_vm_with_its_disks() -> None:
    model = model_of(pair_wave(), LINK)
    assert [(vm, running, len(disks)) for vm, _, running, disks in model.vms] == [
        ("id-a", True, 2),
        ("id-b", True, 2),
        ("id-c", False, 1),
    ]
    assert model.rate_bytes_s < 1e9 / 8


def test_the_first_run_is_told_step_by_step() -> None:
    wave = pair_wave()
    said = rehearse(wave, LINK, runs=3, seed=7)
    course = said.course
    assert [step.step for step in course.steps] == [step.id for step in compose(wave).steps]
    assert course.seed == said.seed_used == 7
    assert course.go_s is not None
    assert course.commit_s is not None
    assert course.commit_s - course.go_s == said.took[0]
    assert all(step.begin_s <= step.end_s <= course.ended_s for step in course.steps)
    assert not any(step.failed for step in course.steps)
    assert len(said.took) == 3


def test_the_outage_of_a_vm_is_from_its_stop_to_its_probe() -> None:
    said = rehearse(small_wave(), LINK, runs=1, seed=1)
    steps = {step.step: step for step in said.course.steps}
    outages = [steps[f"{vm}/probe"].end_s - steps[f"{vm}/stop"].begin_s for vm in ("g0/v0", "g0/v1")]
    assert said.down is not None
    assert said.down.p50 == max(outages)
    assert outages[0] != outages[1]
    assert 0 < said.down.p50 <= said.cutover.p50


def test_a_phase_is_from_its_first_step_to_its_last_one() -> None:
    said = rehearse(small_wave(), LINK, runs=1, seed=1)
    stops = [step for step in said.course.steps if step.kind == "stop"]
    assert len(stops) == 2
    assert said.phases["stop"].p50 == max(one.end_s for one in stops) - min(one.begin_s for one in stops)
    assert said.phases["cutover"] == said.cutover
    assert {"seed", "final delta", "verify", "build", "start", "probes", "commit"} <= set(said.phases)
    many = rehearse(small_wave(), LINK, runs=20, seed=1)
    assert many.phases["probes"].p50 < many.phases["probes"].p95


def test_the_worst_run_can_be_run_again() -> None:
    said = rehearse(pair_wave(), LINK, runs=20, seed=3)
    again = rehearse(pair_wave(), LINK, runs=1, seed=said.worst.seed)
    assert said.worst.cutover_s == max(said.took) == again.cutover.p50
    slowest = next(step for step in again.course.steps if step.title == said.worst.slowest)
    assert slowest.end_s - slowest.begin_s == said.worst.slowest_s


def test_a_run_that_fails_says_where_and_has_no_outage() -> None:
    said = rehearse(small_wave(), LINK, runs=2, seed=1, fault="power_on")
    assert [step.kind for step in said.course.steps if step.failed] == ["start"]
    assert said.course.commit_s is None
    assert said.down is None
