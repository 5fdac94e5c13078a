"""The list of certificates that count no more, signed by the project's authority.

Whoever relies on it reads it anew each time. A list that is given and cannot be trusted is an error:
unknown is not the same as "none revoked".
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import BadInput
from planner.names import visible

if TYPE_CHECKING:
    from cryptography import x509

_MAX_BYTES = 4 * 1024 * 1024


def read_revoked(path: Path, authority: x509.Certificate) -> dict[str, datetime]:
    """Return when each serial (upper hexadecimal) was revoked; raises BadInput."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    shown = visible(str(path), 200)
    public = authority.public_key()
    try:
        with path.open("rb") as file:
            found = x509.load_pem_x509_crl(file.read(_MAX_BYTES))
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}", "bring the list again") from error
    except ValueError as error:
        raise BadInput(f"{shown} is not a list of revoked keys", "bring the list again") from error
    if not isinstance(public, EllipticCurvePublicKey) or not found.is_signature_valid(public):
        raise BadInput(f"{shown} was not signed by this project", "bring the project's own list")
    return {f"{entry.serial_number:X}": entry.revocation_date_utc for entry in found}
