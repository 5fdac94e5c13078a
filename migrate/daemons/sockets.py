"""Unix sockets in private directories, however deep they lie.

The kernel's address limit of 108 bytes is avoided by addressing the directory through
``/proc/self/fd``. A directory is used only when it is ours and nobody else can enter it: that is
what authenticates the peers of these sockets.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

from planner.errors import BadInput, Unreachable
from planner.names import visible


def private_directory(path: Path) -> Path:
    """Create ``path`` with mode 0700 if it is missing and check that it is ours alone; return it.

    Raises BadInput when it is a link, belongs to someone else, or others may enter it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    os.close(_open_private(path))
    return path


def _open_private(path: Path) -> int:
    """Open a private directory; the checks are made on what was opened, not on its name."""
    shown = visible(str(path))
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Unreachable(f"{shown} does not exist", "start the process that serves there") from error
    except OSError as error:
        raise BadInput(
            f"{shown} cannot be entered: {error.strerror}", "use a directory of your own"
        ) from error
    seen = os.fstat(fd)
    if seen.st_uid != os.geteuid():
        os.close(fd)
        raise BadInput(f"{shown} belongs to another user", "use a directory of your own")
    if stat.S_IMODE(seen.st_mode) & 0o077:
        os.close(fd)
        raise BadInput(f"{shown} can be entered by other users", "set its mode to 0700")
    return fd


def _address(fd: int, name: str) -> str:
    if "/" in name or name in {"", ".", ".."}:
        raise BadInput(f"{visible(name)!r} is not a socket name", "use a plain file name")
    return f"/proc/self/fd/{fd}/{name}"


def listen(directory: Path, name: str, backlog: int = 64) -> socket.socket:
    """Return a listening socket ``name`` in a private directory, made if it is missing.

    A socket file left by a dead server is replaced: hold the lock of ``migrate.daemons.lock``
    first. Raises BadInput.
    """
    fd = _open_private(private_directory(directory))
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        address = _address(fd, name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=fd)
        server.bind(address)
        server.listen(backlog)
    except BaseException:
        server.close()
        raise
    finally:
        os.close(fd)
    return server


def connect(directory: Path, name: str, timeout_s: float | None = None) -> socket.socket:
    """Return a socket connected to ``name`` in a private directory.

    ``timeout_s`` bounds the connect only; the socket returned blocks. Raises Unreachable when
    nobody answers, BadInput when the directory is not private.
    """
    fd = _open_private(directory)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.settimeout(timeout_s)
        client.connect(_address(fd, name))
        client.settimeout(None)
    except OSError as error:
        client.close()
        raise Unreachable(
            f"nobody answers at {visible(str(directory / name))}: {error.strerror or error}",
            "start the process that serves there",
        ) from error
    except BaseException:
        client.close()
        raise
    finally:
        os.close(fd)
    return client
