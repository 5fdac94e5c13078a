"""The receiver on a network: TLS connections in, and what each peer may do decided by its name.

Strangers are bounded apart from peers at work: when too many are shaking hands the oldest is cut off,
and none stays one for long, so those who say nothing or little cannot keep others out. Who asked for what
is written down in the store. Crash-only, as the service on a socket.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from migrate.disks.ports import WritableDisk
from migrate.keys.ending import has_ended, warning
from migrate.keys.names import Holder, Role, must_be
from migrate.keys.revoked import Relied
from migrate.replication.conversations import Conversations, Talk
from migrate.replication.dedupe.pools import Pool, Pools
from migrate.replication.logfile import LogFile
from migrate.replication.messages import Hello
from migrate.replication.places import JOINING, STREAMING, Places
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.service import open_store
from migrate.replication.streaming import Groups, Inlet
from migrate.replication.tls import TlsChannel, TlsKeys
from planner.errors import BadInput, NotFound, SiteRefused, WherryError
from planner.names import visible

_log = logging.getLogger(__name__)
_TICK_S = 0.2
_END_S = 60.0
_REMIND = timedelta(days=1)
_ASKING = 32  # requests in lines at once

Answers = Callable[[socket.socket, Callable[[str], None]], None]


class NetworkService:
    """Answers TLS peers of one project.

    ``groups`` holds the group of every volume served here, "" where none is known; without it the site that
    opens them decides which there are, and none is of a group. ``answers`` answers a request in lines once
    its verb was admitted: only peers with keys for every group may make one. ``revoked`` is the
    list of keys that count no more, read anew for each peer. ``journals`` are those that taps may stream
    to. ``handshake_s`` bounds a handshake, and as
    much again what a peer takes to say what it wants; ``timeout_s`` each wait for one at work. Of the
    ``peers`` at work at once half at most have the same keys.
    """

    def __init__(
        self,
        keys: TlsKeys,
        open_disk: Callable[[str], WritableDisk],
        groups: Mapping[str, str] | None,
        store: Path,
        *,
        answers: Answers | None = None,
        revoked: Path | None = None,
        pools: Pools | None = None,
        resynced: Callable[[str, str], None] = lambda _volume, _why: None,
        journals: Groups | None = None,
        peers: int = 16,
        strangers: int = 32,
        handshake_s: float = 10.0,
        timeout_s: float = 300.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        holder = keys.bundle.holder
        if holder.role is not Role.RECEIVER:
            raise BadInput(f"the keys are those of the {holder}", "use keys with role receiver")
        self._keys = keys
        self._groups = groups
        self._answers = answers
        self._store = store
        self._revoked = revoked
        self._pools = pools
        self._handshake_s, self._timeout_s = handshake_s, timeout_s
        self._now = now
        self._remind_at = now()
        self._conversations = Conversations(store, now)

        def open_log(volume: str) -> ProgressLog:
            return ProgressLog(LogFile(store, volume), volume)

        inlet = Inlet(journals, open_log) if journals is not None else None
        self._receiver = Receiver(open_disk, open_log, resynced=resynced, inlet=inlet)
        self._places = Places(peers)
        self._asking = Places(_ASKING)
        self._apart = {"join": Places(JOINING), "stream": Places(STREAMING)}
        self._strangers_max = strangers
        self._lock = threading.Lock()
        # A second descriptor of each, by which it can be cut off, and since when; the oldest first.
        self._strangers: dict[socket.socket, float] = {}
        self._channels: set[TlsChannel] = set()
        self._threads: set[threading.Thread] = set()

    def serve(
        self,
        listening: socket.socket,
        stop: Callable[[], bool],
        beside: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """Answer until told to stop; raises BadInput, ProjectBusy.

        ``beside`` is entered once the store is ours, and left when nobody writes any more.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, open_store(self._store))
            if self._pools is not None:
                stack.callback(self._pools.close)
            stack.enter_context(beside())
            stack.callback(self._end)
            self._relied = Relied(self._revoked, self._store, self._keys.bundle.authority)
            context = self._keys.context(server=True, control=self._answers is not None)
            listening.settimeout(_TICK_S)
            while not stop():
                self._remind()
                self._cut_slow()
                self._threads = {thread for thread in self._threads if thread.is_alive()}
                try:
                    sock, _address = listening.accept()
                except TimeoutError:
                    continue
                except OSError as error:
                    _log.warning("no connection could be taken: %s", error.strerror)
                    time.sleep(_TICK_S)
                    continue
                thread = threading.Thread(
                    target=self._answer,
                    args=(sock, self._noted(sock), context),
                    daemon=True,
                    name="wherry-receive",
                )
                self._threads.add(thread)
                thread.start()

    def _noted(self, sock: socket.socket) -> socket.socket:
        guard = sock.dup()
        with self._lock:
            while len(self._strangers) >= self._strangers_max:
                self._forget(next(iter(self._strangers)), cut=True)
            self._strangers[guard] = time.monotonic()
        return guard

    def _cut_slow(self) -> None:
        """Cut off strangers whose time is over: a byte now and then does not buy more of it."""
        latest = time.monotonic() - 2 * self._handshake_s
        with self._lock:
            for guard in [guard for guard, begun in self._strangers.items() if begun < latest]:
                self._forget(guard, cut=True)

    def _remind(self) -> None:
        """Say once a day that our keys end soon."""
        now = self._now()
        if now >= self._remind_at:
            self._remind_at = now + _REMIND
            if said := warning(self._keys.bundle, now):
                _log.warning("%s", said)

    def _forget(self, guard: socket.socket, *, cut: bool = False) -> None:
        """Count a peer as a stranger no more; the lock is held."""
        if guard in self._strangers:
            del self._strangers[guard]
            if cut:
                with contextlib.suppress(OSError):
                    guard.shutdown(socket.SHUT_RDWR)  # wakes its thread
            guard.close()

    def _answer(self, sock: socket.socket, guard: socket.socket, context: ssl.SSLContext) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(self._left, guard)
            talk = self._conversations.talk()
            channel: TlsChannel | None = None
            outcome = "it failed here"
            try:
                channel = peer = TlsChannel(sock, context, server=True, handshake_s=self._handshake_s)
                stack.callback(peer.close)
                with self._lock:
                    self._channels.add(peer)
                stack.callback(self._channels.discard, peer)
                if self._answers is not None and peer.is_control:
                    self._hear(peer, guard, stack, talk, self._answers)
                    talk.end("done", 0)
                    return
                self._receiver.serve(
                    peer,
                    lambda hello: self._admit(hello, peer, guard, stack, talk),
                    lambda: self._pool(peer),
                )
                outcome = "done"
            except WherryError as error:
                outcome = visible(error.message, 500)
                _log.info("conversation ended: %s", outcome)
            except Exception:  # noqa: BLE001
                # One connection's defect must not end the others; the sender sees it break.
                _log.exception("conversation failed")
            talk.end(outcome, channel.received_bytes if channel else 0)

    def _left(self, guard: socket.socket) -> None:
        with self._lock:
            self._forget(guard)

    def _admit(
        self,
        hello: Hello,
        channel: TlsChannel,
        guard: socket.socket,
        stack: contextlib.ExitStack,
        talk: Talk,
    ) -> None:
        """Decide what a peer may do; from here it is at work. Raises SiteRefused, NotFound, ProjectBusy."""
        peer, serial = channel.peer()
        talk.begin(peer, serial, hello)
        self._may_enter(peer, serial)
        if hello.purpose == "stream":
            self._may_stream(peer, hello.volume)
        else:
            self._may_have(peer, hello.volume)
        places = self._apart.get(hello.purpose, self._places)
        stack.callback(places.take(serial))
        channel.wait(self._timeout_s)
        self._left(guard)

    def _hear(
        self,
        channel: TlsChannel,
        guard: socket.socket,
        stack: contextlib.ExitStack,
        talk: Talk,
        answers: Answers,
    ) -> None:
        """Answer the request of a peer that may make any."""
        peer, serial = channel.peer()

        def admit(verb: str) -> None:
            talk.ask(peer, serial, verb)
            self._may_enter(peer, serial)
            if peer.groups or self._keys.bundle.holder.groups:
                raise SiteRefused(
                    "whoever asks for a site has to have keys for every group", "issue keys without --groups"
                )
            stack.callback(self._asking.take(serial))
            self._left(guard)

        answers(channel.lines, admit)

    def _may_enter(self, peer: Holder, serial: str) -> None:
        """Raise SiteRefused unless a peer has keys that count here."""
        if has_ended(self._keys.bundle, self._now()):
            raise SiteRefused("the keys of the receiver have ended", "issue it new ones, and start it anew")
        must_be(peer, project=self._keys.bundle.holder.project, role=Role.SENDER)
        if self._is_revoked(serial):
            raise SiteRefused(f"the keys of the {peer} were revoked", "issue new ones")

    def _may_have(self, peer: Holder, volume: str) -> None:
        shown = visible(volume, 200)
        if not self._may_write(peer, volume):
            raise SiteRefused(
                f"volume {shown} is of no group that these keys are for", "issue keys for its group"
            )
        if not self._is_served(volume):
            raise NotFound(f"volume {shown} is not served here", "register it at the receiver")

    def _is_served(self, volume: str) -> bool:
        return self._groups is None or volume in self._groups

    def _may_stream(self, peer: Holder, group: str) -> None:
        """Raise unless a peer may write every disk of a group; one without a group is one by itself."""
        known = self._groups or {}
        volumes = [volume for volume, its in known.items() if (its or volume) == group]
        for volume in volumes or [group]:
            self._may_have(peer, volume)

    def _may_write(self, peer: Holder, volume: str) -> bool:
        """Tell whether neither key, the peer's nor ours, is limited to other groups than the volume's."""
        group = (self._groups or {}).get(volume, "")
        return all(not limits or group in limits for limits in (peer.groups, self._keys.bundle.holder.groups))

    def _pool(self, channel: TlsChannel) -> Pool | None:
        """Return what a peer shares with those of the same rights; a change of groups counts at once."""
        if self._pools is None:
            return None
        peer, _serial = channel.peer()
        return self._pools.of(
            peer.project,
            peer.groups,
            lambda volume: self._is_served(volume) and self._may_write(peer, volume),
        )

    def _is_revoked(self, serial: str) -> bool:
        try:
            return self._relied.holds(serial)
        except (BadInput, OSError) as error:
            _log.warning("%s", error)  # names a path of ours, so peers are not told
            raise SiteRefused(
                "the receiver cannot tell which keys are revoked", "bring it the list again"
            ) from error

    def _end(self) -> None:
        """Cut everybody off and wait until no thread writes any more."""
        with self._lock:
            for guard in tuple(self._strangers):
                self._forget(guard, cut=True)
            channels = tuple(self._channels)
        for channel in channels:
            channel.close()
        for thread in self._threads:
            thread.join(_END_S)
