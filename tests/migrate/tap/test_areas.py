"""Areas: whatever ends the process, all that differs from the target is hot in the file."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.tap.areas import GRAIN, Areas
from migrate.tap.mapfile import AREA, AREAS_A_PAGE, COLD, HOT, PAGE, MapFile, Seen, seen
from planner.units import GIB, KIB, MIB
from tests.migrate.tap.served import cooled

NOW = Seen(7, 1000)


def cold(path: Path, size: int, disk: str = "db") -> None:
    """Make a map in which nothing is hot, left in order."""
    one = MapFile(path, disk, size, NOW)
    one.hot[:] = bytes(len(one.hot))
    one.write({number: one.page(number) for number in range(-(-len(one.hot) // AREAS_A_PAGE))})
    one.close(NOW)


def hot_in(path: Path, size: int, disk: str = "db") -> set[int]:
    """Return the areas that a process which starts now takes for hot."""
    one = MapFile(path, disk, size, NOW)
    one.close(None)
    return {area for area, state in enumerate(one.hot) if state}


def heated(areas: Areas, disk: int, offset: int, length: int) -> None:
    while not areas.heat(disk, offset, length):
        change = areas.change()
        assert change is not None
        change.write()
        areas.changed(change)


def test_a_disk_nobody_watched_is_hot_throughout_and_one_left_in_order_is_not(tmp_path: Path) -> None:
    path, size = tmp_path / "a", 10 * AREA + 5
    one = MapFile(path, "db", size, NOW)
    assert (one.why, list(one.hot)) == ("no tap has watched it before", [HOT] * 11)
    one.close(NOW)
    cold(path, size)
    again = MapFile(path, "db", size, NOW)
    assert (again.why, list(again.hot)) == ("", [COLD] * 11)
    again.close(NOW)


@pytest.mark.parametrize(
    ("disk", "size", "now", "why"),
    [
        ("other", 10 * AREA, NOW, "cannot be read"),
        ("db", 10 * AREA - 512, NOW, "of another disk"),
        ("db", 9000 * AREA, NOW, "cannot be read"),
        ("db", 10 * AREA, Seen(8, 1000), "of another disk"),
        ("db", 10 * AREA, Seen(7, 1001), "written to while no tap watched"),
    ],
)
def test_what_is_not_the_same_disk_as_it_was_left_is_hot(
    tmp_path: Path, disk: str, size: int, now: Seen, why: str
) -> None:
    cold(tmp_path / "a", 10 * AREA)
    one = MapFile(tmp_path / "a", disk, size, now)
    assert why in one.why
    assert set(one.hot) == {HOT}
    one.close(None)


def test_a_process_that_dies_is_not_asked_when_the_disk_was_written(tmp_path: Path) -> None:
    cold(tmp_path / "a", 10 * AREA)
    MapFile(tmp_path / "a", "db", 10 * AREA, NOW).close(None)  # it died
    later = MapFile(tmp_path / "a", "db", 10 * AREA, Seen(7, 9999))
    assert (later.why, set(later.hot)) == ("", {COLD})
    later.close(None)


def test_a_page_that_rots_is_hot_and_the_others_are_believed(tmp_path: Path) -> None:
    path, size = tmp_path / "a", (AREAS_A_PAGE * 2 + 3) * AREA
    cold(path, size)
    for at in (PAGE + 5, PAGE + PAGE - 1, 2 * PAGE + 100):
        raw = bytearray(path.read_bytes())
        raw[at] ^= 1
        rotten = tmp_path / "rotten"
        rotten.write_bytes(raw)
        page = at // PAGE - 1
        assert hot_in(rotten, size) == set(range(page * AREAS_A_PAGE, (page + 1) * AREAS_A_PAGE))
    raw = bytearray(path.read_bytes())
    raw[PAGE : 2 * PAGE], raw[2 * PAGE : 3 * PAGE] = raw[2 * PAGE : 3 * PAGE], raw[PAGE : 2 * PAGE]
    path.write_bytes(raw)  # each page is good, and in the wrong place
    assert hot_in(path, size) == set(range(2 * AREAS_A_PAGE))


def test_what_is_heated_is_durable_before_it_may_begin(tmp_path: Path) -> None:
    cold(tmp_path / "a", GIB)
    areas = Areas([MapFile(tmp_path / "a", "db", GIB, NOW)])
    assert not areas.heat(0, 100 * AREA - 1, 2)
    assert not areas.heat(0, 100 * AREA - 1, 2)
    change = areas.change()
    assert change is not None
    assert areas.change() is None
    change.write()
    assert {99, 100} <= hot_in(tmp_path / "a", GIB)
    assert not areas.heat(0, 100 * AREA - 1, 2)
    areas.changed(change)
    assert areas.heat(0, 100 * AREA - 1, 2)
    assert not areas.heat(0, 50 * AREA, 1)
    areas.close(None)


def test_grains_that_are_lost_come_as_runs_and_go_when_copied(tmp_path: Path) -> None:
    cold(tmp_path / "a", GIB)
    areas = Areas([MapFile(tmp_path / "a", "db", GIB, NOW)])
    heated(areas, 0, 0, GIB)
    areas.begin(0, 3 * GRAIN + 1, 10)
    areas.begin(0, 4 * GRAIN, GRAIN)
    areas.begin(0, AREA - 1, 2 * AREA + 2)
    assert areas.hot() == []  # records will bring it
    areas.begin_era()
    assert areas.hot() == [(0, 3 * GRAIN, 2 * GRAIN), (0, AREA - GRAIN, 2 * AREA + 2 * GRAIN)]
    areas.copied(0, AREA - GRAIN, AREA + GRAIN)
    assert areas.hot() == [(0, 3 * GRAIN, 2 * GRAIN), (0, 2 * AREA, AREA + GRAIN)]
    areas.copied(0, 0, GIB)
    assert areas.hot() == []
    areas.begin_era()
    assert areas.hot() == [(0, 0, GIB)], "it was copied, and nobody acknowledged it"
    areas.close(None)


def test_a_watch_tells_what_nobody_wrote_to(tmp_path: Path) -> None:
    areas = Areas([MapFile(tmp_path / "a", "db", GIB, NOW)])
    watch = areas.watch(0, MIB, MIB)
    areas.begin(0, MIB - 10, 20)
    areas.begin(0, MIB + 100, 50)
    held = areas.hold(0, 2 * MIB - 5, 100)
    assert areas.watched(watch) == [(MIB + 10, 90), (MIB + 150, MIB - 155)]
    areas.let_go(held)
    spoiled = areas.watch(0, MIB, MIB)
    areas.lose(0, MIB, 1)
    assert areas.watched(spoiled) == []
    assert spoiled.is_spoiled
    areas.close(None)


def test_a_map_that_cannot_be_written_is_removed_and_then_everything_is_hot(tmp_path: Path) -> None:
    cold(tmp_path / "a", GIB)
    areas = Areas([MapFile(tmp_path / "a", "db", GIB, NOW)])
    assert not areas.heat(0, 0, 1)
    areas.give_up("no space")
    assert areas.heat(0, 0, GIB)
    assert areas.change() is None
    areas.close([NOW])
    assert not (tmp_path / "a").exists()


class Modelled:
    """Source, target and line of two disks: versions of grains, and what a process knows of them."""

    def __init__(self, folder: Path, rng: random.Random, areas: type[Areas]) -> None:
        self._folder, self._rng, self._make = folder, rng, areas
        self._size = 30 * AREA
        self.source: dict[tuple[int, int], int] = {}
        self.target: dict[tuple[int, int], int] = {}
        self._sent: list[tuple[int, tuple[int, int], int]] = []
        self._number = 0
        self._streams = False
        for disk in range(2):
            cold(folder / str(disk), self._size, str(disk))
        self._start()

    def _start(self) -> None:
        maps = [MapFile(self._folder / str(disk), str(disk), self._size, NOW) for disk in range(2)]
        self.areas = self._make(maps, keep=3)
        self._number, self._sent, self._streams = 0, [], False

    def write(self) -> None:
        disk, offset = self._rng.randrange(2), self._rng.randrange(self._size - 3 * GRAIN)
        length = self._rng.choice([1, 4 * KIB, 3 * GRAIN])
        heated(self.areas, disk, offset, length)
        self.areas.begin(disk, offset, length)
        self._record(disk, offset, length, self._rng.getrandbits(60))

    def _record(self, disk: int, offset: int, length: int, version: int | None) -> None:
        self._number += 1
        for grain in range(offset // GRAIN, (offset + length - 1) // GRAIN + 1):
            place = disk, grain
            if version is not None:
                self.source[place] = version
            if self._streams:
                self._sent.append((self._number, place, self.source.get(place, 0)))

    def connect(self) -> None:
        self._sent, self._streams = [], True
        self.areas.begin_era()

    def cut(self) -> None:
        self._streams = False
        self._sent = []

    def copy(self) -> None:
        runs = self.areas.hot()
        if self._streams and runs:
            disk, offset, length = self._rng.choice(runs)
            length = min(length, self._rng.randint(1, 8) * GRAIN)
            self._record(disk, offset, length, None)
            self.areas.copied(disk, offset, length)

    def acknowledge(self) -> None:
        if self._streams and self._number:
            upto = self._rng.randint(self._sent[0][0] if self._sent else self._number, self._number)
            for number, place, version in self._sent:
                if number <= upto:
                    self.target[place] = version
            self._sent = [item for item in self._sent if item[0] > upto]
            self.areas.cool(upto)

    def tend(self) -> None:
        self.areas.cool_down(self.areas.tend(self._number))
        change = self.areas.change()
        if change is not None:
            change.write()
            self.areas.changed(change)

    def end(self, in_order: bool) -> None:
        """End the process, see what its successor knows, and go on with that."""
        self.areas.close([NOW, NOW] if in_order else None)
        for disk in range(2):
            hot = hot_in(self._folder / str(disk), self._size, str(disk))
            places = {*self.source, *self.target}
            differ = {place for place in places if self.source.get(place, 0) != self.target.get(place, 0)}
            cold_ones = {grain * GRAIN // AREA for number, grain in differ if number == disk} - hot
            assert not cold_ones, f"areas {cold_ones} of disk {disk} differ and are cold"
        self._start()


def play(folder: Path, seed: int, areas: type[Areas], steps: int) -> int:
    """Let anything happen in any order, and return how often less than all was hot at an end."""
    rng = random.Random(seed)
    modelled = Modelled(folder, rng, areas)
    acts = [modelled.write, modelled.copy, modelled.acknowledge, modelled.tend, modelled.connect,
            modelled.cut]  # fmt: skip
    fewer = 0
    for _ in range(steps):
        rng.choices(acts, [6, 8, 8, 8, 2, 0.2])[0]()
        if rng.random() < 0.01:
            fewer += modelled.areas.hot_count() < 40
            modelled.end(rng.random() < 0.5)
    return fewer


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_all_that_differs_is_hot(tmp_path: Path, seed: int) -> None:
    assert play(tmp_path, seed, Areas, 1500) > 3, "everything was hot, which proves nothing"


@pytest.mark.soak
def test_whatever_happens_for_long_all_that_differs_is_hot(tmp_path: Path) -> None:
    for seed in range(100, 140):
        folder = tmp_path / str(seed)
        folder.mkdir()
        play(folder, seed, Areas, 3000)


class _NotAhead(Areas):
    """Wrong: lets writes begin before their areas are known to be hot."""

    def heat(self, disk: int, offset: int, length: int) -> bool:
        return True


class _Early(Areas):
    """Wrong: takes what was sent for what was acknowledged."""

    def tend(self, last: int) -> list[tuple[int, int]]:
        self.cool(last)
        return super().tend(last)


class _Forgetful(Areas):
    """Wrong: an era begins with what was hot at the start only."""

    def begin_era(self) -> None:
        for kept in (*self._older, *self._fresh):
            kept.clear()


@pytest.mark.parametrize("wrong", [_NotAhead, _Early, _Forgetful])
def test_a_map_that_is_wrong_in_one_place_is_noticed(tmp_path: Path, wrong: type[Areas]) -> None:
    with pytest.raises(AssertionError, match="differ and are cold"):
        play(tmp_path, 1, wrong, 6000)


def test_a_disk_that_was_copied_whole_and_left_in_order_is_cold(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(os.urandom(MIB))
    disk = FlatDisk(path, writable=True)
    cooled([MapFile(tmp_path / "a", "db", MIB, seen(disk.fileno()))], [disk])
    again = MapFile(tmp_path / "a", "db", MIB, seen(disk.fileno()))
    assert (again.why, list(again.hot)) == ("", [COLD])
    again.close(None)
    disk.close()
