"""Power operations, and who was the last to make one."""

from __future__ import annotations

import pytest

from migrate.sites.consistency import Consistency
from planner.errors import NotFound
from planner.model import Power
from tests.migrate.sites.vsphere.conftest import Wired
from tests.migrate.sites.vsphere.plant import Plant
from tests.vcenter.collected import finished


@pytest.fixture
def plant(wired: Wired) -> Plant:
    return Plant(wired)


def _seen(plant: Plant) -> tuple[Power, str]:
    state = plant.site.observe(plant.vms[0])
    assert state is not None
    return state.power, state.last_power_op


def test_off_and_on_say_who_did_it(plant: Plant) -> None:
    vm = plant.vms[0]
    assert _seen(plant) == (Power.ON, "")
    plant.site.power_off(vm, "a/stop/do1")
    assert _seen(plant) == (Power.OFF, "a/stop/do1")
    plant.site.power_off(vm, "a/stop/do2")  # it is so already: nobody did anything
    assert _seen(plant) == (Power.OFF, "a/stop/do1")
    plant.site.power_on(vm, "a/start/do1")
    assert _seen(plant) == (Power.ON, "a/start/do1")


def test_somebody_elses_power_operation_is_not_ours(plant: Plant) -> None:
    plant.site.power_off(plant.vms[0], "a/stop/do1")
    finished(plant.machines[0].PowerOnVM_Task())
    finished(plant.machines[0].PowerOffVM_Task())
    assert _seen(plant) == (Power.OFF, "")


def test_an_attribute_that_somebody_filled_says_nothing(plant: Plant) -> None:
    plant.site.power_off(plant.vms[0], "a/stop/do1")
    manager = plant.content.customFieldsManager
    (field,) = manager.field
    for value in ("a/stop/do1", '["a/stop/do1", 1]', '["a", 1, "yesterday", true]', "[1, 2, 3, 4]"):
        manager.SetField(plant.machines[0], field.key, value)
        assert _seen(plant) == (Power.OFF, "")


def test_a_guest_is_shut_down(plant: Plant) -> None:
    assert plant.site.shut_down(plant.vms[0], "a/stop/do1", 10.0) is True
    assert _seen(plant) == (Power.OFF, "a/stop/do1")
    label = plant.site.take_snapshot(plant.vms[:1], "a/s/do1").label
    assert label is Consistency.APPLICATION  # nothing of it was in memory
    assert plant.site.shut_down(plant.vms[0], "a/stop/do2", 10.0) is True


def test_a_plug_that_was_pulled_is_a_crash(plant: Plant) -> None:
    plant.site.power_off(plant.vms[0], "a/stop/do1")
    assert plant.site.take_snapshot(plant.vms[:1], "a/s/do1").label is Consistency.CRASH


def test_a_guest_without_tools_cannot_be_asked(plant: Plant) -> None:
    plant.peer.rules([{"method": "ShutdownGuest", "fault": "ToolsUnavailable"}])
    assert plant.site.shut_down(plant.vms[0], "a/stop/do1", 5.0) is False
    assert _seen(plant) == (Power.ON, "")


@pytest.mark.parametrize("effect", ["drop", "dropAfter"])
def test_lost_answers(plant: Plant, effect: str) -> None:
    plant.peer.rules(
        [
            {"method": method, "count": 1, effect: True}
            for method in ("PowerOffVM_Task", "PowerOnVM_Task", "SetField", "AddCustomFieldDef")
        ]
    )
    plant.site.power_off(plant.vms[0], "a/stop/do1")
    assert _seen(plant) == (Power.OFF, "a/stop/do1")
    plant.site.power_on(plant.vms[0], "a/start/do1")
    assert _seen(plant) == (Power.ON, "a/start/do1")
    assert plant.peer.fired() == [1, 1, 1, 1]


def test_one_that_is_not_there(plant: Plant) -> None:
    assert plant.site.observe("other-vm") is None
    with pytest.raises(NotFound):
        plant.site.power_on("other-vm", "a/start/do1")
