"""Where guests find a tap: a Unix socket of its owner's, or a port of this machine alone.

NBD knows neither who connects nor encryption, so nothing that other machines could reach is offered.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.daemons.address import listen_tcp, parse_address
from planner.errors import BadInput
from planner.names import visible

_UNIX = "unix:"


def listen(text: str) -> socket.socket:
    """Return a socket that listens at ``unix:PATH`` or ADDRESS:PORT; raises BadInput."""
    if text.startswith(_UNIX):
        return _listen_unix(Path(text.removeprefix(_UNIX)))
    host, _port = parse_address(text)
    if not _is_here(host):
        raise BadInput(
            f"{visible(text, 100)} could be reached from other machines, and NBD asks nobody who he is",
            "listen at unix:PATH or 127.0.0.1:PORT; for another machine, tunnel to it",
        )
    return listen_tcp(text)


def shown(listening: socket.socket) -> str:
    """Return where a socket listens, as NBD clients are told it."""
    if listening.family == socket.AF_UNIX:
        return f"nbd+unix:///?socket={listening.getsockname()}"
    host, port = listening.getsockname()[:2]
    return f"nbd://[{host}]:{port}" if ":" in host else f"nbd://{host}:{port}"


@contextmanager
def listened_at(text: str) -> Iterator[socket.socket]:
    """Listen for the block, and leave no file of a Unix socket behind; raises BadInput."""
    with listen(text) as listening:
        file = listening.getsockname() if listening.family == socket.AF_UNIX else ""
        try:
            yield listening
        finally:
            if file:
                Path(file).unlink(missing_ok=True)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen_unix(path: Path) -> socket.socket:
    name = visible(str(path), 200)
    sock = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        _make_way(path)
        sock.bind(str(path))
        sock.listen(64)
    except (OSError, ValueError) as error:
        sock.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInput(
            f"{name} cannot be listened at: {reason}", "name a short path of a free name"
        ) from error
    except BaseException:
        sock.close()
        raise
    finally:
        os.umask(mask)
    return sock


def _make_way(path: Path) -> None:
    """Remove a socket whose server died; raises BadInput when it lives, or is something else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISSOCK(mode):
        with socket.socket(socket.AF_UNIX) as knock:
            try:
                knock.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
                return
    raise BadInput(f"{visible(str(path), 200)} is there already, and in use", "name another path")
