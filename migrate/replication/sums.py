"""Sums: how both ends of a comparison tell which grains they have alike, without sending them.

GMAC where both know it, a third of the work of blake3, which older releases have. The key is drawn when
what is compared stands already, so for any two grains that differ the chance of one sum is 2**-115 at most,
whoever wrote them (degree of the polynomial over 2**128: McGrew and Viega, 2004). Nothing outlives a pass:
what is kept, sent or verified has digests of blake3. ADR 29.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from blake3 import blake3

from migrate.replication.wire import DIGEST_BYTES, derive_key
from migrate.replication.zeros import GRAIN, ZERO_MIB

_IV = bytes(12)  # a sum is no secret of its key to those who tell it each other


class Sums:
    """The sums of one comparison; ``one`` makes that of a grain. Thread-safe."""

    def __init__(self, one: Callable[[memoryview], bytes]) -> None:
        self._one = one
        self._zeros = one(memoryview(ZERO_MIB)[:GRAIN])

    def of(self, data: memoryview, grain: int = GRAIN) -> bytes:
        """Return the sums of the grains of data, ``DIGEST_BYTES`` each; the last grain may be short."""
        one = self._one
        return b"".join([one(data[at : at + grain]) for at in range(0, len(data), grain)])

    def of_zeros(self, length: int) -> bytes:
        """Return the sums of the grains of that many zeros."""
        whole, rest = divmod(length, GRAIN)
        return self._zeros * whole + self.of(memoryview(ZERO_MIB)[:rest])


def sums_of(nonce: str, *, gmac: bool) -> Sums:
    """Return the sums of the conversation whose welcome has that nonce."""
    key = derive_key("compare", nonce.encode())
    if not gmac:
        return Sums(lambda data: blake3(data, key=key).digest(DIGEST_BYTES))
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return Sums(partial(AESGCM(key).encrypt, _IV, b""))  # the tag of no text, and of the data beside it
