"""Dedupe: what clones cost, what it costs in processor time, and a table of 100 TB scaled down.

Both ends run in this process, over a Unix socket, with real files. The table is filled with as many
random digests for its buckets as a whole one would have; each scaled block stands for ``_SCALE`` others.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from migrate.disks.flat import FlatDisk
from migrate.replication.channel import SocketChannel
from migrate.replication.dedupe.pools import Pools
from migrate.replication.dedupe.table import PAGE, WAITING, Table, buckets_for
from migrate.replication.logfile import LogFile
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from migrate.replication.zeros import GRAIN
from planner.units import GIB, KIB, MIB, TIB

_BLOCKS = 1_500_000_000
_SCALE, _QUICK_SCALE = 1024, 8192
_ROUNDS = 3


class _Site:
    """A receiver in this process and its replicas."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700)
        self._pools = Pools(folder, lambda volume: FlatDisk(folder / volume))
        self._receiver = Receiver(
            lambda volume: FlatDisk(folder / volume, True),
            lambda volume: ProgressLog(LogFile(folder, volume), volume),
        )

    def take(self, volume: str, content: Path, *, dedupe: bool = True, level: int = 0) -> PassResult:
        """Seed a disk, which is compared with its source afterwards."""
        source, replica = FlatDisk(content), self._folder / volume
        with replica.open("wb") as file:
            file.truncate(source.size_bytes)
        near, far = socket.socketpair()
        channel, other = SocketChannel(near), SocketChannel(far)
        thread = threading.Thread(target=self._receiver.serve, args=(other,), kwargs={"pool": self._pools.of})
        thread.start()
        spec = PassSpec(volume, "1", source.size_bytes)
        result = send_pass(source, channel, spec, mode=Mode.SEED, level=level, dedupe=dedupe)
        thread.join()
        channel.close()
        other.close()
        source.close()
        if subprocess.run(["cmp", "-s", content, replica], check=False).returncode:
            raise RuntimeError(f"{volume} arrived as something else")
        return result

    def close(self) -> None:
        self._pools.close()


