"""Where an NBD export is: ``nbd://host:port/export``, ``nbds://`` and their ``+unix`` kin.

The query names the socket (``socket=``) and what TLS needs: ``tls-ca=`` is the one authority the
server must be signed by, ``tls-cert=`` and ``tls-key=`` are ours, ``tls-hostname=`` is the name its
certificate must carry where that is not the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from planner.errors import BadInput
from planner.names import visible

SCHEMES = ("nbd", "nbds", "nbd+unix", "nbds+unix")
PORT = 10809
_NAME_MAX = 4096  # bytes, as the protocol has it
_HINT = "write nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH"
_PATHS = {"tls-ca", "tls-cert", "tls-key"}


@dataclass(frozen=True, slots=True)
class Address:
    """An export and the way to it. ``socket`` is None over TCP; ``ca`` is set whenever TLS is used."""

    export: str
    host: str = ""
    port: int = PORT
    socket: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    name: str = ""  # that the certificate must carry

    def __str__(self) -> str:
        where = str(self.socket) if self.socket else f"{self.host}:{self.port}"
        return visible(f"export {self.export!r} at {where}", 200)


def is_uri(text: str) -> bool:
    """Tell an NBD address from a path."""
    return text.partition("://")[0].lower() in SCHEMES and "://" in text


def parse_uri(text: str) -> Address:
    """Return where a URI leads; raises BadInput. Nothing is opened."""
    shown = visible(text, 200)
    try:
        parts = urlsplit(text)
        port = PORT if parts.port is None else parts.port
        export = unquote(parts.path.removeprefix("/"), errors="strict")
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        too_long = len(export.encode()) > _NAME_MAX
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise BadInput(f"{shown} is no address of an NBD export", _HINT) from error
    if parts.scheme not in SCHEMES:
        raise BadInput(f"{shown} is no address of an NBD export", _HINT)
    if parts.fragment or parts.username is not None or too_long or "\0" in unquote(text):
        raise BadInput(f"{shown} has a user, a fragment, a NUL or too long a name", _HINT)
    unix, tls = parts.scheme.endswith("+unix"), parts.scheme.startswith("nbds")
    known = ({"socket"} if unix else set()) | ({*_PATHS, "tls-hostname"} if tls else set())
    values = dict(query)
    if len(values) != len(query) or not values.keys() <= known or "" in values.values():
        raise BadInput(f"{shown} says something twice, empty or unknown after the '?'", _HINT)
    if unix is not ("socket" in values) or unix is bool(parts.netloc) or (not unix and not parts.hostname):
        raise BadInput(f"{shown} wants a {'socket= and no host' if unix else 'host and no socket='}", _HINT)
    paths = {key: Path(values[key]) for key in _PATHS & values.keys()}
    host = parts.hostname or ""
    name = values.get("tls-hostname", host)
    if tls and ("tls-ca" not in paths or not name or ("tls-cert" in paths) is not ("tls-key" in paths)):
        raise BadInput(
            f"{shown} does not say whom to trust",
            "add tls-ca=PATH, tls-hostname=NAME over a socket, and tls-cert= with tls-key= or neither",
        )
    return Address(
        export,
        host,
        port,
        Path(values["socket"]) if unix else None,
        paths.get("tls-ca"),
        paths.get("tls-cert"),
        paths.get("tls-key"),
        name if tls else "",
    )
