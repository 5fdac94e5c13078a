"""A channel over TLS 1.3, both ends with certificates of the project's authority and no other.

A handshake that succeeds says nothing yet: who the peer is comes from ``peer``, and what it may do is
decided with ``migrate.keys.names``.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from migrate.keys.bundle import Bundle, read_bundle
from migrate.keys.names import Holder, Role, holder_of, must_be
from migrate.replication.channel import Buffer, ChannelClosed
from migrate.replication.congestion import BBR, Congestion, current
from planner.errors import BadInput, SiteRefused
from planner.names import visible

_JOIN_BYTES = 64 * 1024  # below this, parts leave as one record
_LAST_S, _LAST_READS = 1.0, 16
_STREAMS = 8  # of a disk where one connection takes each loss for a full line
CONTROL = "wherry-control"  # a connection on which lines are spoken: requests, not frames of a pass
_UNSENT_BYTES = 256 * 1024  # kept by the kernel beyond what is on the line: offers would wait behind it
_ALIVE = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))


class TlsKeys:
    """A bundle, ready to shake hands with."""

    def __init__(self, path: Path, now: datetime | None = None) -> None:
        """Read the bundle in ``path``, which has to be valid ``now``; raises BadInput, NotFound."""
        from cryptography.hazmat.primitives.serialization import Encoding

        self.bundle: Bundle = read_bundle(path, now)
        self._authority = self.bundle.authority.public_bytes(Encoding.PEM).decode("ascii")

    def context(self, *, server: bool, control: bool = False) -> ssl.SSLContext:
        """Return a context for one end, asking for ``control`` or, a server, taking it; raises BadInput."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # our own names decide, see migrate.keys.names
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=self._authority)
        if server:
            context.num_tickets = 0
        if control:
            context.set_alpn_protocols([CONTROL])
        # ssl reads keys from files only: the bytes that were checked, not a second look at the path.
        fd = os.memfd_create("wherry-keys", os.MFD_CLOEXEC)
        try:
            os.write(fd, self.bundle.text.data)
            context.load_cert_chain(f"/proc/self/fd/{fd}")
        except ssl.SSLError:
            raise BadInput("the bundle of keys cannot be used", "issue it anew") from None
        finally:
            os.close(fd)
        return context


