"""What memory does as disks grow and multiply: a seed of a large sparse disk, and many disks at once."""

from __future__ import annotations

import filecmp
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.wire import peers
from benchmarks.wire.ours import How, Target
from benchmarks.wire.sheet import row
from benchmarks.wire.timed import Server, Took, timed
from planner.units import GIB, MIB, TIB

_ROOT = Path(__file__).resolve().parents[2]
_DATA = 256 * MIB
_SMALL = 64 * MIB


def rows(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Return seeds of the same data spread over 1 GiB up to 2 TiB, and of 1 to 64 disks at once."""
    return [*_sparse_rows(folder, quick), *many_rows(folder, quick)]


def many_rows(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Return seeds of small disks at once, by one sender to one receiver that has a place for each.

    16 at once is the most that a run takes, of however many; the last row is beyond that.
    """
    found = []
    for count, at_once in ((1, 1), (16, 16)) if quick else ((1, 1), (4, 4), (16, 16), (64, 16), (64, 64)):
        disks = folder / f"{count}-{at_once}"
        disks.mkdir()
        _make_disks(disks, count)
        took = _taken(disks, count, at_once)
        for number in range(count):
            if not filecmp.cmp(disks / f"source{number}.img", disks / f"target{number}.img", shallow=False):
                raise RuntimeError(f"disk {number} of {count} is not what its source is")
        shutil.rmtree(disks)
        name = f"{count} disk" if count == 1 else f"{count} disks, {at_once} at once"
        found.append({"what": f"seed of {name}, {_SMALL // MIB} MiB each, half of it data", **row(took)})
    return found


def _make_disks(folder: Path, count: int) -> None:
    """Make sources, of the data of which half is what all have, and targets that hold nothing."""
    shared = random.Random(1).randbytes(_SMALL // 4)
    for number in range(count):
        source = folder / f"source{number}.img"
        peers.fresh(source, _SMALL)
        with source.open("r+b") as file:
            file.write(shared)
            file.write(random.Random(2 + number).randbytes(_SMALL // 4))
        peers.fresh(folder / f"target{number}.img", _SMALL)


def _taken(folder: Path, count: int, at_once: int) -> Took:
    said = json.dumps({"folder": str(folder), "count": count, "at_once": at_once})
    process = _child("receive", said)
    while not (folder / "receiver.sock").exists():
        if process.poll() is not None:
            raise RuntimeError("the receiver did not start")
        time.sleep(0.01)
    server = Server(process)
    try:
        return timed(lambda: [_child("send", said)], folder / "target0.img", [server])
    finally:
        server.stop()


def _child(what: str, said: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.wire.crowd", what, said], cwd=_ROOT)


def _sparse_rows(folder: Path, quick: bool) -> list[dict[str, Any]]:
    found = []
    for size in (GIB, 64 * GIB) if quick else (GIB, 64 * GIB, TIB, 2 * TIB):
        source, target = folder / "sparse.img", folder / "target.img"
        peers.fresh(source, size)
        rng = random.Random(5)
        with source.open("r+b") as file:
            for part in range(_DATA // MIB):
                file.seek(size // (_DATA // MIB) * part // MIB * MIB)
                file.write(rng.randbytes(MIB))
        peers.fresh(target, size)
        receiver = Target(folder, {"disk": target})
        try:
            took = receiver.take(source, "disk", target, How())
        finally:
            receiver.stop()
        name = f"{size // TIB} TiB" if size >= TIB else f"{size // GIB} GiB"
        found.append({"what": f"seed of 256 MiB in a sparse disk of {name}", **row(took)})
        source.unlink()
        target.unlink()
    return found
