"""A thin line between two network namespaces: rate, delay, loss and a queue, on packets of two TUN devices.

``python -m benchmarks.wire.wan JSON`` is the line, as a process; it needs root. Delay is there and back.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

_SET_INTERFACE = 0x400454CA
_TUN_NO_INFO = 0x1001
_ROOT = Path(__file__).resolve().parents[2]
NEAR, FAR = "10.99.0.1", "10.99.0.2"


@dataclass(frozen=True, slots=True)
class Line:
    """What a line is like; ``delay_ms`` is the round trip, ``queue_bytes`` what waits at most."""

    mbit: float = 100.0
    delay_ms: float = 50.0
    loss: float = 0.0
    queue_bytes: int = 1_250_000


def impossible() -> str:
    """Return why no line can be made here, empty when one can."""
    if os.geteuid() != 0:
        return "it needs root"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    return "" if subprocess.run(["ip", "netns", "list"], capture_output=True).returncode == 0 else "no netns"


@contextlib.contextmanager
def stretched(line: Line) -> Iterator[tuple[list[str], list[str]]]:
    """Make the line and yield the prefixes of commands that run at its near and at its far end."""
    names = [f"wherry-{os.getpid()}-{end}" for end in ("near", "far")]
    try:
        for name in names:
            _run("ip", "netns", "add", name)
            setting = f"net.ipv4.tcp_congestion_control={congestion_control()}"
            _run("ip", "netns", "exec", name, "sysctl", "-qw", setting)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        said = json.dumps({"names": names, "line": asdict(line)})
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.wire.wan", said], cwd=_ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        try:
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError("the line could not be made")
            near, far = (["ip", "netns", "exec", name] for name in names)
            yield near, far
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def congestion_control() -> str:
    """Return what a new namespace gets for its default: cubic, which most senders have, else reno."""
    allowed = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control").read_text().split()
    return "cubic" if "cubic" in allowed else "reno"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


class _Way:
    """One direction: packets leave one after the other at the line's rate and arrive a delay later."""

    def __init__(self, line: Line, source: int, sink: int, seed: int) -> None:
        self._line, self._source, self._sink = line, source, sink
        self._rng = random.Random(seed)
        self._free_s = 0.0
        self._under_way: deque[tuple[float, bytes]] = deque()

    def take(self, now_s: float) -> None:
        """Take in what was sent."""
        line = self._line
        for _ in range(256):
            try:
                packet = os.read(self._source, 65536)
            except BlockingIOError:
                return
            start_s = max(now_s, self._free_s)
            if (start_s - now_s) * line.mbit * 125_000 > line.queue_bytes:
                continue
            self._free_s = start_s + len(packet) / (line.mbit * 125_000)
            if self._rng.random() >= line.loss:
                self._under_way.append((self._free_s + line.delay_ms / 2000, packet))

    def give(self, now_s: float) -> float:
        """Let arrive what is due and return when the next is."""
        while self._under_way and self._under_way[0][0] <= now_s:
            with contextlib.suppress(OSError):
                os.write(self._sink, self._under_way.popleft()[1])
        return self._under_way[0][0] if self._under_way else now_s + 1.0


def _tun(name: str, address: str) -> int:
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    interface = f"wy{os.getpid()}{address[-1]}"
    fcntl.ioctl(fd, _SET_INTERFACE, struct.pack("16sH22x", interface.encode(), _TUN_NO_INFO))
    _run("ip", "link", "set", interface, "netns", name)
    _run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", interface)
    _run("ip", "-n", name, "link", "set", interface, "txqueuelen", "2000", "up")
    return fd


def _main(names: list[str], line: Line) -> None:
    near, far = _tun(names[0], NEAR), _tun(names[1], FAR)
    ways = {near: _Way(line, near, far, 1), far: _Way(line, far, near, 2)}
    waiter = select.poll()
    for fd in ways:
        waiter.register(fd, select.POLLIN)
    print("ready", flush=True)
    next_s = 0.0
    while True:
        for fd, _event in waiter.poll(max(next_s - time.monotonic(), 0) * 1000):
            ways[fd].take(time.monotonic())
        now_s = time.monotonic()
        next_s = min(way.give(now_s) for way in ways.values())


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    _main(asked["names"], Line(**asked["line"]))
