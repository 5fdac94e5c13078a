"""Checks of guests, and the table of operating systems they are judged by."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from planner.checks.lifecycle import _ENDS, _NAMES, AS_OF, System, same, system
from planner.checks.registry import all_checks
from planner.model import VM, Compute, Dependency, Guest, Method, Partition, Severity, Tie
from planner.settings import Link, Settings
from planner.units import GIB, MIB
from tests.planner.checks.verdict import OFF, ON, Item, findings, nic, verdict, vm

SLOW = Settings(link=Link(rate_mbit=10, share=1.0))  # carries about 85 GiB a day


def runs(text: str, configured: str = "", **more: Any) -> VM:
    return vm(guest_os=configured, guest=Guest(running_os=text), **more)


def free(path: str, free_bytes: int | None, capacity: int | None = GIB) -> VM:
    return vm(guest=Guest(partitions=(Partition(path, capacity, free_bytes),)))


def flow(port: int | None) -> dict[str, Any]:
    return {"dependencies": (Dependency("id-app-01", "x", Tie.SOFT, "flow", port=port),)}


CASES: list[tuple[str, str, Item, dict[str, Any]]] = [
    ("guest.tools.missing", "finding", vm(tools="toolsNotInstalled"), {}),
    ("guest.tools.missing", "fine", vm(tools="toolsOk"), {}),
    ("guest.tools.missing", "unknown", vm(), {}),
    ("guest.tools.stopped", "finding", vm(tools="toolsNotRunning", power=ON), {}),
    ("guest.tools.stopped", "fine", vm(tools="toolsNotRunning", power=OFF), {}),
    ("guest.tools.stopped", "unknown", vm(tools="toolsNotRunning"), {}),
    ("guest.tools.old", "finding", vm(tools="toolsOld"), {}),
    ("guest.tools.old", "fine", vm(tools="toolsOk"), {}),
    ("guest.tools.old", "unknown", vm(), {}),
    ("guest.heartbeat", "finding", vm(guest=Guest(heartbeat="red")), {}),
    ("guest.heartbeat", "fine", vm(guest=Guest(heartbeat="green")), {}),
    ("guest.heartbeat", "unknown", vm(guest=Guest(heartbeat="gray")), {}),
    ("guest.time-sync", "finding", vm(guest=Guest(time_sync=True)), {}),
    ("guest.time-sync", "fine", vm(guest=Guest(time_sync=False)), {}),
    ("guest.time-sync", "unknown", vm(), {}),
    ("guest.os.ended", "finding", vm(guest_os="Microsoft Windows Server 2012 R2 (64-bit)"), {}),
    ("guest.os.ended", "finding", runs("CentOS Linux 7", "CentOS 4/5 or later (64-bit)"), {}),
    ("guest.os.ended", "fine", vm(guest_os="Red Hat Enterprise Linux 9 (64-bit)"), {}),
    ("guest.os.ended", "unknown", vm(guest_os="Microsoft Windows Server 2016 or later (64-bit)"), {}),
    ("guest.os.ended", "unknown", vm(guest_os="BeOS"), {}),
    ("guest.os.ending", "finding", runs("Debian GNU/Linux 11 (64-bit)"), {}),
    ("guest.os.ending", "fine", runs("Debian GNU/Linux 12 (64-bit)"), {}),
    ("guest.os.ending", "fine", runs("Debian GNU/Linux 10 (64-bit)"), {}),
    ("guest.os.ending", "unknown", vm(), {}),
    ("guest.os.differs", "finding", runs("Ubuntu 22.04", "CentOS 7 (64-bit)"), {}),
    ("guest.os.differs", "finding", runs("CentOS 8 (64-bit)", "CentOS 7 (64-bit)"), {}),
    ("guest.os.differs", "finding", runs("Ubuntu 22.04", "Other 4.x Linux (64-bit)"), {}),
    ("guest.os.differs", "fine", runs("Ubuntu 22.04.3 LTS", "Ubuntu Linux (64-bit)"), {}),
    ("guest.os.differs", "fine", runs("Windows Server 2022", "Windows Server 2016 or later (64-bit)"), {}),
    ("guest.os.differs", "unknown", runs("AS/400", "BeOS"), {}),
    ("guest.os.differs", "unknown", vm(guest_os="CentOS 7"), {}),
    ("guest.os.unknown", "finding", vm(guest_os="Other (32-bit)"), {}),
    ("guest.os.unknown", "fine", runs("Ubuntu 22.04", "Other (32-bit)"), {}),
    ("guest.os.unknown", "unknown", vm(), {}),
    ("guest.space", "finding", free("/", 99 * MIB), {}),
    ("guest.space", "finding", free("C:\\", 99 * MIB), {}),
    ("guest.space", "finding", free("/boot", 49 * MIB), {}),
    ("guest.space", "finding", free("/var", 9 * MIB), {}),
    ("guest.space", "fine", free("/var", 10 * MIB), {}),
    ("guest.space", "fine", free("/mnt/iso", 0, 0), {}),
    ("guest.space", "unknown", free("/", None), {}),
    ("guest.space", "unknown", vm(), {}),
    ("guest.space", "unknown", vm(guest=Guest(partitions=())), {"gaps": ("partitions",)}),
    ("guest.storage-network", "finding", vm(nics=(nic("prod-iSCSI-2"),)), {}),
    ("guest.storage-network", "fine", vm(nics=(nic("sanitary-services"),)), {}),
    ("guest.storage-network", "unknown", vm(nics=(nic(""),)), {}),
    ("guest.npiv", "finding", vm(compute=Compute(npiv=True)), {}),
    ("guest.npiv", "fine", vm(compute=Compute(npiv=False)), {}),
    ("guest.npiv", "unknown", vm(), {}),
    ("guest.disk-ids", "finding", vm(compute=Compute(enable_uuid=True)), {}),
    ("guest.disk-ids", "fine", vm(compute=Compute(enable_uuid=False)), {}),
    ("guest.disk-ids", "unknown", vm(), {}),
    ("guest.churn.link", "finding", vm(churn_bytes_day=90 * GIB), {"settings": SLOW}),
    ("guest.churn.link", "fine", vm(churn_bytes_day=80 * GIB), {"settings": SLOW}),
    ("guest.churn.link", "unknown", vm(churn_bytes_day=90 * GIB), {}),
    ("guest.churn.link", "unknown", vm(), {"settings": SLOW}),
    ("guest.churn.high", "finding", vm(churn_bytes_day=10 * GIB), {"settings": SLOW}),
    ("guest.churn.high", "fine", vm(churn_bytes_day=8 * GIB), {"settings": SLOW}),
    ("guest.churn.high", "fine", vm(churn_bytes_day=90 * GIB), {"settings": SLOW}),  # that is the other one
    ("guest.churn.high", "unknown", vm(), {"settings": SLOW}),
    ("guest.database", "finding", vm(tier="database"), {}),
    ("guest.database", "finding", vm("prd-sql01"), {}),
    ("guest.database", "finding", vm("x", dns_name="ora-3.example.test"), {}),
    ("guest.database", "fine", vm("borax", tier="web"), {}),
    ("guest.database", "unknown", vm("borax"), {}),
    ("guest.directory", "finding", vm(tier="directory"), {}),
    ("guest.directory", "finding", vm("ber-dc02"), {}),
    ("guest.directory", "fine", vm("dc1-web-02", tier="web"), {}),
    ("guest.directory", "unknown", vm("dc1-web-02"), {}),
    ("guest.cluster", "finding", vm(), flow(3343)),
    ("guest.cluster", "fine", vm(), flow(443)),
    ("guest.cluster", "unknown", vm(), flow(None)),
    ("guest.cluster", "unknown", vm(), {}),
]


@pytest.mark.parametrize(("check", "expected", "item", "more"), CASES)
def test_each_check(check: str, expected: str, item: Item, more: dict[str, Any]) -> None:
    assert verdict(check, item, **more) == expected


def test_every_check_has_all_three_cases() -> None:
    wanted = {check.id for check in all_checks() if check.family == "guest"}
    assert {(check, said) for check, said, _, _ in CASES} == {
        (check, said) for check in wanted for said in ("finding", "fine", "unknown")
    }


def test_support_is_judged_at_the_time_of_the_inventory() -> None:
    item = runs("Debian GNU/Linux 11 (64-bit)")
    from planner.checks.registry import run_checks
    from planner.model import Inventory

    def at(day: str) -> set[str]:
        return {f.check for f in run_checks(Inventory("t", f"{day}T00:00:00Z", (item,))).findings}

    assert "guest.os.ended" not in at("2026-08-31")
    assert "guest.os.ended" in at("2026-09-01")
    assert "guest.os.ending" in at("2026-08-31")
    assert "guest.os.ending" not in at("2026-09-01")
    assert not {"guest.os.ended", "guest.os.ending"} & at("2026-01-01")


def test_churn_weighs_nothing_once_the_vm_is_off() -> None:
    busy = vm(churn_bytes_day=90 * GIB)
    warm, _ = findings("guest.churn.link", busy, settings=SLOW)
    cold, _ = findings("guest.churn.link", busy, settings=SLOW, method=Method.COLD)
    assert (warm[0].severity, cold[0].severity) == (Severity.BLOCKER, Severity.INFO)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Microsoft Windows Server 2008 R2 (64-bit)", System("Windows Server", "2008 R2")),
        ("Microsoft Windows Server 2012 (64-bit)", System("Windows Server", "2012")),
        ("Microsoft Windows Server 2016 or later (64-bit)", System("Windows Server", "2016", later=True)),
        ("Microsoft Windows 2000 Professional", System("Windows")),
        ("Microsoft Windows 10 (64-bit)", System("Windows", "10")),
        ("Windows Vista", System("Windows", "Vista")),
        ("CentOS 4/5/6/7 (64-bit)", System("CentOS Linux")),
        ("CentOS 7 (64-bit)", System("CentOS Linux", "7")),
        ("CentOS Stream 9", System("CentOS Stream", "9")),
        ("Red Hat Enterprise Linux Server release 6.10", System("Red Hat Enterprise Linux", "6")),
        ("Ubuntu 20.04.6 LTS", System("Ubuntu", "20.04")),
        ("Ubuntu Linux (64-bit)", System("Ubuntu")),
        ("SUSE Linux Enterprise 12 (64-bit)", System("SUSE Linux Enterprise", "12")),
        ("FreeBSD Pre-11 versions (64-bit)", System("FreeBSD")),
        ("Other 3.x or later Linux (64-bit)", None),
        ("", None),
    ],
)
def test_systems_are_recognised_by_their_names(text: str, found: System | None) -> None:
    assert system(text) == found


def test_every_dated_system_can_be_recognised_and_dates_are_days_of_the_table() -> None:
    families = {family for family, _ in _NAMES}
    for (family, version), ends in _ENDS.items():
        assert family in families
        assert system(f"{family} {version}") == System(family, version)
        assert date(2000, 1, 1) < ends < date(2036, 1, 1)
    assert date(2026, 1, 1) < AS_OF < date(2030, 1, 1)


def test_names_of_one_system() -> None:
    assert same(System("Ubuntu", "22.04"), System("Ubuntu")) is None
    assert same(System("Ubuntu", "22.04"), System("Ubuntu", "20.04")) is False
    assert same(System("Windows Server", "2019"), System("Windows Server", "2016", later=True)) is True
    assert same(System("Ubuntu"), System("Debian")) is False
