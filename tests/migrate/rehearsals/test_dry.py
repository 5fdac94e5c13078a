"""A dry rehearsal names everything in the way, and asks the real sites for nothing but reads."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from migrate.clock import SimulatedClock
from migrate.rehearsal import model_of
from migrate.rehearsals.dry import at_the_sites, predict
from migrate.rehearsals.faults import CHANGING
from migrate.run.compose import compose
from migrate.sites.ports import Capability, NewDisk
from migrate.sites.simulated import SimulatedSite, populate
from planner.freezing import unfrozen
from planner.model import Backing, BusSharing, Power
from planner.plan import Wave
from planner.settings import Link
from tests.migrate.estate import left_out_wave, pair_wave, small_wave


class ReadOnly:
    """A real site of a test: it answers what reads, and counts what is asked."""

    def __init__(self, name: str) -> None:
        self.site = SimulatedSite(name, SimulatedClock(), random.Random(0))
        self.free = 1 << 40
        self.known: frozenset[str] | None = None
        self.can = frozenset(Capability)
        self.stores: dict[str, int] | None = None
        self.lacks: tuple[str, ...] = ()
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        assert name not in CHANGING, f"{name} was asked of a real site"
        self.reads += 1
        return getattr(self.site, name)

    capabilities = property(lambda self: self.can)

    def free_bytes(self) -> int:
        return self.free

    def networks(self) -> frozenset[str] | None:
        return self.known

    def names(self) -> dict[str, str]:
        return {vm: found.name for vm, found in self.site.vms.items()}

    def lacking(self, **_vms: object) -> tuple[str, ...]:
        return self.lacks

    def datastores(self) -> dict[str, int] | None:
        return self.stores


def sites(wave: Wave) -> tuple[Any, Any]:
    source, target = ReadOnly("dc1"), ReadOnly("dc2")
    populate(source.site, model_of(wave, Link()).vms)
    return source, target


@pytest.mark.parametrize("wave", [small_wave(), pair_wave(), left_out_wave()])
def test_a_whole_run_is_predicted_and_the_sites_stay_as_they_are(wave: Wave) -> None:
    source, target = sites(wave)
    before = dict(source.site.vms)
    calls, stopped, failure = predict(wave, compose(wave), source, target)
    assert (stopped, failure) == ("", None)
    assert source.reads
    assert (source.site.vms, target.site.vms, target.site.volumes) == (before, {}, {})
    runs = {vm.id for vm in wave.vms if vm.powered_on and any(vm.id in batch for batch in wave.boot)}
    assert {call.subject for call in calls if call.call == "power_on"} == runs
    assert [call.subject for call in calls if call.call == "create_disk"] == [
        disk.volume for group in wave.groups for disk in wave.disks if disk.attachments[0].vm in group.vms
    ]
    taken = [call.step for call in calls if call.call == "take_snapshot"]
    assert {call.subject for call in calls if call.call == "drop_snapshot"} == set(taken)


def test_a_calm_wave_has_nothing_in_the_way() -> None:
    assert list(at_the_sites(small_wave(), *sites(small_wave()))) == []


@pytest.mark.parametrize(("count", "said"), [(1, 1), (19, 1), (20, 2)])
def test_snapshots_are_told_and_once_more_before_there_are_too_many(count: int, said: int) -> None:
    source, target = sites(small_wave())
    for number in range(count):
        source.site.take_snapshot(("id-web",), f"backup {number}")
    assert [one.what for one in at_the_sites(small_wave(), source, target)] == said * ["snapshots"]


def _other_name(source: Any, target: Any) -> None:
    target.site.vms["x"] = replace(source.site.vms["id-web"], id="x")


def _there(source: Any, target: Any) -> None:
    target.site.vms["id-web"] = source.site.vms["id-web"]


def _off(source: Any, target: Any) -> None:
    source.site.vms["id-web"] = replace(source.site.vms["id-web"], power=Power.OFF)


def _gone(source: Any, target: Any) -> None:
    del source.site.vms["id-web"]


def _disks(source: Any, target: Any) -> None:
    source.site.vms["id-web"] = replace(source.site.vms["id-web"], disks=())


def _full(source: Any, target: Any) -> None:
    target.free = 10 << 20


def _no_network(source: Any, target: Any) -> None:
    target.known = frozenset({"lan"})


def _no_privilege(source: Any, target: Any) -> None:
    source.lacks = ("the account lacks VirtualMachine.State.CreateSnapshot on vm web",)


def _nowhere_to_land(source: Any, target: Any) -> None:
    target.stores = {"gold": 1 << 40}  # and the plan says of no disk where it lands


def _may_not(source: Any, target: Any) -> None:
    target.can -= {Capability.CREATE_VM}


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (_other_name, "names"), (_there, "identities"), (_off, "identities"), (_gone, "identities"),
        (_disks, "disks"), (_full, "space"), (_no_network, "networks"), (_may_not, "privileges"),
        (_nowhere_to_land, "datastores"), (_no_privilege, "privileges"),
    ],
)  # fmt: skip
def test_each_thing_in_the_way_is_a_finding_of_its_own(spoil: Callable[[Any, Any], None], what: str) -> None:
    source, target = sites(small_wave())
    spoil(source, target)
    assert [one.what for one in at_the_sites(small_wave(), source, target)] == [what]


def test_all_of_it_is_found_at_once() -> None:
    source, target = sites(small_wave())
    for spoil in (_off, _full, _no_network, _may_not):
        spoil(source, target)
    assert {one.what for one in at_the_sites(small_wave(), source, target)} == {
        "identities", "space", "networks", "privileges",
    }  # fmt: skip
    _, stopped, failure = predict(small_wave(), compose(small_wave()), source, target)
    assert stopped == "W01: sites, VMs, networks and space"
    assert failure is not None


def test_a_datastore_that_disks_land_on_is_there_and_has_room() -> None:
    wave = small_wave()
    on_gold = wave.model_copy(
        update={"disks": tuple(disk.model_copy(update={"datastore": "gold"}) for disk in wave.disks)}
    )
    source, target = sites(wave)
    needs = sum(disk.size_bytes for disk in wave.disks)
    for stores, found in (
        ({"gold": needs}, []),
        ({"gold": needs - 1}, ["space"]),
        ({"tin": needs}, ["datastores"]),
    ):
        target.stores = stores
        assert [one.what for one in at_the_sites(on_gold, source, target)] == found


def test_disks_that_are_there_already_take_no_space() -> None:
    source, target = sites(small_wave())
    for disk in small_wave().disks:
        target.site.volumes[disk.volume] = NewDisk(disk.volume, disk.size_bytes, Backing.VMDK)
    target.free = 0
    assert list(at_the_sites(small_wave(), source, target)) == []


def test_of_vms_that_share_disks_snapshots_are_taken_only_where_whole_groups_are_frozen() -> None:
    wave = pair_wave()
    source, target = sites(wave)
    for vm, found in source.site.vms.items():
        shared = tuple(
            replace(disk, bus_sharing=BusSharing.PHYSICAL) if disk.volume == "id-a/2001" else disk
            for disk in found.disks
        )
        source.site.vms[vm] = replace(found, disks=shared)
    assert predict(wave, compose(wave), source, target)[2] is None
    source.can -= {Capability.GROUP_SNAPSHOT}
    failure = predict(wave, compose(wave), source, target)[2]
    assert failure is not None
    assert "shares disks" in failure.message
    calls, _, failure = predict(wave, compose(wave, unfrozen=unfrozen(wave)), source, target)
    assert failure is None
    frozen = {call.subject for call in calls if call.call == "take_snapshot"}
    assert not any("id-a" in vms or "id-b" in vms for vms in frozen)
