"""A tap that is killed under load: what guests were told is on the disk, and what differs is hot."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.tap.mapfile import AREA, MapFile, seen
from planner.units import KIB, MIB
from tests.migrate.tap.served import cooled
from tests.migrate.tap.test_front import Raw

SIZE = 256 * MIB
BLOCK = 4 * KIB


def prepared(folder: Path) -> None:
    """Make a source and a target that are equal, and a map in which nothing is hot."""
    for name in ("source.img", "target.img"):
        (folder / name).touch()
        os.truncate(folder / name, SIZE)
    disk = FlatDisk(folder / "source.img", writable=True)
    cooled([MapFile(folder / "map", "db", SIZE, seen(disk.fileno()))], [disk])
    disk.close()


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.migrate.tap.taps", str(folder), *more],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def load(folder: Path, process: subprocess.Popen[str], seed: int, writes: int) -> dict[int, tuple[int, int]]:
    """Write stamped blocks, many at once, and kill the tap; return (acknowledged, sent) stamps of blocks."""
    rng = random.Random(seed)
    guest = Raw(folder / "sock", "db")
    told: dict[int, tuple[int, int]] = {}
    asked: dict[int, int] = {}
    last = writes
    for stamp in range(1, writes + 1):
        # A few areas at a time: others cool down meanwhile.
        block = (stamp // 300 * 5 + rng.randrange(4)) % (SIZE // AREA) * (AREA // BLOCK) + rng.randrange(30)
        if stamp % 300 == 0:
            time.sleep(0.1)  # a turn of the tap
        if block in asked.values():
            continue
        guest.ask(1, block * BLOCK, BLOCK, struct.pack(">Q", stamp) * (BLOCK // 8), stamp)
        asked[stamp] = block
        told[block] = told.get(block, (0, 0))[0], stamp
        last = stamp
        if len(asked) == 16:
            code, cookie = guest.answer()
            assert code == 0
            told[asked.pop(cookie)] = cookie, cookie
    assert last > writes // 2
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    guest.close()
    return told


def differing(folder: Path) -> set[int]:
    """Return the areas in which source and target differ."""
    with (folder / "source.img").open("rb") as source, (folder / "target.img").open("rb") as target:
        return {area for area in range(SIZE // AREA) if source.read(AREA) != target.read(AREA)}


def hot(folder: Path) -> set[int]:
    """Return the areas that the next process takes for hot."""
    disk = FlatDisk(folder / "source.img")
    one = MapFile(folder / "map", "db", SIZE, seen(disk.fileno()))
    one.close(None)
    disk.close()
    return {area for area, state in enumerate(one.hot) if state}


@pytest.mark.parametrize("seed", range(2))
def test_after_a_kill_nothing_told_is_lost_and_few_areas_are_hot(tmp_path: Path, seed: int) -> None:
    prepared(tmp_path)
    told = load(tmp_path, started(tmp_path), seed, 3000 + 777 * seed)
    with (tmp_path / "source.img").open("rb") as source:
        for block, (acknowledged, sent) in told.items():
            source.seek(block * BLOCK)
            stamps = {*struct.unpack(f">{BLOCK // 8}Q", source.read(BLOCK))}
            assert all(acknowledged <= stamp <= sent for stamp in stamps), block
    differ, found = differing(tmp_path), hot(tmp_path)
    assert differ, "the target had everything, which proves nothing"
    assert differ <= found
    assert {block * BLOCK // AREA for block in told} - found, "nothing became cold, which proves little"


@pytest.mark.soak
def test_after_many_kills_nothing_is_lost(tmp_path: Path) -> None:
    for seed in range(40):
        folder = tmp_path / str(seed)
        folder.mkdir()
        prepared(folder)
        load(folder, started(folder), seed, random.Random(seed).randint(500, 9000))
        assert differing(folder) <= hot(folder)


def test_areas_that_are_not_written_ahead_are_noticed(tmp_path: Path) -> None:
    prepared(tmp_path)
    load(tmp_path, started(tmp_path, "wrong"), 1, 600)
    assert differing(tmp_path) - hot(tmp_path)
