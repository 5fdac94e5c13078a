"""Keyed mappings: pseudorandom bits of a text, and permutations of small sets (HMAC-SHA256).

``permute`` is a Feistel network with cycle walking: within a set every value has exactly one image,
so that what was different stays different.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

_ROUNDS = 6
CONSONANTS = "bcdfghjklmnpqrstvwxz"
_HEX = "0123456789abcdef"


class Cipher:
    """All mappings under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.permute = lru_cache(maxsize=1 << 18)(self._permute)

    def bits(self, purpose: str, text: str) -> bytes:
        """Return 32 bytes that only the key can tell; ``purpose`` keeps uses apart."""
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, message, "sha256")

    def stream(self, purpose: str, text: str, length: int) -> bytes:
        """Return ``length`` such bytes."""
        out = b""
        while len(out) < length:
            out += self.bits(f"{purpose}/{len(out)}", text)
        return out[:length]

    def bit(self, purpose: str, text: str) -> int:
        """Return one such bit."""
        return self.bits(purpose, text)[0] & 1

    def word(self, text: str, length: int) -> str:
        """Return consonants for a text: no word of any language, so that nobody takes it for a name."""
        number = int.from_bytes(self.bits("word", text), "big")
        letters = []
        for _ in range(length):
            number, at = divmod(number, len(CONSONANTS))
            letters.append(CONSONANTS[at])
        return "".join(letters)

    def hexadecimal(self, purpose: str, digits: str) -> str:
        """Return as many hexadecimal digits for hexadecimal digits; case does not matter."""
        text = digits.casefold()
        return "".join(_HEX[byte & 15] for byte in self.stream(purpose, text, len(text)))

    def _permute(self, purpose: str, value: int, size: int) -> int:
        """Return the image of a number below ``size``."""
        if size < 2:
            return value
        half = max((size - 1).bit_length() + 1, 2) // 2
        mask = (1 << half) - 1
        while True:
            left, right = value >> half, value & mask
            for turn in range(_ROUNDS):
                mixed = int.from_bytes(self.bits(f"{purpose}/{size}/{turn}", str(right))[:8], "big") & mask
                left, right = right, left ^ mixed
            value = left << half | right
            if value < size:
                return value
