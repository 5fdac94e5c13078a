"""A mover brings in an image: what was promised arrives, a mover that dies is followed by another one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from migrate.disks.bringing import Brought
from migrate.disks.ports import WritableDisk
from migrate.movers.placing import MovedPlaces
from migrate.movers.pool import Child, Pool
from migrate.movers.task import Ends, Manner
from migrate.movers.transfers import Generations
from migrate.sites.lab.client import LabSite
from migrate.sites.ports import Disks, NewDisk
from migrate.transfers.placing import Placing, placed
from migrate.transfers.ports import Moving
from planner.errors import BadInput, SiteRefused, Unreachable
from planner.model import Backing
from planner.units import MIB
from tests.migrate.sites.estate import build, content, running

SIZE = 4 * MIB


@pytest.fixture
def target(tmp_path: Path) -> Iterator[LabSite]:
    build(tmp_path)
    with running(tmp_path / "target") as site:
        site.create_disk(NewDisk("new", SIZE, Backing.VMDK), "made")
        yield site


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "seed.img"
    path.write_bytes(os.urandom(SIZE))
    return path


class Bringing:
    """Brings an image to a site with movers of its own."""

    def __init__(self, target: LabSite, pool: Pool) -> None:
        ends = Ends(f"lab:{target.directory.parent / 'source'}", target.where)
        folder = target.directory.parent / "seeds"
        manner = Manner(1, MIB)
        self._places = MovedPlaces(pool, ends, manner, folder, Generations(), lambda: False)
        self.told: list[Moving] = []

    def bring(self, image: Path) -> Brought:
        return self._places.place(image, "new", SIZE, "run", self.told.append)


def test_no_byte_passes_this_process_and_all_of_them_arrive(target: LabSite, image: Path) -> None:
    with Pool() as pool:
        bringing = Bringing(target, pool)
        brought = bringing.bring(image)
        assert brought.data_bytes == SIZE
        assert content(target, "new") == image.read_bytes()
        assert bringing.told[-1].done_bytes == SIZE
        assert bringing.bring(image).resumed_bytes == SIZE, "once more there is nothing to do"


def test_what_a_mover_was_refused_is_raised_here(target: LabSite, image: Path) -> None:
    with image.open("ab") as file:
        file.write(b"more")
    with Pool() as pool, pytest.raises(BadInput, match="holds a disk of"):
        Bringing(target, pool).bring(image)


def test_a_mover_that_dies_is_followed_by_another_one(target: LabSite, image: Path) -> None:
    made: list[Child] = []

    def make() -> Child:
        made.append(Child())
        if len(made) == 1:
            os.kill(made[0].pid, signal.SIGKILL)
        return made[-1]

    with Pool(make) as pool:
        bringing = Bringing(target, pool)
        with pytest.raises(Unreachable, match="died in the middle"):
            bringing.bring(image)
        assert bringing.bring(image).data_bytes == SIZE
        assert content(target, "new") == image.read_bytes()
        assert len(made) == 2


def test_a_disk_that_another_mover_has_is_waited_for(target: LabSite, image: Path) -> None:
    held = target.open_write("new")
    begun = threading.Event()

    class Watched:
        def open_write(self, volume: str) -> WritableDisk:
            try:
                return target.open_write(volume)
            except SiteRefused:
                begun.set()
                raise

    def lets_go() -> None:
        begun.wait()
        held.close()

    thread = threading.Thread(target=lets_go)
    thread.start()
    placing = Placing(target.directory.parent / "seeds")
    site = cast("Disks", Watched())
    brought = placed(placing, site, image, "new", SIZE, "run", lambda moving: None, wait_s=120.0)
    thread.join()
    assert brought.data_bytes == SIZE
    again = target.open_write("new")
    with pytest.raises(SiteRefused):
        placed(placing, target, image, "new", SIZE, "run", lambda moving: None)
    again.close()
