"""Flows: a million rows of plain csv read, then stored and composed onto 10,000 VMs; names matched.

The peer is csv.reader alone over the same file: what nobody who parses it in Python can go below.
"""

from __future__ import annotations

import csv
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from planner.evidence.nearest import nearest_names
from planner.model import VM, Inventory
from planner.sources.flows.reading import Reading, read_evidence
from planner.sources.flows.text import look_through
from planner.store import evidence, inventories
from planner.store.project import Project
from planner.units import MIB

_VMS = 10_000
_PEER = "csv.reader alone"


def _estate() -> Inventory:
    vms = tuple(VM(id=f"id-{n}", name=f"fra-prd-{n:05d}") for n in range(_VMS))
    return Inventory(source="bench", taken_at="2026-01-01T00:00:00Z", vms=vms)


def _write(path: Path, rows: int, talks: int) -> None:
    draw = random.Random(7)
    pairs = [
        (draw.randrange(_VMS), draw.randrange(_VMS), draw.choice((53, 389, 443, 445, 1433, 8080)))
        for _ in range(talks)
    ]
    with path.open("w", encoding="utf-8") as file:
        file.write("source,destination,port,protocol,bytes,first_seen,last_seen\n")
        for _ in range(rows):
            client, server, port = draw.choice(pairs)
            hour = f"2026-10-{draw.randrange(28) + 1:02d}T{draw.randrange(24):02d}"
            file.write(
                f"fra-prd-{client:05d},fra-prd-{server:05d}.corp.example,{port},tcp,{draw.randrange(10**6)},"
                f"{hour}:00:00Z,{hour}:59:00Z\n"
            )


def _read(path: Path) -> Reading:
    return read_evidence(look_through(path))


def _peer(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass


def _whole(path: Path) -> None:
    with Project.create(path.parent / "move") as project:
        inventories.save(project, _estate())
        evidence.take_in(project, (_read(path),), "bench")


def _nothing(path: Path) -> None:
    del path


def _names(path: Path) -> None:
    count = int(path.name)
    unknown = [f"fra-prd{n * 7 % _VMS:05d}x{n % 10}" for n in range(count)]
    found = nearest_names(unknown, _estate())
    if len(found) != len(set(unknown)):
        raise AssertionError("every name has a near one")


def _measured(act: Callable[[Path], object], path: Path) -> tuple[float, int]:
    """Return seconds of processor time and peak memory in bytes of one act in a process of its own."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
    child = multiprocessing.get_context("spawn").Process(target=_act, args=(act, path, theirs))
    child.start()
    theirs.close()
    found: tuple[float, int] = ours.recv()
    child.join()
    return found


def _act(act: Callable[[Path], object], path: Path, answer: Any) -> None:
    begun = time.process_time()
    act(path)
    spent = time.process_time() - begun
    answer.send((spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def run(quick: bool) -> dict[str, Any]:
    """Return processor seconds and peak memory; a tenth of everything when ``quick``."""
    rows, talks, names = (100_000, 10_000, 1_000) if quick else (1_000_000, 100_000, 10_000)
    figures: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as directory:
        path = Path(directory) / "flows.csv"
        _write(path, rows, talks)
        peer_s, _ = _measured(_peer, path)
        idle_bytes = _measured(_nothing, path)[1]
        for what, act in (
            (f"{rows:,} rows read to {talks:,} conversations", _read),
            ("the same stored and composed onto 10,000 VMs", _whole),
        ):
            spent_s, peak_bytes = _measured(act, path)
            figures.append(
                {
                    "what": what,
                    "value": round(spent_s, 2),
                    "unit": "s of CPU",
                    f"time_ratio_to {_PEER}": round(spent_s / peer_s, 1),
                }
            )
            figures.append({"what": "its peak memory", "value": peak_bytes // MIB, "unit": "MiB"})
        figures.append({"what": _PEER, "value": round(peer_s, 2), "unit": "s of CPU"})
        figures.append({"what": "memory of doing nothing", "value": idle_bytes // MIB, "unit": "MiB"})
    spent_s, _ = _measured(_names, Path(str(names)))
    figures.append(
        {
            "what": f"{names:,} unknown names, nearest of 10,000 VMs",
            "value": round(spent_s, 2),
            "unit": "s of CPU",
        }
    )
    return {"name": "flows", "unit": "s", "rows": figures, "host": facts()}
