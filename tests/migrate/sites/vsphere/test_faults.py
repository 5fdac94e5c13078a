"""Faults on every call of a cycle: each ends with a true replica, one snapshot a pass, and none left behind.

A story of two passes and a stop is told once to learn which calls it makes; then again and again, with one
call (in the soak also two) that is dropped before or after it is executed, answered by half, answered late,
or met by a session that has just expired. Negative control: a site that sends again without asking.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import pytest

from migrate.sites.vsphere.calls import CallLog
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.site import VsphereSite
from migrate.sites.vsphere.tasks import GRACE_S, Act, Tasks
from planner.model import Power
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.soap import Ref
from tests.migrate.sites.vsphere.conftest import Wire
from tests.migrate.sites.vsphere.plant import Plant
from tests.planner.sources.vcenter.logins import login_of
from tests.vcenter.collected import finished
from tests.vcenter.fixtures import StartVCenter

EFFECTS = ("drop", "dropAfter", "half", "expire", "delayMs")
CHANGING = (
    *("CreateSnapshot_Task", "RemoveSnapshot_Task", "PowerOffVM_Task", "PowerOnVM_Task"),
    *("AddCustomFieldDef", "SetField", "LogUserEvent"),
)
READING = ("RetrievePropertiesEx", "QueryChangedDiskAreas", "QueryEvents")
CALLS = (*CHANGING, *READING)  # the simulator's others are of the tests' own client
GRAIN = 64 * 1024


class _Hasty(Tasks):
    """Sends again whatever was not answered, without asking what came of it."""

    def run(self, act: Act, target: Ref, method: str, arguments: Any, done: Any, limit_s: float) -> Any:
        first = iter([done()])
        return super().run(act, target, method, arguments, lambda: next(first, None), limit_s)


@pytest.fixture
def plant(vcenter: StartVCenter, wire: Wire) -> Plant:
    plant = Plant(wire(vcenter("-vm", "1")))
    plant.track(0, 1)
    return plant


def _half(seconds: float) -> None:
    """Wait long enough for a call that is executed a fifth of a second after it was given up."""
    time.sleep(min(seconds, 0.4) if seconds == GRACE_S else min(seconds, 0.02))


def _site(plant: Plant, kind: type[Tasks] = Tasks) -> VsphereSite:
    connection = Connection(Session(login_of(plant.peer, timeout_s=1.0)), patience_s=20.0, sleep=_half)
    ids = Ids(connection, {vm: vm for vm in plant.vms})
    return VsphereSite("west", connection, kind(connection, CallLog()), ids)


def _story(plant: Plant, site: VsphereSite, seed: int) -> None:
    """Replicate the first VM's disk twice, stop and start the VM; every promise on the way is looked at."""
    chance = random.Random(seed)
    replica = bytearray(plant.bytes_of())
    base = None
    for number in (1, 2):
        op = f"p/r{seed}/g0/s{number}/do1"
        taken = site.take_snapshot(plant.vms, op)
        for vm in (0, 1):
            assert len(plant.snapshots(vm)) == 1, f"SEED={seed}: {plant.snapshots(vm)}"
        if base is not None:
            areas = site.changed_areas(plant.plan_volume(), base)
            assert areas, f"SEED={seed}: changes were not told"
            source = plant.bytes_of()
            for area in areas:
                replica[area.offset : area.end] = source[area.offset : area.end]
        base = taken.changes[plant.volume()]
        site.drop_snapshot(taken.id, f"{op}/drop")
        assert plant.snapshots(0) == plant.snapshots(1) == []
        if number == 1:
            plant.write(chance.randbytes(64), chance.randrange(plant.size_bytes - 64))
    assert bytes(replica) == plant.bytes_of(), f"SEED={seed}: a wrong replica"
    first = plant.vms[0]
    for act, power in ((site.power_off, Power.OFF), (site.power_on, Power.ON)):
        op = f"p/r{seed}/g0/v0/{power}/do1"
        act(first, op)
        state = site.observe(first)
        assert state is not None
        assert (state.power, state.last_power_op) == (power, op)


def _told(plant: Plant, seed: int, *rules: dict[str, object], kind: type[Tasks] = Tasks) -> int:
    """Tell the story at a site of its own, see each power operation done once, return how often rules fired.

    What it made at the vCenter is removed.
    """
    site = _site(plant, kind)
    before = max(plant.power_events(), default=0)
    plant.peer.rules(rules)
    try:
        _story(plant, site, seed)
        fired = sum(plant.peer.fired())
    finally:
        plant.peer.rules([])
        site.close()
        for machine in plant.machines:
            finished(machine.RemoveAllSnapshots_Task())
        manager = plant.content.customFieldsManager
        for field in manager.field:
            manager.RemoveCustomFieldDef(field.key)
    powered = [name for key, name in sorted(plant.power_events().items()) if key > before]
    assert powered == ["VmPoweredOffEvent", "VmPoweredOnEvent"], f"SEED={seed}"
    return fired


def _rule(method: str, effect: str, skip: int) -> dict[str, object]:
    value: object = 1200 if effect == "delayMs" else True
    return {"method": method, "count": 1, "skip": skip, effect: value}


def _struck(plant: Plant, effect: str, calls: Sequence[str]) -> None:
    for seed, method in enumerate(calls):
        assert _told(plant, seed, _rule(method, effect, 0)) == 1, f"SEED={seed}: {effect} never met {method}"
    print(f"{effect}: {len(calls)} of {len(CALLS)} calls of a cycle, each met once")


@pytest.mark.parametrize(("number", "effect"), list(enumerate(EFFECTS)))
def test_one_fault_on_every_other_call(plant: Plant, number: int, effect: str) -> None:
    _struck(plant, effect, CALLS[number % 2 :: 2])


@pytest.mark.soak
@pytest.mark.parametrize("effect", EFFECTS)
def test_one_fault_on_every_call(plant: Plant, effect: str) -> None:
    _struck(plant, effect, CALLS)


def test_these_are_all_calls_that_change_something(plant: Plant) -> None:
    site = _site(plant)
    _story(plant, site, 0)
    assert set(site.tasks.log.methods) == set(CHANGING)
    site.close()


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(10))
def test_one_or_two_faults_at_random(plant: Plant, hundred: int) -> None:
    met = 0
    for seed in range(100 * hundred, 100 * (hundred + 1)):
        chance = random.Random(seed)
        rules = [
            _rule(chance.choice(CALLS), chance.choice(EFFECTS), chance.randrange(4))
            for _ in range(chance.choice((1, 2)))
        ]
        met += _told(plant, seed, *rules)
    print(f"100 runs, {met} faults met")


def test_one_that_is_executed_after_all_is_over_is_found_and_removed(plant: Plant) -> None:
    site = _site(plant)
    plant.peer.rules([{"method": "CreateSnapshot_Task", "count": 1, "delayMs": 2500}])
    op = "p/r1/g0/s1/do1"
    site.take_snapshot(plant.vms[:1], op)
    site.drop_snapshot(op, f"{op}/drop")
    while not plant.snapshots():
        time.sleep(0.1)
    assert [(one.id, one.op) for one in site.list_snapshots()] == [(op, op)]
    site.drop_snapshot(op, f"{op}/lost")
    assert plant.snapshots() == []
    site.close()


def test_one_that_sends_again_without_asking_is_found_out(plant: Plant) -> None:
    """Negative control."""
    with pytest.raises(AssertionError, match="wherry op"):
        _told(plant, 1, _rule("CreateSnapshot_Task", "dropAfter", 0), kind=_Hasty)
