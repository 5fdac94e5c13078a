"""Places are counted over all processes, and those of a dead one are free."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from migrate.sites.vsphere.transports.slots import Slots
from planner.errors import ProjectBusy


def test_places_are_counted_and_given_back(tmp_path: Path) -> None:
    slots = Slots(tmp_path, patience_s=0.0)
    first, second = slots.take("nbd", "host-1", 2), slots.take("nbd", "host-1", 2)
    with pytest.raises(ProjectBusy, match="all 2 places of nbd at host-1 are taken"):
        slots.take("nbd", "host-1", 2)
    slots.take("nbd", "host-2", 2)()
    first()
    first()  # twice is not an error, and gives nobody else's place back
    third = slots.take("nbd", "host-1", 2)
    with pytest.raises(ProjectBusy):
        slots.take("nbd", "host-1", 2)
    second(), third()


def test_a_place_is_waited_for(tmp_path: Path) -> None:
    held = Slots(tmp_path).take("nbd", "host-1", 1)
    waits = 0

    def sleep(seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 3:
            held()

    Slots(tmp_path, patience_s=1e9, sleep=sleep).take("nbd", "host-1", 1)()
    assert waits == 3


def test_a_wait_ends_when_the_run_is_to_stop(tmp_path: Path) -> None:
    release = Slots(tmp_path).take("nbd", "host-1", 1)
    with pytest.raises(ProjectBusy):
        Slots(tmp_path, patience_s=1e9, stop=lambda: True).take("nbd", "host-1", 1)
    release()


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from migrate.sites.vsphere.transports.slots import Slots\n"
        "Slots(Path(sys.argv[1])).take('nbd', 'host-1', 1)\n"
        "print('held', flush=True)\n"
        "time.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    slots = Slots(tmp_path, patience_s=0.0)
    with pytest.raises(ProjectBusy):
        slots.take("nbd", "host-1", 1)
    child.kill()
    child.wait()
    child.stdout.close()
    slots.take("nbd", "host-1", 1)()
