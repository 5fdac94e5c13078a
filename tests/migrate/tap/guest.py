"""A tap and its guest as a process: ``python -m tests.migrate.tap.guest HOME PORT SEED``.

It does what lines on its standard input say and answers with a line each. What it is about to write it
tells the file ``history`` first, so that whoever killed it knows; begun anew, it writes the last one again.
"""

from __future__ import annotations

import json
import random
import sys
from array import array
from pathlib import Path
from typing import Any

from migrate.replication.channel import Channel
from migrate.replication.tls import TlsKeys, connect_tls
from migrate.sites.ports import Consistency
from migrate.tap.chunks import Point
from planner.units import MIB
from tests.migrate.tap.rig import BLOCK, Near, Writes

Row = tuple[int, int, int, int]


class Noted(list[Row]):
    """A history that is in a file before it happens."""

    def __init__(self, path: Path, rows: list[Row]) -> None:
        super().__init__(rows)
        self._file = path.open("a", buffering=1)

    def append(self, row: Row) -> None:
        self._file.write(json.dumps(row) + "\n")
        super().append(row)


def read_history(home: Path) -> Writes:
    """Return what was written, by the files of ``home``."""
    writes = Writes()
    writes.initial = [array("Q", one) for one in json.loads((home / "initial").read_text())]
    if (home / "history").exists():
        lines = (home / "history").read_text().split("\n")[:-1]  # the last line may be cut off
        writes.history = [tuple(json.loads(line)) for line in lines]
    return writes


class _Over:
    def __init__(self, home: Path, port: int) -> None:
        self._keys = TlsKeys(home.parent / "dc1.pem")
        self._port = port

    def connect(self) -> Channel:
        return connect_tls("127.0.0.1", self._port, self._keys, "dc2", 20.0)


def main(home: Path, port: int, seed: int) -> None:
    writes = read_history(home)
    far: Any = _Over(home, port)
    near = Near(home, far, random.Random(seed), writes=writes, limit=32 * MIB)
    last = writes.history[-1:]
    writes.history = Noted(home / "history", writes.history)
    for disk, block, count, number in last:
        with near.front:
            near.disks[disk].write(number.to_bytes(8, "little") * (count * BLOCK // 8), block * BLOCK)
    print("up", flush=True)
    for line in sys.stdin:
        what, _space, more = line.strip().partition(" ")
        said: object = "done"
        if what == "burst":
            near.burst(int(more))
        elif what == "run":
            print("runs", flush=True)
            while True:  # to be killed
                near.burst(3)
        elif what == "settle":
            said = near.streaming.settle(60)
        elif what == "point":
            asked = near.streaming.checkpoint(Point(1_000, Consistency.CRASH, more))
            said = asked.made.result(60)
        elif what == "status":
            said = near.streaming.status().why
        print(said, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
