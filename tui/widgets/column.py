"""A column of a table: which field of a row it shows, how, and what it is called in filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from planner.names import visible


def _plain(value: Any) -> str:
    return visible(str(value))


def _no_tone(value: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: which field of the tuple it shows and how.

    ``keep`` decides what goes when the table is narrow: the lowest first, among equals the rightmost.
    The one column with ``flex`` takes what is left over. ``kind`` and ``name`` are for filters: text,
    number or size, asked for by ``name`` (the title when empty). ``pinched`` is shortened in its middle.
    ``sorts`` is the field that gives the order, where words would not: weekdays do not come by their names.
    """

    field: int
    title: str
    width: int
    show: Callable[[Any], str] = _plain
    tone: Callable[[Any], str] = _no_tone
    right: bool = False
    flex: bool = False
    keep: int = 0
    name: str = ""
    kind: str = "text"
    pinched: bool = False
    sorts: int = 0

    @property
    def asked(self) -> str:
        """What filters call it."""
        return self.name or self.title.casefold().replace(" ", "")

    def differs(self, old: Sequence[Any], new: Sequence[Any]) -> bool:
        """Return whether it shows something else of one row than of another."""
        was, now = old[self.field], new[self.field]
        if was is now:
            return False
        return self.show(was) != self.show(now) or self.tone(was) != self.tone(now)


def fitting(columns: Sequence[Column], chosen: Iterable[int], width: int) -> tuple[tuple[int, int], ...]:
    """Return which of the chosen columns fit into ``width`` cells, in their order, and how wide each is."""
    order = list(chosen)
    kept = list(order)
    while len(kept) > 1 and sum(columns[i].width + 1 for i in kept) > width:
        kept.remove(min(kept, key=lambda i: (columns[i].keep, -order.index(i))))
    spare = max(0, width - sum(columns[i].width + 1 for i in kept))
    flexible = next((i for i in kept if columns[i].flex), None)
    return tuple((i, columns[i].width + (spare if i == flexible else 0)) for i in kept)
