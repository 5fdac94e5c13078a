"""What is written to: the tap with a journal beside it, and servers that have none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.wire.timed import Server
from planner.units import MIB

TAP = "wherry tap, with journal"


@dataclass(slots=True)
class Served:
    """A server at work; ``said`` is what it said when it had ended."""

    uri: str
    process: subprocess.Popen[bytes]
    last: dict[str, Any] = field(default_factory=dict)

    def cpu_s(self) -> float:
        """Return the processor time it has used."""
        return Server(self.process).cpu_s()

    def said(self) -> dict[str, Any]:
        """Return its last words."""
        return self.last


@contextmanager
def _serving(folder: Path, size: int, *command: str | Path, name: str = "") -> Iterator[Served]:
    disk, sock = folder / "disk.img", folder / "sock"
    sock.unlink(missing_ok=True)
    _write_once(disk, size)
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    served = Served(f"nbd+unix:///{name}?socket={sock}", process)
    try:
        while not sock.exists():
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}")
            time.sleep(0.01)
        yield served
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=120)
        if name:
            served.last = json.loads(out)


def _write_once(disk: Path, size: int) -> None:
    """Make a file that has all its blocks, so that nobody is timed for finding some."""
    if disk.exists() and disk.stat().st_size == size:
        return
    with disk.open("wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))
        os.fsync(file.fileno())


def _tap(folder: Path, size: int) -> AbstractContextManager[Served]:
    return _serving(folder, size, sys.executable, "-m", "benchmarks.tap.ours", folder, name="db")


def _nbdkit(folder: Path, size: int) -> AbstractContextManager[Served]:
    return _serving(folder, size, "nbdkit", "-f", "-U", folder / "sock", "file", folder / "disk.img")


def _qemu(folder: Path, size: int) -> AbstractContextManager[Served]:
    return _serving(
        folder, size, "qemu-nbd", "-t", "-f", "raw", "-e", "8", "-k", folder / "sock", folder / "disk.img"
    )


SERVERS: dict[str, Callable[[Path, int], AbstractContextManager[Served]]] = {
    TAP: _tap,
    "nbdkit, file plugin": _nbdkit,
    "qemu-nbd": _qemu,
}
