"""Places are counted over all processes, and those of a dead one are free."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from migrate.claims import Claim, Rank
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.transports.ports import Place
from migrate.sites.vsphere.transports.slots import Limits, Slots, nbd_places
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


def test_what_is_taken_is_counted_without_taking_any(tmp_path: Path) -> None:
    slots, claim = Slots(tmp_path, patience_s=0.0), Claim("nbd", 2, "host-1")
    assert slots.taken(claim) == 0
    first, second = slots.take("nbd", "host-1", 2), slots.take("nbd", "host-1", 2)
    assert slots.taken(claim) == 2
    first()
    assert (slots.taken(claim), slots.taken(Claim("nbd", 2, "host-2"))) == (1, 0)
    slots.take("nbd", "host-1", 2)()  # looking took none
    second()


def test_a_ration_tells_what_a_disk_takes(tmp_path: Path) -> None:
    slots = Slots(tmp_path, patience_s=0.0)
    ration = nbd_places(slots, Limits(nbd_per_host=1, nbd_per_vcenter=3), "vc")
    place = Place(DatastorePath.parse("[gold] a/a.vmdk"), 512, host="host-9")
    assert [one.taken for one in ration.standings(place)] == [0, 0]
    release = ration.take(place)
    host, vcenter = ration.standings(place)
    assert (host.claim, host.taken) == (Claim("nbd", 1, "host-9"), 1)
    assert not host.claim.fits(host.taken)
    assert (vcenter.claim.most, vcenter.taken, vcenter.claim.fits(vcenter.taken)) == (3, 1, True)
    release()
    assert [one.taken for one in ration.standings(place)] == [0, 0]


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


def test_a_place_is_kept_for_who_goes_first_and_waits_for_it(tmp_path: Path) -> None:
    now_s = 1e9
    slots, claim = Slots(tmp_path, patience_s=0.0, epoch=lambda: now_s), Claim("http", 1, "vc")
    held = slots.take("http", "vc", 1)
    assert not slots.standing(claim, Rank.USUAL).kept
    assert not slots.standing(claim, Rank.AHEAD).is_open(0)
    assert not slots.is_wanted(claim), "who goes later keeps nothing"
    assert not slots.standing(claim, Rank.FIRST).is_open(0)
    other = Slots(tmp_path, epoch=lambda: now_s)  # of another process
    assert other.is_wanted(claim)
    assert not other.is_wanted(Claim("http", 1, "another"))
    held()
    late = other.standing(claim, Rank.USUAL)
    assert (late.taken, late.is_open(0)) == (0, False)
    assert late.says == "a place of http at vc, which a cutover waits for"
    assert other.standing(claim, Rank.FIRST).is_open(0)
    now_s += 60  # it has what it waited for, or was stopped
    assert other.standing(claim, Rank.USUAL).is_open(0)
    now_s -= 3600  # a clock that was set back
    assert other.standing(claim, Rank.USUAL).is_open(0)
