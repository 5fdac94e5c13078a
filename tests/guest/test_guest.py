"""A real guest over journalled disks: at every checkpoint its file systems and its records are whole.

One boot for all tests of this file but the long ones. The controls give the same checks a log that had
kept another order, and have to be noticed.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from migrate.journal.scratch import Scratch
from migrate.sites.ports import Consistency
from tests.guest import disorder
from tests.guest.disorder import Disorder
from tests.guest.drives import copied, serving
from tests.guest.experiment import Experiment, life, whole
from tests.guest.freezing import die_frozen
from tests.guest.inspection import is_clean, looked_into, needs_recovery
from tests.guest.machine import running
from tests.guest.records import DISKS, count
from tests.guest.system import System


@pytest.fixture(scope="module")
def short(system: System, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Return what is left of a guest that wrote for some seconds, and was frozen twice."""
    experiment = Experiment(system, tmp_path_factory.mktemp("guest"))
    with life(experiment) as guest:
        guest.write(10, pause_s=0.4)
        guest.insert_at_rest()
        guest.machine.wait_for(2)
        die_frozen(guest.machine.agent)
        guest.machine.wait_for(2)  # somebody else thawed it
        guest.write(10, pause_s=0.4)
    return experiment


def test_every_checkpoint_is_whole_and_holds_what_was_acknowledged(short: Experiment) -> None:
    whole(short, short.opened())


def test_one_at_which_the_guest_was_frozen_needs_no_recovery(short: Experiment, tmp_path: Path) -> None:
    journal = short.opened()
    assert short.at_rest is not None
    labels = {record: point.consistency for record, point in journal.log.state.checkpoints.items()}
    assert [record for record in labels if labels[record] is Consistency.APPLICATION] == [
        short.at_rest.record
    ]
    at_rest = copied(journal, short.at_rest.record, tmp_path)
    others = [copied(journal, point.record, tmp_path) for point in short.points[:5]]
    journal.close()
    assert [is_clean(disk) for disk in at_rest] == [True, True]
    assert any(needs_recovery(disk) for disks in others for disk in disks), "the others do"
    held = [looked_into(disk)[0] for disk in at_rest]
    assert held[0] == held[1], "its hook let it finish the pair it was writing"


def test_the_control_of_the_controls_is_sound(short: Experiment) -> None:
    found = short.disordered(disorder.kept, short.points[2::5], 1)
    assert set(map(tuple, found.values())) == {()}


@pytest.mark.parametrize("order", [disorder.shuffled, disorder.apart, disorder.lossy])
def test_another_order_of_writes_is_noticed(short: Experiment, order: Disorder) -> None:
    found = short.disordered(order, short.points[2::5], 1)
    assert any(found.values())
    print(f"{order.__name__}: {sum(map(bool, found.values()))} of {len(found)} checkpoints are refused")


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
def test_hundreds_of_checkpoints(system: System, tmp_path: Path, seed: int) -> None:
    experiment = Experiment(system, tmp_path)
    rng = random.Random(seed)
    with life(experiment) as guest:
        for _ in range(10):
            guest.write(15, pause_s=rng.uniform(0.05, 0.5))
            guest.insert_at_rest()
    whole(experiment, experiment.opened())
    for order in (disorder.shuffled, disorder.apart, disorder.lossy):
        found = experiment.disordered(order, experiment.points[::10], seed)
        assert sum(map(bool, found.values())) > len(found) // 2


@pytest.mark.soak
@pytest.mark.parametrize("chosen", [0, 7, 10, -1])
def test_an_image_boots_and_the_guest_goes_on(short: Experiment, tmp_path: Path, chosen: int) -> None:
    point = short.points[chosen]
    journal = short.opened()
    before = journal.log.last
    held = [looked_into(disk)[0] for disk in copied(journal, point.record, tmp_path)]
    disks = {
        disk: Scratch(journal.image(point.record, number), tmp_path) for number, disk in enumerate(DISKS)
    }
    with serving(disks) as served, running(short.system, served.path, tmp_path) as machine:
        found = machine.wait_until_ready()
        assert found == {disk: count(there.records) for disk, there in zip(DISKS, held, strict=True)}
        machine.wait_for(5)
    assert journal.log.last == before, "an image leaves the journal as it was"
    journal.close()
