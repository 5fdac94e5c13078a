"""The tap beside servers without a journal: fio's NBD client writes to each, in the same run.

    fio ── NBD ──▶ wherry's tap ──▶ disk, and recorder ──▶ log: digests, chain, packed, synced
    fio ── NBD ──▶ nbdkit's file plugin, qemu-nbd ──▶ disk

Every server has a file of its own, written once before, on the same file system; the order rotates.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from benchmarks.tap import rpo
from benchmarks.tap.guests import LOADS, Load, Wrote, write
from benchmarks.tap.servers import SERVERS, TAP
from planner.units import GIB, MIB

_NBDKIT, _QEMU = "nbdkit, file plugin", "qemu-nbd"
_AIMS = {"4 KiB, depth 1": (0.45, True), "4 KiB, depth 32": (0.6, True), "256 KiB, depth 16": (0.3, False)}


def run(quick: bool) -> dict[str, Any]:
    """Return the figures: 3 s each when ``quick``, else 10 s each and medians of 3.

    ``WHERRY_BENCH_DIR`` says where; it takes up to 20 GiB.
    """
    if lacking := next((tool for tool in ("fio", "nbdkit", "qemu-nbd") if not shutil.which(tool)), ""):
        row = {"what": "everything", "value": None, "unit": f"not run: {lacking} is not installed"}
        return {"name": "tap", "rows": [row], "host": facts()}
    seconds, runs, size = (3, 1, 256 * MIB) if quick else (10, 3, GIB)
    place = os.environ.get("WHERRY_BENCH_DIR", tempfile.gettempdir())
    with tempfile.TemporaryDirectory(dir=place, prefix="wherry-tap-") as name:
        rows = [row for load in LOADS for row in _rows(load, Path(name), seconds, runs, size)]
        rows += rpo.rows(Path(name), quick)
    return {
        "name": "tap",
        "seconds": seconds,
        "runs": runs,
        "columns": {
            "mb_s": "MB/s",
            "p99_ms": "p99 ms",
            "longest_ms": "longest ms",
            "cpu_s": "CPU s of the server",
        },
        "rows": rows,
        "host": facts(),
    }


def _rows(load: Load, folder: Path, seconds: int, runs: int, size: int) -> list[dict[str, Any]]:
    wrote: dict[str, list[Wrote]] = {name: [] for name in SERVERS}
    stalls: list[int] = []
    kept: list[int] = []
    let_go: list[str] = []
    for number in range(runs):
        names = list(SERVERS)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            with SERVERS[name](folder, size) as server:
                one = write(server, load, seconds, size)
            wrote[name].append(one)
            if name == TAP:
                said = server.said()
                stalls.append(said["stalls"])
                if said["mode"] != "streaming":
                    let_go.append(said["why"])
                kept.append(said["journal_bytes"])
            print(f"{load.name}: {name}: {one.writes_s:,.0f} writes/s", file=sys.stderr, flush=True)
    found = [_row(load, name, every) for name, every in wrote.items()]
    middle = {name: statistics.median(one.writes_s for one in every) for name, every in wrote.items()}
    share, ahead = _AIMS[load.name]
    found.append(_ratio(load, middle, _NBDKIT, f"at least {share}"))
    found.append(_ratio(load, middle, _QEMU, "more than 1" if ahead else "none, for comparison"))
    found.append({"what": f"{load.name}: requests that waited over 100 ms for the tap", "value": sum(stalls),
                  "unit": "aim: 0"})  # fmt: skip
    found.append({"what": f"{load.name}: runs that ended with writes only mapped", "value": len(let_go),
                  "unit": f"of {runs}{f', {let_go[0]}' if let_go else ''}"})  # fmt: skip
    found.append({"what": f"{load.name}: the journal took", "value": round(max(kept) / MIB), "unit": "MiB"})
    return found


def _row(load: Load, name: str, every: list[Wrote]) -> dict[str, Any]:
    def middle(part: str) -> float:
        return statistics.median(getattr(one, part) for one in every)

    return {
        "what": f"{load.name}: {name}",
        "value": round(middle("writes_s")),
        "unit": "writes/s",
        "mb_s": round(middle("writes_s") * load.block / 1e6),
        "p99_ms": round(middle("p99_ms"), 2),
        "longest_ms": round(max(one.longest_ms for one in every), 1),
        "cpu_s": round(middle("cpu_s"), 1),
        "runs": [round(one.writes_s) for one in every],
    }


def _ratio(load: Load, middle: dict[str, float], peer: str, aim: str) -> dict[str, Any]:
    return {
        "what": f"{load.name}: {TAP} by {peer}",
        "value": round(middle[TAP] / middle[peer], 2),
        "unit": f"aim: {aim}",
    }
