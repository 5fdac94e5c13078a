"""A process asked by others of its user: one request a connection, on a socket in its folder.

    {"verb": ..., ...} ──▶          ◀── lines of progress, then {"ok": ...} or {"error": ...}

Lines of JSON of bounded size. Whoever hangs up gives up what its request holds, an image that is served
for instance; a process that ends hangs up on everybody. ``InProcess`` asks the same without a socket.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final, Protocol, TypeVar

from pydantic import ValidationError

from migrate.daemons.sockets import connect, listen
from migrate.replication.channel import peer_uid
from migrate.replication.messages import Refusal, error_of, refusal_of
from planner.errors import BadInput, NotFound, StepFailed, Unreachable, WherryError
from planner.names import visible
from planner.units import KIB, MIB

_log = logging.getLogger(__name__)

SOCKET: Final = "control.sock"
REQUEST_MAX: Final = 64 * KIB
ANSWER_MAX: Final = 16 * MIB
_AT_ONCE: Final = 32
_TALK_S: Final = 30.0  # how long a request, or somebody who does not read, is waited for
_END_S: Final = 30.0
_TICK_S: Final = 0.2

Told = Mapping[str, Any]
_Kind = TypeVar("_Kind", str, bool, int, list[Any])


class HungUp(WherryError):
    """Whoever asked has gone, and nobody is left to tell."""

    code: ClassVar[str] = "hung-up"


class Caller(Protocol):
    """Whoever asked."""

    def tell(self, told: Told) -> None:
        """Say how it goes; raises HungUp."""
        ...

    def is_gone(self, wait_s: float = 0.0) -> bool:
        """Tell whether it hung up; wait up to ``wait_s`` for that."""
        ...


Handler = Callable[[Told, Caller], Told]


@dataclass(frozen=True, slots=True)
class Held:
    """What a request holds: the first thing told of it, and a wait for the other side to end it."""

    told: Told
    wait: Callable[[], None]


class Asks(Protocol):
    """A way to ask. Both calls raise what the handler raises, Unreachable when its process ended."""

    def ask(self, verb: str, request: Told, tell: Callable[[Told], None] = lambda _told: None) -> Told: ...

    def hold(self, verb: str, request: Told) -> AbstractContextManager[Held]:
        """Ask for something that lasts as long as the block."""
        ...


def taken(request: Told, name: str, kind: type[_Kind], default: _Kind | None = None) -> _Kind:
    """Return a field of a request; raises BadInput when it is missing or of another kind."""
    value = request.get(name, default)
    if type(value) is not kind:
        raise BadInput(
            f"a request does not say its {name} as it has to", "use the same release on both sides"
        )
    return value


class ControlServer:
    """Answers in ``folder`` with ``handlers`` by verb, in threads of its own; ``close`` it."""

    def __init__(self, folder: Path, handlers: Mapping[str, Handler]) -> None:
        """Begin to answer; raises BadInput. Hold the lock of the folder: a socket left there is replaced."""
        self._handlers = dict(handlers)
        self._lock = threading.Lock()
        self._peers: dict[socket.socket, threading.Thread] = {}
        self._ending = False
        self._listening = listen(folder, SOCKET)
        self._thread = threading.Thread(target=self._accept, daemon=True, name="wherry-control")
        self._thread.start()

    @property
    def is_asked(self) -> bool:
        """Whether a request is under way, an image that is served for instance."""
        return bool(self._peers)

    def close(self) -> None:
        """Hang up on everybody, and return when nothing is held any more."""
        self._ending = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._thread.join()
        self._listening.close()
        with self._lock:
            peers = dict(self._peers)
            for sock in peers:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RD)  # looks to its handler as if it had hung up
        for thread in peers.values():
            thread.join(_END_S)

    def _accept(self) -> None:
        while True:
            try:
                sock, _address = self._listening.accept()
            except OSError:
                if self._ending:
                    return
                time.sleep(_TICK_S)
                continue
            if peer_uid(sock) != os.geteuid() or len(self._peers) >= _AT_ONCE:
                sock.close()
                continue
            thread = threading.Thread(target=self._answer, args=(sock,), daemon=True, name="wherry-asked")
            with self._lock:
                self._peers[sock] = thread
            thread.start()

    def _answer(self, sock: socket.socket) -> None:
        try:
            answer(sock, self._handlers)
        finally:
            with self._lock:
                del self._peers[sock]
            sock.close()


def _anybody(_verb: str) -> None:
    pass


def answer(
    sock: socket.socket, handlers: Mapping[str, Handler], admit: Callable[[str], None] = _anybody
) -> None:
    """Answer the one request that comes on a connection; ``admit`` raises where its verb is refused."""
    sock.settimeout(_TALK_S)
    peer = _Peer(sock)
    with suppress(HungUp):
        try:
            request = peer.request()
            verb = taken(request, "verb", str)
            admit(verb)
            peer.send({"ok": _handler(handlers, verb)(request, peer)})
        except HungUp:
            raise
        except WherryError as error:
            peer.send({"error": refusal_of(error).model_dump()})
        except OSError as error:
            told = StepFailed(f"the disk or file failed: {error.strerror or error}", "look at it there")
            peer.send({"error": refusal_of(told).model_dump()})
        except Exception:  # noqa: BLE001
            # One request's defect must not end the process; whoever asked is told.
            _log.exception("a request failed")
            told = StepFailed("the request failed there", "look at the log of that process")
            peer.send({"error": refusal_of(told).model_dump()})


def _handler(handlers: Mapping[str, Handler], verb: str) -> Handler:
    handler = handlers.get(verb)
    if handler is None:
        raise NotFound(f"the process does not know {visible(verb, 80)}", "use the same release on both sides")
    return handler


class _Peer:
    """One connection at its server; a Caller."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def request(self) -> Told:
        """Return what it asks for; raises BadInput, HungUp, OSError."""
        raw = bytearray()
        while not raw.endswith(b"\n"):
            part = self._sock.recv(REQUEST_MAX + 1 - len(raw))
            if not part:
                raise HungUp("whoever connected asked nothing")
            raw += part
            if len(raw) > REQUEST_MAX:
                raise BadInput("a request is too long", "use shorter names")
        return _read(raw)

    def tell(self, told: Told) -> None:
        """Say how it goes; raises HungUp."""
        self.send({"told": told})

    def send(self, line: Told) -> None:
        """Send a line; raises HungUp, StepFailed when it is too long."""
        raw = json.dumps(line).encode("ascii") + b"\n"
        if len(raw) > ANSWER_MAX:
            raise StepFailed("the answer is too long", "ask for one group at a time")
        try:
            self._sock.sendall(raw)
        except OSError as error:
            raise HungUp("whoever asked does not listen any more") from error

    def is_gone(self, wait_s: float = 0.0) -> bool:
        """Tell whether it hung up; it has nothing more to say, so anything that comes is the end."""
        return bool(self._poll.poll(wait_s * 1000))


