"""A real guest over journalled disks: at every checkpoint its file systems and its records are whole.

One boot for all tests of this file but the long ones, behind a tap and a receiver that dies once. The
controls give the same checks a log that had kept another order, and have to be noticed.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from migrate.journal.scratch import Scratch
from tests.guest import disorder
from tests.guest.disorder import Disorder
from tests.guest.experiment import Experiment
from tests.guest.freezing import die_frozen
from tests.guest.inspection import is_clean, looked_into, needs_recovery
from tests.guest.journals import copied, formatted
from tests.guest.machine import running
from tests.guest.records import DISKS, count
from tests.guest.served import Journalled, serving
from tests.guest.system import System
from tests.guest.tapped import Tapped

_DISORDERS = (
    (disorder.shuffled, "broken"),
    (disorder.apart, "different instants"),
    (disorder.lossy, ""),
)


@pytest.fixture(scope="module")
def short(system: System, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Return what is left of a guest that wrote for some seconds, and was frozen twice."""
    folder = tmp_path_factory.mktemp("guest")
    disks = formatted(folder)
    tapped = Tapped(folder, disks)
    experiment = Experiment(system, folder, disks, tapped)
    with experiment.life() as guest:
        guest.write(12, pause_s=0.4, records=2)
        guest.insert_at_rest()
        guest.machine.wait_for(2)
        die_frozen(guest.machine.agent)
        guest.machine.wait_for(2)  # somebody else thawed it
        tapped.kill_receiver()
        guest.machine.wait_for(2)  # it does not notice
        tapped.begin_receiver()
        guest.write(12, pause_s=0.4, records=2)
    return experiment


def test_every_checkpoint_is_whole_and_holds_what_was_acknowledged(short: Experiment) -> None:
    short.check()


def test_the_newest_checkpoint_is_what_the_disks_of_the_tap_hold(short: Experiment) -> None:
    assert short.newest() == [disk.read_bytes() for disk in short.disks]


def test_one_at_which_the_guest_was_frozen_needs_no_recovery(short: Experiment, tmp_path: Path) -> None:
    assert short.at_rest is not None
    opened = short.front.opened()
    at_rest = copied(opened, short.at_rest.record, tmp_path)
    others = [copied(opened, point.record, tmp_path) for point in short.points[-5:]]
    opened.close()
    assert [is_clean(disk) for disk in at_rest] == [True, True]
    assert any(needs_recovery(disk) for disks in others for disk in disks), "the others do"
    held = [looked_into(disk)[0] for disk in at_rest]
    assert held[0] == held[1], "its hook let it finish the pair it was writing"


def test_the_control_of_the_controls_is_sound(short: Experiment) -> None:
    found = short.disordered(disorder.kept, short.points[-13::4], 1)
    assert set(map(tuple, found.values())) == {()}


@pytest.mark.parametrize(("order", "words"), _DISORDERS)
def test_another_order_of_writes_is_noticed(short: Experiment, order: Disorder, words: str) -> None:
    found = short.disordered(order, short.points[-13::4], 1)
    assert any(words in line for lines in found.values() for line in lines), found
    print(f"{order.__name__}: {sum(map(bool, found.values()))} of {len(found)} checkpoints are refused")


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
def test_hundreds_of_checkpoints(system: System, tmp_path: Path, seed: int) -> None:
    disks = formatted(tmp_path)
    experiment = Experiment(system, tmp_path, disks, Journalled(tmp_path, disks))
    rng = random.Random(seed)
    with experiment.life() as guest:
        for _ in range(10):
            guest.write(15, pause_s=rng.uniform(0.05, 0.5), records=2)
            guest.insert_at_rest()
    experiment.check()
    for order, _ in _DISORDERS:
        found = experiment.disordered(order, experiment.points[::10], seed)
        assert sum(map(bool, found.values())) > len(found) // 2


@pytest.mark.soak
def test_what_is_left_when_history_ages(system: System, tmp_path: Path) -> None:
    disks = formatted(tmp_path)
    front = Journalled(tmp_path, disks)
    experiment = Experiment(system, tmp_path, disks, front)
    with experiment.life() as guest:
        guest.write(100, pause_s=0.2)
    points = experiment.points
    experiment.points = points[:-20:20] + points[-20:]
    dropped = {point.record for point in points} - {point.record for point in experiment.points}
    journal = front.opened()
    won = journal.age(sorted(dropped), experiment.points[2].record)
    journal.close()
    assert won > 0
    experiment.points = experiment.points[2:]
    experiment.check()
    print(f"{won} bytes won by merging")


@pytest.mark.soak
@pytest.mark.parametrize("chosen", [-20, -12, -5, -1])
def test_an_image_boots_and_the_guest_goes_on(short: Experiment, tmp_path: Path, chosen: int) -> None:
    record = short.points[chosen].record
    opened = short.front.opened()
    before = opened.log.last
    held = [looked_into(disk)[0] for disk in copied(opened, record, tmp_path)]
    disks = {disk: Scratch(opened.image(record, number), tmp_path) for number, disk in enumerate(DISKS)}
    with serving(disks) as served, running(short.system, served.path, tmp_path) as machine:
        found = machine.wait_until_ready()
        assert found == {disk: count(there.records) for disk, there in zip(DISKS, held, strict=True)}
        machine.wait_for(5)
    assert opened.log.last == before, "an image leaves the journal as it was"
    opened.close()
