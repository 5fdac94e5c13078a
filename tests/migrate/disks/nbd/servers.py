"""NBD servers of others for the tests: nbdkit and qemu-nbd on Unix sockets, ended by their pid."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.disks.nbd.address import Address, parse_uri
from migrate.disks.nbd.disk import NbdDisk, open_export

KIB, MIB = 1024, 1024**2


def tool(name: str) -> str:
    """Return where a program is; a test that needs a missing one reports itself as not run."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"not run: {name} is not installed")
    return found


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(path)) == 0


@contextlib.contextmanager
def served(stop: signal.Signals, path: Path, *command: str | Path) -> Iterator[str]:
    """Run a server until the block ends and yield the address of its nameless export."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not _listens(path):
            assert child.poll() is None, child.stderr and child.stderr.read()
            time.sleep(0.01)
        yield f"nbd+unix:///?socket={path}"
    finally:
        child.send_signal(stop)
        child.wait()
        if child.stderr:
            child.stderr.close()


def nbdkit(folder: Path, *words: str) -> contextlib.AbstractContextManager[str]:
    """Serve what nbdkit's words say."""
    path = folder / "nbdkit.sock"
    path.unlink(missing_ok=True)
    # Asked to end it would wait for its clients.
    return served(
        signal.SIGKILL, path, tool("nbdkit"), "--foreground", "--exit-with-parent", "-U", path, *words
    )


def qemu_nbd(folder: Path, *words: str | Path) -> contextlib.AbstractContextManager[str]:
    """Serve what qemu-nbd's words say, for as many clients as come."""
    path = folder / "qemu.sock"
    path.unlink(missing_ok=True)
    return served(
        signal.SIGTERM, path, tool("qemu-nbd"), "--persistent", "--shared=4", f"--socket={path}", *words
    )


def opened(uri: str, writable: bool = True, bitmap: str = "", timeout_s: float = 20.0) -> NbdDisk:
    """Open an export by its address."""
    address: Address = parse_uri(uri)
    return open_export(address, writable=writable, bitmap=bitmap, timeout_s=timeout_s)


def read(disk: NbdDisk, offset: int, length: int) -> bytes:
    """Return bytes of a disk."""
    buffer = bytearray(b"\xa5" * length)
    disk.read_into(memoryview(buffer), offset)
    return bytes(buffer)
