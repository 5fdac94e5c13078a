"""Remedies on the twin: how long they take and how long a VM is down, the same for the same seed."""

from __future__ import annotations

import pytest

from migrate.remedy_rehearsal import RemedyRehearsal, rehearse_remedies
from migrate.run.remedy import compose_remedies
from planner.errors import BadInput
from planner.fixes import FIXES
from planner.settings import Link, Remedies
from tests.migrate.estate import many_wave, small_wave
from tests.migrate.troubled import with_tasks


def rehearsed(
    fixes: dict[str, tuple[str, ...]], *, outage: bool = True, seed: int = 3, stop_timeout_s: float = 600.0
) -> RemedyRehearsal:
    plain = small_wave()
    policies = plain.policies.model_copy(update={"stop_timeout_s": stop_timeout_s})
    wave = with_tasks(plain.model_copy(update={"policies": policies}), fixes)
    book = compose_remedies(wave, wave.tasks, Remedies(), outage)
    return rehearse_remedies(wave, book, Link(), runs=20, seed=seed)


def test_all_fixes_are_rehearsed_to_their_end() -> None:
    said = rehearsed({"id-db": FIXES, "id-web": FIXES})
    assert said.outcomes == {"done": 20}
    assert said.passed_over == {}
    assert said.steps == 16
    assert said.down is not None
    assert 0 < said.down.p50 <= said.down.p95 < said.total.p95
    assert said.slowest[0].title.endswith("consolidate disks")


def test_what_needs_no_outage_takes_no_vm_down() -> None:
    assert rehearsed({"id-db": ("enable-cbt",)}).down is None


def test_what_would_be_passed_over_is_said() -> None:
    said = rehearsed({"id-db": ("disk-mode",)}, outage=False)
    assert said.outcomes == {"partly": 20}
    assert said.passed_over == {"db: down for its remedy": 20, "db: dependent disks": 20}


def test_a_guest_that_takes_longer_than_it_may_is_seen_beforehand() -> None:
    said = rehearsed({"id-db": ("disk-mode",)}, stop_timeout_s=1.0)
    assert said.outcomes == {"partly": 20}
    assert said.passed_over["db: down for its remedy"] == 20


def test_the_same_seed_gives_the_same_report_and_vms_overlap() -> None:
    assert rehearsed({"id-db": FIXES}) == rehearsed({"id-db": FIXES})
    assert rehearsed({"id-db": FIXES}) != rehearsed({"id-db": FIXES}, seed=4)
    wave = many_wave(20)
    many = with_tasks(wave, {vm.id: ("consolidate",) for vm in wave.vms})
    book = compose_remedies(many, many.tasks, Remedies(), False)
    one = rehearsed({"id-db": ("consolidate",)})
    assert rehearse_remedies(many, book, Link(), runs=5, seed=1).total.p50 < 4 * one.total.p50


def test_no_runs_is_no_rehearsal() -> None:
    wave = with_tasks(small_wave(), {"id-db": FIXES})
    book = compose_remedies(wave, wave.tasks, Remedies(), True)
    with pytest.raises(BadInput):
        rehearse_remedies(wave, book, Link(), runs=0, seed=1)
