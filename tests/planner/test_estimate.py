"""Estimates: the arithmetic of link, size and churn, checked by hand."""

from __future__ import annotations

import pytest

from planner.estimate import Measured, estimate_wave, goodput_bytes_s
from planner.model import VM
from planner.settings import Link, Policies
from planner.units import GIB
from planner.volumes import volumes
from tests.planner.sketch import disk, estate, plan, rdm, vm

LINK = Link(rate_mbit=1000, share=0.5)
RATE = 1e9 / 8 * 0.5 * 0.85
COMPARE = 1e9  # bytes per second at which whole disks are compared after the stop


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
    assert found.downtime_min.p50 == pytest.approx(100 * GIB * (1 / RATE + 1 / COMPARE) / 60 + 8, abs=0.01)


def test_comparing_whole_disks_after_the_stop_is_downtime() -> None:
    big = vm("a", disk(size_bytes=8192 * GIB, used_bytes=GIB), churn_bytes_day=0)
    found = wave(big).downtime_min
    assert found.p50 == pytest.approx(8192 * GIB / COMPARE / 60 + 8, abs=0.01)
    assert found.p95 == pytest.approx(2 * 8192 * GIB / COMPARE / 60 + 16, abs=0.01)


def test_databases_write_more_and_known_churn_wins() -> None:
    big = disk(size_bytes=4000 * GIB)
    plain, database = wave(vm("a", big)), wave(vm("a", big, tier="database"))
    known = wave(vm("a", big, tier="database", churn_bytes_day=0))
    quiet = pytest.approx(4000 * GIB / COMPARE / 60 + 8, abs=0.01)
    assert known.downtime_min.p50 == quiet
    assert known.downtime_min.p50 < plain.downtime_min.p50 < database.downtime_min.p50


def test_what_writes_faster_than_the_link_carries_does_not_converge() -> None:
    slow = Link(rate_mbit=1, share=1)
    found = wave(vm("a", disk(size_bytes=1000 * GIB), churn_bytes_day=500 * GIB), link=slow)
    assert not found.converges
    # A delta is never more than everything.
    whole_min = 1000 * GIB * (1 / goodput_bytes_s(slow) + 1 / COMPARE) / 60
    assert found.downtime_min.p50 <= whole_min + 8.01
    assert wave(vm("a")).converges


def test_boot_batches_cost_time() -> None:
    quiet = vm("a", churn_bytes_day=0)
    assert wave(quiet, batches=4).downtime_min.p50 - wave(quiet, batches=1).downtime_min.p50 == 9.0


@pytest.mark.parametrize("size_mib", [64, 60 * 1024 * 1024])
@pytest.mark.parametrize("rate_mbit", [1, 100_000])
def test_estimates_are_sane_from_the_smallest_disk_to_the_largest_on_any_link(
    size_mib: int, rate_mbit: int
) -> None:
    size = size_mib * 1024**2
    found = wave(vm("a", disk(size_bytes=size)), link=Link(rate_mbit=rate_mbit, share=1))
    seed_s = size / (rate_mbit * 1e6 / 8 * 0.85)
    assert found.seed_h.p50 == pytest.approx(seed_s / 3600, abs=1e-3)
    assert found.seed_h.p50 <= found.seed_h.p95
    compared_min = size / COMPARE / 60
    assert compared_min + 7.99 <= found.downtime_min.p50 <= seed_s / 60 + compared_min + 8.01
    assert found.downtime_min.p50 < found.downtime_min.p95


def test_measured_rates_stand_in_for_the_rules_of_thumb() -> None:
    found = volumes(estate(vm("a", disk(size_bytes=1000 * GIB))))
    usual = estimate_wave(found, LINK, Policies(), 2)
    fast = estimate_wave(found, LINK, Policies(), 2, Measured(link_bytes_s=2 * RATE))
    assert fast.seed_h.p50 == pytest.approx(usual.seed_h.p50 / 2, abs=1e-3)
    quick = estimate_wave(found, LINK, Policies(), 2, Measured(stop_min=1.0, boot_batch_min=0.5))
    assert usual.downtime_min.p50 - quick.downtime_min.p50 == pytest.approx(5 + 2 * 3 - 1 - 2 * 0.5, abs=0.02)
    near = estimate_wave(found, LINK, Policies(), 2, Measured(compare_bytes_s=COMPARE * 2))
    saved = 1000 * GIB / COMPARE / 2 / 60
    assert usual.downtime_min.p50 - near.downtime_min.p50 == pytest.approx(saved, abs=0.02)
    assert estimate_wave(found, LINK, Policies(), 2, Measured()) == usual


def test_churn_that_the_link_cannot_carry_does_not_converge() -> None:
    found = volumes(estate(vm("a", disk(size_bytes=1000 * GIB))))
    assert estimate_wave(found, LINK, Policies(), 1).converges
    assert not estimate_wave(found, LINK, Policies(), 1, Measured(churn=1000.0)).converges
    assert estimate_wave(found, LINK, Policies(), 1).churn_bytes_day == pytest.approx(30 * GIB)


def test_a_plan_says_what_each_vm_and_each_group_takes() -> None:
    shared = rdm("n", size_bytes=100 * GIB)
    inventory = estate(vm("a", disk(size_bytes=10 * GIB), shared), vm("b", shared), vm("c"))
    (only,) = plan(inventory).waves
    takes = {item.what: item for item in only.takes}
    assert sorted(takes) == ["a", "id-a", "id-b", "id-c"], "the group of two by the name it has"
    group, alone = takes["a"], takes["id-b"]
    copy_min = 100 * GIB / goodput_bytes_s(Link()) / 60
    assert alone.final_min.p50 == pytest.approx(copy_min, abs=0.02)
    assert alone.final_min.p50 <= group.final_min.p50 < 1.5 * alone.final_min.p50, "the shared disk once"
    assert alone.downtime_min.p50 > alone.final_min.p50
    assert takes["id-c"].seed_h.p50 > 0
    assert all(item.converges for item in only.takes)