def _noise(seed: int, size: int) -> bytes:
    rng = random.Random(seed)
    return b"".join(rng.randbytes(MIB) for _ in range(size // MIB))


def _written(content: bytes, longest: int) -> bytes:
    """Return the content with a tenth written over, in runs of 4 KiB to ``longest`` at multiples of 4 KiB."""
    rng = random.Random(7)
    changed = bytearray(content)
    written = 0
    while written < len(content) // 10:
        length = rng.randint(1, longest // (4 * KIB)) * 4 * KIB
        at = rng.randrange((len(content) - length) // (4 * KIB)) * 4 * KIB
        changed[at : at + length] = rng.randbytes(length)
        written += length
    return bytes(changed)


def _clones(folder: Path, size: int) -> list[dict[str, Any]]:
    content = _noise(1, size)
    cases = {
        "the same": content,
        "a tenth other, runs up to 4 MiB": _written(content, 4 * MIB),
        "a tenth other, runs of 64 KiB at multiples of it": _aligned(content),
        "a tenth other, scattered writes of 4 to 64 KiB": _written(content, 64 * KIB),
        "moved by 64 KiB": bytes(GRAIN) + content[:-GRAIN],
        "moved by 4 KiB": bytes(4 * KIB) + content[: -4 * KIB],
    }
    site = _Site(folder / "clones")
    disk = folder / "disk"
    disk.write_bytes(content)
    first = site.take("original", disk).wire_bytes
    rows = []
    for number, (what, clone) in enumerate(cases.items()):
        disk.write_bytes(clone)
        sent = site.take(f"clone {number}", disk).wire_bytes
        share = round(100 * sent / first, 1)
        rows.append({"what": f"clone: {what}", "value": share, "unit": "% of the bytes of the original"})
    site.close()
    return rows


def _aligned(content: bytes) -> bytes:
    rng = random.Random(7)
    changed = bytearray(content)
    grains = len(content) // GRAIN
    for grain in rng.sample(range(grains), grains // 10):
        changed[grain * GRAIN : (grain + 1) * GRAIN] = rng.randbytes(GRAIN)
    return bytes(changed)


def _cost(folder: Path, size: int) -> list[dict[str, Any]]:
    """Seed different disks with and without, in turn; processor time of both ends together."""
    spent: dict[bool, list[float]] = {True: [], False: []}
    disk = folder / "disk"
    site = _Site(folder / "cost")
    for number in range(_ROUNDS):
        disk.write_bytes(_noise(number, size))
        for dedupe in ((True, False), (False, True))[number % 2]:
            begun = time.process_time()
            site.take(f"{number} {dedupe}", disk, dedupe=dedupe)
            spent[dedupe].append(time.process_time() - begun)
    site.close()
    medians = {dedupe: sorted(times)[_ROUNDS // 2] for dedupe, times in spent.items()}
    return [
        {"what": f"first seed of a disk, {'with' if dedupe else 'without'}, not packed",
         "value": round(medians[dedupe] * GIB / size, 3), "unit": "CPU s a GiB, both ends",
         **({"against": round(medians[True] / medians[False], 3)} if dedupe else {})}
        for dedupe in (True, False)
    ]  # fmt: skip


def _table(path: Path, scale: int) -> list[dict[str, Any]]:
    """Fill a table as 1.5 billion blocks fill a whole one, and twice as far; only the scaled file is real."""
    buckets = buckets_for(_BLOCKS * GRAIN) // scale
    blocks = _BLOCKS // scale
    table = Table(path, buckets)
    rows: list[dict[str, Any]] = []
    rng = random.Random(1)
    for part, name in ((0, "1.5 billion"), (1, "3 billion")):
        for number in range(blocks):
            table.learn(rng.randbytes(16), 1, number * GRAIN)
        asked, hits = 0, 0
        again = random.Random(1)
        every = max(blocks * (part + 1) // 100_000, 1)
        for number in range(blocks * (part + 1)):
            digest = again.randbytes(16)
            if number % every == 0:
                asked += 1
                hits += table.find(digest) is not None
        rows.append({"what": f"table of {name} distinct blocks: not found again", "unit": "% of the blocks",
                     "value": round(100 * (1 - hits / asked), 2)})  # fmt: skip
        if not part:
            begun = time.process_time()
            strange = random.Random(2)
            for _number in range(50_000):
                table.find(strange.randbytes(16))
            found = 50_000 / (time.process_time() - begun)
            of_a_tib = buckets * PAGE * scale / (_BLOCKS * GRAIN / TIB) / MIB
            rows += [
                {"what": "blocks looked up", "value": round(found), "unit": "a CPU second"},
                {
                    "what": "table on disk",
                    "value": round(of_a_tib),
                    "unit": "MiB a TiB, at 1.5 billion blocks",
                },
                {"what": "largest table", "value": round(buckets_for(2**62) * PAGE / GIB), "unit": "GiB"},
            ]
    table.close()
    path.unlink()
    rows.append({"what": "blocks learnt", "value": round(_learnt(path)), "unit": "a CPU second"})
    status = Path("/proc/self/status").read_text("ascii")
    peak = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    rows.append({"what": "peak memory of that process", "value": round(peak / KIB), "unit": "MiB"})
    return rows


def _learnt(path: Path) -> float:
    """Return how many blocks a table of full size learns in a CPU second."""
    table = Table(path, buckets_for(_BLOCKS * GRAIN))
    blob = random.Random(3).randbytes(16 * WAITING * 2)
    digests = [blob[at : at + 16] for at in range(0, len(blob), 16)]
    begun = time.process_time()
    for number, digest in enumerate(digests):
        table.learn(digest, 1, number * GRAIN)
    spent = time.process_time() - begun
    table.close()
    return len(digests) / spent


def run(quick: bool) -> dict[str, Any]:
    """Return what clones cost, what dedupe costs, and what a table of 100 TB does."""
    size = 64 * MIB if quick else 512 * MIB
    scale = _QUICK_SCALE if quick else _SCALE
    with tempfile.TemporaryDirectory(prefix="wherry-dedupe-") as name:
        folder = Path(name)
        rows = [*_clones(folder, size), *_cost(folder, size)]
        made = subprocess.run(
            [sys.executable, "-m", "benchmarks.dedupe", str(folder / "table"), str(scale)],
            check=True,
            capture_output=True,
        )
        rows += json.loads(made.stdout)
    return {
        "name": "dedupe",
        "scale": scale,
        "columns": {"against": "CPU against without"},
        "rows": rows,
        "host": facts(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_table(Path(sys.argv[1]), int(sys.argv[2]))))
