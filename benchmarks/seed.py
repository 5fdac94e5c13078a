"""The first full copy of a disk, beside the tools people use: MB/s until the bytes are durable.

Sender and receiver are two processes over a Unix socket. All copy the same disk to a new file in the
same run, sources cached, a sync before each; ours ends with the receiver's last acknowledgement (after
its fdatasync), the others with an fsync of their file, timed in.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from migrate.disks.flat import FlatDisk
from planner.units import KIB, MIB

_HELD_MBIT = 100.0
_ROOT = Path(__file__).resolve().parent.parent


def make_disk(path: Path, size_bytes: int, seed: int = 1) -> int:
    """Write a sparse disk like those of servers and return its data bytes.

    In stretches of 1 to 8 MiB: two fifths holes, the rest text-like files, database-like pages,
    and a fifth of incompressible bytes; a few zeros written as data.
    """
    rng = random.Random(seed)
    words = [rng.randbytes(rng.randint(2, 9)).hex().encode() for _ in range(4000)]
    data = 0
    with path.open("wb") as file:
        file.truncate(size_bytes)
        at = 0
        while at < size_bytes:
            length = min(rng.randint(1, 8) * MIB, size_bytes - at)
            kind = rng.random()
            if kind >= 0.4:
                file.seek(at)
                file.write(_stretch(rng, words, length, kind))
                data += length
            at += length
        file.flush()
        os.fsync(file.fileno())
    return data


def _stretch(rng: random.Random, words: list[bytes], length: int, kind: float) -> bytes:
    if kind < 0.6:
        text = b" ".join(rng.choices(words, k=20_000))
        return (text * (length // len(text) + 1))[:length] if kind < 0.45 else _text(rng, words, length)
    if kind < 0.85:
        page = b"".join(
            i.to_bytes(8, "big") + rng.randbytes(20) + b"\0" * 12 + words[i % 4000][:8] for i in range(4000)
        )
        return b"".join(rng.randbytes(4 * KIB) + page for _ in range(length // len(page) + 1))[:length]
    if kind < 0.98:
        return rng.randbytes(length)
    return bytes(length)


def _text(rng: random.Random, words: list[bytes], length: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < length:
        line = b" ".join(rng.choices(words, k=2000))
        parts.append(line)
        size += len(line)
    return b"".join(parts)[:length]


class _Receiver:
    """A receiver process for one target file."""

    def __init__(self, directory: Path, target: Path) -> None:
        self._path = directory / "receiver.sock"
        self._path.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.seed",
                "receive",
                str(self._path),
                str(directory),
                str(target),
            ],
            cwd=_ROOT,
        )
        while not self._path.exists():
            time.sleep(0.01)

    def connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        for _ in range(500):
            try:
                sock.connect(str(self._path))
                break
            except OSError:
                time.sleep(0.01)
        return sock

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def _receive(path: str, directory: str, target: str) -> None:
    from migrate.replication.service import serve_forever

    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    serve_forever(listening, lambda _volume: FlatDisk(Path(target), True), Path(directory) / "store", 60.0)


def _wherry(
    directory: Path, source: Path, target: Path, level: int, adapts: bool = False, mbit: float = 0.0
) -> tuple[float, int, list[int]]:
    """Seed once and return seconds, bytes on the wire and the levels used, each once in order.

    ``mbit`` holds the sender to a rate, 0 does not.
    """
    from migrate.replication.channel import Channel, SocketChannel
    from migrate.replication.line import Policy, line_of
    from migrate.replication.passes import Mode, PassSpec, Progress
    from migrate.replication.sender import send_pass
    from migrate.replication.throttle import Throttle
    from planner.settings import Link

    shutil.rmtree(directory / "store", ignore_errors=True)
    size = source.stat().st_size
    with target.open("wb") as file:
        file.truncate(size)
    receiver = _Receiver(directory, target)
    try:
        os.sync()
        begun = time.perf_counter()
        disk = FlatDisk(source)
        policy = Policy(line_of(Link(rate_mbit=mbit, share=1.0)) if mbit else None)
        channel: Channel = SocketChannel(receiver.connect())
        channel = Throttle(lambda: policy).through(channel, "bench")
        levels = [level]

        def told(progress: Progress) -> None:
            if progress.level != levels[-1]:
                levels.append(progress.level)

        spec = PassSpec("bench", "1", size)
        result = send_pass(disk, channel, spec, mode=Mode.SEED, level=level, adapts=adapts, progress=told)
        spent = time.perf_counter() - begun
        channel.close()
        disk.close()
        assert result.complete
        return spent, result.wire_bytes, levels
    finally:
        receiver.stop()


def _command(arguments: list[str], target: Path) -> float:
    target.unlink(missing_ok=True)
    os.sync()
    begun = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    fd = os.open(target, os.O_RDWR)
    os.fsync(fd)
    os.close(fd)
    return time.perf_counter() - begun


def _same(a: Path, b: Path) -> bool:
    with a.open("rb") as left, b.open("rb") as right:
        while chunk := left.read(4 * MIB):
            if right.read(4 * MIB) != chunk:
                return False
        return not right.read(1)


def _held(directory: Path) -> list[dict[str, Any]]:
    """Seed 512 MiB through a throttle of 100 Mbit/s, at levels that stay and at one that adapts."""
    source, target = directory / "held.img", directory / "held-target.img"
    data = make_disk(source, 512 * MIB, seed=2)
    rows = []
    for level, adapts in ((1, False), (3, False), (9, False), (12, False), (1, True)):
        seconds, wire_bytes, levels = _wherry(directory, source, target, level, adapts, _HELD_MBIT)
        if not _same(source, target):
            raise AssertionError(f"level {level} made a wrong copy")
        how = f"adaptive from {level}" if adapts else f"level {level}"
        rows.append(
            {
                "what": f"wherry at {_HELD_MBIT:g} Mbit/s, {how}",
                "value": round(data / 1e6 / seconds, 1),
                "unit": "MB/s of data",
                "seconds": round(seconds, 3),
                "wire_bytes": wire_bytes,
                "use_of_line": round(wire_bytes * 8 / 1e6 / seconds / _HELD_MBIT, 3),
                "levels": levels,
            }
        )
    return rows


def run(quick: bool) -> dict[str, Any]:
    """Return the figures: 256 MiB and one run when ``quick``, else 2 GiB and medians of three."""
    size, runs = (256 * MIB, 1) if quick else (2048 * MIB, 3)
    cache = Path(os.environ.get("WHERRY_BENCH_DIR", tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(dir=cache, prefix="wherry-seed-") as name:
        directory = Path(name)
        directory.chmod(0o700)
        source, target = directory / "source.img", directory / "target.img"
        data = make_disk(source, size)
        wires: dict[str, list[Any]] = {}

        def ours(name: str, level: int, adapts: bool = False) -> Callable[[], float]:
            def go() -> float:
                spent, *wires[name] = _wherry(directory, source, target, level, adapts)
                return spent

            return go

        tools: dict[str, Callable[[], float]] = {
            name: ours(name, level, adapts)
            for name, level, adapts in (
                ("wherry, level 0", 0, False),
                ("wherry, level 1", 1, False),
                ("wherry, adaptive from 1", 1, True),
            )
        }
        cp = ["cp", "--sparse=always", str(source), str(target)]
        tools["cp --sparse=always"] = lambda: _command(cp, target)
        if shutil.which("qemu-img"):
            convert = ["qemu-img", "convert", "-f", "raw", "-O", "raw", str(source), str(target)]
            tools["qemu-img convert"] = lambda: _command(convert, target)
        times: dict[str, list[float]] = {tool: [] for tool in tools}
        with source.open("rb") as file:  # into the page cache, for everyone
            while file.read(16 * MIB):
                pass
        tools["wherry, level 1"]()  # once unmeasured: imports, models and the file system warm up
        for number in range(runs):
            order = list(tools)
            for tool in order[number % len(order) :] + order[: number % len(order)]:
                times[tool].append(tools[tool]())
                if not _same(source, target):
                    raise AssertionError(f"{tool} made a wrong copy")
        medians = {tool: statistics.median(spent) for tool, spent in times.items()}
        held = _held(directory)
    rows: list[dict[str, Any]] = []
    for tool, seconds in medians.items():
        row: dict[str, Any] = {
            "what": tool,
            "value": round(data / 1e6 / seconds, 1),
            "unit": "MB/s of data",
            "seconds": round(seconds, 3),
            "runs_s": [round(spent, 3) for spent in times[tool]],
        }
        for other in ("cp --sparse=always", "qemu-img convert"):
            if other in medians and other != tool:
                row[f"time_ratio_to {other}"] = round(seconds / medians[other], 2)
        if tool.startswith("wherry"):
            row["wire_bytes"], row["levels"] = wires[tool]
        rows.append(row)
    if "qemu-img convert" not in medians:
        rows.append({"what": "qemu-img convert", "value": None, "unit": "not run: qemu-img is not installed"})
    rows += held
    return {
        "name": "seed",
        "unit": "MB/s of data",
        "size_bytes": size,
        "data_bytes": data,
        "runs": runs,
        "rows": rows,
        "host": facts(),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["receive"]:
        _receive(*sys.argv[2:5])
    else:
        print(json.dumps(run("--quick" in sys.argv), indent=2))
