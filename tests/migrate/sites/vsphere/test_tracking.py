"""What changed: asked page by page, believed only where nothing speaks against it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.sites.ports import ChangeId, Extent
from migrate.sites.vsphere.refusing import Declined
from planner.errors import Unreachable
from planner.model import Power
from tests.migrate.sites.vsphere.conftest import Wired
from tests.migrate.sites.vsphere.plant import MIB, Plant

GRAIN = 64 * 1024


class _Cycles:
    """Takes one snapshot after the other in the fixed order."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.number = 0
        self.base: ChangeId | None = None

    def turn(self) -> ChangeId | None:
        """Drop the last snapshot, take the next, return the change id of the last."""
        site, last = self.plant.site, self.base
        if self.number:
            site.drop_snapshot(self._op, f"{self._op}/drop")
        self.number += 1
        taken = site.take_snapshot(self.plant.vms[:1], self._op)
        self.base = taken.changes.get(self.plant.volume())
        return last

    @property
    def _op(self) -> str:
        return f"p/r/g0/s{self.number}/do1"


@pytest.fixture
def plant(wired: Wired) -> Plant:
    plant = Plant(wired)
    plant.track(0)
    return plant


def _since(plant: Plant, change: ChangeId | None) -> tuple[Extent, ...] | None:
    assert change is not None
    found = plant.site.changed_areas(plant.plan_volume(), change)
    assert found == plant.site.changed_areas(plant.plan_volume(), ChangeId.parse(str(change)))
    return found


def test_areas_between_two_snapshots(plant: Plant) -> None:
    cycles = _Cycles(plant)
    cycles.turn()
    plant.write(b"x", 3 * GRAIN)
    plant.write(b"y" * GRAIN, 10 * GRAIN + 1)
    assert _since(plant, cycles.turn()) == (Extent(3 * GRAIN, GRAIN), Extent(10 * GRAIN, 2 * GRAIN))
    assert _since(plant, cycles.turn()) == ()


def test_pages_are_followed_to_the_end(wired: Wired) -> None:
    plant = Plant(wired, 320 * MIB)
    plant.track(0)
    cycles = _Cycles(plant)
    cycles.turn()
    with plant.flat().open("r+b") as body:
        for number in range(2500):
            body.seek(2 * number * GRAIN)
            body.write(b"x")
    base = cycles.turn()
    plant.peer.calls(reset=True)
    assert _since(plant, base) == tuple(Extent(2 * number * GRAIN, GRAIN) for number in range(2500))
    assert plant.peer.calls()["QueryChangedDiskAreas"] == 4  # it is asked twice here


def test_a_whole_disk_is_no_answer(plant: Plant) -> None:
    cycles = _Cycles(plant)
    cycles.turn()
    plant.write(b"x" * plant.size_bytes, 0)
    assert _since(plant, cycles.turn()) is None


def test_a_vm_that_runs_without_our_snapshot_is_compared(plant: Plant) -> None:
    cycles = _Cycles(plant)
    cycles.turn()
    base = cycles.base
    assert base is not None
    plant.site.drop_snapshot("p/r/g0/s1/do1", "p/r/g0/s1/drop")
    assert _since(plant, base) is None
    assert plant.site.change_id(plant.plan_volume()) is None


def test_a_vm_that_is_off_is_read_as_it_is_and_has_no_id_of_now(plant: Plant) -> None:
    cycles = _Cycles(plant)
    cycles.turn()
    plant.site.drop_snapshot("p/r/g0/s1/do1", "p/r/g0/s1/drop")
    plant.site.power_off(plant.vms[0], "p/r/stop/do1")
    state = plant.site.observe(plant.vms[0])
    assert state is not None
    assert state.power is Power.OFF
    assert plant.site.change_id(plant.plan_volume()) is None
    assert _since(plant, cycles.base) == ()
    plant.write(b"x", 3 * GRAIN)  # in real life before it stopped
    assert _since(plant, cycles.base) == (Extent(3 * GRAIN, GRAIN),)


@pytest.mark.parametrize(
    "other",
    [
        {"epoch": "another uuid|1|2|"},
        {"counter": 9},
    ],
)
def test_what_cannot_be_compared_is_none(plant: Plant, other: dict[str, object]) -> None:
    cycles = _Cycles(plant)
    cycles.turn()
    base = cycles.turn()
    assert base is not None
    assert _since(plant, replace(base, **other)) is None  # type: ignore[arg-type]


def test_the_epoch_says_tracking_build_and_size(plant: Plant) -> None:
    cycles = _Cycles(plant)
    cycles.turn()
    assert cycles.base is not None
    _, build, size, ground = cycles.base.epoch.split("|")
    assert build == plant.content.about.build or build.isdecimal()
    assert (size, ground) == (str(plant.size_bytes), "")


def test_a_vm_on_somebodys_snapshot_is_always_compared(plant: Plant) -> None:
    plant.snapshot()
    cycles = _Cycles(plant)
    cycles.turn()
    plant.write(b"x", 0)
    assert _since(plant, cycles.turn()) is None


@pytest.mark.parametrize("fault", ["FileFault", "InvalidArgument", "NotFound"])
def test_a_refusal_is_compared(plant: Plant, fault: str) -> None:
    cycles = _Cycles(plant)
    cycles.turn()
    base = cycles.turn()
    plant.peer.rules([{"method": "QueryChangedDiskAreas", "fault": fault}])
    assert _since(plant, base) is None


def test_a_vcenter_that_does_not_answer_is_no_reason_to_compare(plant: Plant) -> None:
    cycles = _Cycles(plant)
    cycles.turn()
    base = cycles.turn()
    plant.site.connection.patience_s = 0.0
    plant.peer.rules([{"method": "QueryChangedDiskAreas", "drop": True}])
    with pytest.raises(Unreachable):
        _since(plant, base)


def test_a_volume_that_nobody_has(plant: Plant) -> None:
    assert plant.site.changed_areas("vm-nowhere/2000", ChangeId("e", 1)) is None
    assert plant.site.change_id("[no] such.vmdk") is None


def test_the_negative_control_of_refusals(plant: Plant) -> None:
    """Without the rule that a refusal is compared it would end the run."""
    cycles = _Cycles(plant)
    cycles.turn()
    base = cycles.turn()
    assert base is not None
    plant.peer.rules([{"method": "QueryChangedDiskAreas", "fault": "FileFault"}])
    with pytest.raises(Declined):
        plant.site.connection.ask(
            "changed areas",
            lambda _: plant.site.connection.session.invoke(
                lambda _: plant.site.connection.managed(
                    plant.site.need_machine(plant.vms[0]).ref
                ).QueryChangedDiskAreas(None, 2000, 0, "x/1")
            ),
        )
