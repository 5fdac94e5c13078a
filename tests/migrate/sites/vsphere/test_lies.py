"""Every way in which change tracking lied is caught before a commit: by a rule, or by the comparison.

A rule catches it where the pass that would have believed the lie compares digests instead. The comparison
catches it where the step before the commit refuses the replica. The stories and their sources are those
of docs/change-tracking.md. Negative control: a site without the rules ends with a wrong replica each time.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from migrate.sites.vsphere.ids import Ids
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.lies import STORIES, Credulous, Replicating
from tests.migrate.sites.vsphere.plant import Plant
from tests.vcenter.fixtures import StartVCenter

SEEDS = 2
BY_RULE = {"grown", "late", "reverted", "patched"}
GUIDE = Path(__file__).parents[4] / "docs" / "change-tracking.md"


@pytest.fixture
def plant(vcenter: StartVCenter, wire: Wire) -> Plant:
    plant = Plant(wire(vcenter("-vm", "1")))
    plant.add_disk(0)
    plant.track(0)
    return plant


def _begun(plant: Plant, site: object, lie: str, seed: int) -> Replicating:
    run = Replicating(plant, site, seed, disk=1 if lie == "other-disks" else 0)  # type: ignore[arg-type]
    run.write()
    run.turn()
    run.write()
    run.turn()
    assert run.is_equal
    assert run.compared == 0  # honest so far, and believed
    return run


def _caught(plant: Plant, lie: str, seed: int) -> str:
    """Return what caught a lie; it is an error that nothing did, or that the replica cannot be mended."""
    run = _begun(plant, plant.site, lie, seed)
    STORIES[lie](run)
    how = "rule" if run.compared else "comparison"
    assert run.verify() is (how == "rule"), (
        f"SEED={seed} {lie}: a wrong replica passes, or a right one does not"
    )
    run.base = None
    run.turn()
    assert run.is_equal
    assert run.verify()
    run.finish()
    return how


@pytest.mark.parametrize("lie", STORIES)
def test_each_lie_is_caught_before_commit(plant: Plant, lie: str) -> None:
    how = [_caught(plant, lie, seed) for seed in range(SEEDS)]
    assert len(how) == SEEDS
    if lie in BY_RULE:
        assert set(how) == {"rule"}
    print(f"{lie}: {SEEDS} seeds, {how.count('rule')} by a rule, {how.count('comparison')} by the comparison")


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(10))
@pytest.mark.parametrize("lie", STORIES)
def test_each_lie_is_caught_a_thousand_times(plant: Plant, lie: str, hundred: int) -> None:
    how = [_caught(plant, lie, seed) for seed in range(100 * hundred, 100 * (hundred + 1))]
    print(
        f"{lie}: {len(how)} seeds, {how.count('rule')} by a rule, {how.count('comparison')} by the comparison"
    )


@pytest.mark.parametrize("lie", STORIES)
def test_without_rules_and_comparison_every_lie_goes_through(plant: Plant, lie: str) -> None:
    """Negative control."""
    connection, tasks = plant.site.connection, plant.site.tasks
    site = Credulous("west", connection, tasks, Ids(connection, {vm: vm for vm in plant.vms}))
    for seed in range(SEEDS):
        run = _begun(plant, site, lie, seed)
        STORIES[lie](run)
        assert not run.is_equal, f"SEED={seed}: {lie} told no lie"
        run.finish()


def test_the_order_of_steps_loses_nothing(plant: Plant) -> None:
    """Where the new snapshot is taken before the old one is removed, what is between them gets lost."""
    for wrong_order in (False, True):
        run = _begun(plant, plant.site, "order", 1 + wrong_order)
        plant.peer.tracking("order")
        run.write()
        run.turn(wrong_order=wrong_order)
        assert run.compared == 0
        assert run.is_equal is not wrong_order
        assert run.verify() is not wrong_order
        run.finish()


def test_an_answer_of_the_whole_disk_is_compared(plant: Plant) -> None:
    run = _begun(plant, plant.site, "whole", 1)
    plant.peer.tracking("whole")
    run.write()
    run.turn()
    assert run.compared == 1
    run.finish()


def test_nobody_asks_what_was_ever_written(plant: Plant) -> None:
    """On some storage the answer to "*" leaves out what was: a seed reads the whole disk instead."""
    plant.peer.tracking("unallocated")
    plant.peer.calls(reset=True)
    run = Replicating(plant, plant.site, 1)
    run.write()
    run.turn()
    assert run.is_equal
    assert "QueryChangedDiskAreas" not in plant.peer.calls()
    snapshot = plant.machines[0].snapshot.currentSnapshot
    told = plant.machines[0].QueryChangedDiskAreas(snapshot, plant.disks()[0].key, 0, "*")
    written = sum(area.length for area in told.changedArea)
    used = len(plant.bytes_of()) - plant.bytes_of().count(0)
    assert written == 0 or written < used * 64 * 1024  # it did lie
    run.finish()


def test_a_host_that_lost_power_begins_anew(plant: Plant) -> None:
    run = _begun(plant, plant.site, "crash", 1)
    plant.peer.tracking(crash=True)
    run.write()
    run.turn()
    assert run.compared == 1
    assert run.is_equal
    run.finish()


def test_the_guide_lists_what_the_simulator_can_tell() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \|", GUIDE.read_text(), re.MULTILINE)
    assert set(listed) == {*STORIES, "order", "whole", "unallocated"}
    assert len(listed) >= 10


def test_stories_need_the_second_disk(wired: Wired) -> None:
    """A lie about other disks is none about the first."""
    plant = Plant(wired)
    plant.track(0)
    plant.peer.tracking("other-disks")
    run = Replicating(plant, plant.site, 1)
    run.turn()
    run.write()
    run.turn()
    assert run.is_equal
