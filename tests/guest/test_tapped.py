"""The same guest behind a tap, its receiver killed while it writes: what the receiver offers is whole.

Checkpoints are made by the tap itself. What the guest had called durable before the moment of one is in it.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.guest.drives import copied
from tests.guest.experiment import Experiment, Point, whole
from tests.guest.machine import running
from tests.guest.system import System
from tests.guest.tapped import Tapped


@pytest.mark.soak
def test_a_guest_behind_a_tap_whose_receiver_dies(system: System, tmp_path: Path) -> None:
    experiment = Experiment(system, tmp_path)
    tapped = Tapped(tmp_path, experiment.replicas)
    try:
        tapped.begin()
        with running(system, tapped.path, tmp_path) as machine:
            machine.wait_until_ready()
            tapped.wait_until("streaming")
            machine.run(4)
            for _ in range(2):
                tapped.kill_receiver()
                machine.wait_for(4)  # the guest does not notice
                tapped.begin_receiver()
                tapped.wait_until("streaming")
                machine.run(4)
            machine.cut()
            machine.listen()
            settle(tapped)
            newest = tapped.checkpoint()
    finally:
        tapped.end()
    kept = tapped.kept()
    experiment.points = [Point(made.record, machine.said_before(made.at_ms)) for made in kept.checkpoints()]
    assert newest in {point.record for point in experiment.points}
    images = copied(kept, newest, tmp_path)
    assert [image.read_bytes() for image in images] == [disk.read_bytes() for disk in experiment.replicas]
    whole(experiment, kept)


def settle(tapped: Tapped) -> None:
    """Return when the tap has done what was on its way when the power went."""
    writes = -1
    while writes != (writes := tapped.status()["writes"]):
        time.sleep(0.3)
