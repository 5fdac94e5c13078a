"""A pass onto a disk that nbdkit serves, from a file and with its record in a folder.

``python -m tests.migrate.sites.vsphere.transports.passing FOLDER N`` dies by SIGKILL at its N-th write.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.disks.ports import WritableDisk
from migrate.replication.channel import Channel
from migrate.replication.leases import Leases
from migrate.replication.logfile import LogFile
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.transports.nbd import Nbd
from migrate.sites.vsphere.transports.ports import Place, Purpose
from planner.errors import WherryError
from tests.migrate.replication.model import pipe

BLOCK = 64 * 1024
_LOOKS = 10  # one after another, that see no flush


def children() -> list[int]:
    """Return the servers that this process has started and that have not ended."""
    said = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "pid=,comm="], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in said.stdout.splitlines() if "nbdkit" in line]


class _Striking:
    """A disk at whose n-th write something happens, while nothing is flushed."""

    def __init__(self, disk: WritableDisk, at: int | None, strike: Callable[[], None]) -> None:
        self._disk, self._at, self._strike = disk, at, strike
        self._writes = self._flushes = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._disk, name)

    def write(self, data: bytes | memoryview, offset: int) -> None:
        self._writes += 1
        if self._writes == self._at:
            self._await_peace()  # after a flush that failed all is compared, and nothing counts as durable
            self._strike()
        self._disk.write(data, offset)

    def flush(self) -> None:
        self._flushes += 1
        try:
            self._disk.flush()
        finally:
            self._flushes -= 1

    def _await_peace(self) -> None:
        looks = 0
        while looks < _LOOKS:
            time.sleep(0.01)
            looks = 0 if self._flushes else looks + 1


class _Words:
    def __init__(self, told: Sequence[str]) -> None:
        self._told = told

    def words(self, place: Place, purpose: Purpose) -> Sequence[str]:
        return self._told

    def secrets(self) -> Mapping[str, str]:
        return {}


class Passing:
    """One pass, begun as often as it takes; its record outlives those that die."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source, self.target = root / "source", root / "target"
        self.resumed_bytes = 0

    def make(self, rng: random.Random, blocks: int) -> None:
        """Make a source whose last two blocks are zeros, and an empty target of its size."""
        self.source.write_bytes(rng.randbytes((blocks - 2) * BLOCK) + bytes(2 * BLOCK))
        self.target.touch()
        os.truncate(self.target, blocks * BLOCK)

    def _log(self) -> ProgressLog:
        return ProgressLog(LogFile(self.root / "log", "v"), "v")

    def _acknowledged_by_now(self) -> bool:
        """Look at a copy of the record: reading the record itself would mend what is being written."""
        with tempfile.TemporaryDirectory(dir=self.root) as folder:
            shutil.copytree(self.root / "log", Path(folder) / "log")
            current = ProgressLog(LogFile(Path(folder) / "log", "v"), "v").state.current
        return current is not None and bool(current.held)

    def acknowledged(self) -> list[tuple[int, int]]:
        """Return which runs the record says are durable."""
        current = self._log().state.current
        return [(run.offset, run.length) for run in current.held] if current else []

    def send(
        self,
        words: Sequence[str] = (),
        kill_server_at: int | None = None,
        die_at: int | None = None,
    ) -> str:
        """Send it, and kill the server or this process at a write; raises what ended it early."""
        size_bytes = self.source.stat().st_size
        way = Nbd(lambda: _Words(words or ("file", str(self.target))))
        at = kill_server_at if die_at is None else die_at

        def strike() -> None:
            while not self._acknowledged_by_now():  # flushes go on beside writes
                time.sleep(0.01)
            for child in [os.getpid()] if die_at is not None else children():
                os.kill(child, signal.SIGKILL)

        def opened(_volume: str) -> WritableDisk:
            place = Place(DatastorePath("gold", "wherry-1/disk.vmdk"), size_bytes, vm="vm-1")
            return _Striking(way.open_write(place), at, strike)  # type: ignore[return-value]

        (self.root / "log").mkdir(exist_ok=True)
        receiver = Receiver(opened, lambda _volume: self._log(), leases=Leases(5.0), ack_bytes=2 * BLOCK)
        near, far = pipe()

        def serve(channel: Channel) -> None:
            with closing(channel), suppress(WherryError):  # whoever sends hears of it
                receiver.serve(channel)

        thread = threading.Thread(target=serve, args=(far,))
        thread.start()
        try:
            with closing(FlatDisk(self.source)) as disk:
                spec = PassSpec("v", "run/seed", size_bytes, 1)
                sent = send_pass(disk, near, spec, mode=Mode.SEED, block_bytes=BLOCK, workers=0)
        finally:
            near.close()
            thread.join(120)
        self.resumed_bytes = sent.resumed_bytes
        return "complete" if sent.complete else "stopped"


if __name__ == "__main__":
    Passing(Path(sys.argv[1])).send(die_at=int(sys.argv[2]))
