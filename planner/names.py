"""Names are untrusted text: people and attackers choose them.

``visible`` makes any name harmless to print: control characters, escape sequences and
bidirectional overrides become visible symbols. It neither adds markup nor removes text, so a
name can still be recognised. Names are never used as paths; see ``content_id``.
"""

from __future__ import annotations

import hashlib
import unicodedata

_PICTURES = 0x2400  # the block of control pictures starts at NUL
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == 0x7F:
        return "\u2421"
    if char in _BIDI or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return f"<U+{code:04X}>"
    return char


def visible(name: str, width: int | None = None) -> str:
    """Return ``name`` with everything a terminal could act on made visible.

    ``width`` shortens the result to that many characters, with an ellipsis.
    """
    text = name if name.isascii() and name.isprintable() else "".join(map(_shown, name))
    if width is not None and len(text) > width:
        return text[: max(width - 1, 0)] + "…"
    return text


def content_id(*parts: str) -> str:
    """Return a name for files that carries nothing of its parts: 24 hexadecimal digits."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]
