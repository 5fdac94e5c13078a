"""Everything one can go to by its name, found fast: all names lie in one text, a line each.

Made for one opening of the palette; what changes meanwhile is found by the next one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, chain


@dataclass(frozen=True, slots=True)
class Named:
    """A place, wave, group or VM: what it is, its key, its name as it is, a word on it."""

    kind: str
    key: str
    name: str
    words: str = ""


class Gazetteer:
    """Names to look up by a part of them."""

    def __init__(self, things: Iterable[Named]) -> None:
        self._things = tuple(things)
        lines = [" ".join(thing.name.casefold().split()) for thing in self._things]
        self._text = "\n" + "\n".join(lines)
        self._starts = list(accumulate((len(line) + 1 for line in lines), initial=0))

    def find(self, wanted: str, most: int) -> list[Named]:
        """Return at most so many things with these words in their names, those that begin so first."""
        words = " ".join(wanted.casefold().split())
        if not words:
            return []
        found: dict[int, None] = {}
        for line in chain(self._lines("\n" + words), self._lines(words)):
            found.setdefault(line)
            if len(found) == most:
                break
        return [self._things[line] for line in found]

    def _lines(self, part: str) -> Iterator[int]:
        at = self._text.find(part)
        while at >= 0:
            line = bisect_right(self._starts, at) - 1
            yield line
            if line + 1 >= len(self._things):
                return
            at = self._text.find(part, self._starts[line + 1])
