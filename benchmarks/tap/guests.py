"""What writes: fio with its NBD client, incompressible by half, never the same bytes twice."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

from benchmarks.tap.servers import Served
from planner.units import KIB


@dataclass(frozen=True, slots=True)
class Load:
    """How it writes: bytes at once, and so many of them under way."""

    name: str
    block: int
    depth: int


@dataclass(frozen=True, slots=True)
class Wrote:
    """What came of it, by fio's clock."""

    writes_s: float
    p99_ms: float
    longest_ms: float
    cpu_s: float


LOADS = (
    Load("4 KiB, depth 1", 4 * KIB, 1),
    Load("4 KiB, depth 32", 4 * KIB, 32),
    Load("256 KiB, depth 16", 256 * KIB, 16),
)


def write(server: Served, load: Load, seconds: int, size: int) -> Wrote:
    """Write to all of the disk in random order for so long; raises RuntimeError."""
    os.sync()
    before = server.cpu_s()
    said = subprocess.run(
        ["fio", "--name=guest", "--ioengine=nbd", f"--uri={server.uri}", "--rw=randwrite",
         f"--bs={load.block}", f"--iodepth={load.depth}", f"--size={size}", "--time_based",
         f"--runtime={seconds}", "--refill_buffers", "--buffer_compress_percentage=50", "--randrepeat=0",
         "--norandommap", "--output-format=json"],
        capture_output=True, text=True, check=False, timeout=seconds * 10 + 60,
    )  # fmt: skip
    cpu = server.cpu_s() - before
    if said.returncode:
        raise RuntimeError(f"fio failed: {said.stderr[-500:]}")
    job = json.loads(said.stdout[said.stdout.index("{") :])["jobs"][0]
    if job["error"]:
        raise RuntimeError(f"fio was told of error {job['error']}")
    told = job["write"]
    latency = told["clat_ns"]
    return Wrote(told["iops"], latency["percentile"]["99.000000"] / 1e6, told["lat_ns"]["max"] / 1e6, cpu)
