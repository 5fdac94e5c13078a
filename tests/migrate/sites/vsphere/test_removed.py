"""Our snapshot is removed or left behind by somebody else while it is read: the round is made anew.

What is read goes through the site, as movers read it: the files stay there, so nothing fails by itself.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from migrate.replication.passes import Mode
from migrate.run.actions import Outcome
from migrate.run.history import Entry, Event, History
from migrate.run.room_watch import REMOVALS, RoomWatch
from migrate.sites.removals import Frozen, How, Lost, TellsRemovals
from migrate.sites.vsphere.transports.datastore_http import DatastoreHttp
from migrate.transfers.ports import Copied, Moving, Wanted
from planner.errors import NotFound, Paused
from tests.migrate.simulated_run import Died
from tests.migrate.sites.vsphere.conftest import Wire
from tests.migrate.sites.vsphere.plant import Plant
from tests.migrate.sites.vsphere.test_full_store import GRAIN, SIZE, Replicas, Round, one_by_one
from tests.vcenter.collected import finished
from tests.vcenter.fixtures import StartVCenter

THEIRS = "before the update"


@pytest.fixture
def plant(vcenter: StartVCenter, wire: Wire) -> Plant:
    plant = Plant(wire(vcenter("-vm", "1")), SIZE)
    plant.track(0, 1)
    return plant


def remove(plant: Plant, vm: int = 1) -> None:
    """Remove all snapshots of a VM, as a job that tidies up does."""
    finished(plant.machines[vm].RemoveAllSnapshots_Task())


def remove_the_older(plant: Plant) -> None:
    """Remove one of two: of a duplicate that came late nobody knows."""
    finished(tops(plant)[0].snapshot.RemoveSnapshot_Task(removeChildren=False))


def duplicate(plant: Plant) -> None:
    """Take a snapshot of our last op, as a sending of it does that comes late."""
    plant.snapshot(1, "wherry", tops(plant)[0].description)


def revert(plant: Plant) -> None:
    """Have a VM go back to a person's snapshot, on which ours stands, and so do its disks."""
    (person,) = tops(plant)
    assert person.name == THEIRS
    finished(person.snapshot.RevertToSnapshot_Task())
    plant.write(b"as it was before", 5 * GRAIN, 1)


def tops(plant: Plant) -> list[Any]:
    return list(plant.machines[1].snapshot.rootSnapshotList)


