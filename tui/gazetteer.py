"""Everything one can go to by its name, found fast: all names lie in one text, a line each.

Made for one opening of the palette; what changes meanwhile is found by the next one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    """Names to look up by a part. ``kinds`` are names of one kind and what makes a thing of the nth."""

    def __init__(self, kinds: Iterable[tuple[Sequence[str], Callable[[int], Named]]]) -> None:
        self._kinds = tuple(kinds)
        names = [name for some, _ in self._kinds for name in some]
        text = "\n".join(names)
        if text.count("\n") >= max(1, len(names)):  # a name of several lines is one line here
            text = "\n".join(name.replace("\n", " ") for name in names)
        self._text = "\n" + text.casefold()
        lengths = (len(line) + 1 for line in self._text[1:].split("\n"))
        self._starts = list(accumulate(lengths, initial=0))[: len(names)]

    def find(self, wanted: str, most: int) -> list[Named]:
        """Return at most so many things with this text in their names, those that begin so first."""
        part = wanted.casefold().strip()
        if not part:
            return []
        found: dict[int, None] = {}
        for line in chain(self._lines("\n" + part), self._lines(part)):
            found.setdefault(line)
            if len(found) == most:
                break
        return [self._thing(line) for line in found]

    def _thing(self, line: int) -> Named:
        for names, make in self._kinds:
            if line < len(names):
                return make(line)
            line -= len(names)
        raise IndexError(line)

    def _lines(self, part: str) -> Iterator[int]:
        at = self._text.find(part) if self._starts else -1
        while at >= 0:
            line = bisect_right(self._starts, at) - 1
            yield line
            if line + 1 >= len(self._starts):
                return
            at = self._text.find(part, self._starts[line + 1])
