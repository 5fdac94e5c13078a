"""Serving disks to clients over sockets: many requests a wake-up, and their answers together."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from migrate.disks.nbd.serving.client import Client, accepting
from migrate.disks.nbd.serving.exports import Export
from migrate.disks.nbd.serving.negotiation import Answer
from migrate.disks.nbd.serving.session import Session
from migrate.disks.nbd.serving.window import USUAL

CLIENTS_MAX: Final = 16


class Conversation(Client):
    """A session on a socket."""

    def __init__(self, exports: Mapping[str, Export], sock: socket.socket, living: set[Client]) -> None:
        self._session = Session(exports)
        super().__init__(sock, living, self._session.greeting())

    def work(self) -> int:
        """Do the requests that came whole, up to one whose answer does not leave."""
        window, session = self.window, self._session
        answers: list[Answer] = []
        needed = weight = 0
        while not self.is_choked and window.start < window.end and not session.is_over:
            used, needed, parts = session.take(window.left())
            window.start += used
            answers += parts
            weight += sum(map(len, parts))
            if weight > USUAL:
                self.answer(b"".join(answers))
                answers, weight = [], 0
            if not used:
                break
        if answers:
            self.answer(b"".join(answers))
        if session.is_over:
            self.close()
        return needed


def serving(listening: socket.socket, exports: Mapping[str, Export]) -> AbstractContextManager[None]:
    """Serve to whoever connects, for the block, on the running loop; then all are cut off."""
    return accepting(listening, lambda sock, living: Conversation(exports, sock, living), CLIENTS_MAX)


async def serve_unix(
    path: Path, exports: Mapping[str, Export], stop: asyncio.Event, ready: Callable[[], None]
) -> None:
    """Serve on a Unix socket that only its owner may use, until ``stop``; raises OSError."""
    with socket.socket(socket.AF_UNIX) as listening:
        mask = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(mask)
        listening.listen()
        try:
            with serving(listening, exports):
                ready()
                await stop.wait()
        finally:
            path.unlink(missing_ok=True)
