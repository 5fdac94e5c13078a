"""What a copy cannot be without, as processes: ``python -m benchmarks.wire.floor_ends WHAT JSON``.

Reading, packing, carrying, unpacking, writing and one flush, done as wherry does them and with the same
libraries; no digests, no frames, no dedupe, no record, no acknowledgement but the last. ``read``, ``write``
and ``sum`` are of one process, ``send`` and ``take`` of two.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_MIB: Final = 1024 * 1024  # no module of ours where none is needed: its start would be timed as well
_HEAD: Final = struct.Struct("<QII")  # offset, length, bytes that follow
Sock = socket.socket | ssl.SSLSocket


def blocks(fd: int) -> Iterator[tuple[int, int]]:
    """Yield (offset, length) of what may hold data, 1 MiB at most."""
    size, at = os.fstat(fd).st_size, 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:  # only a hole is left
            return
        at = os.lseek(fd, start, os.SEEK_HOLE)
        for offset in range(start, at, _MIB):
            yield offset, min(_MIB, at - offset)


def _fill(fd: int, view: memoryview, offset: int) -> None:
    if os.preadv(fd, [view], offset) != len(view):
        raise OSError("a file became shorter")


def _read(said: dict[str, Any]) -> None:
    view = memoryview(bytearray(_MIB))
    fd = os.open(said["source"], os.O_RDONLY)
    for offset, length in blocks(fd):
        _fill(fd, view[:length], offset)


def _write(said: dict[str, Any]) -> None:
    """Write the same bytes again and again, where the source has data."""
    view = memoryview(os.urandom(_MIB))
    source, fd = os.open(said["source"], os.O_RDONLY), os.open(said["target"], os.O_WRONLY)
    for offset, length in blocks(source):
        os.pwrite(fd, view[:length], offset)
    os.fdatasync(fd)


def _sum(said: dict[str, Any]) -> None:
    """Read a disk and sum its grains as a comparison does."""
    from migrate.replication.buffers import lend
    from migrate.replication.sums import sums_of

    sums = sums_of("floor", gmac=True)
    view = lend().view
    fd = os.open(said["source"], os.O_RDONLY)
    for offset, length in blocks(fd):
        _fill(fd, view[:length], offset)
        sums.of(view[:length])


def _bodies(said: dict[str, Any]) -> Iterator[tuple[int, int, bytes | memoryview]]:
    """Yield (offset, length, what travels) of all there is to send."""
    view = memoryview(bytearray(_MIB))
    if said["memory_mib"]:
        view[:] = os.urandom(_MIB)
        for number in range(said["memory_mib"]):
            yield number * _MIB, _MIB, view
        return
    fd = os.open(said["source"], os.O_RDONLY)
    if not said["level"]:
        for offset, length in blocks(fd):
            _fill(fd, view[:length], offset)
            yield offset, length, view[:length]
        return
    from concurrent.futures import ThreadPoolExecutor

    from migrate.replication.blocks import _packed
    from migrate.replication.pipeline import ordered_map

    def packed(run: tuple[int, int]) -> tuple[int, int, bytes | memoryview]:
        raw = memoryview(bytearray(run[1]))
        _fill(fd, raw, run[0])
        return *run, _packed(raw, said["level"]) or raw

    with ThreadPoolExecutor(2) as pool:
        yield from ordered_map(pool, packed, blocks(fd), lambda: 20)


def _send(said: dict[str, Any]) -> None:
    sock: Sock
    if said["keys"]:
        context = ssl.create_default_context(cafile=Path(said["keys"]) / "ca-cert.pem")
        context.check_hostname = False  # a line between two namespaces has no names
        sock = context.wrap_socket(socket.create_connection((said["host"], int(said["at"]))))
    else:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(said["at"])
    for offset, length, body in _bodies(said):
        sock.sendall(_HEAD.pack(offset, length, len(body)))
        sock.sendall(body)
    sock.sendall(bytes(_HEAD.size))
    if sock.recv(1) != b"!":
        raise OSError("the other end did not finish")


def _take(said: dict[str, Any]) -> None:
    """Take one copy in, and wait to be ended."""
    at = Path(said["folder"]) / "floor.at"
    if said["keys"]:
        listening = socket.create_server((said["host"], 0))
        where = str(listening.getsockname()[1])
    else:
        where = str(at.with_suffix(".sock"))
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(where)
        listening.listen()
    at.with_suffix(".part").write_text(where, "utf-8")
    at.with_suffix(".part").rename(at)
    sock: Sock = listening.accept()[0]
    if said["keys"]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*(Path(said["keys"]) / f"server-{part}.pem" for part in ("cert", "key")))
        sock = context.wrap_socket(sock, server_side=True)
    fd = os.open(said["target"], os.O_WRONLY)
    head, room = memoryview(bytearray(_HEAD.size)), memoryview(bytearray(_MIB))
    if said["level"]:
        from migrate.replication.wire import inflate
    while True:
        _take_in(sock, head)
        offset, length, coming = _HEAD.unpack(head)
        if not length:
            break
        _take_in(sock, room[:coming])
        if not said["memory_mib"]:
            body = room[:coming] if coming == length else inflate(room[:coming], length)
            os.pwrite(fd, body, offset)
    os.fdatasync(fd)
    sock.sendall(b"!")
    signal.pause()


def _take_in(sock: Sock, view: memoryview) -> None:
    while view:
        got = sock.recv_into(view, len(view))
        if not got:
            raise OSError("the other end is gone")
        view = view[got:]


if __name__ == "__main__":
    ends = {"read": _read, "write": _write, "sum": _sum, "send": _send, "take": _take}
    ends[sys.argv[1]](json.loads(sys.argv[2]))
