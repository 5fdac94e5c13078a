"""What a comparison costs when trees are compared first, against asking for every digest at once.

    at once      digests of all grains come, what differs goes
    tree first   digests of nodes come, then grains of nodes that differ, then a pass around those

Both ends in one process over a socket pair: bytes of both directions are counted, processor time is of
both ends together, and so are the bytes that were read of the source.
"""

from __future__ import annotations

import filecmp
import json
import random
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from migrate.disks.flat import FlatDisk
from migrate.replication.channel import Buffer, SocketChannel
from migrate.replication.comparing import compare
from migrate.replication.coverage import full
from migrate.replication.logfile import LogFile
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from migrate.replication.trees import DiskTree
from planner.units import KIB, MIB

_SHARES = (0.0, 0.001, 0.01, 0.10)
_SPREAD = {"scattered": 64 * KIB, "in runs of 16 MiB": 16 * MIB}
_PAGE = 4 * KIB


class _Counted:
    """A channel that counts what passes in either direction."""

    def __init__(self, channel: SocketChannel) -> None:
        self._channel = channel
        self.bytes = 0

    def send(self, parts: Sequence[Buffer]) -> None:
        self.bytes += sum(memoryview(part).nbytes for part in parts)
        self._channel.send(parts)

    def recv_into(self, buffer: memoryview) -> None:
        self._channel.recv_into(buffer)
        self.bytes += buffer.nbytes

    def close(self) -> None:
        self._channel.close()


class _Read:
    """A disk that counts what is read of it."""

    def __init__(self, path: Path) -> None:
        self._disk = FlatDisk(path)
        self._lock = threading.Lock()
        self.bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._disk.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        with self._lock:
            self.bytes += len(buffer)
        self._disk.read_into(buffer, offset)

    def allocated(self) -> Iterator[tuple[int, int]]:
        return self._disk.allocated()

    def close(self) -> None:
        self._disk.close()


class _Pair:
    """A source, a target that differs from it, and a receiver for the target."""

    def __init__(self, folder: Path, size: int) -> None:
        self.source, self._target, self._store = folder / "source", folder / "target", folder / "store"
        self._store.mkdir(mode=0o700)
        rng = random.Random(size)
        with self.source.open("wb") as file:
            for _ in range(size // MIB):
                file.write(rng.randbytes(MIB))
        shutil.copyfile(self.source, self._target)
        self._size = size
        self._receiver = Receiver(
            lambda _volume: FlatDisk(self._target, True),
            lambda volume: ProgressLog(LogFile(self._store, volume), volume),
        )
        self._passes = 0

    def spoil(self, share: float, longest: int) -> None:
        """Change that share of the target, in runs of up to ``longest`` bytes."""
        rng, left = random.Random(share), int(self._size * share)
        with self._target.open("r+b") as file:
            while left > 0:
                length = min(rng.randint(1, longest // _PAGE) * _PAGE, left)
                file.seek(rng.randrange((self._size - length) // _PAGE + 1) * _PAGE)
                file.write(rng.randbytes(length))
                left -= length

    def timed(self, way: Callable[[_Pair, _Read], int]) -> dict[str, Any]:
        """Mend the target in a way and return what it took; raises RuntimeError when it is not mended."""
        begun = time.process_time()
        with closing(_Read(self.source)) as disk:
            wire, read = way(self, disk), disk.bytes
        spent = time.process_time() - begun
        if not filecmp.cmp(self._target, self.source, shallow=False):
            raise RuntimeError("the target was not mended")
        return {"wire_mb": wire / 1e6, "cpu_s": spent, "read_mib": read / MIB}

    def asked(self, ask: Callable[[_Counted], object]) -> int:
        """Have one conversation with the receiver and return the bytes of it."""
        near, far = socket.socketpair()
        theirs = SocketChannel(far)
        serving = threading.Thread(target=self._receiver.serve, args=(theirs,))
        serving.start()
        channel = _Counted(SocketChannel(near))
        try:
            ask(channel)
        finally:
            channel.close()
            serving.join()
            theirs.close()
        return channel.bytes

    def spec(self, **more: Any) -> PassSpec:
        """Return a pass that was never asked for before."""
        self._passes += 1
        return PassSpec("disk", str(self._passes), self._size, **more)


def at_once(pair: _Pair, disk: _Read) -> int:
    """Ask for every digest and send what differs."""
    return pair.asked(lambda channel: send_pass(disk, channel, pair.spec(), mode=Mode.COMPARE, level=0))


def tree_first(pair: _Pair, disk: _Read) -> int:
    """Compare trees, then look around what differs and send it."""
    found: list[Any] = []
    tree = DiskTree(disk, disk.size_bytes)
    asked = pair.asked(lambda channel: found.append(compare(tree, channel, "disk", full(disk.size_bytes))))
    spec = pair.spec(only=found[0].differing)
    return asked + pair.asked(lambda channel: send_pass(disk, channel, spec, mode=Mode.COMPARE, level=0))


def run(quick: bool) -> dict[str, Any]:
    """Return the figures: 64 MiB once when ``quick``, else 256 MiB and medians of 3."""
    size, runs = (64 * MIB, 1) if quick else (256 * MIB, 3)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="wherry-trees-") as name:
        pair = _Pair(Path(name), size)
        for spread, longest in _SPREAD.items():
            for share in _SHARES if spread == "scattered" else _SHARES[2:]:
                rows += _rows(pair, share, spread, longest, runs)
    return {
        "name": "trees",
        "size_bytes": size,
        "columns": {"wire_mb": "MB both ways", "read_mib": "MiB read of the source"},
        "rows": rows,
        "host": facts(),
    }


def _rows(pair: _Pair, share: float, spread: str, longest: int, runs: int) -> Iterator[dict[str, Any]]:
    ways = {"at once": at_once, "tree first": tree_first}
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for number in range(runs):
        for name in list(ways) if number % 2 == 0 else reversed(list(ways)):
            pair.spoil(share, longest)
            taken[name].append(pair.timed(ways[name]))
    for name, every in taken.items():
        middle = {key: statistics.median(one[key] for one in every) for key in every[0]}
        yield {
            "what": f"{share:.1%} different{', ' + spread if share else ''}: {name}",
            "value": round(middle["cpu_s"], 2),
            "unit": "processor s of both ends",
            "wire_mb": round(middle["wire_mb"], 2),
            "read_mib": round(middle["read_mib"]),
        }


if __name__ == "__main__":
    print(json.dumps(run("--quick" in sys.argv), indent=2, ensure_ascii=False))
