"""A receiver that is killed while a pass dedupes: real processes, real disks."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from migrate.daemons.sockets import connect
from migrate.disks.flat import FlatDisk
from migrate.replication.channel import Channel, ChannelClosed, SocketChannel
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.zeros import GRAIN
from tests.migrate.replication.model import KIB

_SERVE = """
import signal, sys, threading
from pathlib import Path
from migrate.daemons.sockets import listen
from migrate.disks.flat import FlatDisk
from migrate.replication.service import serve_forever
home = Path(sys.argv[1])
stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())
with listen(home / "run", "r") as listening:
    print("up", flush=True)
    serve_forever(listening, lambda v: FlatDisk(home / v, True), home / "state", 60.0,
                  open_read=lambda v: FlatDisk(home / v), stop=stopping.is_set)
"""


class _Process:
    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", _SERVE, str(home)], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"up\n"
        self.home = home

    def channel(self) -> Channel:
        return SocketChannel(connect(self.home / "run", "r", 10.0))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


def test_a_receiver_killed_in_mid_pass_goes_on_with_real_disks(tmp_path: Path) -> None:
    rng = random.Random(5)
    size = 8 * 1024 * KIB
    content = rng.randbytes(size)
    (tmp_path / "source").write_bytes(content)
    clone = bytearray(content)
    clone[5 * GRAIN : 6 * GRAIN] = rng.randbytes(GRAIN)
    (tmp_path / "clone").write_bytes(clone)
    for name in ("one", "two"):
        (tmp_path / name).touch()
        os.truncate(tmp_path / name, size)
    for volume, source, kills in (("one", "source", 2), ("two", "clone", 3)):
        disk = FlatDisk(tmp_path / source)
        done: PassResult | None = None
        for attempt in range(kills + 1):
            served = _Process(tmp_path)
            channel = served.channel()
            asked = iter(range(10**6))

            def stop(
                served: _Process = served, asked: Iterator[int] = asked, last: bool = attempt == kills
            ) -> bool:
                if not last and next(asked) == 40:
                    served.kill()
                return False

            try:
                done = send_pass(
                    disk, channel, PassSpec(volume, "1", size), mode=Mode.SEED, level=0, dedupe=True,
                    block_bytes=GRAIN, stop=stop,
                )  # fmt: skip
            except ChannelClosed:
                if attempt == kills:
                    raise
            finally:
                channel.close()
                if attempt == kills and volume == "one":
                    served.process.terminate()
                    served.process.wait(30)
                served.kill()
        disk.close()
        assert done is not None
        assert done.complete
        assert (done.deduped_bytes > 0) is (volume == "two")  # of a table whose receiver was killed, too
        assert (tmp_path / volume).read_bytes() == (tmp_path / source).read_bytes()