@dataclass
class Removed(Replicas):
    """Passes that read by the site; in the middle of some over one disk somebody removes its snapshot."""

    times: int = 1
    sees: bool = False  # the watch looks then; else only who reads notices
    vouches: bool = True
    befalls: Callable[[Plant], None] = remove
    before: Callable[[Plant], None] = lambda plant: None  # once a pass has begun

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        assert self.watch is not None
        assert self.site is not None
        self.asked.append(wanted)
        self.site.transports = (DatastoreHttp(self.site.connection),)
        replica = self.disks.setdefault(wanted.volume, bytearray(SIZE))
        areas = wanted.extents if wanted.mode is Mode.DELTA else None
        blocks = range(0, SIZE, GRAIN) if areas is None else [at for one in areas for at in one_by_one(one)]
        with closing(self.site.open_read(wanted.volume, wanted.snapshot)) as disk:
            for number, at in enumerate(blocks):
                disk.read_into(memoryview(replica)[at : at + GRAIN], at)
                if wanted.volume == self.fills and number == 2 and self.times:
                    self.times -= 1
                    self.before(self.plant)
                    self.befalls(self.plant)
                    self._merge()
                    if self.sees:
                        self.watch.look()
                if self.watch.stops(wanted.volume):
                    raise Paused("stopped between two blocks", "")
            assert isinstance(disk, Frozen)
            if self.vouches:
                disk.must_stand()
        return Copied(wanted.mode, len(blocks) * GRAIN, 0, 0.0)

    def _merge(self) -> None:
        """Write what is merged within the second of the last write: the file's time, too, tells nothing."""
        flat = self.plant.flat(1)
        kept = flat.stat()
        self.plant.write(b"written while it is merged", 5 * GRAIN, 1)
        os.utime(flat, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def removing(plant: Plant, **how: object) -> Round:
    here = Round(plant, random.Random(7))
    here.replicas = Removed(plant, here.volumes[1], **how)  # type: ignore[arg-type]
    return here


def test_the_site_tells_of_whom_a_snapshot_is_gone(plant: Plant) -> None:
    site = plant.site
    assert isinstance(site, TellsRemovals)
    taken = site.take_snapshot(plant.vms, "1/g0/snapshot/0/do1")
    plant.snapshot(1, "nightly", "by a backup")
    assert set(taken.parts) == {plant.volume(0), plant.volume(1)}
    lost = Lost(plant.machines[1].name, How.REMOVED)
    for parts in (taken.parts.values(), ()):  # an older record has none
        assert site.lost_from(taken.id, (*plant.vms, "vm-nowhere"), parts) == ()
    remove(plant)
    for parts in (taken.parts.values(), ()):
        assert site.lost_from(taken.id, plant.vms, parts) == (lost,)
    with pytest.raises(NotFound):
        site.open_read(plant.plan_volume(1), taken.id)


@pytest.mark.parametrize("sees", [True, False])
def test_the_round_is_given_up_and_made_anew(plant: Plant, sees: bool) -> None:
    here = removing(plant, sees=sees)
    assert here.drive() is Outcome.COMMITTED
    assert here.wrong() == []
    assert here.given_up() == ["g0/snapshot/0"]
    (told,) = [one.detail for one in here.ledger.entries if one.event is Event.GIVEN_UP]
    assert told["why"] == f"somebody removed the snapshot of {plant.machines[1].name}"
    # the disk that was whole goes on from there, the half done one is compared
    assert here.modes(0)[2:] == ["delta", "compare"]
    whole = [one.step for one in here.ledger.entries if one.event is Event.DONE]
    assert whole.count("g0/d1/seed") == 1, "what was read of no one moment counts for nothing"


def test_a_duplicate_that_came_late_is_no_part_of_it(plant: Plant) -> None:
    site = plant.site
    taken = site.take_snapshot(plant.vms, "1/g0/snapshot/0/do1")
    duplicate(plant)
    assert site.find_snapshot(taken.op) == taken, "the one that is read, its change ids and its label"
    assert site.list_snapshots() == (taken,)
    remove_the_older(plant)
    lost = Lost(plant.machines[1].name, How.REMOVED)
    assert site.lost_from(taken.id, plant.vms, taken.parts.values()) == (lost,)
    with pytest.raises(NotFound):
        site.open_read(plant.volume(1), taken.parts[plant.volume(1)])


def test_a_duplicate_that_survives_a_removal_goes_with_the_round(plant: Plant) -> None:
    here = removing(plant, before=duplicate, befalls=remove_the_older)
    assert here.drive() is Outcome.COMMITTED
    assert here.wrong() == [], "no snapshot is left"
    assert here.given_up() == ["g0/snapshot/0"]
    assert here.modes(0)[2:] == ["delta", "compare"]


@pytest.mark.parametrize("sees", [True, False])
def test_a_vm_that_is_reverted_behind_it_is_read_anew(plant: Plant, sees: bool) -> None:
    """A person has the wave go on beside a snapshot of theirs, and the VM goes back to that."""
    theirs = plant.snapshot(1, THEIRS)
    here = removing(plant, sees=sees, befalls=revert)
    assert here.drive() is Outcome.COMMITTED
    assert here.given_up() == ["g0/snapshot/0"]
    (told,) = [one.detail for one in here.ledger.entries if one.event is Event.GIVEN_UP]
    assert told == {
        "why": f"somebody reverted {plant.machines[1].name} behind our snapshot",
        "reverted": [plant.machines[1].name],
    }
    assert here.modes(0)[2:] == ["delta", "compare"]
    assert plant.snapshots(1) == [f"{THEIRS}: by Kim"]
    finished(theirs.RemoveSnapshot_Task(removeChildren=False))
    assert here.wrong() == []


def test_a_revert_to_ours_or_to_one_that_stands_on_it_takes_nothing_from_what_is_read(plant: Plant) -> None:
    site = plant.site
    taken = site.take_snapshot(plant.vms, "1/g0/snapshot/0/do1")
    later = plant.snapshot(1, THEIRS)
    plant.snapshot(1, "another one")
    for back_to in (later, tops(plant)[0].snapshot):
        finished(back_to.RevertToSnapshot_Task())
        assert site.lost_from(taken.id, plant.vms, taken.parts.values()) == ()


def test_negative_control_who_does_not_vouch_counts_on_a_torn_pass(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RoomWatch, "_look_for", lambda _watch, _step: None)  # its thread would see it in time
    here = removing(plant, vouches=False)
    assert here.drive() is Outcome.COMMITTED
    assert here.given_up() == []
    assert here.modes(0) == ["compare", "compare"]


def test_who_removes_it_time_and_again_is_told_to_a_person(plant: Plant) -> None:
    here = removing(plant, times=REMOVALS)
    assert here.drive() is None
    assert here.given_up() == ["g0/snapshot/0"] * (REMOVALS - 1)
    said = f"somebody removed the snapshot of {plant.machines[1].name}, for the 3rd time"
    assert said in here.decides["message"]
    assert "backup" in here.decides["hint"]
    history = History(here.runbook, here.ledger.entries)
    here.ledger.recorder(history).append(Entry("g0/d1/seed", Event.RETRY, REMOVALS, {"who": "ada"}))
    assert here.drive() is Outcome.COMMITTED
    assert here.wrong() == []
    assert here.given_up() == ["g0/snapshot/0"] * REMOVALS


AT = (
    *("d1/seed after intent", "snapshot/0 before giving up", "snapshot/0 after giving up"),
    *("drop/0 after intent", "snapshot/0 before intent"),
)


@pytest.mark.parametrize("point", AT)
def test_it_dies_and_goes_on(plant: Plant, point: str) -> None:
    here = removing(plant)
    reached: list[str] = []

    def dies(at: str) -> None:
        reached.append(at)
        if at == f"g0/{point}" and (point != "snapshot/0 before intent" or reached.count(at) == 2):
            if point == "d1/seed after intent":
                remove(plant)  # nobody reads it yet
            raise Died(point)

    with pytest.raises(Died):
        here.drive(dies)
    assert here.drive() is Outcome.COMMITTED
    assert here.wrong() == []
    assert 1 <= len(here.given_up()) <= 2
