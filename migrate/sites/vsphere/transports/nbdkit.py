"""An nbdkit of our own that serves one disk to us alone, and ends with us however we end.

It listens on a socket in a directory that only we can enter. Two of its filters end it: one when the disk
is closed, one when the pipe closes that this process holds, for the moments before anything is open.
Secrets reach it through descriptors, never by its command line, its environment or a file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from migrate.disks.nbd.address import Address
from migrate.disks.nbd.disk import NbdDisk, open_over
from migrate.disks.nbd.pipe import connect
from planner.errors import NotFound, SiteRefused, Unreachable
from planner.names import visible

_START_S = 120.0  # VDDK logs in to the vCenter first
_LOOK_S = 0.02
_END_S = 10.0
_SAID_BYTES = 4096
_HINT = "look at what VDDK says, at the role of the account, and at docs/transports.md"


def serve(
    words: Sequence[str],
    secrets: Mapping[str, str],
    *,
    what: str,
    writable: bool,
    closed: Callable[[], object] = lambda: None,
    start_s: float = _START_S,
    timeout_s: float = 60.0,
) -> NbdDisk:
    """Start nbdkit with a plugin and its ``words`` and open what it serves; raises WherryError.

    ``secrets`` are parameters whose values go through descriptors: ``password`` becomes ``password=-FD``,
    which nbdkit and its VDDK plugin read once. ``what`` names the disk in errors. ``closed`` is called when
    the disk has been closed and its server has ended.
    """
    program = shutil.which("nbdkit")
    if program is None:
        raise NotFound("nbdkit is not installed", "install nbdkit on the mover, or choose another transport")
    with contextlib.ExitStack() as stack:
        said = stack.enter_context(tempfile.TemporaryFile())
        leash, held = os.pipe()
        stack.callback(os.close, held)
        # Nothing is left to find once it is connected, however this process ends.
        with tempfile.TemporaryDirectory(prefix="wherry-nbdkit-") as folder:
            address = Address("", socket=Path(folder) / "nbd")
            child = _start(program, address, leash, (words, secrets, writable), said)
            stack.callback(_end, child)
            sock = _connected(child, address, said, what, (start_s, timeout_s))
        closing = contextlib.ExitStack()
        try:
            disk = open_over(sock, address, writable=writable, timeout_s=timeout_s, closed=closing.close)
        except OSError as error:
            why = error.strerror if error.errno == errno.EROFS else _words(said)
            raise SiteRefused(f"disk {what}: nbdkit does not serve it: {why}", _HINT) from error
        closing.callback(closed)
        closing.push(stack.pop_all())
    return disk


def _start(
    program: str,
    address: Address,
    leash: int,
    told: tuple[Sequence[str], Mapping[str, str], bool],
    said: IO[bytes],
) -> subprocess.Popen[bytes]:
    words, secrets, writable = told
    passed = [leash]
    try:
        handed = []
        for name, secret in secrets.items():
            passed.append(_readable(secret))
            handed.append(f"{name}=-{passed[-1]}")
        plugin, *parameters = words
        command = [
            program,
            "--foreground",
            *("--filter=exitlast", "--filter=exitwhen"),
            *("--unix", str(address.socket)),
            *(() if writable else ("--readonly",)),
            *(plugin, *parameters, *handed),
            f"exit-when-pipe-closed={leash}",
        ]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, pass_fds=passed)
    finally:
        for fd in passed:
            os.close(fd)


def _readable(secret: str) -> int:
    """Return the reading end of a pipe that holds a secret."""
    body = secret.encode()
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        os.write(writer, body)  # far below what a pipe holds
    finally:
        os.close(writer)
    return reader


def _connected(
    child: subprocess.Popen[bytes],
    address: Address,
    said: IO[bytes],
    what: str,
    waits_s: tuple[float, float],
) -> socket.socket:
    """Return the first connection, which is the only one: its end ends the server.

    Raises SiteRefused when the server ends before, Unreachable after the first of ``waits_s``.
    """
    start_s, timeout_s = waits_s
    until = time.monotonic() + start_s
    while True:
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):  # bound comes before listening
            return connect(address, timeout_s)
        if child.poll() is not None:
            raise SiteRefused(f"disk {what}: nbdkit ended: {_words(said)}", _HINT)
        if time.monotonic() > until:
            raise Unreachable(f"disk {what}: nbdkit does not begin within {start_s:g} s", _HINT)
        time.sleep(_LOOK_S)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the server: it goes by itself when its client has gone, and is made to where it does not."""
    child.terminate()
    try:
        child.wait(_END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _words(said: IO[bytes]) -> str:
    """Return the last words of the server, made visible."""
    fd = said.fileno()
    body = os.pread(fd, _SAID_BYTES, max(os.fstat(fd).st_size - _SAID_BYTES, 0))
    lines = [line for line in body.decode("utf-8", "replace").splitlines() if line.strip()]
    lines = [line for line in lines if "error:" in line] or lines  # hints follow them
    return visible(lines[-1].removeprefix("nbdkit: "), 300) if lines else "without a word"
