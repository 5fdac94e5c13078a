"""The guest agent of QEMU as a client: freezing, thawing and looking at the file systems of a guest.

One connection a time reaches an agent, and whoever spoke before may have left half a sentence or an
answer behind: each call begins with a sentinel and a number that has to come back. What an agent says
is untrusted: sizes, types and times are bounded, and its words are made visible.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import socket
import time
from typing import Any

from migrate.protection.stopping import Stop
from planner.errors import WherryError
from planner.names import visible

_LINE_BYTES = 64 * 1024
_LEFTOVER_BYTES = 1024 * 1024  # what may stand before the answer that was asked for
_SENTINEL = b"\xff"
_PAUSE_S = 0.02


class AgentFailed(WherryError):
    """A guest agent does not answer, or refuses."""

    code = "agent-failed"


class Agent:
    """The agent behind the socket ``path``. One thread a time; ``close`` it.

    Every call has until a moment of ``time.monotonic``, or until ``stop`` is said, and raises AgentFailed.
    What came too late does no harm: the next call is asked on the same connection, in its turn.
    """

    def __init__(self, path: str, stop: Stop) -> None:
        self.stop = stop
        self._path = path
        self._socket: socket.socket | None = None
        self._read = bytearray()

    def freeze(self) -> None:
        """Send the word that freezes, after ``is_frozen``; ``frozen`` awaits what came of it."""
        self._send({"execute": "guest-fsfreeze-freeze"}, time.monotonic() + 1.0)

    def frozen(self, until: float) -> int:
        """Return how many file systems were frozen."""
        return self._count(self._answer(until))

    def thaw(self, until: float) -> int:
        """Thaw all file systems and return how many were."""
        return self._count(self._ask("guest-fsfreeze-thaw", until))

    def is_frozen(self, until: float) -> bool:
        """Whether the guest is frozen now."""
        said = self._ask("guest-fsfreeze-status", until)
        if said not in ("frozen", "thawed"):
            raise self._failed("says neither frozen nor thawed")
        return bool(said == "frozen")

    def close(self) -> None:
        """End the connection."""
        self._read.clear()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, command: str, until: float) -> Any:
        self._sync(until)
        self._send({"execute": command}, until)
        return self._answer(until)

    def _sync(self, until: float) -> None:
        """Throw away what is left of earlier sentences, on both sides."""
        if self._socket is None:
            self._socket = self._connect(until)
        number = secrets.randbelow(2**53)
        question = {"execute": "guest-sync-delimited", "arguments": {"id": number}}
        self._send(question, until, _SENTINEL)
        passed = 0
        while True:
            at = self._read.find(_SENTINEL)
            passed += len(self._read) if at < 0 else at + 1
            if passed > _LEFTOVER_BYTES:
                raise self._failed("sends no end of what nobody asked for")
            del self._read[: len(self._read) if at < 0 else at + 1]
            if at < 0:
                self._receive(until)
                continue
            with contextlib.suppress(ValueError, RecursionError, AttributeError):
                if json.loads(self._line(until)).get("return") == number:
                    return

    def _answer(self, until: float) -> Any:
        try:
            said = json.loads(self._line(until))
        except (ValueError, RecursionError) as error:
            raise self._failed("sends what is no answer") from error
        if isinstance(said, dict) and isinstance(said.get("error"), dict):
            raise self._wrong(f"refuses: {visible(str(said['error'].get('desc', 'no reason given')), 200)}")
        if not isinstance(said, dict) or "return" not in said:
            raise self._failed("sends what is no answer")
        return said["return"]

    def _count(self, said: object) -> int:
        if isinstance(said, bool) or not isinstance(said, int) or not 0 <= said < 2**31:
            raise self._failed("does not say how many file systems")
        return said

    def _connect(self, until: float) -> socket.socket:
        folder, name = os.path.split(self._path)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            # through its folder, since an address is 108 bytes at most
            inside = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                # others wait in front of it
                while (wrong := connection.connect_ex(f"/proc/self/fd/{inside}/{name}")) == errno.EAGAIN:
                    if self.stop.said or time.monotonic() >= until:
                        break
                    self.stop.wait(min(until, time.monotonic() + _PAUSE_S))
            finally:
                os.close(inside)
            if wrong:
                raise OSError(wrong, os.strerror(wrong))
        except OSError as error:
            connection.close()
            raise self._failed(f"cannot be reached: {error.strerror}") from error
        return connection

    def _send(self, question: dict[str, Any], until: float, before: bytes = b"") -> None:
        assert self._socket is not None, "it was synchronised first"
        left = memoryview(before + json.dumps(question).encode() + b"\n")
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                if not self.stop.wait(until, write=self._socket.fileno()):
                    raise self._silent() from None
            except OSError as error:
                raise self._failed(f"is gone: {error.strerror}") from error

    def _line(self, until: float) -> bytes:
        while (at := self._read.find(b"\n")) < 0:
            if len(self._read) > _LINE_BYTES:
                raise self._failed("sends a line without an end")
            self._receive(until)
        line = bytes(self._read[:at])
        del self._read[: at + 1]
        return line

    def _receive(self, until: float) -> None:
        assert self._socket is not None, "it was synchronised first"
        if not self.stop.wait(until, self._socket.fileno()):
            raise self._silent()
        try:
            came = self._socket.recv(_LINE_BYTES)
        except OSError as error:
            raise self._failed(f"is gone: {error.strerror}") from error
        if not came:
            raise self._failed("hung up")
        self._read += came

    def _silent(self) -> AgentFailed:
        return self._wrong("was given no more time" if self.stop.said else "does not answer")

    def _failed(self, what: str) -> AgentFailed:
        """Return the error; the connection is of no use after it."""
        self.close()
        return self._wrong(what)

    def _wrong(self, what: str) -> AgentFailed:
        return AgentFailed(
            f"the agent at {visible(self._path, 200)} {what}",
            "look whether qemu-guest-agent runs in the guest and nothing else is connected to it",
        )
