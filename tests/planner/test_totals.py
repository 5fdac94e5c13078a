"""Totals: shared disks once, what is unknown beside what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from planner.checks.registry import all_checks, run_checks
from planner.fields import FIELDS
from planner.model import Backing, Inventory
from planner.totals import (
    RAW,
    Coverage,
    Total,
    checks_decided,
    data_by,
    data_by_datastore,
    data_total,
    fields_known,
    systems,
)
from planner.units import GIB
from tests.planner.sketch import disk, estate, rdm, vm

SHARED = disk("2", path="[san] shared.vmdk", used_bytes=2 * GIB)
ESTATE = estate(
    vm("a", disk("1", path="[san] a.vmdk", used_bytes=GIB), SHARED, tier="db", used_bytes=3 * GIB,
       churn_bytes_day=7, guest_os="CentOS 7 (64-bit)", cpus=4),
    vm("b", disk("1", path="[nas] b.vmdk"), SHARED, rdm("naa.1", "3"), tier="web", guest_os="BeOS", cpus=1),
    vm("c", disk("1", path="[san] c.vmdk"), used_bytes=0, churn_bytes_day=5, guest_os="CentOS 7", cpus=2),
    vm("t", disk("1", size_bytes=999 * GIB), template=True),
)  # fmt: skip


def test_a_shared_disk_counts_once_and_templates_do_not() -> None:
    assert data_total(ESTATE) == Total("all", 3, 50 * GIB, 3 * GIB, 2, 12, 2, 3)


def test_parts_add_up_to_the_whole() -> None:
    rows = data_by(ESTATE, lambda item: item.tier)
    assert [(row.name, row.vms, row.provisioned_bytes) for row in rows] == [
        ("db", 1, 20 * GIB),
        ("web", 1, 20 * GIB),
        ("", 1, 10 * GIB),
    ]
    assert [(row.used_known, row.churn_known) for row in rows] == [(1, 1), (0, 0), (1, 1)]
    assert sum(row.provisioned_bytes for row in rows) == data_total(ESTATE).provisioned_bytes


def test_datastores_and_raw_devices() -> None:
    rows = data_by_datastore(ESTATE)
    assert [(row.name, row.vms, row.provisioned_bytes, row.used_bytes, row.used_known) for row in rows] == [
        ("san", 2, 30 * GIB, 3 * GIB, 1),  # c does not say what its disk uses
        ("nas", 1, 10 * GIB, 0, 0),
        (RAW, 1, 10 * GIB, 0, 0),
    ]
    moved = estate(vm("a", rdm("naa.9", backing=Backing.RDM_VIRTUAL), vm("b").disks[0]))
    assert {row.name for row in data_by_datastore(moved)} == {RAW, ""}


def test_systems_with_the_end_of_their_support() -> None:
    rows = systems(ESTATE)
    assert [(row.name, row.vms, row.cpus, row.ends) for row in rows] == [
        ("CentOS Linux 7", 2, 6, date(2024, 6, 30)),
        ("BeOS", 1, 1, None),
    ]


def test_coverage_of_fields() -> None:
    known = {row.name: row for row in fields_known(ESTATE)}
    assert set(known) == set(FIELDS)
    assert known["name"] == Coverage("name", 3, 3)
    assert known["tier"] == Coverage("tier", 2, 3)
    assert known["churn"] == Coverage("churn", 2, 3)
    assert known["snapshots"] == Coverage("snapshots", 3, 3)
    assert known["criticality"].share == 0
    gone = {row.name: row for row in fields_known(estate(vm("a"), gaps=("snapshots", "disks")))}
    assert (gone["snapshots"].known, gone["disk"].known, gone["datastore"].known) == (0, 0, 0)
    shares = [row.share for row in fields_known(ESTATE)]
    assert shares == sorted(shares)


def test_coverage_of_checks() -> None:
    bare = Inventory("t", "", (vm("a"), vm("b", cbt=True)), gaps=("hosts",))
    rows = {row.name: row for row in checks_decided(bare, run_checks(bare), all_checks())}
    assert set(rows) == {check.id for check in all_checks()}
    assert rows["disks.cbt"] == Coverage("disks.cbt", 1, 2)
    assert rows["names.invalid"] == Coverage("names.invalid", 2, 2)
    assert rows["platform.clock"] == Coverage("platform.clock", 0, 1)  # no hosts at all: not decided
    assert rows["platform.admission"] == Coverage("platform.admission", 0, 1)
    assert rows["network.standard"].share == 1.0  # there is no network to ask about


def test_disks_that_no_source_lists_are_not_nothing() -> None:
    mixed = estate(vm("a", disk("1")), vm("b", gaps=("disks",)))
    assert data_total(mixed).disks_known == 1
    assert data_total(replace(mixed, gaps=("disks",))).disks_known == 0
