"""Changing calls are seen through, and one whose answer is lost is asked for before it is sent again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.sites.lab.oplog import read_ops
from migrate.sites.vsphere.calls import CallLog
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.refusing import Declined
from migrate.sites.vsphere.tasks import SENDINGS, Tasks
from planner.errors import NoSpace, Unreachable
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.soap import Ref
from tests.migrate.sites.vsphere.conftest import Wired, short
from tests.planner.sources.vcenter.logins import login_of

OFF = "PowerOffVM_Task"
_POWER = Kind("virtual machines", (), {"VirtualMachine": ("runtime.powerState",)})


class _Machine:
    """One VM of the peer, and whether it is off."""

    def __init__(self, wired: Wired) -> None:
        self._connection = wired.connection
        self.name, machine = next(iter(wired.machines().items()))
        self.ref = Ref("VirtualMachine", machine[""]._moId)

    def off(self) -> bool | None:
        item = self._connection.one(_POWER, self.ref)
        assert item is not None
        return True if item.values["runtime.powerState"] == "poweredOff" else None


@pytest.fixture
def machine(wired: Wired) -> _Machine:
    return _Machine(wired)


def _power_off(wired: Wired, machine: _Machine, **more: Any) -> Any:
    return wired.tasks.act("power_off", "vm", "r/stop/do1").run(machine.ref, OFF, done=machine.off, **more)


def test_a_task_is_seen_through(wired: Wired, machine: _Machine) -> None:
    wired.peer.rules([{"method": OFF, "taskMs": 300}])
    assert _power_off(wired, machine) is None  # this task has no result
    assert machine.off()
    assert wired.tasks.log.methods == {OFF: 1}


def test_what_is_so_already_is_not_sent(wired: Wired, machine: _Machine) -> None:
    _power_off(wired, machine)
    assert _power_off(wired, machine) is True
    assert wired.tasks.log.methods == {OFF: 1}


@pytest.mark.parametrize(("effect", "sent"), [("drop", 2), ("dropAfter", 1), ("half", 1)])
def test_a_lost_answer_is_asked_for(wired: Wired, machine: _Machine, effect: str, sent: int) -> None:
    wired.peer.rules([{"method": OFF, "count": 1, effect: True}])
    _power_off(wired, machine)
    assert machine.off()
    assert wired.peer.fired() == [1]
    assert wired.tasks.log.methods == {OFF: sent}


def test_a_lost_answer_whose_task_still_runs_is_waited_for(wired: Wired, machine: _Machine) -> None:
    wired.peer.rules(
        [{"method": OFF, "count": 1, "dropAfter": True}, {"method": OFF, "count": 1, "taskMs": 500}]
    )
    _power_off(wired, machine)
    assert machine.off()
    assert wired.tasks.log.methods == {OFF: 1}


def test_an_answer_that_is_too_late_is_asked_for(wired: Wired, machine: _Machine) -> None:
    hasty = Connection(Session(login_of(wired.peer, timeout_s=1.0)), patience_s=15.0, sleep=short)
    wired.peer.rules([{"method": OFF, "count": 1, "delayMs": 2500}])
    act = Tasks(hasty, CallLog()).act("power_off", "vm", "r/stop/do1")
    act.run(machine.ref, OFF, done=machine.off)
    assert machine.off()
    hasty.close()


def test_a_call_that_never_gets_through_is_unknown(wired: Wired, machine: _Machine) -> None:
    wired.peer.rules([{"method": OFF, "drop": True}])
    with pytest.raises(Unreachable):
        _power_off(wired, machine)
    assert wired.tasks.log.methods == {OFF: SENDINGS}


@pytest.mark.parametrize("times", [1, 2])
def test_an_expired_session_is_renewed(wired: Wired, machine: _Machine, times: int) -> None:
    """It was not executed, so nobody need be asked: it is sent once more, and counts as one call."""
    wired.peer.calls(reset=True)
    wired.peer.rules([{"method": OFF, "count": times, "expire": True}])
    _power_off(wired, machine)
    assert machine.off()
    assert wired.peer.calls()["Login"] == times
    assert wired.tasks.log.methods == {OFF: 1}


@pytest.mark.parametrize("where", ["fault", "taskFault"])
def test_a_refusal_says_which_fault_it_was(wired: Wired, machine: _Machine, where: str) -> None:
    wired.peer.rules([{"method": OFF, where: "NoPermission"}])
    with pytest.raises(Declined, match="power off of vm failed: NoPermission") as caught:
        _power_off(wired, machine)
    assert caught.value.kind == "NoPermission"
    assert wired.tasks.log.methods == {OFF: 1}


def test_a_full_datastore_is_no_space(wired: Wired, machine: _Machine) -> None:
    wired.peer.rules([{"method": OFF, "taskFault": "NoDiskSpace"}])
    with pytest.raises(NoSpace):
        _power_off(wired, machine)


def test_another_task_in_the_way_is_waited_for(wired: Wired, machine: _Machine) -> None:
    wired.peer.rules([{"method": OFF, "count": 1, "taskFault": "TaskInProgress"}])
    _power_off(wired, machine)
    assert machine.off()


def test_a_task_that_does_not_end_is_left(wired: Wired, machine: _Machine) -> None:
    wired.peer.rules([{"method": OFF, "count": 1, "taskMs": 1500}])
    with pytest.raises(Unreachable, match="still runs after"):
        _power_off(wired, machine, limit_s=0.2)
    assert wired.tasks.log.methods == {OFF: 1}


def test_it_outlasts_a_restart(wired: Wired, machine: _Machine) -> None:
    """The restarted vCenter knows neither session nor task: the VM is asked for and stopped again."""
    wired.peer.rules([{"method": OFF, "count": 1, "dropAfter": True}])
    peer = wired.peer
    off, restarted = machine.off, False

    def done() -> bool | None:
        nonlocal restarted
        if peer.fired() == [1] and not restarted:
            restarted = True
            peer.restart()
        return off()

    wired.tasks.act("power_off", "vm", "r/stop/do1").run(machine.ref, OFF, done=done)
    assert restarted
    assert machine.off()
    assert wired.tasks.log.methods == {OFF: 2}


def test_calls_are_kept_in_the_format_of_a_lab(wired: Wired, tmp_path: Path) -> None:
    log = CallLog(tmp_path / "calls.log")
    tasks = Tasks(wired.connection, log)
    tasks.act("power_off", "vm\u202e", "7/g0/v0/stop/do1")
    log.close()
    assert read_ops(tmp_path / "calls.log") == (
        {"op": "7/g0/v0/stop/do1", "call": "power_off", "subject": "vm\u202e"},
    )