class ControlClient:
    """Asks the process that answers in ``folder``, or where ``reach`` connects to; see ``Asks``."""

    def __init__(
        self,
        folder: Path,
        connect_s: float = 10.0,
        *,
        reach: Callable[[], socket.socket] | None = None,
        shown: str = "",
    ) -> None:
        self._shown = shown or f"the process that answers in {folder}"
        self._reach = reach or (lambda: connect(folder, SOCKET, connect_s))

    def is_answered(self) -> bool:
        """Tell whether somebody answers there; raises BadInput for a folder that others may enter."""
        try:
            self._reach().close()
        except Unreachable:
            return False
        return True

    def ask(self, verb: str, request: Told, tell: Callable[[Told], None] = lambda _told: None) -> Told:
        """Ask, and return the answer; ``tell`` hears how it goes."""
        with self._asked(verb, request) as lines:
            for line in lines:
                if "ok" in line:
                    return _fields(line["ok"])
                tell(_fields(line["told"]))
        raise self._ended()

    @contextmanager
    def hold(self, verb: str, request: Told) -> Iterator[Held]:
        """Ask for something that lasts as long as the block."""
        with self._asked(verb, request) as lines:
            first = next(lines, {})
            if "told" not in first:
                raise self._ended()

            def wait() -> None:
                for line in lines:
                    if "ok" in line:
                        return
                raise self._ended()

            yield Held(_fields(first["told"]), wait)

    @contextmanager
    def _asked(self, verb: str, request: Told) -> Iterator[Iterator[Told]]:
        raw = json.dumps({**request, "verb": verb}).encode("ascii") + b"\n"
        if len(raw) > REQUEST_MAX:
            raise BadInput("the request is too long", "use shorter names")
        with self._reach() as sock, sock.makefile("rb") as file:
            try:
                sock.sendall(raw)
            except OSError as error:
                raise self._ended() from error
            yield self._lines(file)

    def _lines(self, file: BinaryIO) -> Iterator[Told]:
        """Yield what comes until the other side ends it; raises what it refuses with."""
        while raw := self._line(file):
            if not raw.endswith(b"\n"):
                break
            line = _read(raw)
            if "error" in line:
                try:
                    raise error_of(Refusal.model_validate(line["error"]))
                except ValidationError as error:
                    raise StepFailed("the answer makes no sense", "look at that process") from error
            if not {"ok", "told"} & line.keys():
                raise StepFailed("the answer makes no sense", "look at that process")
            yield line

    def _line(self, file: BinaryIO) -> bytes:
        try:
            return file.readline(ANSWER_MAX + 1)
        except OSError as error:
            raise self._ended() from error

    def _ended(self) -> Unreachable:
        return Unreachable(f"{visible(self._shown, 240)} ended", "start it and ask again")


