"""What the process that makes a checkpoint and its watchdog tell each other, as lines of JSON.

    ─▶ Order               ◀─ armed (its process id)
    ─▶ freeze              ◀─ Told
    ─▶ release             ◀─ Told          or, unasked, Told with why it let go by itself

A watchdog shows by beats in between that it does not stand still.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from migrate.protection.holding import Found
from migrate.protection.policy import Policy
from migrate.sites.consistency import Consistency

FREEZE, RELEASE = "freeze", "release"
BEAT, BEAT_S = "beat", 0.4
TELL_S = 5.0  # after so long without a thaw that is confirmed, it is said that there is none
_RECEIVE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Order:
    """What a watchdog is armed with. ``checkpoint`` is a word of this attempt, ``process`` who freezes."""

    policy: Policy
    checkpoint: str
    process: int

    def dump(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"policy": self.policy.dump(), "checkpoint": self.checkpoint, "process": self.process}

    @staticmethod
    def load(plain: Mapping[str, Any]) -> Order:
        """Return what ``dump`` made plain."""
        return Order(Policy.load(plain["policy"]), plain["checkpoint"], plain["process"])


@dataclass(frozen=True, slots=True)
class Told:
    """What the members reached. ``fired`` says why all were let go before anybody asked for it."""

    fired: str
    members: tuple[Found, ...]

    def dump(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @staticmethod
    def load(plain: Mapping[str, Any]) -> Told:
        """Return what ``dump`` made plain."""
        members = (
            Found(**{**one, "consistency": Consistency(one["consistency"])}) for one in plain["members"]
        )
        return Told(plain["fired"], tuple(members))


class Silent(Exception):
    """Nothing came in time."""


class Lines:
    """One end of the pair, for one thread a time."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._read = bytearray()

    def say(self, plain: Any, seconds: float = 1.0) -> bool:
        """Send a line; False when the other end is gone, or takes no more in that time."""
        self._end.settimeout(max(0.001, seconds))
        try:
            self._end.sendall(json.dumps(plain).encode() + b"\n")
        except OSError:
            return False
        finally:
            self._end.settimeout(None)
        return True

    @property
    def has_heard(self) -> bool:
        """Whether a whole line waits here."""
        return b"\n" in self._read

    @property
    def is_over(self) -> bool:
        """Whether the other end is gone; asked when there is something to hear."""
        try:
            return not self._end.recv(1, socket.MSG_PEEK)
        except ConnectionResetError:
            return True

    def hear(self, until: float | None = None) -> Any:
        """Return the next line, None when the other end is gone; raises Silent at ``until``."""
        while (at := self._read.find(b"\n")) < 0:
            left = None if until is None else max(0.001, until - time.monotonic())
            self._end.settimeout(left)
            try:
                came = self._end.recv(_RECEIVE_BYTES)
            except TimeoutError:
                raise Silent from None
            except ConnectionResetError:
                return None
            finally:
                self._end.settimeout(None)
            if not came:
                return None
            self._read += came
        line = bytes(self._read[:at])
        del self._read[: at + 1]
        return json.loads(line)
