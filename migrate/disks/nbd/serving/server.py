"""Serving over sockets: many requests a wake-up, answers together, and no more in memory than fits.

A client that does not read its answers is not read from either.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from migrate.disks.nbd.serving.exports import Export
from migrate.disks.nbd.serving.session import Session
from migrate.disks.nbd.serving.window import USUAL, Window

CLIENTS_MAX: Final = 16


class Conversation(asyncio.BufferedProtocol):
    """A session on a transport."""

    def __init__(self, exports: Mapping[str, Export], living: set[Conversation]) -> None:
        self._session = Session(exports)
        self._living = living
        self._window = Window()
        self._paused = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, unless there are too many already."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._living) >= CLIENTS_MAX:
            transport.close()
            return
        self._living.add(self)
        transport.write(self._session.greeting())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._living.discard(self)

    def close(self) -> None:
        """Cut the client off."""
        if self._transport is not None:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go."""
        return self._window.room()

    def buffer_updated(self, nbytes: int) -> None:
        """Do all that came whole."""
        self._window.end += nbytes
        self._work()

    def pause_writing(self) -> None:
        """The client does not read: neither do we."""
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on with what came already."""
        self._paused = False
        self._work()
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _work(self) -> None:
        transport, window = self._transport, self._window
        assert transport is not None
        needed, answers, weight = 0, [], 0
        while not self._paused and window.start < window.end and not self._session.is_over:
            used, needed, parts = self._session.take(window.left())
            window.start += used
            answers += parts
            weight += sum(map(len, parts))
            if weight > USUAL:  # this may pause us
                transport.write(b"".join(answers))
                answers, weight = [], 0
            if not used:
                break
        if answers:
            transport.write(b"".join(answers))
        if self._session.is_over:
            transport.close()
            return
        window.make_room(needed)


async def serve_unix(
    path: Path, exports: Mapping[str, Export], stop: asyncio.Event, ready: Callable[[], None]
) -> None:
    """Serve on a Unix socket that only its owner may use, until ``stop``; raises OSError."""
    living: set[Conversation] = set()
    mask = os.umask(0o177)
    try:
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: Conversation(exports, living), path
        )
    finally:
        os.umask(mask)
    try:
        ready()
        await stop.wait()
    finally:
        server.close()
        for conversation in list(living):
            conversation.close()
        path.unlink(missing_ok=True)
