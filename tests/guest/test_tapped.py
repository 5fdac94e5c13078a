"""The same guest behind a tap, while whatever can fail fails: what the receiver offers is whole.

Checkpoints are made by the tap itself. What the guest had called durable before the moment of one is in it.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from planner.units import MIB
from tests.guest.drives import copied
from tests.guest.experiment import Experiment, Point, whole
from tests.guest.machine import Machine, running
from tests.guest.system import System, tool
from tests.guest.tapped import Tapped


class Scene:
    """A guest that runs behind a tap."""

    def __init__(self, system: System, folder: Path, store: Path | None = None) -> None:
        self.experiment = Experiment(system, folder)
        self.tapped = Tapped(folder, self.experiment.replicas, store)
        self.folder = folder

    @contextmanager
    def running(self) -> Iterator[Machine]:
        """Have the guest write for a while and in the end lose its power; check what was kept."""
        try:
            self.tapped.begin()
            with running(self.experiment.system, self.tapped.path, self.folder) as machine:
                machine.wait_until_ready()
                self.tapped.wait_until_streaming()
                machine.run(3)
                yield machine
                self.tapped.wait_until_streaming()
                machine.run(3)
                machine.cut()
                machine.listen()
                self._settle()
                newest = self.tapped.checkpoint()
        finally:
            self.tapped.end()
        self._check(machine, newest)

    def _settle(self) -> None:
        """Return when the tap has done what was on its way when the power went."""
        writes = -1
        while writes != (writes := self.tapped.status()["writes"]):
            time.sleep(0.3)

    def _check(self, machine: Machine, newest: int) -> None:
        kept = self.tapped.kept()
        made = kept.checkpoints()
        self.experiment.points = [Point(one.record, machine.said_before(one.at_ms)) for one in made]
        disks = copied(kept, newest, self.folder)
        sources = self.experiment.replicas
        assert [disk.read_bytes() for disk in disks] == [source.read_bytes() for source in sources]
        whole(self.experiment, kept)


@pytest.mark.soak
def test_its_receiver_dies(system: System, tmp_path: Path) -> None:
    scene = Scene(system, tmp_path)
    with scene.running() as machine:
        for _ in range(2):
            scene.tapped.kill_receiver()
            machine.wait_for(4)  # the guest does not notice
            scene.tapped.begin_receiver()
            scene.tapped.wait_until_streaming()
            machine.run(3)


@pytest.mark.soak
def test_the_tap_dies(system: System, tmp_path: Path) -> None:
    scene = Scene(system, tmp_path)
    with scene.running() as machine:
        for _ in range(2):
            scene.tapped.kill_tap()
            scene.tapped.begin_tap()
            machine.wait_for(4)


@pytest.mark.soak
def test_the_journal_is_full(system: System, tmp_path: Path, small: Path) -> None:
    scene = Scene(system, tmp_path, small / "store")
    ballast = small / "ballast"
    with scene.running() as machine:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(MIB)):
                pass
        scene.tapped.wait_until_it_fails("the target is full")
        machine.wait_for(4)
        ballast.unlink()


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
