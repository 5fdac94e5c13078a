"""A small PC in QEMU, everything emulated: its two disks over NBD, its serial console in a file, two ports.

On one port it says what it has written durably; the other is its guest agent's. ``cut`` is the power.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tests.guest.records import DISKS
from tests.guest.system import QEMU, System, tool

_BOOT_S: Final = 180  # a busy machine is no failure
_KERNEL_LINE: Final = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable"
_PATIENT: Final = "reconnect-delay=120"  # a server that comes back is no failure of the disk


def agent_beside(disks: Path) -> Path:
    """Return the socket of the guest's agent: it lies beside that of its disks."""
    return disks.parent / "agent"


class Machine:
    """A guest that runs until it is cut."""

    def __init__(self, system: System, disks: Path, folder: Path) -> None:
        """Start it with the exports "a" and "b" of the NBD server at ``disks``; it writes to ``folder``."""
        self.said = dict.fromkeys(DISKS, 0)
        self._heard: list[tuple[int, dict[str, int]]] = []
        self._console = folder / "console.txt"
        self.agent, records = agent_beside(disks), disks.parent / "records"
        self._left = b""
        self._found: dict[str, int] = {}
        self._is_cut = False
        with socket.socket(socket.AF_UNIX) as listening:
            records.unlink(missing_ok=True)
            listening.bind(str(records))
            listening.listen(1)
            listening.settimeout(60)
            self._errors = folder / "qemu.txt"
            with self._errors.open("wb") as errors:
                self._qemu = subprocess.Popen(
                    self._command(system, disks),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                )
            self._port, _ = listening.accept()
        self._port.setblocking(False)

    def _command(self, system: System, disks: Path) -> list[str]:
        command = [tool(QEMU) or QEMU]
        command += ["-accel", "tcg", "-machine", "q35", "-cpu", "max", "-smp", "1", "-m", "160"]
        command += ["-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{self._console}"]
        command += ["-kernel", str(system.kernel), "-initrd", str(system.initramfs), "-append", _KERNEL_LINE]
        for name in DISKS:
            server = f"server.type=unix,server.path={disks},export={name}"
            command += ["-blockdev", f"driver=nbd,node-name={name},discard=unmap,{_PATIENT},{server}"]
            command += ["-device", f"virtio-blk-pci,drive={name}"]
        command += ["-device", "virtio-serial-pci"]
        command += ["-chardev", f"socket,id=said,path={disks.parent / 'records'}"]
        command += ["-device", "virtserialport,chardev=said,name=records"]
        command += ["-chardev", f"socket,id=agent,path={self.agent},server=on,wait=off"]
        return [*command, "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"]

    def listen(self) -> dict[str, int]:
        """Return the newest record of each disk that the guest has called durable by now."""
        with suppress(BlockingIOError):
            while raw := self._port.recv(65536):
                *whole, self._left = (self._left + raw).split(b"\n")
                for line in whole:
                    self._hear(line.decode().split())
            assert self._is_cut, f"the machine stopped: {self._errors.read_text()}{self._tail()}"
        self._heard.append((time.time_ns() // 1_000_000, dict(self.said)))
        return dict(self.said)

    def said_before(self, at_ms: int) -> dict[str, int]:
        """Return what had been heard as durable before a moment, milliseconds since 1970."""
        before = [said for heard_ms, said in self._heard if heard_ms < at_ms]
        return before[-1] if before else dict.fromkeys(DISKS, 0)

    def _hear(self, words: list[str]) -> None:
        assert words[0] != "failed", f"the guest failed at {words[1:]}: {self._tail()}"
        if words[0] in self.said:
            assert int(words[1]) == self.said[words[0]] + 1
            self.said[words[0]] = int(words[1])
        elif words[0] == "ready":
            self._found = dict(zip(DISKS, map(int, words[1:]), strict=True))
            self.said = dict.fromkeys(DISKS, int(words[2]))  # it goes on behind what both hold

    def wait_until_ready(self) -> dict[str, int]:
        """Return how many records each disk held when the guest came up."""
        self._wait(lambda: bool(self._found), "boot")
        return dict(self._found)

    def wait_for(self, more: int) -> None:
        """Return when so many more records are on both disks."""
        wanted = self.listen()["b"] + more
        self._wait(lambda: self.said["b"] >= wanted, f"write record {wanted}")

    def run(self, seconds: float) -> None:
        """Listen for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.listen()
            time.sleep(0.01)

    def _wait(self, until: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _BOOT_S
        while True:
            self.listen()
            if until():
                return
            assert time.monotonic() < end, f"the guest did not {what}: {self._tail()}"
            time.sleep(0.02)

    def _tail(self) -> str:
        return self._console.read_text("utf-8", "replace")[-2000:] if self._console.exists() else ""

    def cut(self) -> None:
        """Cut the power; ``listen`` still tells what was said before. Twice is not an error."""
        if not self._is_cut:
            self._is_cut = True
            self._qemu.kill()
            self._qemu.wait(30)

    def close(self) -> None:
        """Cut the power and forget the machine."""
        self.cut()
        self._port.close()


@contextmanager
def running(system: System, disks: Path, folder: Path) -> Iterator[Machine]:
    """Start a machine on the disks that are served there; its power is cut at the end."""
    machine = Machine(system, disks, folder)
    try:
        yield machine
    finally:
        machine.close()
