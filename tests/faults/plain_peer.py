"""Receiver and sender processes over plain files, for tests that kill them.

python -m tests.faults.plain_peer receive DIR | send DIR PASS_ID MODE
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.replication.channel import SocketChannel
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.service import serve_forever


def receive(directory: Path) -> None:
    path = directory / "receiver.sock"
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    (directory / "ready").touch()
    serve_forever(
        listening, lambda _volume: FlatDisk(directory / "target.img", True), directory / "store", 20.0
    )


def send(directory: Path, pass_id: str, mode: str) -> None:
    disk = FlatDisk(directory / "source.img")
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(directory / "receiver.sock"))
    channel = SocketChannel(sock, 20.0)
    (directory / "sending").touch()

    def slowly() -> bool:
        time.sleep(0.012)  # so that there is time to be killed in
        return False

    spec = PassSpec("v", pass_id, disk.size_bytes)
    result = send_pass(disk, channel, spec, mode=Mode(mode), level=0, stop=slowly)
    print(result.resumed_bytes, result.complete)


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        receive(Path(sys.argv[2]))
    else:
        send(Path(sys.argv[2]), sys.argv[3], sys.argv[4])
