"""A vCenter watched: looks at their times, what changed between them, rates, and a clean end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from planner.errors import BadInput, Unreachable
from planner.sources.vcenter.watch import Look, steady, watch
from tests.planner.sources.vcenter.logins import login_of
from tests.vcenter.certificates import Certificate
from tests.vcenter.estate import everything
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer


class Time:
    """A clock that moves while somebody sleeps, and what happens then."""

    def __init__(self, *events: Callable[[], object]) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.events = list(events)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.slept.append(seconds)
        if seconds >= 60 and self.events:
            self.events.pop(0)()


def looks(peer: VCenterPeer, time: Time, every_s: float = 300, for_s: float | None = 900) -> list[Look]:
    return list(watch(login_of(peer), every_s, for_s, clock=time, sleep=time.sleep))


def power_off(peer: VCenterPeer) -> None:
    content = peer.connect().content
    from pyVmomi import vim

    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    task = view.view[0].PowerOffVM_Task()
    assert task.info.state == "success"


def test_looks_come_at_their_times_and_say_what_changed(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "2")
    time = Time(lambda: None, lambda: power_off(peer), lambda: None)
    found = looks(peer, time)
    assert [look.changed for look in found] == [True, False, True, False]
    assert [look.inventory.taken_at for look in found] == [
        f"2026-01-01T00:{minute:02d}:00+00:00" for minute in (0, 5, 10, 15)
    ]
    assert time.slept == [300, 300, 300]
    assert peer.calls()["Login"] == 2  # ours, and that of who powered off
    assert peer.calls()["Logout"] == 1


def test_rates_reach_the_inventory(vcenter: StartVCenter) -> None:
    (look,) = looks(vcenter("-vm", "2"), Time(), for_s=0)
    for vm in look.inventory.vms:
        assert look.rates.count(vm.id) > 1
        assert vm.churn_bytes_day == look.rates.churn_bytes_day(vm.id)


def test_closing_it_early_logs_out(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    time = Time()
    looking = watch(login_of(peer), 60, None, clock=time, sleep=time.sleep)
    next(looking)
    looking.close()  # type: ignore[attr-defined]
    calls = peer.calls()
    assert calls["Logout"] == calls["Login"] == 1
    assert calls["DestroyPropertyCollector"] == 1


def test_a_look_that_fails_is_told_by_the_next(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    time = Time(
        lambda: peer.rules([{"method": "WaitForUpdatesEx", "drop": True}]),
        lambda: peer.rules([]),
        lambda: None,
    )
    found = looks(peer, time, for_s=1000)  # backing off takes a few seconds of it
    assert [isinstance(look.missed, Unreachable) for look in found] == [False, True, False]
    assert [look.changed for look in found] == [True, False, False]


def test_a_vcenter_that_never_comes_back(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    time = Time(peer.kill)
    with pytest.raises(Unreachable):
        looks(peer, time, for_s=None)
    assert len([seconds for seconds in time.slept if seconds == 300]) == 5


def test_another_certificate_ends_it(vcenter: StartVCenter, stranger: Certificate) -> None:
    peer = vcenter("-vm", "1")
    time = Time(lambda: peer.restart(stranger))
    with pytest.raises(BadInput, match="not trusted"):
        list(watch(login_of(peer), 300, 3000, clock=time, sleep=time.sleep))


def test_a_first_look_that_fails_raises(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    peer.rules([{"method": "WaitForUpdatesEx", "drop": True}])
    with pytest.raises(Unreachable):
        looks(peer, Time())


def test_figures_that_move_by_themselves_are_no_change() -> None:
    base = everything()
    vm, store = base.vms[0], base.datastores[0]
    moved = replace(
        base,
        taken_at="2027-01-01T00:00:00+00:00",
        vms=(
            replace(
                vm,
                used_bytes=1,
                churn_bytes_day=2,
                disks=tuple(replace(disk, used_bytes=3) for disk in vm.disks),
                guest=replace(vm.guest, heartbeat="red"),
            ),
            *base.vms[1:],
        ),
        datastores=(replace(store, free_bytes=1, provisioned_bytes=2), *base.datastores[1:]),
    )
    assert steady(moved) == steady(base)
    for other in (
        replace(base, vms=base.vms[1:]),
        replace(base, vms=(replace(vm, cpus=1), *base.vms[1:])),
        replace(base, datastores=(replace(store, capacity_bytes=1), *base.datastores[1:])),
    ):
        assert steady(other) != steady(base)
