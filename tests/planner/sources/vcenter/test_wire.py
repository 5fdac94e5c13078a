"""Our own connection: packed and chunked answers, bombs, ends that come early, connections kept and lost."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from planner.errors import BadInput
from planner.sources.vcenter.wire import Dropped, Wire
from tests.vcenter.certificates import Certificate


class Server:
    """Answers each request with the next part of its script, on as many connections as are opened."""

    def __init__(self, certificate: Certificate) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.leaf, certificate.key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.script: list[tuple[bytes, bool]] = []  # answer, and whether the connection stays
        self.requests: list[bytes] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self.connections += 1
                    self._speak(connection)
            except OSError:
                pass

    def _speak(self, connection: ssl.SSLSocket) -> None:
        while head := self._request(connection):
            self.requests.append(head)
            answer, stays = self.script.pop(0)
            connection.sendall(answer)
            if not stays:
                return

    def _request(self, connection: ssl.SSLSocket) -> bytes:
        """Return one request, head and body; b"" when the other side has gone."""
        read = b""
        while b"\r\n\r\n" not in read:
            if not (part := connection.recv(65536)):
                return b""
            read += part
        head, _, body = read.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        while length and len(body) < int(length[1]):
            body += connection.recv(65536)
        return head + body

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(120)


@pytest.fixture
def server(vcenter_certificate: Certificate) -> Iterator[Server]:
    made = Server(vcenter_certificate)
    yield made
    made.close()


@pytest.fixture
def time() -> list[float]:
    return [0.0]


@pytest.fixture
def wire(server: Server, vcenter_certificate: Certificate, time: list[float]) -> Iterator[Wire]:
    context = ssl.create_default_context(cafile=str(vcenter_certificate.authority))
    made = Wire("127.0.0.1", server.port, context, 10, lambda: time[0])
    yield made
    made.close()


def answer(body: bytes, *headers: str, length: int | None = None) -> bytes:
    said = [f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(["HTTP/1.1 200 OK", *said, "", ""]).encode() + body


def chunked(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + end


PACKED = gzip.compress(b"hello " * 1000, mtime=0)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (answer(b"hello"), b"hello"),
        (answer(b""), b""),
        (chunked(b"hel", b"lo"), b"hello"),
        (answer(PACKED, "Content-Encoding: gzip"), b"hello " * 1000),
    ],
)
def test_answers(server: Server, wire: Wire, sent: bytes, meant: bytes) -> None:
    server.script = [(sent, True), (answer(b"again"), True)]
    assert wire.request("GET", "/").body() == meant
    assert wire.request("POST", "/", b"x").body() == b"again"
    assert server.connections == 1
    assert wire.calls == 2


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        answer(b"hel", length=5),
        chunked(b"hello", end=b""),
        answer(PACKED[:20], "Content-Encoding: gzip"),
        answer(b"not packed", "Content-Encoding: gzip"),
        b"nonsense\r\n\r\n",
    ],
)
def test_what_breaks_is_dropped_and_the_next_request_connects_anew(
    server: Server, wire: Wire, sent: bytes
) -> None:
    server.script = [(sent, False), (answer(b"fine"), True)]
    with pytest.raises(Dropped):
        wire.request("GET", "/").body()
    assert wire.request("GET", "/").body() == b"fine"
    assert server.connections == 2


def test_a_few_bytes_do_not_become_many(server: Server, vcenter_certificate: Certificate) -> None:
    context = ssl.create_default_context(cafile=str(vcenter_certificate.authority))
    wire = Wire("127.0.0.1", server.port, context, 10, most_bytes=10 * 1024**2)
    bomb = gzip.compress(bytes(64 * 1024**2), mtime=0)
    assert len(bomb) < 100_000
    server.script = [(answer(bomb, "Content-Encoding: gzip"), True)]
    sizes = []
    with pytest.raises(BadInput, match="larger than it can be"):
        sizes.extend(len(chunk) for chunk in wire.request("GET", "/").chunks)
    assert sum(sizes) <= 11 * 1024**2


def test_a_body_kept_whole_is_bounded(server: Server, wire: Wire) -> None:
    server.script = [(answer(b"x" * 100_000), True)]
    with pytest.raises(BadInput):
        wire.request("GET", "/").body(most=50_000)


def test_an_answer_nobody_read_does_not_reach_the_next(server: Server, wire: Wire) -> None:
    server.script = [(answer(b"first"), True), (answer(b"second"), True)]
    wire.request("GET", "/")
    assert wire.request("GET", "/").body() == b"second"
    assert server.connections == 2


def test_an_old_connection_is_not_trusted(server: Server, wire: Wire, time: list[float]) -> None:
    server.script = [(answer(b"a"), True), (answer(b"b"), True), (answer(b"c"), True)]
    wire.request("GET", "/").body()
    time[0] = 19.0
    wire.request("GET", "/").body()
    time[0] = 100.0
    wire.request("GET", "/").body()
    assert server.connections == 2


def test_a_connection_the_other_side_closes(server: Server, wire: Wire) -> None:
    server.script = [(answer(b"a", "Connection: close"), False), (answer(b"b"), True)]
    assert [wire.request("GET", "/").body() for _ in range(2)] == [b"a", b"b"]


def test_certificates_are_verified_on_every_connection(server: Server, stranger: Certificate) -> None:
    context = ssl.create_default_context(cafile=str(stranger.authority))
    other = Wire("127.0.0.1", server.port, context, 10)
    with pytest.raises(ssl.SSLCertVerificationError):
        other.request("GET", "/")
    assert server.requests == []
