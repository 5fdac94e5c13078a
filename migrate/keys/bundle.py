"""A bundle: the one file a site gets, with its private key, its certificate and the authority's.

Only its owner may read it. Nothing of the private key is ever shown, and no error quotes the file.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.keys.names import Holder, holder_of
from planner.errors import BadInput, NotFound
from planner.names import visible

if TYPE_CHECKING:
    from cryptography import x509

_MAX_BYTES = 64 * 1024


class Secret:
    """Bytes that do not show themselves."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __repr__(self) -> str:
        return "<not shown>"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle says. ``text`` holds the private key and stays out of ``repr``."""

    holder: Holder
    serial: str
    not_after: datetime
    authority: x509.Certificate
    text: Secret


def read_private(path: Path) -> bytes:
    """Return a small file that only we can read; raises NotFound, BadInput."""
    shown = visible(str(path), 200)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise NotFound(f"{shown} does not exist", "name a file of 'wherry keys'") from error
    except OSError as error:
        raise BadInput(f"{shown} cannot be opened: {error.strerror}", "name a plain file") from error
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            raise BadInput(f"{shown} is not a file", "name a plain file")
        if about.st_uid != os.geteuid() or about.st_mode & 0o077:
            raise BadInput(
                f"{shown} is not private: others own it or can read it", "own it, and set its mode to 0600"
            )
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise BadInput(f"{shown} is too large for keys", "name a file of 'wherry keys'")
    return data


def write_new(path: Path, data: bytes) -> None:
    """Write a private file that does not exist yet, durably; raises BadInput."""
    from migrate.disks.durable import sync_directory

    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        sync_directory(path.parent)
    except FileExistsError as error:
        raise BadInput(
            f"{visible(str(path), 200)} exists already", "name another file, or remove it first"
        ) from error
    except OSError as error:
        raise BadInput(
            f"{visible(str(path), 200)} cannot be written: {error.strerror}", "name another place"
        ) from error


def read_bundle(path: Path, now: datetime | None = None) -> Bundle:
    """Return the bundle in ``path``, its parts checked against each other; raises BadInput, NotFound."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = read_private(path)
    shown = visible(str(path), 200)
    try:
        key = load_pem_private_key(data, None)
        own, authority = x509.load_pem_x509_certificates(data)
        own.verify_directly_issued_by(authority)
        authority.verify_directly_issued_by(authority)
        names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        holder = holder_of(names.get_values_for_type(x509.UniformResourceIdentifier))
    except BadInput as error:
        raise BadInput(f"{shown}: {error.message}", error.hint) from error
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        # without its cause, which might quote the file
        raise BadInput(f"{shown} is not a bundle of keys", "make one with 'wherry keys issue'") from None
    if key.public_key() != own.public_key():
        raise BadInput(f"{shown} holds a key of another certificate", "issue it anew")
    if not own.not_valid_before_utc <= (now or datetime.now(UTC)) <= own.not_valid_after_utc:
        raise BadInput(
            f"the certificate in {shown} is valid from {own.not_valid_before_utc:%Y-%m-%d %H:%M} "
            f"to {own.not_valid_after_utc:%Y-%m-%d %H:%M} UTC only",
            "check the clock, or issue a new one",
        )
    serial = f"{own.serial_number:X}"
    return Bundle(holder, serial, own.not_valid_after_utc, authority, Secret(data))
