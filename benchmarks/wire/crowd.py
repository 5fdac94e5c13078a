"""Many disks at once: one sender process with a connection for each, one receiver process.

``python -m benchmarks.wire.crowd receive|send JSON``. The receiver has a place for every disk; the sender is
what a run is, its passes in threads, ``at_once`` of them at a time.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def _receive(said: dict[str, Any]) -> None:
    from migrate.disks.flat import FlatDisk
    from migrate.replication.service import serve_forever

    folder = Path(said["folder"])
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "receiver.part"))
        listening.listen(said["count"])
        (folder / "receiver.part").rename(folder / "receiver.sock")
        serve_forever(
            listening, lambda name: FlatDisk(folder / name, True), folder / "store", 3600.0,
            open_read=lambda name: FlatDisk(folder / name), connections=said["count"], stop=stopping.is_set,
        )  # fmt: skip


def _send(said: dict[str, Any]) -> None:
    from migrate.disks.flat import FlatDisk
    from migrate.replication.channel import SocketChannel
    from migrate.replication.passes import Mode, PassSpec
    from migrate.replication.sender import send_pass

    folder = Path(said["folder"])

    def one(number: int) -> None:
        disk = FlatDisk(folder / f"source{number}.img")
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(folder / "receiver.sock"))
        channel = SocketChannel(sock)
        spec = PassSpec(f"target{number}.img", "1", disk.size_bytes)
        sent = send_pass(disk, channel, spec, mode=Mode.SEED, level=1, adapts=True, dedupe=True)
        channel.close()
        disk.close()
        if not sent.complete:
            raise RuntimeError(f"disk {number} ended as {sent}")

    with ThreadPoolExecutor(said["at_once"]) as pool:
        list(pool.map(one, range(said["count"])))


if __name__ == "__main__":
    {"receive": _receive, "send": _send}[sys.argv[1]](json.loads(sys.argv[2]))
