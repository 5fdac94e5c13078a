"""The same guest behind a tap, while whatever can fail fails: what the receiver offers is whole.

Checkpoints are made by the tap itself. What the guest had called durable before the moment of one is in it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from migrate.sites.ports import Consistency
from planner.units import MIB
from tests.guest.experiment import Experiment
from tests.guest.inspection import is_clean, looked_into
from tests.guest.journals import checkpoints, copied, formatted
from tests.guest.machine import Machine
from tests.guest.system import System, tool
from tests.guest.tapped import Tapped


class Scene:
    """A guest behind a tap, its receiver's store in ``store``."""

    def __init__(self, system: System, folder: Path, store: Path | None = None, policy: bool = False) -> None:
        self.disks = formatted(folder)
        self.tapped = Tapped(folder, self.disks, store, policy)
        self.experiment = Experiment(system, folder, self.disks, self.tapped)

    @contextmanager
    def running(self) -> Iterator[Machine]:
        """Have the guest write, then check what was kept: in the end that is what the source holds."""
        with self.experiment.life() as guest:
            guest.machine.run(3)
            yield guest.machine
            self.tapped.checkpoint()
            guest.machine.run(3)
        self.experiment.check()
        assert self.experiment.newest() == [disk.read_bytes() for disk in self.disks]


@pytest.mark.soak
def test_its_receiver_dies(system: System, tmp_path: Path) -> None:
    scene = Scene(system, tmp_path)
    with scene.running() as machine:
        for _ in range(5):
            scene.tapped.kill_receiver()
            machine.wait_for(4)  # the guest does not notice
            scene.tapped.begin_receiver()
            scene.tapped.checkpoint()
            machine.run(2)


@pytest.mark.soak
def test_the_tap_dies(system: System, tmp_path: Path) -> None:
    scene = Scene(system, tmp_path)
    with scene.running() as machine:
        for _ in range(5):
            scene.tapped.kill_tap()
            scene.tapped.begin_tap()
            machine.wait_for(4)


@pytest.mark.soak
def test_the_storage_of_the_journal_is_full(system: System, tmp_path: Path, small: Path) -> None:
    scene = Scene(system, tmp_path, small / "store")
    ballast = small / "ballast"
    with scene.running() as machine:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(MIB)):
                pass
        scene.tapped.wait_until_it_fails("the target is full")
        machine.wait_for(4)
        ballast.unlink()


@pytest.mark.soak
def test_it_is_frozen_under_a_policy(system: System, tmp_path: Path) -> None:
    scene = Scene(system, tmp_path, policy=True)
    asked = []
    with scene.running() as machine:
        for _ in range(5):
            asked.append(scene.tapped.checkpoint())
            machine.wait_for(4)
    opened = scene.tapped.opened()
    made = checkpoints(opened.log)
    held = {point.record for point in made if point.consistency is Consistency.APPLICATION}
    assert held >= set(asked)  # the tap may have made one of its own, and one was before the power went
    assert len(asked) < len(held) < len(made)
    for record in held:
        disks = copied(opened, record, tmp_path)
        assert [is_clean(disk) for disk in disks] == [True, True]
        a, b = (looked_into(disk)[0] for disk in disks)
        assert a == b
    opened.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Return a file system with little room."""
    if os.geteuid() != 0 or tool("mount") is None:
        pytest.skip("not run: mounting a small file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={64 * MIB},mode=700", "tmpfs", str(place)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"not run: this machine lets nobody mount: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], capture_output=True, check=True)
