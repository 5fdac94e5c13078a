"""Every moment in which a process touches what outlives it: files, the peer. At one it dies or is failed.

Calls of ``os`` and frames are counted by name, ``fdatasync progress`` or ``send ACK``; the nth of a name
is a point. Laid over a process of its own, which is never a test's.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from migrate.disks import flat
from migrate.replication import wire
from migrate.replication.channel import Buffer
from migrate.replication.tls import TlsChannel

TORN = ("write", "pwrite")
_REAL = {name: getattr(os, name) for name in ("write", "pwrite", "readlink", "kill", "open", "close")}


@dataclass(frozen=True, slots=True)
class Arm:
    """What happens at the nth crossing of a name.

    ``before``, ``torn`` and ``after`` kill; ``short`` writes half and says so; a number is the error that
    is raised, from then on when ``for_ever``.
    """

    name: str
    nth: int
    how: str | int
    for_ever: bool = False


def role(path: str | os.PathLike[str]) -> str:
    """Return what a file is to the two sides, empty for what is none of theirs."""
    text = os.fspath(path)
    if text.startswith("/proc/self/fd/"):
        text = _REAL["readlink"](text)
    name = text.rpartition("/")[2]
    for ending, what in _ENDINGS:
        if name.endswith(ending):
            return what
    if name.startswith(".progress-"):
        return "progress beside"
    return _NAMES.get(name, "")


_ENDINGS = (
    (".progress", "progress"),
    (".table", "dedupe table"),
    (".volumes", "dedupe names"),
    ("conversations.jsonl", "conversations"),
    ("revoked.seen.new", "revocations beside"),
    ("revoked.seen", "revocations"),
    (".src", "source"),
)
_NAMES = {"v": "disk", "w": "disk", "store": "store"}


class Crossings:
    """Counts crossings in this process, and does what it is armed with."""

    def __init__(self, arm: Arm | None) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.struck = False
        self._arm = arm
        self._lock = threading.Lock()
        self._lost: set[int] = set()  # descriptors of which a flush failed

    def cross(self, name: str, act: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """Do the act, unless this is the point."""
        with self._lock:
            self.counts[name] += 1
            nth, arm = self.counts[name], self._arm
        if arm is None or name != arm.name or nth < arm.nth or (nth > arm.nth and not arm.for_ever):
            return act()
        self.struck = True
        if isinstance(arm.how, int):
            raise OSError(arm.how, os.strerror(arm.how))
        if arm.how != "before":
            done = half() if arm.how in ("torn", "short") and half is not None else act()
            if arm.how == "short":
                return done
        _REAL["kill"](os.getpid(), signal.SIGKILL)
        time.sleep(60)
        return None

    def lay(self) -> None:
        """Put the counting in the place of the calls, for the rest of this process."""
        for name in ("fsync", "fdatasync", "ftruncate", "preadv", "write", "pwrite"):
            setattr(os, name, self._on_descriptor(name, getattr(os, name)))
        for name in ("rename", "replace"):
            setattr(os, name, self._rename(getattr(os, name)))
        os.open = self._open
        os.close = self._close
        flat._fallocate = self._on_descriptor("zero", flat._fallocate)
        self._lay_channel()

    def _on_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(fd: int, *more: Any) -> Any:
            what = role(f"/proc/self/fd/{fd}")
            if not what:
                return real(fd, *more)
            half = None
            if name in TORN:
                data = memoryview(more[0])
                half = lambda: real(fd, data[: max(len(data) // 2, 1)], *more[1:])  # noqa: E731
            if name in ("fsync", "fdatasync") and fd in self._lost:
                self.wrong.append(f"{name} {what} is tried again after it failed")
            try:
                return self.cross(f"{name} {what}", lambda: real(fd, *more), half)
            except OSError:
                if name in ("fsync", "fdatasync"):
                    self._lost.add(fd)
                raise

        return call

    def _rename(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(source: Any, target: Any, **more: Any) -> Any:
            what = role(target)
            if not what:
                return real(source, target, **more)
            return self.cross(f"rename {what}", lambda: real(source, target, **more))

        return call

    def _open(self, path: Any, *more: Any, **named: Any) -> int:
        what = role(path)
        real = _REAL["open"]
        if not what:
            return int(real(path, *more, **named))
        return int(self.cross(f"open {what}", lambda: real(path, *more, **named)))

    def _close(self, fd: int) -> None:
        self._lost.discard(fd)
        _REAL["close"](fd)

    def _lay_channel(self) -> None:
        send, recv_into = TlsChannel.send, TlsChannel.recv_into
        cross = self.cross

        def counted_send(channel: TlsChannel, parts: Sequence[Buffer]) -> None:
            cross(f"send {_kind(parts[0])}", lambda: send(channel, parts))

        def counted_recv(channel: TlsChannel, buffer: memoryview) -> None:
            recv_into(channel, buffer)
            if len(buffer) == wire.HEADER_BYTES:
                cross(f"hear {_kind(buffer)}", lambda: None)

        TlsChannel.send = counted_send  # type: ignore[method-assign, assignment]
        TlsChannel.recv_into = counted_recv  # type: ignore[method-assign, assignment]


def _kind(header: Buffer) -> str:
    return wire.parse_header(header).kind.name
