"""A relay in the path that keeps what the sender sent, as it was on the line."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def recorded(address: str, record: Path, folder: Path) -> Iterator[str]:
    """Yield the address of a relay to ``address``, a socket's path or a port; it records its first peer."""
    unix = not address.isdigit()
    path = folder / "relay.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as listening:
        listening.bind(str(path) if unix else ("127.0.0.1", 0))
        listening.listen()
        carrier = threading.Thread(target=_carry, args=(listening, address, record), daemon=True)
        carrier.start()
        yield str(path) if unix else str(listening.getsockname()[1])
        carrier.join()


def _carry(listening: socket.socket, address: str, record: Path) -> None:
    near, _peer = listening.accept()
    unix = not address.isdigit()
    with near, socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as far, record.open("wb") as file:
        far.connect(address if unix else ("127.0.0.1", int(address)))
        back = threading.Thread(target=_back, args=(far, near), daemon=True)
        back.start()
        with contextlib.suppress(OSError):
            while data := near.recv(1 << 20):
                file.write(data)
                far.sendall(data)
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_WR)
        back.join()


def _back(far: socket.socket, near: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := far.recv(1 << 16):
            near.sendall(data)
