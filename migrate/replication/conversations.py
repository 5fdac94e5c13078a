"""What a receiver writes down of its conversations: who came, what was asked for, what came of it.

``conversations.jsonl`` in the receiver's store, a line when a peer is known and one when it leaves, with
the same number. Bounded: at 4 MiB it becomes ``conversations.1.jsonl`` and a new one begins. What cannot
be written is warned of and ends no conversation: promises to senders stand in the progress logs.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from migrate.keys.names import Holder
from migrate.replication.messages import Hello
from planner.units import MIB

LOG = "conversations.jsonl"
_MAX_BYTES = 4 * MIB
_log = logging.getLogger(__name__)


class Conversations:
    """The log of one store. Thread-safe."""

    def __init__(self, store: Path, now: Callable[[], datetime], max_bytes: int = _MAX_BYTES) -> None:
        self._path = store / LOG
        self._now = now
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def talk(self) -> Talk:
        """Return the place for what is said of one connection."""
        return Talk(self._add, next(self._numbers))

    def _add(self, entry: dict[str, Any]) -> None:
        told = {"at": self._now().isoformat(timespec="seconds"), "process": os.getpid(), **entry}
        line = json.dumps(told, ensure_ascii=True).encode() + b"\n"  # ASCII: names are hostile text
        try:
            with self._lock:
                if self._path.exists() and self._path.stat().st_size + len(line) > self._max_bytes:
                    self._path.replace(self._path.with_suffix(".1.jsonl"))
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
                fd = os.open(self._path, flags, 0o600)
                try:
                    os.write(fd, line)
                    os.fdatasync(fd)
                finally:
                    os.close(fd)
        except OSError as error:
            _log.warning("a conversation could not be written down: %s", error.strerror)


class Talk:
    """One connection; nothing is written of a peer that never said who it is."""

    def __init__(self, add: Callable[[dict[str, Any]], None], number: int) -> None:
        self._add = add
        self._number = number
        self._begun = False

    def begin(self, peer: Holder, serial: str, hello: Hello) -> None:
        """Write down who asks for what."""
        self._begun = True
        self._add(
            {"number": self._number, "what": "asked", "serial": serial, "role": peer.role.value,
             "site": peer.site, "project": peer.project, "volume": hello.volume, "purpose": hello.purpose,
             "generation": hello.generation, "pass": hello.pass_id, "mode": hello.mode}
        )  # fmt: skip

    def ask(self, peer: Holder, serial: str, verb: str) -> None:
        """Write down who asked for something that is no pass."""
        self._begun = True
        self._add(
            {"number": self._number, "what": "asked", "serial": serial, "role": peer.role.value,
             "site": peer.site, "project": peer.project, "purpose": "control", "verb": verb}
        )  # fmt: skip

    def end(self, outcome: str, received_bytes: int) -> None:
        """Write down what came of it."""
        if self._begun:
            self._add({"number": self._number, "what": "ended", "outcome": outcome,
                       "received_bytes": received_bytes})  # fmt: skip
