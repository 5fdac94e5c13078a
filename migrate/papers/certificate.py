"""Data-identity certificates: signed by a site's key or the project's authority, checked by anyone.

A signature has one form only (the lower of both s), as the document has. The authority in the file
proves no more than that the file is whole: whose it is, the authority from another hand tells.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.disks.durable import sync_directory
from migrate.keys.bundle import read_bundle, read_private
from migrate.keys.names import Holder, Role, holder_of
from migrate.keys.revoked import read_revoked
from planner.errors import BadInput, Corrupt
from planner.identity import MAX_BYTES, Identity, read_identity
from planner.names import content_id, visible

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_HINT = "do not rely on it; have the disk verified again"


class Signer:
    """A key that may sign, with its certificate. ``holder`` is None for the authority itself."""

    def __init__(self, path: Path) -> None:
        """Read a bundle, or the project's ``authority.pem``; raises BadInput, NotFound."""
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        data = read_private(path)
        shown = visible(str(path), 200)
        try:
            key = load_pem_private_key(data, None)
            certificates = x509.load_pem_x509_certificates(data)
        except (ValueError, TypeError):
            # without its cause, which might quote the file
            raise BadInput(f"{shown} holds no keys", "name a bundle, or keys/authority.pem") from None
        self.holder: Holder | None = None
        if len(certificates) > 1:
            bundle = read_bundle(path)
            self.holder = bundle.holder
            if self.holder.role is not Role.SENDER:
                raise BadInput(f"the keys are those of the {self.holder}", "use keys with role sender")
        elif key.public_key() != certificates[0].public_key():
            raise BadInput(f"{shown} holds a key of another certificate", "restore it from a backup")
        if not isinstance(key, EllipticCurvePrivateKey):
            raise BadInput(f"{shown} holds keys of another kind", "issue them anew")
        self._key: EllipticCurvePrivateKey = key
        self.certificate, self.authority = certificates[0], certificates[-1]

    @property
    def serial(self) -> str:
        """Return the serial of the certificate, as 'wherry keys list' shows it."""
        return f"{self.certificate.serial_number:X}"

    def sign(self, identity: Identity) -> Identity:
        """Return the document with its signature."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        r, s = decode_dss_signature(self._key.sign(identity.signed_bytes(), ec.ECDSA(hashes.SHA256())))
        return identity.model_copy(update={"signature": f"{r:064x}{min(s, _ORDER - s):064x}"})


@dataclass(frozen=True, slots=True)
class Checked:
    """A certificate whose signature counts.

    ``signer`` is who signed, in words; ``authority_given`` is False when only the authority inside the
    file vouches for it, and ``fingerprint`` is that authority's.
    """

    identity: Identity
    signer: str
    authority_given: bool
    fingerprint: str


def check_certificate(path: Path, authority: Path | None = None, revoked: Path | None = None) -> Checked:
    """Check file, signature and signer; raises BadInput for what is no certificate, else Corrupt."""
    shown = visible(str(path), 200)
    identity = read_identity(_read(path), shown)
    try:
        return _checked(identity, authority, revoked, shown)
    except _unreadable() as error:
        raise Corrupt(f"{shown} carries a certificate that cannot be read", _HINT) from error


def _checked(identity: Identity, authority: Path | None, revoked: Path | None, shown: str) -> Checked:
    from cryptography.hazmat.primitives import hashes

    inside, signer = _load(identity.authority, shown), _load(identity.signer, shown)
    root = inside if authority is None else _authority_in(authority)
    if root != inside:
        raise Corrupt(f"{shown} comes from another authority than the one given", _HINT)
    said = _who(identity, signer, root, shown)
    _must_verify(identity, signer, shown)
    if revoked is not None and f"{signer.serial_number:X}" in read_revoked(revoked, root):
        raise Corrupt(f"the keys that signed {shown} were revoked", _HINT)
    _must_agree(identity, shown)
    fingerprint = root.fingerprint(hashes.SHA256()).hex()
    return Checked(identity, said, authority is not None, fingerprint)


def _unreadable() -> tuple[type[Exception], ...]:
    """Return what the library raises, here or there, for certificates that are none."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    return (
        ValueError,
        TypeError,
        OverflowError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    )


