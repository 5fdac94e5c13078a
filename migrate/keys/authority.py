"""The project's authority: makes itself once, issues certificates, and says which count no more.

Lives in the project's ``keys/`` folder, which only its owner may enter. A certificate is kept there when
it is issued, its private key never.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.daemons.sockets import private_directory
from migrate.disks.durable import remove_file, replace_file
from migrate.keys.bundle import read_private, write_new
from migrate.keys.names import Holder, holder_of
from migrate.keys.revoked import Revoked, read_revoked
from planner.errors import BadInput, NotFound
from planner.names import visible

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_DAYS = 3650
CLOCKS_APART = timedelta(minutes=5)
_LIST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was given out. ``revoked_at`` is None while it counts."""

    serial: str
    holder: Holder
    not_after: datetime
    revoked_at: datetime | None


def create(directory: Path, project: str) -> None:
    """Make the authority of a project in ``directory``; raises BadInput when there is one."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    private_directory(directory)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"wherry {project}"[:64])
    certificate = (
        _builder(name, name, key.public_key(), timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
    )
    write_new(directory / "authority.pem", _pem_key(key) + _signed(certificate, key))


def issue(directory: Path, holder: Holder, days: int, file: Path, begins: datetime | None = None) -> Issued:
    """Write a new bundle for ``holder`` to ``file``, which must not exist; raises BadInput, NotFound.

    It is valid from now, or from when it ``begins``.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key, authority = _load(directory)
    own = ec.generate_private_key(ec.SECP256R1())
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = (
        _builder(
            _name(f"wherry {holder.role}"), authority.subject, own.public_key(), timedelta(days=days), begins
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in holder.uris()]),
            critical=False,
        )
    )
    certificate = _signed(builder, key)
    made = x509.load_pem_x509_certificate(certificate)
    serial = f"{made.serial_number:X}"
    # Kept before it is handed out: what is not in the list could not be revoked.
    kept = private_directory(directory / "issued") / f"{serial}.pem"
    write_new(kept, certificate)
    try:
        write_new(file, _pem_key(own) + certificate + authority.public_bytes(Encoding.PEM))
    except BadInput:
        remove_file(kept)
        raise
    return Issued(serial, holder, made.not_valid_after_utc, None)


def issued(directory: Path) -> list[Issued]:
    """Return every certificate given out, the one that ends first at the front."""
    from cryptography import x509

    _key, authority = _load(directory)
    ended = _revoked(directory, authority).at
    found = []
    for path in (directory / "issued").glob("*.pem"):
        certificate = x509.load_pem_x509_certificate(read_private(path))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        holder = holder_of(names.get_values_for_type(x509.UniformResourceIdentifier))
        serial = f"{certificate.serial_number:X}"
        found.append(Issued(serial, holder, certificate.not_valid_after_utc, ended.get(serial)))
    return sorted(found, key=lambda item: (item.not_after, item.serial))


def revoke(directory: Path, serial: str) -> Issued:
    """Put a certificate on the signed list ``revoked.pem``; raises NotFound, BadInput."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    key, authority = _load(directory)
    one = next((item for item in issued(directory) if item.serial == serial.upper()), None)
    if one is None:
        raise NotFound(f"no certificate has the serial {visible(serial, 80)}", "see 'wherry keys list'")
    if one.revoked_at is not None:
        raise BadInput(f"certificate {one.serial} is revoked already", "see 'wherry keys list'")
    now = datetime.now(UTC).replace(microsecond=0)
    before = _revoked(directory, authority)
    # Of the clock, so that it grows past lists made since the backup that an authority came back from.
    following = max(before.number + 1, int(now.timestamp()))
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(now)
        .next_update(now + timedelta(days=_LIST_DAYS))
        .add_extension(x509.CRLNumber(following), critical=False)
    )
    for number, at in {**before.at, one.serial: now}.items():
        entry = x509.RevokedCertificateBuilder().serial_number(int(number, 16)).revocation_date(at)
        builder = builder.add_revoked_certificate(entry.build())
    replace_file(directory / "revoked.pem", builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return Issued(one.serial, one.holder, one.not_after, now)


def _revoked(directory: Path, authority: x509.Certificate) -> Revoked:
    path = directory / "revoked.pem"
    return read_revoked(path, authority) if path.exists() else Revoked(0, {})


def _load(directory: Path) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = directory / "authority.pem"
    if not path.exists():
        raise NotFound("the project has no keys", "make them with 'wherry keys init'")
    private_directory(directory)
    data = read_private(path)
    try:
        key, certificate = load_pem_private_key(data, None), x509.load_pem_x509_certificate(data)
    except (ValueError, TypeError):
        raise BadInput(
            f"{visible(str(path), 200)} is damaged", "restore it from a backup"
        ) from None  # without its cause, which might quote the file
    if not isinstance(key, EllipticCurvePrivateKey):
        raise BadInput(f"{visible(str(path), 200)} is not an authority's", "restore it from a backup")
    return key, certificate


def _name(text: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: Any, life: timedelta, begins: datetime | None = None
) -> x509.CertificateBuilder:
    from cryptography import x509

    begins = begins or datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - CLOCKS_APART)
        .not_valid_after(begins + life)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _pem_key(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
