"""ADDRESS:PORT of a receiver on a network, and listening there."""

from __future__ import annotations

import socket

from planner.errors import BadInput
from planner.names import visible


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port; an IPv6 address stands in brackets. Raises BadInput."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    name = host[1:-1] if bracketed else host
    digits = port.isascii() and port.isdigit() and int(port) <= 65_535
    if not colon or not name or not digits or (":" in name and not bracketed):
        raise BadInput(f"{visible(text, 100)} is not ADDRESS:PORT", "write it as 10.0.0.5:7643")
    return name, int(port)


def listen_tcp(text: str) -> socket.socket:
    """Return a socket that listens at ADDRESS:PORT; raises BadInput."""
    host, port = parse_address(text)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=64)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no address"
        raise BadInput(f"{visible(text, 100)} cannot be listened at: {reason}", "name a free port") from error
