"""What a transfer took: wall time, processor time of everybody in it, and the largest memory of each side."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Took:
    """Figures of one timed run: seconds, processor seconds, peak MiB and bytes on the wire."""

    wall_s: float
    cpu_s: float
    sender_mib: float
    receiver_mib: float
    wire_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Server:
    """A process that waits for the timed one; its processor time counts, its start does not."""

    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """Return what it and its ended children have used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICK

    def peak_mib(self) -> float:
        """Return its largest resident memory."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self) -> None:
        """End it and wait."""
        self.process.terminate()
        self.process.wait()


def timed(
    start: Callable[[], Sequence[subprocess.Popen[bytes]]], target: Path, servers: Sequence[Server] = ()
) -> Took:
    """Start processes, wait for all, sync ``target``, and say what it took.

    Caches were written back before. The first process is the sender; those who are not it count as
    receivers, as do the servers.
    """
    os.sync()
    before = sum(server.cpu_s() for server in servers)
    begun = time.perf_counter()
    processes = start()
    cpu = 0.0
    peaks = []
    for process in processes:
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu += usage.ru_utime + usage.ru_stime
        peaks.append(usage.ru_maxrss / 1024)
    fd = os.open(target, os.O_RDWR)
    os.fsync(fd)
    wall = time.perf_counter() - begun
    os.close(fd)
    for process in processes:
        if process.returncode:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    cpu += sum(server.cpu_s() for server in servers) - before
    receivers = [*peaks[1:], *(server.peak_mib() for server in servers)]
    return Took(wall, cpu, peaks[0], max(receivers, default=0.0))


def loopback_bytes() -> int:
    """Return what has gone over the loopback so far."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == "lo":
            return int(counts.split()[8])
    return 0
