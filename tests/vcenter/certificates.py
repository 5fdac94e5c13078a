"""Certificates of the test vCenters: an authority made for the session, and leaves it signs.

Real ones (RSA 2048, subject alternative names), so that a client verifies for real. A second
authority is what a client must refuse.
"""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """A leaf with its key, and the authority a client has to trust; all are PEM files."""

    leaf: Path
    key: Path
    authority: Path

    @property
    def thumbprint(self) -> str:
        """SHA-256 of the leaf's DER, as ``AA:BB:...``."""
        der = ssl.PEM_cert_to_DER_cert(self.leaf.read_text("ascii"))
        return hashlib.sha256(der).digest().hex(":").upper()


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")


class Authority:
    """A certificate authority whose files lie in one directory."""

    def __init__(self, directory: Path, name: str = "wherry test authority") -> None:
        self._directory = directory
        self._issued = 0
        self.certificate = directory / "authority.pem"
        self._key = directory / "authority.key"
        directory.mkdir(parents=True, exist_ok=True)
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}"),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"),
            *("-keyout", self._key, "-out", self.certificate),
        )

    def issue(
        self, names: str = "IP:127.0.0.1,DNS:localhost", days: int = 30, key_bits: int = 2048
    ) -> Certificate:
        """Return a new leaf for the subject alternative names; each call makes another key."""
        self._issued += 1
        leaf, key, request, extensions = (
            self._directory / f"leaf-{self._issued}.{ending}" for ending in ("pem", "key", "csr", "ext")
        )
        _openssl(
            *("req", "-new", "-newkey", f"rsa:{key_bits}", "-nodes", "-subj", "/CN=vcenter.example.test"),
            *("-keyout", key, "-out", request),
        )
        extensions.write_text(
            f"subjectAltName={names}\nbasicConstraints=critical,CA:FALSE\n"
            "keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\n"
        )
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key),
            *("-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out", leaf),
        )
        return Certificate(leaf, key, self.certificate)
