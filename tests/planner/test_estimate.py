"""Estimates: the arithmetic of link, size and churn, checked by hand."""

from __future__ import annotations

import pytest

from planner.estimate import estimate_wave, goodput_bytes_s
from planner.model import VM
from planner.settings import Link, Policies
from planner.units import GIB
from planner.volumes import volumes
from tests.planner.sketch import disk, estate, rdm, vm

LINK = Link(rate_mbit=1000, share=0.5)
RATE = 1e9 / 8 * 0.5 * 0.85


def wave(*vms: VM, batches: int = 1, link: Link = LINK):  # type: ignore[no-untyped-def]
    return estimate_wave(volumes(estate(*vms)), link, Policies(), batches)


def test_seed_is_used_bytes_over_goodput_and_p95_takes_a_slower_link() -> None:
    assert goodput_bytes_s(LINK) == RATE
    found = wave(vm("a", disk(size_bytes=1000 * GIB, used_bytes=500 * GIB)))
    assert found.seed_h.p50 == pytest.approx(500 * GIB / RATE / 3600, abs=1e-3)
    assert found.seed_h.p95 == pytest.approx(found.seed_h.p50 / 0.7, abs=2e-3)


def test_without_used_bytes_of_a_disk_those_of_its_vm_or_its_size_count() -> None:
    whole = wave(vm("a", disk(size_bytes=100 * GIB))).seed_h.p50
    half = wave(vm("a", disk(size_bytes=100 * GIB), used_bytes=50 * GIB)).seed_h.p50
    assert half == pytest.approx(whole / 2, abs=1e-3)


def test_a_shared_disk_is_copied_once() -> None:
    shared = disk(size_bytes=100 * GIB, path="[d] q.vmdk")
    assert wave(vm("a", shared), vm("b", shared)).seed_h == wave(vm("a", shared)).seed_h


def test_a_physical_rdm_is_downtime_not_seed() -> None:
    found = wave(vm("a", rdm("naa.1", size_bytes=100 * GIB)))
    assert found.seed_h.p50 == 0
    assert found.downtime_min.p50 == pytest.approx(100 * GIB / RATE / 60 + 8, abs=0.01)


def test_databases_write_more_and_known_churn_wins() -> None:
    big = disk(size_bytes=4000 * GIB)
    plain, database = wave(vm("a", big)), wave(vm("a", big, tier="database"))
    known = wave(vm("a", big, tier="database", churn_bytes_day=0))
    assert known.downtime_min.p50 == 8.0 < plain.downtime_min.p50 < database.downtime_min.p50


def test_what_writes_faster_than_the_link_carries_does_not_converge() -> None:
    slow = Link(rate_mbit=1, share=1)
    found = wave(vm("a", disk(size_bytes=1000 * GIB), churn_bytes_day=500 * GIB), link=slow)
    assert not found.converges
    # A delta is never more than everything.
    whole_min = 1000 * GIB / goodput_bytes_s(slow) / 60
    assert found.downtime_min.p50 <= whole_min + 8.01
    assert wave(vm("a")).converges


def test_boot_batches_cost_time() -> None:
    quiet = vm("a", churn_bytes_day=0)
    assert wave(quiet, batches=4).downtime_min.p50 - wave(quiet, batches=1).downtime_min.p50 == 9.0
