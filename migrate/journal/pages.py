"""Which pages of a disk are held: 4 KiB each, one bit, nothing kept of a MiB without any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planner.units import KIB

PAGE: Final = 4 * KIB
_CHUNK: Final = 256  # pages


class Pages:
    """A set of page numbers. A tenth of a disk of 2 TiB, held together, takes some 30 MiB."""

    def __init__(self) -> None:
        self._chunks: dict[int, int] = {}
        self.count = 0

    def __contains__(self, page: int) -> bool:
        chunk, bit = divmod(page, _CHUNK)
        return bool(self._chunks.get(chunk, 0) >> bit & 1)

    def missing(self, first: int, last: int) -> int:
        """Return how many of the pages ``first`` to ``last`` are not held."""
        held = sum((self._chunks.get(chunk, 0) & mask).bit_count() for chunk, mask in _masks(first, last))
        return last + 1 - first - held

    def add(self, first: int, last: int) -> None:
        """Hold the pages ``first`` to ``last``."""
        self.count += self.missing(first, last)
        for chunk, mask in _masks(first, last):
            self._chunks[chunk] = self._chunks.get(chunk, 0) | mask

    def runs(self, first: int, last: int) -> Iterator[tuple[int, int, bool]]:
        """Yield (first, last, held) of the pages ``first`` to ``last``, ascending."""
        start, kind = first, first in self
        for page in range(first + 1, last + 1):
            held = page in self
            if held is not kind:
                yield start, page - 1, kind
                start, kind = page, held
        yield start, last, kind

    def held(self) -> Iterator[tuple[int, int]]:
        """Yield (first, last) of all held pages, ascending; runs end with their MiB."""
        for chunk in sorted(self._chunks):
            for first, last, held in self.runs(chunk * _CHUNK, (chunk + 1) * _CHUNK - 1):
                if held:
                    yield first, last


def _masks(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield (chunk, bits) for the pages ``first`` to ``last``."""
    for chunk in range(first // _CHUNK, last // _CHUNK + 1):
        low = max(first - chunk * _CHUNK, 0)
        high = min(last - chunk * _CHUNK, _CHUNK - 1)
        yield chunk, ((1 << high + 1 - low) - 1) << low
