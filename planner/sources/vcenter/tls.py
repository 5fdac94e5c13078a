"""Which certificate a vCenter may show: one the CAs vouch for, or exactly the pinned one.

A pin is checked here, in the TLS layer: the context trusts that one certificate, verification stays
on, and every connection compares the SHA-256 again after its handshake. The same context serves
pyvmomi, our own requests and every reconnect.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from planner.errors import BadInput, Unreachable
from planner.names import visible
from planner.sources.vcenter.address import Login

# OpenSSL's X509_V_ERR_EE_KEY_TOO_SMALL, _CA_KEY_TOO_SMALL and _CA_MD_TOO_WEAK (x509_vfy.h).
_TOO_WEAK = frozenset({66, 67, 68})


class UntrustedCertificate(BadInput):
    """A vCenter showed a certificate that nothing vouches for, or another than the pinned one.

    ``thumbprint`` is what it showed (SHA-256), "" when it could not be read.
    """

    code: ClassVar[str] = "untrusted-certificate"

    def __init__(self, endpoint: str, thumbprint: str, why: str) -> None:
        shown = visible(endpoint, 80)
        super().__init__(
            f"{shown} shows a certificate that is not trusted: {why}"
            + (f"; its SHA-256 is {thumbprint}" if thumbprint else ""),
            "compare the thumbprint with the vCenter's own, then repeat with --trust SHA256, "
            "or name its authority with --ca-file FILE",
        )
        self.endpoint = endpoint
        self.thumbprint = thumbprint


class RefusedCertificate(BadInput):
    """A vCenter showed the right certificate, and TLS as we speak it takes it from nobody."""

    code: ClassVar[str] = "refused-certificate"

    def __init__(self, endpoint: str, why: str) -> None:
        super().__init__(
            f"{visible(endpoint, 80)} shows a certificate that TLS of today refuses, trusted or not: {why}",
            "replace the certificate of the vCenter, or read it through RVTools",
        )


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a vCenter showed: SHA-256 in pairs with colons, and when it expires (ISO 8601, "" = unknown)."""

    thumbprint: str
    expires: str = ""


def thumbprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate as ``AB:CD:...``."""
    return hashlib.sha256(der).digest().hex(":").upper()


def parse_thumbprint(text: str) -> str:
    """Return a SHA-256 thumbprint in its one form, colons, blanks and case aside; raises BadInput."""
    bare = re.sub(r"[:\s-]", "", text.strip().removeprefix("SHA256").removeprefix("sha256")).upper()
    if not re.fullmatch(r"[0-9A-F]{64}", bare):
        raise BadInput(
            f"{visible(text, 80)!r} is no SHA-256 thumbprint", "write 64 hexadecimal digits, colons allowed"
        )
    return ":".join(bare[at : at + 2] for at in range(0, 64, 2))


def expiry(der: bytes) -> str:
    """Return the end of a certificate's validity as ISO 8601, "" when it cannot be read (RFC 5280, 4.1)."""
    try:
        body = memoryview(der)
        for _ in range(2):  # Certificate, TBSCertificate
            _, body, _ = _field(body)
        kind, _, rest = _field(body)
        if kind == 0xA0:  # version
            _, _, rest = _field(rest)
        for _ in range(2):  # signature, issuer
            _, _, rest = _field(rest)
        _, validity, _ = _field(rest)
        _, _, rest = _field(validity)
        kind, value, _ = _field(rest)
        text = bytes(value).decode("ascii")
        if kind == 0x17:  # UTCTime: two digits of a year from 1950 to 2049
            text = ("19" if int(text[:2]) >= 50 else "20") + text
        found = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except (ValueError, IndexError):
        return ""
    return found.isoformat(timespec="seconds")


def _field(body: memoryview) -> tuple[int, memoryview, memoryview]:
    """Return (tag, content, what follows) of the first DER element."""
    tag, length, at = body[0], body[1], 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(body[2 : 2 + size], "big"), 2 + size
    if at + length > len(body):
        raise ValueError("truncated")
    return tag, body[at : at + length], body[at + length :]


