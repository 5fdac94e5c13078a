"""Which vCenter is meant and as whom: ``vcenter://user@host[:port]``.

The user may hold ``@`` as it is or percent-encoded (the last ``@`` ends it), and a domain before a
backslash. A password has no place here: a spec that seems to hold one is refused and not repeated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from planner.errors import BadInput
from planner.names import visible

SCHEME = "vcenter://"
_HINT = "write it like vcenter://reader@vsphere.local@vc.example.com or vcenter://DOMAIN\\reader@10.0.0.5:443"
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,30})?\]")


@dataclass(frozen=True, slots=True)
class Address:
    """A vCenter and the user who reads it; ``host`` is without brackets."""

    user: str
    host: str
    port: int = 443

    @property
    def endpoint(self) -> str:
        """Host and port as people write them; 443 goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"

    @property
    def account(self) -> str:
        """``user@host``: the name under which a keyring keeps the password."""
        return f"{self.user}@{self.endpoint}"

    @property
    def source(self) -> str:
        """What an inventory says of where it is from."""
        return f"vcenter:{self.account}"

    @property
    def shown(self) -> str:
        """The endpoint, fit for a sentence."""
        return visible(self.endpoint, 80)


@dataclass(frozen=True, slots=True)
class Login:
    """Everything a session needs. The password is in no representation of it.

    ``trust`` is the SHA-256 thumbprint of the only certificate to accept; ``ca_file`` holds the
    certificates (PEM) to trust instead of the system's.
    """

    address: Address
    password: str = field(repr=False)
    trust: str | None = None
    ca_file: Path | None = None
    timeout_s: float = 60.0


def is_address(spec: str) -> bool:
    """Return whether ``spec`` means a live vCenter."""
    return spec[: len(SCHEME)].lower() == SCHEME


def parse_address(spec: str) -> Address:
    """Return the address that ``spec`` names; raises BadInput."""
    if not is_address(spec):
        raise BadInput("a vCenter's address begins with vcenter://", _HINT)
    user, at, place = spec[len(SCHEME) :].rpartition("@")
    place = place.removesuffix("/")
    user = unquote(user)
    if not at or not user.strip():
        raise BadInput("a vCenter's address names no user", _HINT)
    if ":" in user:
        # It is not repeated: what stands behind the colon may be a password.
        raise BadInput(
            "a vCenter's address holds a colon in its user, as if a password followed",
            "leave the password out: it is asked for, or read with --password-fd or from the keyring",
        )
    if any(ord(char) < 32 or ord(char) == 127 for char in user):
        raise BadInput("a vCenter's address holds a control character in its user", _HINT)
    host, port = place, 443
    if match := re.fullmatch(r"(.*):(\d{1,5})", place):
        # A bare IPv6 address ends in a colon and digits as well; it needs its brackets.
        host, port = match[1], int(match[2])
    if not _HOST.fullmatch(host):
        raise BadInput("a vCenter's address names no host that can be understood", _HINT)
    if not 0 < port < 65536:
        raise BadInput(f"{port} is no port", "use one between 1 and 65535")
    return Address(user, host.strip("[]"), port)
