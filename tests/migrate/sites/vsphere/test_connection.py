"""A connection reads with several threads, renews its session once for all, and outlasts a restart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from migrate.sites.vsphere.refusing import Declined
from planner.errors import Unreachable
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from tests.migrate.sites.vsphere.conftest import Wired

POWER = Kind("virtual machines", ("VirtualMachine",), {"VirtualMachine": ("runtime.powerState",)})
NAMES = Kind("virtual machines", ("VirtualMachine",), {"VirtualMachine": ("name",)})


def _refs(wired: Wired) -> list[Ref]:
    return wired.connection.find(NAMES, lambda item: item.ref)


def test_several_threads_read_and_one_renews(wired: Wired) -> None:
    refs = _refs(wired)
    wired.peer.calls(reset=True)
    wired.peer.rules([{"method": "RetrievePropertiesEx", "skip": 20, "count": 1, "expire": True}])

    def read(number: int) -> object:
        item = wired.connection.one(NAMES, refs[number % 2])
        return item.values["name"] if item else None

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(read, range(200)))
    assert set(names[::2]) | set(names[1::2]) == set(wired.machines())
    assert len(set(names[::2])) == len(set(names[1::2])) == 1
    assert wired.peer.fired() == [1]
    wired.peer.rules([])
    assert wired.peer.calls()["Login"] in (
        2,
        3,
    )  # ours, the tests' own reader, and at most one that came too late


def test_reads_outlast_a_restart(wired: Wired) -> None:
    refs = _refs(wired)
    wired.peer.restart()
    assert {item.values["name"] for item in wired.connection.read(NAMES, refs)} == set(wired.machines())
    wired.peer.restart()
    assert len(_refs(wired)) == len(refs)


def test_one_that_stays_away_is_unreachable(wired: Wired) -> None:
    wired.connection.patience_s = 0.5
    wired.peer.kill()
    with pytest.raises(Unreachable):
        _refs(wired)


def test_one_that_restarts_is_waited_for_until_it_lets_people_in(wired: Wired) -> None:
    refs = _refs(wired)
    wired.peer.reboot(0.3, loginMs=300)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: len(wired.connection.read(NAMES, refs)), range(8)))
    assert found == [len(refs)] * 8
    assert wired.peer.reboots() == 1


def test_one_that_restarts_for_longer_says_since_when(wired: Wired) -> None:
    refs = _refs(wired)
    wired.connection.patience_s = 0.1
    wired.peer.reboot(60.0)
    with pytest.raises(Unreachable, match=r"503.*; no answer since \d{4}-\d\d-\d\d \d\d:\d\d UTC$"):
        wired.connection.read(NAMES, refs)


def test_a_task_that_is_forgotten_is_asked_for_by_what_it_did(wired: Wired) -> None:
    from pyVmomi import vim

    wired.peer.rules([{"method": "PowerOffVM_Task", "count": 1, "restartAfter": {"awayMs": 200}}])
    name = min(wired.machines())
    target = Ref("VirtualMachine", wired.machines()[name][""]._GetMoId())

    def off() -> bool | None:
        item = wired.connection.one(POWER, target)
        return True if item and item.values["runtime.powerState"] == "poweredOff" else None

    assert wired.tasks.act("power_off", name, "op").run(target, "PowerOffVM_Task", done=off) is True
    assert wired.tasks.log.methods["PowerOffVM_Task"] == 1
    state = wired.machines("runtime.powerState")[name]["runtime.powerState"]
    assert state == vim.VirtualMachine.PowerState.poweredOff


def test_a_host_that_is_not_connected_yet_may_pass(wired: Wired) -> None:
    wired.peer.rules([{"method": "CurrentTime", "fault": "HostNotConnected"}])
    service = Ref("ServiceInstance", "ServiceInstance")
    with pytest.raises(Unreachable, match="cannot ask the time: HostNotConnected"):
        wired.connection.ask("cannot ask the time", lambda _: wired.connection.managed(service).CurrentTime())


def test_what_is_gone_is_none(wired: Wired) -> None:
    assert wired.connection.one(NAMES, Ref("VirtualMachine", "vm-99999")) is None


def test_a_refused_question_says_which_fault_it_was(wired: Wired) -> None:
    wired.peer.rules([{"method": "CurrentTime", "fault": "NoPermission"}])
    service = Ref("ServiceInstance", "ServiceInstance")
    with pytest.raises(Declined, match="cannot ask the time: NoPermission"):
        wired.connection.ask("cannot ask the time", lambda _: wired.connection.managed(service).CurrentTime())
