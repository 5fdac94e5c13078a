"""A datastore of a vCenter that is about to be full: what is read of it, and a round that is given up there.

The round is driven by the driver itself, against the simulator: a pass that was whole goes on from where it
was, a half done one is compared, and what was copied is in the end what the disks hold. The vCenter's answer
to the removal gets lost, and whoever drives dies.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from migrate.clock import SystemClock
from migrate.replication.passes import Mode
from migrate.run.actions import Outcome
from migrate.run.driver import Driver, Told
from migrate.run.history import Event, History
from migrate.run.patience import Patience
from migrate.run.room_watch import RoomWatch
from migrate.run.runbook import Phase, Runbook, Step
from migrate.sites.rooms import Room, Roomy
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.site import VsphereSite
from migrate.steps.kind import Context
from migrate.steps.kinds import KINDS
from migrate.transfers.ports import Copied, Moving, Wanted
from planner.effects import Effect
from planner.errors import Paused
from planner.units import GIB, MIB
from tests.migrate.simulated_run import Died, Ledger
from tests.migrate.sites.vsphere.conftest import Wire
from tests.migrate.sites.vsphere.plant import Plant
from tests.vcenter.fixtures import StartVCenter

STORE, SIZE = "LocalDS_0", 4 * MIB
PLENTY, LITTLE, LOW = 500 * GIB, 40 * GIB, 10 * GIB
CAPACITY = 1000 * GIB
GRAIN = 64 * 1024


@pytest.fixture
def plant(vcenter: StartVCenter, wire: Wire) -> Plant:
    plant = Plant(wire(vcenter("-vm", "1")), SIZE)
    plant.track(0, 1)
    return plant


# what is seen


def test_room_is_counted_anew_before_it_is_told(plant: Plant) -> None:
    site = plant.site
    assert isinstance(site, Roomy)
    plant.peer.room(STORE, LITTLE, CAPACITY)
    assert site.rooms(plant.vms) == (Room(STORE, LITTLE, CAPACITY, 50 * GIB),)
    assert site.snapshot_waits(plant.vms[0]) == f"room on datastore {STORE}"
    plant.peer.room(STORE, PLENTY, CAPACITY)
    assert site.snapshot_waits(plant.vms[0]) == f"room on datastore {STORE}", "nobody had it counted anew"
    assert site.rooms(("vm-nowhere",)) == ()


def test_where_it_cannot_be_counted_anew_what_the_vcenter_knew_is_told(plant: Plant) -> None:
    plant.peer.room(STORE, PLENTY, CAPACITY)
    plant.site.rooms(plant.vms)
    plant.peer.room(STORE, LOW, CAPACITY)
    plant.peer.rules([{"method": "RefreshDatastore", "fault": "NoPermission"}])
    assert plant.site.rooms(plant.vms) == (Room(STORE, PLENTY, CAPACITY, 50 * GIB),)


# a round


@dataclass
class Replicas:
    """Passes over the disks of a plant into memory, block by block; the first over ``fills`` fills it."""

    plant: Plant
    fills: str
    disks: dict[str, bytearray] = field(default_factory=dict)
    asked: list[Wanted] = field(default_factory=list)
    filled: bool = False
    watch: RoomWatch | None = None
    site: VsphereSite | None = None
    goes_on: bool = False  # a fault: a pass begins where another one stopped

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        assert self.watch is not None
        self.asked.append(wanted)
        vm = self.plant.vms.index(wanted.volume.rpartition("/")[0])
        replica = self.disks.setdefault(wanted.volume, bytearray(SIZE))
        areas = wanted.extents if wanted.mode is Mode.DELTA else None
        blocks = range(0, SIZE, GRAIN) if areas is None else [at for one in areas for at in one_by_one(one)]
        source = self.plant.bytes_of(vm)
        for number, at in enumerate(blocks):
            if self.goes_on and self.filled and wanted.mode is Mode.COMPARE and number <= 2:
                continue
            replica[at : at + GRAIN] = source[at : at + GRAIN]
            if wanted.volume == self.fills and number == 2 and not self.filled:
                self.filled = True
                self.plant.peer.room(STORE, LOW, CAPACITY)
                self.watch.look()
            if self.watch.stops(wanted.volume):
                raise Paused("stopped between two blocks", "")
        return Copied(wanted.mode, len(blocks) * GRAIN, 0, 0.0)


def one_by_one(area: Any) -> range:
    return range(area.offset // GRAIN * GRAIN, area.offset + area.length, GRAIN)


class Round:
    """One round of a group of two VMs: snapshot, two passes, removal; a seed, or a delta after one."""

    def __init__(self, plant: Plant, chance: random.Random) -> None:
        self.plant, self.chance = plant, chance
        self.volumes = [plant.plan_volume(0), plant.plan_volume(1)]
        self.ledger = Ledger()
        self.decides: dict[str, Any] = {}
        self.runbook = Runbook("W", "f", (*self._round(0, "seed"), *self._round(1, "delta")))
        self.replicas = Replicas(plant, "")
        plant.peer.room(STORE, PLENTY, CAPACITY)
        self._write()

    def _round(self, number: int, mode: str) -> list[Step]:
        def step(tail: str, kind: str, needs: tuple[str, ...], **params: Any) -> Step:
            return Step(f"g0/{tail}", kind, tail, "g0", Phase.REPLICATE, Effect.LIVE, needs, params)

        taken, before = f"g0/snapshot/{number}", (f"g0/drop/{number - 1}",) if number else ()
        what = "seed" if mode == "seed" else f"delta/{number}"
        passes = [
            step(
                *(f"d{at}/{what}", "transfer", (taken,)),
                volume=volume,
                size_bytes=SIZE,
                vms=[],
                mode=mode,
                snapshot=taken,
            )
            for at, volume in enumerate(self.volumes)
        ]
        ended = tuple(one.id for one in passes)
        return [
            step(f"snapshot/{number}", "snapshot", before, vms=list(self.plant.vms)),
            *passes,
            step(f"drop/{number}", "drop-snapshot", ended, snapshot=taken),
        ]

    def _write(self, begins: bool = True) -> None:
        """Write to both disks, as their guests do all the time; where they begin as well, if wanted."""
        places = [self.chance.randrange(4 * GRAIN, SIZE - 64) for _ in range(4)] + [0] * begins
        for vm in (0, 1):
            for at in places:
                self.plant.write(self.chance.randbytes(64), at, vm)

    def drive(self, boundary: Callable[[str], None] = lambda point: None) -> Outcome | None:
        """Drive it from its record with a site that remembers nothing, as another process does."""
        history = History(self.runbook, self.ledger.entries)
        connection, tasks, _ = self.plant.parts()
        places = {volume: self.plant.volume(vm) for vm, volume in enumerate(self.volumes)}
        ids = Ids(connection, {vm: vm for vm in self.plant.vms}, places)
        site = VsphereSite("west", connection, tasks, ids)
        watch = RoomWatch(site, history, SystemClock(), lambda: 0.02, look_s=0.0)
        self.replicas.watch, self.replicas.site = watch, site
        watch.look()
        target: Any = SimpleNamespace(observe=lambda vm: None, name="east")
        ctx = Context(
            *("1", "W", site, target, self.replicas, None, SystemClock(), history, lambda moving: None)
        )

        def tell(told: Told) -> None:
            if told.event is Event.HELD:
                for vm in (0, 1):
                    assert self.plant.snapshots(vm) == [], "what filled the datastore is still there"
                self.plant.peer.room(STORE, PLENTY, CAPACITY)
                site.rooms(self.plant.vms)  # as a vCenter does by itself now and then

        def seen(point: str) -> None:
            if point.endswith("before intent") and "/snapshot/" in point:
                self._write("/0 " in point)  # what the seed left wrong there no delta mends
            boundary(point)

        quick = Patience(10.0, 10.0, 0.001, 0.01)
        driver = Driver(
            ctx,
            KINDS,
            self.ledger.recorder(history),
            tell=tell,
            boundary=seen,
            patience=lambda: quick,
            room=watch,
        )
        stopped = driver.drive(lambda gate: None)
        self.decides = history.failures.get(stopped.decide.id, {}) if stopped.decide else {}
        return stopped.outcome

    def wrong(self) -> list[str]:
        """Return what is wrong once the last round is whole; nothing was written since its snapshot."""
        found = [
            f"{volume} is not what was frozen"
            for vm, volume in enumerate(self.volumes)
            if bytes(self.replicas.disks[volume]) != self.plant.bytes_of(vm)
        ]
        return found + [f"VM {vm} keeps {left}" for vm in (0, 1) if (left := self.plant.snapshots(vm))]

    def given_up(self) -> list[str]:
        return [one.step for one in self.ledger.entries if one.event is Event.GIVEN_UP]

    def modes(self, number: int) -> list[str]:
        tail = "seed" if number == 0 else f"delta/{number}"
        return [one.mode.value for one in self.replicas.asked if f"/{tail}/" in one.pass_id]


def filling(plant: Plant, number: int) -> Round:
    """Return rounds of which the store fills up in the second pass of one."""
    here = Round(plant, random.Random(7))
    here.replicas.fills = here.volumes[1] if number == 0 else ""
    return here


def whole(here: Round, number: int, boundary: Callable[[str], None] = lambda point: None) -> Outcome | None:
    def seen(point: str) -> None:
        if point == f"g0/d1/delta/{number} before intent":
            here.replicas.fills = here.volumes[1]
        boundary(point)

    return here.drive(seen)


@pytest.mark.parametrize("number", [0, 1])
def test_a_round_is_given_up_and_made_anew(plant: Plant, number: int) -> None:
    here = filling(plant, number)
    assert whole(here, number) is Outcome.COMMITTED
    assert here.given_up() == [f"g0/snapshot/{number}"]
    assert here.wrong() == []
    # of the disk that was whole a delta comes, by the vCenter's own change ids
    assert here.modes(number)[2] == "delta"


def test_a_half_done_seed_is_compared(plant: Plant) -> None:
    here = filling(plant, 0)
    whole(here, 0)
    assert here.modes(0) == ["compare", "compare", "delta", "compare"]  # no disk was made: none is fresh


FAULTS: list[tuple[int, dict[str, object]]] = [
    (0, {"drop": True}),
    (1, {"dropAfter": True}),
    (0, {"half": True}),
    (1, {"expire": True, "count": 1}),
    (0, {"taskFault": "TaskInProgress"}),
]


@pytest.mark.parametrize(("number", "fault"), FAULTS)
def test_the_removal_is_not_answered_or_refused(plant: Plant, number: int, fault: dict[str, object]) -> None:
    here = filling(plant, number)

    def away(point: str) -> None:
        if point.endswith("after giving up"):
            plant.peer.rules([{"method": "RemoveSnapshot_Task", "count": 2, **fault}])

    assert whole(here, number, away) is Outcome.COMMITTED
    assert sum(plant.peer.fired()) >= 1
    assert here.given_up() == [f"g0/snapshot/{number}"]
    assert here.wrong() == []


AT = ("snapshot/0 before giving up", "snapshot/0 after giving up", "drop/0 after intent", "drop/0 after act")


@pytest.mark.parametrize("point", AT)
def test_it_dies_and_goes_on(plant: Plant, point: str) -> None:
    here = filling(plant, 0)

    def dies(reached: str) -> None:
        if reached == f"g0/{point}":
            raise Died(point)

    with pytest.raises(Died):
        whole(here, 0, dies)
    assert whole(here, 0) is Outcome.COMMITTED
    assert here.wrong() == []
    assert here.given_up() == ["g0/snapshot/0"]


def test_negative_control_what_was_half_done_is_no_part_of_what_comes(plant: Plant) -> None:
    """A pass that goes on where the one before stopped, from another snapshot, makes a wrong replica."""
    here = filling(plant, 0)
    here.replicas.goes_on = True
    assert whole(here, 0) is Outcome.COMMITTED
    assert here.wrong() == [f"{here.volumes[1]} is not what was frozen"]