class PinnedContext(ssl.SSLContext):
    """A context for one certificate: what another shows is refused after the handshake as well."""

    pin: str

    def wrap_socket(self, *args: Any, **words: Any) -> ssl.SSLSocket:
        """Return the wrapped socket; raises SSLCertVerificationError when the peer is not the pinned one."""
        wrapped = super().wrap_socket(*args, **words)
        der = wrapped.getpeercert(binary_form=True) or b""
        if not hmac.compare_digest(thumbprint(der), self.pin):
            wrapped.close()
            raise ssl.SSLCertVerificationError("the certificate is not the pinned one")
        return wrapped


def _pinned(pem: str, pin: str) -> PinnedContext:
    context = PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.pin = pin
    # The certificate is its own proof: it may lack our name for the host and a chain to a root.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=pem)
    return context


def _presented(login: Login) -> str:
    """Return the certificate (PEM) an endpoint shows, before anything is sent there."""
    address = login.address
    return ssl.get_server_certificate((address.host, address.port), timeout=login.timeout_s)


@contextlib.contextmanager
def reaching(login: Login) -> Iterator[None]:
    """Turn what goes wrong between sockets into Unreachable, UntrustedCertificate, RefusedCertificate."""
    shown = login.address.shown
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise untrusted(login, error) from error
    except socket.gaierror as error:
        raise Unreachable(f"{shown} cannot be found", "check the name and the resolver") from error
    except TimeoutError as error:
        raise Unreachable(
            f"{shown} does not answer within {login.timeout_s:g} s", "check the network and the firewall"
        ) from error
    except ssl.SSLError as error:
        raise Unreachable(
            f"{shown} does not speak TLS as we do: {visible(error.reason or str(error), 80)}",
            "check the port, and which protocols and keys the vCenter offers",
        ) from error
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        raise Unreachable(
            f"{shown} cannot be reached: {visible(why, 120)}",
            "check the name, the port and the firewall",
        ) from error


def untrusted(login: Login, error: ssl.SSLCertVerificationError) -> UntrustedCertificate | RefusedCertificate:
    """Return the refusal for a failed verification, with the thumbprint of what is shown now."""
    endpoint = login.address.endpoint
    said = visible(getattr(error, "verify_message", "") or "it cannot be verified", 100)
    if getattr(error, "verify_code", 0) in _TOO_WEAK:
        # No pin and no authority helps it: a hint to trust it would lead back here.
        return RefusedCertificate(endpoint, f"its key or signature is too weak ({said})")
    try:
        shown = thumbprint(ssl.PEM_cert_to_DER_cert(_presented(login)))
    except (OSError, ValueError):
        shown = ""
    if login.trust is not None:
        why = "it is not the pinned one"
        if shown and hmac.compare_digest(shown, parse_thumbprint(login.trust)):
            # The pin holds and OpenSSL still declines: it has expired, or is not meant for servers.
            return RefusedCertificate(endpoint, said)
    else:
        why = said
    return UntrustedCertificate(endpoint, shown, why)


def verified_context(login: Login) -> tuple[ssl.SSLContext, Certificate]:
    """Return the context for every connection of a login, and the certificate it accepted.

    Raises UntrustedCertificate, RefusedCertificate, Unreachable, BadInput (a wrong pin or CA file).
    """
    address = login.address
    if login.trust is not None:
        pin = parse_thumbprint(login.trust)
        with reaching(login):
            pem = _presented(login)
        shown = thumbprint(ssl.PEM_cert_to_DER_cert(pem))
        if not hmac.compare_digest(shown, pin):
            raise UntrustedCertificate(address.endpoint, shown, "it is not the pinned one")
        context: ssl.SSLContext = _pinned(pem, pin)
    else:
        try:
            context = ssl.create_default_context(cafile=str(login.ca_file) if login.ca_file else None)
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{visible(str(login.ca_file), 80)} holds no certificates that can be read",
                "name a file of certificates in PEM",
            ) from error
    with (
        reaching(login),
        socket.create_connection((address.host, address.port), timeout=login.timeout_s) as plain,
        context.wrap_socket(plain, server_hostname=address.host) as wrapped,
    ):
        der = wrapped.getpeercert(binary_form=True) or b""
    return context, Certificate(thumbprint(der), expiry(der))
