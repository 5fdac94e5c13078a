"""Either side killed while four connections carry a disk: real processes, and every byte in the end."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from planner.units import MIB

SIZE = 72 * MIB

_SERVE = """
import sys
from pathlib import Path
from migrate.daemons.sockets import listen
from migrate.disks.flat import FlatDisk
from migrate.replication.service import serve_forever
home = Path(sys.argv[1])
with listen(home / "run", "r") as listening:
    print("up", flush=True)
    serve_forever(listening, lambda v: FlatDisk(home / v, True), home / "state", 60.0)
"""

_SEND = """
import sys
import time
from pathlib import Path
from migrate.daemons.sockets import connect
from migrate.disks.flat import FlatDisk
from migrate.replication.channel import SocketChannel
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.streams import Streams
home = Path(sys.argv[1])
link = lambda: SocketChannel(connect(home / "run", "r", 10.0))
disk = FlatDisk(home / "source")
asked, seen = 0, 0

def stop():
    # stands still in the middle of the pass, to be killed there
    global asked
    asked += 1
    if asked == 600:
        time.sleep(0.2)  # progress is told again after this
    if asked == 800 and sys.argv[2:]:
        print("at", seen, flush=True)
        time.sleep(600)
    return False

def told(progress):
    global seen
    seen = max(seen, progress.streams)

done = send_pass(disk, link(), PassSpec("v", "1", disk.size_bytes), mode=Mode.SEED, level=0,
                 block_bytes=65536, streams=Streams(link, lambda: 4), progress=told, stop=stop)
print("done", done.resumed_bytes, done.streams, flush=True)
"""


def _start(code: str, home: Path, *how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, str(home), *how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _serving(home: Path) -> subprocess.Popen[str]:
    served = _start(_SERVE, home)
    assert served.stdout is not None
    assert served.stdout.readline() == "up\n"
    return served


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(60)
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_killed_in_mid_pass_and_resumed(tmp_path: Path, side: str) -> None:
    content = random.Random(3).randbytes(SIZE)
    (tmp_path / "source").write_bytes(content)
    (tmp_path / "v").write_bytes(b"old!" * (SIZE // 4))
    served, sending = _serving(tmp_path), _start(_SEND, tmp_path, "stands still")
    try:
        assert sending.stdout is not None
        assert sending.stdout.readline() == "at 4\n"
        (sending if side == "sender" else served).kill()
        if side == "receiver":
            _end(served)
            served = _serving(tmp_path)
        _end(sending)
        sending = _start(_SEND, tmp_path)
        said = sending.communicate(timeout=120)[0].splitlines()[-1].split()
        assert said[0] == "done"
        assert int(said[1]) < SIZE
        if side == "sender":  # a receiver that lives keeps what came, one that is killed what it recorded
            assert int(said[1]) > 0
        assert (tmp_path / "v").read_bytes() == content
    finally:
        _end(sending)
        _end(served)