class TlsChannel:
    """A channel over a connected TCP socket; ``timeout_s`` bounds each wait for the peer."""

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        *,
        server: bool,
        handshake_s: float = 10.0,
        congestion: Congestion | None = None,
    ) -> None:
        """Shake hands; raises ChannelClosed. ``sock`` is ours from here, also when that fails."""
        sock.settimeout(handshake_s)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # A peer whose host or line is gone keeps its volume for half a minute, not until the time-out.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in _ALIVE:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        self._used = threading.Lock()
        self._closed = False
        self._congestion = congestion
        self.received_bytes = 0
        try:
            self._sock = context.wrap_socket(sock, server_side=server, do_handshake_on_connect=False)
        except (OSError, ValueError) as error:
            sock.close()
            raise _broke(error) from error
        try:
            self._sock.do_handshake()
        except (OSError, ValueError) as error:
            if server:
                _let_it_read(self._sock)
            self._sock.close()
            raise _broke(error) from error

    def wait(self, timeout_s: float) -> None:
        """Bound each further wait for the peer."""
        self._sock.settimeout(timeout_s)

    def peer(self) -> tuple[Holder, str]:
        """Return who the peer's certificate says it is, and its serial; raises SiteRefused."""
        told: dict[str, Any] = dict(self._sock.getpeercert() or {})
        names = told.get("subjectAltName", ())
        try:
            holder = holder_of([str(value) for kind, value in names if kind == "URI"])
        except BadInput as error:
            raise SiteRefused(error.message, error.hint) from error
        return holder, str(told.get("serialNumber", "")).lstrip("0")

    @property
    def is_control(self) -> bool:
        """Whether both ends agreed to speak lines."""
        return self._sock.selected_alpn_protocol() == CONTROL

    @property
    def lines(self) -> socket.socket:
        """The encrypted socket of a connection on which lines are spoken."""
        return self._sock

    def streams(self) -> int:
        """Return how many connections a disk is worth on this line: one with BBR, else 8."""
        with contextlib.suppress(OSError):
            if current(self._sock) == BBR:
                return 1
        return _STREAMS

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send all parts in order; raises ChannelClosed."""
        if sum(map(len, parts)) <= _JOIN_BYTES:
            parts = [b"".join(parts)]
        try:
            with self._used:
                self._must_be_open()
                for part in parts:
                    self._sock.sendall(part)
                if self._congestion is not None:
                    self._congestion.follow(self._sock)
        except (OSError, ValueError) as error:
            raise _broke(error) from error

    def recv_into(self, buffer: memoryview) -> None:
        """Fill the buffer; raises ChannelClosed."""
        got = 0
        try:
            with self._used:
                self._must_be_open()
                while got < len(buffer):
                    count = self._sock.recv_into(buffer[got:])
                    if count == 0:
                        raise ChannelClosed(
                            "the peer closed the connection", "start it again, the pass resumes"
                        )
                    got += count
                    self.received_bytes += count
        except (OSError, ValueError) as error:
            raise _broke(error) from error

    def close(self) -> None:
        """Close both directions; a thread that waits in the channel is woken."""
        self._closed = True
        # Not SSLSocket.shutdown: it drops the encryption under a thread that still sends.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        with self._used:  # woken and out: its descriptor may be another file's in a moment
            self._sock.close()

    def _must_be_open(self) -> None:
        if self._closed:
            raise ChannelClosed("the connection was closed", "try again, the pass resumes")


def _let_it_read(sock: socket.socket) -> None:
    """Take in what a refused peer still sends: closed upon it, our word why would be lost on its way."""
    left = _LAST_READS
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_WR)
        sock.settimeout(_LAST_S)
        while left and socket.socket.recv(sock, _JOIN_BYTES):
            left -= 1


def _broke(error: Exception) -> ChannelClosed:
    if isinstance(error, TimeoutError):
        return ChannelClosed("the peer did not answer in time", "check that it runs, the pass resumes")
    if isinstance(error, ssl.SSLCertVerificationError):
        return ChannelClosed(
            f"the peer's certificate is refused: {visible(error.verify_message, 200)}",
            "use keys issued by this project that have not ended",
        )
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "closed").lower().replace("_", " ")
        _version, alert, told = reason.partition(" alert ")
        if alert:  # what the other end says of us
            return ChannelClosed(
                f"the peer refuses the encrypted connection: {visible(told, 100)}",
                "check that our keys are of this project and have not ended",
            )
        return ChannelClosed(
            f"the encrypted connection to the peer broke: {visible(reason, 100)}",
            "check that both ends have keys of this project, the pass resumes",
        )
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "closed"
    return ChannelClosed(f"the connection to the peer broke: {reason}", "try again, the pass resumes")


def connect_tls(
    host: str,
    port: int,
    keys: TlsKeys,
    site: str,
    timeout_s: float = 300.0,
    *,
    control: bool = False,
    way: str = "",
) -> TlsChannel:
    """Return a channel to the receiver of ``site`` and no other, for lines where it is for ``control``.

    ``way`` is the kernel's name for what it shall send by, in place of what its line is worth.
    Raises BadInput, ChannelClosed, SiteRefused when the peer is somebody else.
    """
    holder = keys.bundle.holder
    if holder.role is not Role.SENDER:
        raise BadInput(f"the keys are those of the {holder}", "use keys with role sender")
    context = keys.context(server=False, control=control)
    try:
        sock = socket.create_connection((host, port), 10.0)
    except OSError as error:
        raise ChannelClosed(
            f"nobody answers at {visible(host, 100)}:{port}: {error.strerror or error}",
            "start the receiver there",
        ) from error
    if way:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, way.encode())
    congestion = None if way else Congestion(sock)
    channel = TlsChannel(sock, context, server=False, congestion=congestion)
    try:
        peer, _serial = channel.peer()
        must_be(peer, project=holder.project, role=Role.RECEIVER, site=site)
        if channel.is_control is not control:
            raise SiteRefused(
                f"the {peer} serves single disks only, and no site",
                "start it there with 'wherry receiver --site NAME'",
            )
    except SiteRefused:
        channel.close()
        raise
    channel.wait(timeout_s)
    return channel