class InProcess:
    """Asks handlers that this process has itself; see ``Asks``."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    def ask(self, verb: str, request: Told, tell: Callable[[Told], None] = lambda _told: None) -> Told:
        """Ask, and return the answer; ``tell`` hears how it goes."""
        return self._handlers[verb](request, _Here(tell, threading.Event()))

    @contextmanager
    def hold(self, verb: str, request: Told) -> Iterator[Held]:
        """Ask for something that lasts as long as the block."""
        heard: queue.SimpleQueue[Told | BaseException | None] = queue.SimpleQueue()
        gone = threading.Event()

        def work() -> None:
            try:
                self._handlers[verb](request, _Here(heard.put, gone))
                heard.put(None)
            except BaseException as error:  # noqa: BLE001, it is raised by who waits
                heard.put(error)

        def wait() -> Told | None:
            told = heard.get()
            if isinstance(told, BaseException):
                raise told
            return told

        def wait_for_end() -> None:
            while wait() is not None:
                pass

        thread = threading.Thread(target=work, daemon=True, name="wherry-asked")
        thread.start()
        try:
            yield Held(wait() or {}, wait_for_end)
        finally:
            gone.set()
            thread.join()


@dataclass(frozen=True, slots=True)
class _Here:
    """A caller in this process."""

    hear: Callable[[Told], None]
    gone: threading.Event

    def tell(self, told: Told) -> None:
        self.hear(told)

    def is_gone(self, wait_s: float = 0.0) -> bool:
        return self.gone.wait(wait_s)


def _read(raw: bytes | bytearray) -> Told:
    try:
        return _fields(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise BadInput(
            "a line on a control socket is not JSON", "use the same release on both sides"
        ) from error


def _fields(value: object) -> Told:
    if not isinstance(value, dict):
        raise BadInput("a line on a control socket makes no sense", "use the same release on both sides")
    return value
