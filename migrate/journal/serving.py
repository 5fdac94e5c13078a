"""Images served over NBD: on a socket that only we may use, or on a port of this machine.

Each has a thread of its own and any number of disks under their names. What is written goes to a
scratch, and with it when the serving ends; the checkpoint never changes.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from migrate.daemons.address import listen_tcp, parse_address
from migrate.daemons.sockets import connect, listen
from migrate.disks.nbd.address import Address
from migrate.disks.nbd.disk import NbdDisk, open_over
from migrate.disks.nbd.serving.exports import Export
from migrate.disks.nbd.serving.server import serving
from migrate.journal.group import GroupJournal
from migrate.journal.scratch import Scratch
from planner.errors import BadInput
from planner.names import visible

IMAGES: Final = "images"  # the folder of the sockets, in a store
SCRATCH: Final = "scratch"


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk as it is served: its volume, the name of its export, where a client finds it."""

    volume: str
    export: str
    uri: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Served:
    """What is served; ``socket`` is its name in the folder ``images``, empty on a port."""

    disks: tuple[Disk, ...]
    socket: str = ""


class Serving:
    """Exports on a listening socket, which it owns, in a thread; ``close`` it."""

    def __init__(self, listening: socket.socket, exports: Mapping[str, Export]) -> None:
        self._listening = listening
        self._exports = exports
        self._begun = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(),), daemon=True, name="wherry-image"
        )
        self._thread.start()
        self._begun.wait()

    def close(self) -> None:
        """Cut every client off, and return when nobody reads any more."""
        with suppress(RuntimeError):  # its loop is over already
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            with serving(self._listening, self._exports):
                self._begun.set()
                await self._stop.wait()
        finally:
            self._begun.set()
            self._listening.close()


@contextmanager
def served(
    group: GroupJournal,
    record: int,
    volumes: Sequence[str],
    store: Path,
    *,
    where: str = "",
    scratch_bytes: int | None = None,
) -> Iterator[Served]:
    """Serve disks of a group as they were at a checkpoint for as long as the block lasts.

    ``where`` is ADDRESS:PORT of this machine, a socket in the store when empty. With ``scratch_bytes``
    clients may write, that much on each disk. Raises NotFound, BadInput, OSError.
    """
    with ExitStack() as stack:
        exports: dict[str, Export] = {}
        for volume in volumes:
            export = _opened(group, record, volume, store / SCRATCH, scratch_bytes)
            stack.callback(export.disk.close)
            exports[_export_name(volume, len(exports))] = export
        listening, name, uri = _listening(where, store / IMAGES)
        if name:
            stack.callback((store / IMAGES / name).unlink, missing_ok=True)
        disks = tuple(
            Disk(volume, export, uri(export), exports[export].disk.size_bytes)
            for volume, export in zip(volumes, exports, strict=True)
        )
        if len(exports) == 1:
            exports[""] = next(iter(exports.values()))  # for clients that give no name
        stack.callback(Serving(listening, exports).close)
        yield Served(disks, name)


def open_served(store: Path, name: str, export: str) -> NbdDisk:
    """Open a disk that is served on the socket ``name``, however deep the store lies.

    Raises Unreachable, OSError.
    """
    return open_over(connect(store / IMAGES, name), Address(export), writable=False)


def clear(store: Path) -> None:
    """Remove the sockets of a process that died; whoever calls this holds the store."""
    for path in (store / IMAGES).glob("*.sock"):
        path.unlink(missing_ok=True)


def _opened(group: GroupJournal, record: int, volume: str, folder: Path, scratch_bytes: int | None) -> Export:
    image = group.image(record, volume)
    if scratch_bytes is None:
        return Export(image)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        scratch = Scratch(image, folder, scratch_bytes)
    except BaseException:
        image.close()
        raise
    return Export(scratch, scratch)


def _export_name(volume: str, number: int) -> str:
    """Return the name of an export: the volume's, or a number where that is no text that can travel."""
    try:
        volume.encode()
    except UnicodeEncodeError:
        return str(number)
    return volume


def _listening(where: str, folder: Path) -> tuple[socket.socket, str, Callable[[str], str]]:
    """Return a listening socket, its name in ``folder``, and what makes addresses of exports."""
    if not where:
        name = f"{secrets.token_hex(4)}.sock"
        path = quote(str((folder / name).absolute()), errors="surrogateescape")
        return (
            listen(folder, name),
            name,
            lambda export: f"nbd+unix:///{quote(export, safe='')}?socket={path}",
        )
    host, _port = parse_address(where)
    if not _is_here(host):
        raise BadInput(
            f"{visible(where, 100)} can be reached from other machines, and NBD asks nobody who they are",
            "serve at 127.0.0.1:0 and let ssh forward it",
        )
    listening = listen_tcp(where)
    port = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    return listening, "", lambda export: f"nbd://{shown}:{port}/{quote(export, safe='')}"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
