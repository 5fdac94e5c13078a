"""Random reads of a served image beside qemu-nbd and nbdkit on a raw file of the same content, by fio."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.journal.asking import start
from benchmarks.journal.making import Made
from benchmarks.wire.peers import missing
from benchmarks.wire.sheet import ratio

_DEPTHS = (1, 32)
_OURS, _QEMU, _NBDKIT = "wherry, image", "qemu-nbd, raw file", "nbdkit file, raw file"
Start = Callable[[Path], "subprocess.Popen[bytes]"]


def rows(made: Made, folder: Path, runs: int, seconds: int) -> list[dict[str, Any]]:
    """Return reads a second of each server at each depth, medians, the order rotated; then the ratios."""
    qemu = ("qemu-nbd", "--read-only", "--format=raw", "--persistent", "--shared=4")
    ways: dict[str, tuple[str, Start]] = {
        _OURS: ("fio", lambda sock: start("serve", made.folder, sock)),
        _QEMU: ("qemu-nbd", lambda sock: _peer(*qemu, f"--socket={sock}", made.content)),
        _NBDKIT: ("nbdkit", lambda sock: _peer("nbdkit", "-f", "-r", "-U", sock, "file", made.content)),
    }
    lacking = {name: missing("fio", tool) for name, (tool, _) in ways.items()}
    names = [name for name in ways if not lacking[name]]
    figures: dict[tuple[str, int], list[float]] = {}
    for turn in range(runs):
        for name in names[turn % len(names) :] + names[: turn % len(names)] if names else []:
            for depth, iops in _driven(ways[name][1], folder / "nbd.sock", seconds).items():
                figures.setdefault((name, depth), []).append(iops)
                print(f"{name}, depth {depth}: {iops:,.0f} reads/s", file=sys.stderr, flush=True)
    found: list[dict[str, Any]] = []
    for name in ways:
        for depth in _DEPTHS:
            what = f"random 4 KiB reads, depth {depth}: {name}"
            if lacking[name]:
                found.append(
                    {"what": what, "value": None, "unit": f"not run: {lacking[name]} is not installed"}
                )
                continue
            each = figures[name, depth]
            spread = ", ".join(f"{iops:,.0f}" for iops in each)
            found.append(
                {"what": what, "value": round(statistics.median(each)), "unit": "reads/s", "runs": spread}
            )
    for depth in _DEPTHS:
        mine, theirs = (
            statistics.median(figures[name, depth]) if (name, depth) in figures else None
            for name in (_OURS, _QEMU)
        )
        found.append(
            ratio(f"random 4 KiB reads, depth {depth}: ours by qemu-nbd's", mine, theirs, "at least 0.5")
        )
    return found


def _peer(*command: str | Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _driven(server: Start, sock: Path, seconds: int) -> dict[int, float]:
    """Start a server, read from it at each depth, and return reads a second."""
    sock.unlink(missing_ok=True)
    process = server(sock)
    try:
        while not sock.exists():
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} did not start")
            time.sleep(0.02)
        return {depth: _fio(sock, depth, seconds) for depth in _DEPTHS}
    finally:
        process.terminate()
        process.wait()


def _fio(sock: Path, depth: int, seconds: int) -> float:
    command = [
        "fio", "--name=read", "--ioengine=nbd", f"--uri=nbd+unix:///?socket={sock}", "--rw=randread",
        "--bs=4k", f"--iodepth={depth}", f"--runtime={seconds}", "--time_based", "--ramp_time=3",
        "--norandommap", "--randrepeat=0", "--output-format=json",
    ]  # fmt: skip
    told = subprocess.run(command, capture_output=True, check=True).stdout
    return float(json.loads(told[told.index(b"{") :])["jobs"][0]["read"]["iops"])
