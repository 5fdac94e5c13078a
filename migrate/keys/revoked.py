"""The list of certificates that count no more, signed by the project's authority.

Whoever relies on it reads it anew each time. A list that is given and cannot be trusted is an error:
unknown is not the same as "none revoked". Each list has a number larger than all before it, so that one
of yesterday is told from one of today; a receiver remembers the largest it has seen.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.disks.durable import replace_file
from planner.errors import BadInput
from planner.names import visible

if TYPE_CHECKING:
    from cryptography import x509

_MAX_BYTES = 4 * 1024 * 1024
SEEN = "revoked.seen"


@dataclass(frozen=True, slots=True)
class Revoked:
    """A list that was signed by the authority: when each serial (upper hexadecimal) was revoked."""

    number: int
    at: dict[str, datetime]

    def __contains__(self, serial: str) -> bool:
        return serial in self.at


def read_revoked(path: Path, authority: x509.Certificate) -> Revoked:
    """Return the list in ``path``; raises BadInput."""
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
    return Revoked(_number(found), {f"{entry.serial_number:X}": entry.revocation_date_utc for entry in found})


def _number(found: x509.CertificateRevocationList) -> int:
    from cryptography import x509

    try:
        return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:  # before lists had numbers, which begin at the second they are made
        return int(found.last_update_utc.timestamp())


class Relied:
    """The list one receiver relies on, and the largest number it has seen, kept in its store.

    Thread-safe. ``path`` is None where no list is given: then nothing counts as revoked.
    """

    def __init__(self, path: Path | None, store: Path, authority: x509.Certificate) -> None:
        """Read what was seen before; raises BadInput, also when a list was used and now none is given."""
        self._path = path
        self._seen = store / SEEN
        self._authority = authority
        self._lock = threading.Lock()
        self._number = self._remembered()
        if path is None and self._number:
            raise BadInput(
                "this store has relied on a list of revoked keys before and none is given now",
                "name the newest one with --revoked",
            )

    def holds(self, serial: str) -> bool:
        """Tell whether a serial is revoked by the list as it is now; raises BadInput, OSError."""
        if self._path is None:
            return False
        with self._lock:
            found = read_revoked(self._path, self._authority)
            if found.number < self._number:
                raise BadInput(
                    f"{visible(str(self._path), 200)} is older than a list that was seen before",
                    "bring the newest list",
                )
            if found.number > self._number:
                # Remembered before it is relied on: a crash must not bring the older one back.
                replace_file(self._seen, json.dumps({"number": found.number}).encode())
                self._number = found.number
        return serial in found

    def _remembered(self) -> int:
        try:
            number = json.loads(self._seen.read_bytes())["number"]
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, TypeError, KeyError):
            number = None
        if not isinstance(number, int):
            raise BadInput(
                f"{visible(str(self._seen), 200)} cannot be read, so nobody knows which list was the last",
                "remove it once the newest list is in place",
            )
        return number
