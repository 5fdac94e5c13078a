"""Which disks no snapshot of a single VM holds: by bus, by the multi-writer flag, and by mode."""

from __future__ import annotations

from typing import Any

import pytest

from planner.estimate import estimate_planned
from planner.freezing import is_one_by_one, is_unfrozen, unfrozen, unfrozen_at
from planner.maps import Maps
from planner.model import VM, BusSharing, Disk
from planner.plan import Wave
from planner.remap import RemapDecision
from planner.settings import Settings
from planner.settings_sites import Site
from planner.volumes import volumes
from planner.waves.content import planned_disks
from tests.migrate.estate import pair_wave, small_wave
from tests.planner.sketch import estate

GIB = 1 << 30


def settings(source: str, target: str = "lab:there") -> Settings:
    return Settings(sites={"a": Site(url=source, role="source"), "b": Site(url=target, role="target")})


def held(**how: Any) -> Wave:
    """Return the pair's wave with its shared disk held so."""
    wave = pair_wave()
    shared = wave.disks[2]
    holders = tuple(
        item.model_copy(update={"bus_sharing": BusSharing.NONE, "multi_writer": False, **how})
        for item in shared.attachments
    )
    disks = (*wave.disks[:2], shared.model_copy(update={"attachments": holders}), wave.disks[3])
    return wave.model_copy(update={"disks": disks})


PAIR = {"id-a/2000", "id-b/2000", "id-a/2001"}


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({}, set()),
        ({"bus_sharing": BusSharing.PHYSICAL}, PAIR),
        ({"bus_sharing": BusSharing.VIRTUAL}, PAIR),
        ({"multi_writer": True}, PAIR),
        ({"multi_writer": True, "independent": True}, {"id-a/2001"}),
        ({"multi_writer": True, "independent": True, "bus_sharing": BusSharing.PHYSICAL}, PAIR),
    ],
)
def test_what_no_snapshot_holds(how: dict[str, Any], found: set[str]) -> None:
    assert unfrozen(held(**how)) == found


def test_a_site_that_freezes_whole_groups_leaves_nothing_out() -> None:
    here, there = settings("vcenter://me@vc"), settings("lab:here", "vcenter://me@vc")
    assert unfrozen_at(here, "source", pair_wave()) == PAIR
    assert unfrozen_at(here, "target", pair_wave()) == set()
    assert unfrozen_at(there, "source", pair_wave()) == set()
    assert unfrozen_at(there, "target", pair_wave()) == PAIR
    assert not is_one_by_one(Settings(), "source")
    assert unfrozen(small_wave()) == set()


def cluster(mode: str) -> tuple[VM, ...]:
    def vm(name: str) -> VM:
        own = Disk("2000", "Hard disk 1", 40 * GIB, path=f"[ds] {name}/0.vmdk", mode="persistent")
        both = Disk(
            *("2001", "Hard disk 2", 100 * GIB),
            path="[ds] shared/1.vmdk",
            mode=mode,
            multi_writer=True,
            bus=0,
            unit=1,
        )
        return VM(f"id-{name}", name, disks=(own, both))

    return vm("a"), vm("b")


@pytest.mark.parametrize(
    ("mode", "cold", "independent"), [("persistent", 180, False), ("independent_persistent", 100, True)]
)
def test_an_estate_says_the_same_and_its_downtime_has_them(mode: str, cold: int, independent: bool) -> None:
    every = volumes(estate(*cluster(mode)))
    assert sum(volume.size_bytes for volume in every if is_unfrozen(volume)) == cold * GIB
    slots = {vm.id: {disk.key: (0, disk.unit or 0) for disk in vm.disks} for vm in cluster(mode)}
    kept = {volume.id: RemapDecision(volume.backing, "", "kept") for volume in every}
    planned = planned_disks(every, kept, slots, Maps.of(Settings()))
    assert {item.independent for disk in planned for item in disk.attachments if item.multi_writer} == {
        independent
    }
    lab, vcenter = (estimate_planned(every, settings(url), 1) for url in ("lab:here", "vcenter://me@vc"))
    assert vcenter.final_min.p50 > lab.final_min.p50
    assert vcenter.seed_h.p50 < lab.seed_h.p50
