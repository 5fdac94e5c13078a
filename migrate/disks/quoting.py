"""Values in .vmx and .vmdk files: quoted, with VMware's ``|XX`` escapes for hostile bytes.

Any text survives the round trip, quotes, line ends and lone surrogates included, and a value
can neither end its line nor forge another key.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"\|([0-9A-Fa-f]{2})")
_LINE = re.compile(r'\s*([A-Za-z0-9_.:\-]+)\s*=\s*(?:"([^"]*)"|([^\s"#]*))\s*')


def quoted(value: str) -> str:
    """Return ``value`` in double quotes, everything but plain printable characters escaped."""
    return '"' + "".join(char if _is_plain(char) else _escaped(char) for char in value) + '"'


def _is_plain(char: str) -> bool:
    return char.isprintable() and char not in '"|'


def _escaped(char: str) -> str:
    return "".join(f"|{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def unescaped(value: str) -> str:
    """Return the text of a value between its quotes; raises ValueError for bytes that are no text."""
    raw = _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), value.encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", "surrogatepass")


def parse_assignment(line: str) -> tuple[str, str] | None:
    """Return key and value of ``key = "value"``, None when the line is not one; raises ValueError."""
    match = _LINE.fullmatch(line)
    if not match:
        return None
    return match[1], unescaped(match[2] if match[2] is not None else match[3])
