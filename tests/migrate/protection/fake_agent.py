"""A fake guest agent: speaks the protocol of QEMU's on a Unix socket and freezes nothing at all.

Like QEMU's it takes one connection at a time and one command after the other, also those of a peer that
has gone; unlike it, it can be told to misbehave.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FREEZE, THAW, STATUS = "guest-fsfreeze-freeze", "guest-fsfreeze-thaw", "guest-fsfreeze-status"
SYNC = "guest-sync-delimited"


class FakeAgent:
    """Serves ``path`` in a thread of its own. What it is to do is said by its attributes at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.filesystems = 2
        self.frozen = False
        self.heard: list[str] = []
        self.spans: list[list[float]] = []  # from when until when it was frozen
        self.takes_s: dict[str, float] = {}  # how long a command takes
        self.mute: set[str] = set()  # commands that are done, and not answered
        self.refused: dict[str, str] = {}
        self.said: dict[str, bytes] = {}  # raw answers in place of ours
        self.leftover = b""  # what stands before the next answer to a synchronisation
        self.on_command: Callable[[str], None] = lambda _command: None
        self._changed = threading.Condition()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._peer: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def thaw_by_itself(self) -> None:
        """Thaw without being asked, as a guest does that cannot hold its writes any longer."""
        with self._changed:
            self.frozen = False
            self._changed.notify_all()

    def await_state(self, frozen: bool, seconds: float = 30.0) -> bool:
        """Wait until it is frozen, or is not; False when it isn't in that time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.frozen is frozen, seconds)

    def await_heard(self, command: str, seconds: float = 30.0) -> bool:
        """Wait until a command came; False when none does in that time."""
        with self._changed:
            return self._changed.wait_for(lambda: command in self.heard, seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in (self._listener, self._peer):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                self._peer, _ = self._listener.accept()
            except OSError:
                return
            with self._peer as peer, peer.makefile("rb") as lines:
                try:
                    for line in lines:
                        self._obey(peer, line)
                except ConnectionError:
                    continue

    def _obey(self, peer: socket.socket, line: bytes) -> None:
        asked = json.loads(line.lstrip(b"\xff"))
        command = asked["execute"]
        with self._changed:
            self.heard.append(command)
            self._changed.notify_all()
        self.on_command(command)
        time.sleep(self.takes_s.get(command, 0.0))
        answer = self._answer(command, asked.get("arguments", {}))
        if command in self.mute:
            return
        if command == SYNC:
            peer.sendall(self.leftover + b"\xff")
            self.leftover = b""
        peer.sendall(self.said.get(command, json.dumps(answer).encode() + b"\n"))

    def _answer(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if command in self.refused:
            return {"error": {"class": "GenericError", "desc": self.refused[command]}}
        if command == SYNC:
            return {"return": arguments["id"]}
        if command == STATUS:
            return {"return": "frozen" if self.frozen else "thawed"}
        if command == FREEZE and self.frozen:
            return {"error": {"class": "CommandNotFound", "desc": "disabled: the agent is in frozen state"}}
        if command not in (FREEZE, THAW):
            return {"error": {"class": "CommandNotFound", "desc": f"no such command: {command}"}}
        with self._changed:
            was = self.frozen
            self.frozen = command == FREEZE and self.filesystems > 0
            if self.frozen:
                self.spans.append([time.time()])
            elif was:
                self.spans[-1].append(time.time())
            self._changed.notify_all()
        return {"return": self.filesystems if command == FREEZE or was else 0}
