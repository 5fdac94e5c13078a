"""A certificate is one the authorities vouch for or exactly the pinned one, on every connection."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from planner.errors import BadInput, Unreachable
from planner.sources.vcenter.address import Address, Login
from planner.sources.vcenter.reading import read_vcenter
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.soap import Ref, envelope
from planner.sources.vcenter.tls import (
    RefusedCertificate,
    UntrustedCertificate,
    expiry,
    parse_thumbprint,
    thumbprint,
    verified_context,
)
from tests.planner.sources.vcenter.logins import login_of
from tests.vcenter.certificates import Authority, Certificate
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer

PING = envelope("CurrentTime", Ref("ServiceInstance", "ServiceInstance"))


def ping(session: Session) -> None:
    assert b"CurrentTimeResponse" in session.send(PING).body()


def ask(session: Session) -> None:
    session.ask(lambda content: content.sessionManager.currentSession)


@pytest.fixture
def peer(vcenter: StartVCenter, stranger: Certificate) -> VCenterPeer:
    """Return a vCenter whose certificate nobody vouches for."""
    return vcenter("-vm", "1", certificate=stranger)


@pytest.mark.parametrize("known", ["of the system", "of another"])
def test_an_unknown_authority_is_refused(peer: VCenterPeer, vcenter_authority: Authority, known: str) -> None:
    ca_file = None if known == "of the system" else vcenter_authority.certificate
    with pytest.raises(UntrustedCertificate) as caught:
        Session(login_of(peer, ca_file=ca_file))
    error = caught.value
    assert error.thumbprint == peer.served.thumbprint
    assert error.thumbprint in error.message
    assert "--trust" in error.hint
    assert error.exit_code == 2
    assert peer.calls() == {}  # nothing was said to it, least of all a password


def test_the_thumbprint_of_the_refusal_is_what_lets_it_in(peer: VCenterPeer) -> None:
    with pytest.raises(UntrustedCertificate) as caught:
        Session(login_of(peer, ca_file=None))
    with Session(login_of(peer, ca_file=None, trust=caught.value.thumbprint)) as session:
        ping(session)
        assert session.ask(lambda content: content.about.instanceUuid) == peer.instance_uuid


def test_another_pin_is_refused_whatever_the_authorities_say(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "0")  # this one is vouched for
    wrong = ":".join(["00"] * 32)
    with pytest.raises(UntrustedCertificate, match="not the pinned one") as caught:
        Session(login_of(peer, trust=wrong))
    assert caught.value.thumbprint == peer.served.thumbprint
    assert peer.calls() == {}


@pytest.mark.parametrize("speak", [ping, ask])
@pytest.mark.parametrize("pinned", [True, False])
def test_a_certificate_that_changes_is_refused_on_the_next_connection(
    vcenter: StartVCenter,
    vcenter_authority: Authority,
    stranger: Certificate,
    speak: Callable[[Session], None],
    pinned: bool,
) -> None:
    peer = vcenter("-vm", "0")
    session = Session(login_of(peer, trust=peer.served.thumbprint if pinned else None))
    ping(session)
    # Of the same authority where it is pinned: no chain helps it. Of another where it is not.
    peer.restart(vcenter_authority.issue() if pinned else stranger)
    session.wire.close()
    session._stub.DropConnections()
    with pytest.raises(UntrustedCertificate) as caught:
        speak(session)
    assert caught.value.thumbprint == peer.served.thumbprint
    assert peer.calls() == {}


def test_a_whole_reading_through_a_pin(peer: VCenterPeer) -> None:
    inventory = read_vcenter(
        login_of(peer, ca_file=None, trust=peer.served.thumbprint.lower().replace(":", ""))
    )
    assert len(inventory.vms) == 2
    assert inventory.vcenters[0].certificate_expires == expiry(der_of(peer.served.leaf))


def test_a_name_the_certificate_does_not_hold(vcenter: StartVCenter, vcenter_authority: Authority) -> None:
    peer = vcenter("-vm", "0", certificate=vcenter_authority.issue("DNS:elsewhere.example.test"))
    with pytest.raises(UntrustedCertificate, match="mismatch"):
        Session(login_of(peer))
    with Session(login_of(peer, trust=peer.served.thumbprint)) as session:
        ping(session)


def test_a_pinned_certificate_vouches_for_no_other(tmp_path: Path) -> None:
    """An authority that is pinned itself does not open the door to what it signs."""
    authority = Authority(tmp_path)
    leaf = authority.issue()
    with served_by(leaf) as port:
        login = Login(
            Address("kim", "127.0.0.1", port), "s3cret", trust=thumbprint(der_of(authority.certificate))
        )
        with pytest.raises(UntrustedCertificate, match="not the pinned one"):
            verified_context(login)
        context, _ = verified_context(
            Login(Address("kim", "127.0.0.1", port), "s3cret", trust=leaf.thumbprint)
        )
        context.load_verify_locations(authority.certificate)  # as if the chain were trusted as well
        context.pin = thumbprint(der_of(authority.certificate))  # type: ignore[attr-defined]
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            pytest.raises(ssl.SSLCertVerificationError, match="pinned"),
        ):
            context.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.mark.parametrize("pinned", [True, False])
def test_a_key_too_weak_for_tls_is_no_question_of_trust(tmp_path: Path, pinned: bool) -> None:
    authority = Authority(tmp_path)
    weak = authority.issue(key_bits=1024)
    trust = weak.thumbprint if pinned else None
    with served_by(weak) as port:
        login = Login(Address("kim", "127.0.0.1", port), "s3cret", trust=trust, ca_file=authority.certificate)
        with pytest.raises(RefusedCertificate, match="too weak") as caught:
            verified_context(login)
    assert "replace the certificate" in caught.value.hint
    assert "RVTools" in caught.value.hint
    assert "--trust" not in caught.value.hint


def test_a_pinned_certificate_that_has_expired_is_no_question_of_trust(tmp_path: Path) -> None:
    old = Authority(tmp_path).issue(days=-1)
    with served_by(old) as port:
        login = Login(Address("kim", "127.0.0.1", port), "s3cret", trust=old.thumbprint)
        with pytest.raises(RefusedCertificate, match="expired") as caught:
            verified_context(login)
    assert "--trust" not in caught.value.hint


class served_by:
    """A loopback port that shakes hands with a certificate and says no more."""

    def __init__(self, certificate: Certificate) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.set_ciphers("DEFAULT:@SECLEVEL=0")  # a vCenter that serves whatever it has
        self._context.load_cert_chain(certificate.leaf, certificate.key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(connection, server_side=True) as wrapped:
                    wrapped.recv(1)
            except OSError:
                pass

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._listening.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(120)


def der_of(pem: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.read_text("ascii"))


@pytest.mark.parametrize(
    "text",
    ["AB" * 32, "ab" * 32, ":".join(["AB"] * 32), "SHA256 " + ":".join(["ab"] * 32), " ".join(["Ab"] * 32)],
)
def test_a_thumbprint_has_one_form(text: str) -> None:
    assert parse_thumbprint(text) == ":".join(["AB"] * 32)


@pytest.mark.parametrize("text", ["", "AB" * 20, "AB" * 33, "XY" * 32, "AB" * 31 + "\x1b["])
def test_other_thumbprints_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="no SHA-256 thumbprint") as caught:
        parse_thumbprint(text)
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("days", [1, 30, 365, 365 * 40])
def test_the_end_of_a_certificate(tmp_path: Path, days: int) -> None:
    """Beyond 2049 the time has another form."""
    leaf = Authority(tmp_path).issue(days=days)
    done = subprocess.run(
        ["openssl", "x509", "-in", leaf.leaf, "-noout", "-enddate", "-dateopt", "iso_8601"],
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout.partition("=")[2].strip().replace(" ", "T").replace("Z", "+00:00")
    assert expiry(der_of(leaf.leaf)) == said


def test_what_is_no_certificate_has_no_end(tmp_path: Path) -> None:
    der = der_of(Authority(tmp_path).certificate)
    assert [expiry(der[:cut]) for cut in range(0, 200, 3)] == [""] * 67
    assert expiry(b"\x30\x80" * 50) == ""


def test_a_ca_file_without_certificates(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(BadInput, match="no certificates that can be read"):
            verified_context(Login(Address("kim", "127.0.0.1", 1), "s3cret", ca_file=path))


@pytest.fixture
def silent() -> Iterator[int]:
    """Yield a port that accepts and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("trust", [None, "AB" * 32])
def test_an_endpoint_that_says_nothing(silent: int, trust: str | None) -> None:
    login = Login(Address("kim", "127.0.0.1", silent), "s3cret", trust=trust, timeout_s=0.2)
    with pytest.raises(Unreachable, match="does not answer within"):
        verified_context(login)


def test_an_endpoint_that_is_not_there(silent: int) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(Unreachable, match="cannot be reached: Connection refused") as caught:
        verified_context(Login(Address("kim", "127.0.0.1", port), "s3cret"))
    assert caught.value.exit_code == 6


def test_an_endpoint_that_speaks_no_tls() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(64)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Unreachable, match="does not speak TLS"):
            verified_context(Login(Address("kim", "127.0.0.1", listening.getsockname()[1]), "s3cret"))
        thread.join(120)