def _who(identity: Identity, signer: x509.Certificate, root: x509.Certificate, shown: str) -> str:
    """Return who signed; raises Corrupt unless the authority vouches for it, for this project and time."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import NameOID

    try:
        root.verify_directly_issued_by(root)
        signer.verify_directly_issued_by(root)
        at = datetime.fromisoformat(identity.at).astimezone(UTC)
        holder = None
        if signer != root:
            names = signer.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            holder = holder_of(names.get_values_for_type(x509.UniformResourceIdentifier))
    except (
        ValueError,
        TypeError,
        OverflowError,
        InvalidSignature,
        x509.ExtensionNotFound,
        BadInput,
    ) as error:
        raise Corrupt(f"the authority does not vouch for who signed {shown}", _HINT) from error
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        raise Corrupt(f"{shown} was signed with keys that were not valid then", _HINT)
    if holder is None:
        named = root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if [name.value for name in named] != [f"wherry {identity.project}"[:64]]:
            raise Corrupt(f"{shown} is of another project than its authority", _HINT)
        return f"the authority of project {visible(identity.project, 80)}"
    if (holder.project, holder.site) != (identity.project, identity.source.site):
        raise Corrupt(f"{shown} was signed by the {holder}, which it is not about", _HINT)
    if holder.role is not Role.SENDER or identity.source.names != holder.uris():
        raise Corrupt(f"{shown} was signed by the {holder}, not by its source", _HINT)
    return f"the {holder}"


def _must_verify(identity: Identity, signer: x509.Certificate, shown: str) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    public = signer.public_key()
    r, s = int(identity.signature[:64] or "0", 16), int(identity.signature[64:] or "0", 16)
    try:
        if not isinstance(public, ec.EllipticCurvePublicKey) or s > _ORDER // 2:
            raise InvalidSignature
        public.verify(encode_dss_signature(r, s), identity.signed_bytes(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Corrupt(f"{shown} was changed after it was signed", _HINT) from error


def _must_agree(identity: Identity, shown: str) -> None:
    """Raise Corrupt when a signed document contradicts itself."""
    nothing = identity.method == "none"
    whole = (identity.offset, identity.length) == (0, 0 if nothing else identity.size_bytes)
    grains = identity.grains
    if (
        identity.source.digest != identity.target.digest
        or identity.offset + identity.length > identity.size_bytes
        or (identity.method != "part" and not whole)
        or (identity.method == "quick") != (identity.algorithm == "wherry-sample/1")
        or (identity.method != "quick" and bool(grains))
        or any(low >= high for low, high in pairwise(grains))
        or (bool(grains) and grains[-1] * 65_536 >= identity.size_bytes)
        or not _says_what_is_left_out(identity)
    ):
        raise Corrupt(f"{shown} contradicts itself", _HINT)


def _says_what_is_left_out(identity: Identity) -> bool:
    """Return whether a document leaves out no more and no less than it says of itself."""
    left_out, nothing = identity.excluded, identity.method == "none"
    return (
        (identity.schema_ == "wherry.identity/2") == (left_out is not None)
        and nothing == (left_out is not None and left_out.send == "never")
        and nothing == (not identity.target.digest)
        and (not nothing or (identity.looked_bytes, identity.escape_chance) == (0, 1.0))
        and (left_out is None or left_out.send == "never" or identity.method == "record")
        and (left_out is None or bool(left_out.seeded_at) == (left_out.send == "once"))
    )


def keep(identity: Identity, path: Path) -> None:
    """Write a certificate to a file that must not exist; raises BadInput, OSError."""
    try:
        with path.open("xb") as file:
            file.write(identity.text().encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        shown = visible(str(path), 200)
        raise BadInput(f"{shown} exists already", "name another file, or remove it first") from error
    sync_directory(path.parent)


def must_be_folder(path: Path) -> None:
    """Raise BadInput unless certificates may be written there; before an hour of reading, not after it."""
    if path.exists() and not path.is_dir():
        raise BadInput(f"{visible(str(path), 200)} is not a folder", "name a folder for the certificates")


def keep_in(folder: Path, identity: Identity) -> Path:
    """Write a certificate to a new file in a folder, and return that file; raises BadInput, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    # A name is never a path; the time tells one look from the next.
    file = folder / f"{content_id(identity.volume)}-{identity.at.replace(':', '')[:17]}.json"
    keep(identity, file)
    return file


def _read(path: Path) -> bytes:
    shown = visible(str(path), 200)
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}", "name a certificate") from error


def _authority_in(path: Path) -> x509.Certificate:
    """Return the last certificate of a file: an authority's own, or that at the end of a bundle."""
    return _load(_read(path).decode("ascii", "replace"), visible(str(path), 200))


def _load(pem: str, shown: str) -> x509.Certificate:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(pem.encode())[-1]
    except ValueError as error:
        raise BadInput(f"{shown} holds no certificate of an authority", "name a PEM file") from error


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate as a document carries it."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode("ascii")
