"""How rows spread over the values of a column: the most frequent ones with bars, the rest in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from textual.content import Content

from planner.names import visible
from tui.text import bar, count, fit, line, stack

_RIGHT = 16  # cells for number and bar
Kind = tuple[str, int, Callable[[str], str]]  # title, field of the row, how a value is shown


def spread(
    rows: Sequence[tuple[Any, ...]], order: Sequence[int], kinds: Sequence[Kind], width: int, height: int
) -> Content:
    """Return a block for each kind over the rows in ``order``, together in that many lines."""
    room = max(1, height // max(1, len(kinds)) - 3)  # title, rest, blank
    lines: list[Content] = []
    for title, place, show in kinds:
        found = Counter([rows[index][place] for index in order])
        lines.append(line((title, "accent"), (f"  {count(len(found))} in all", "dim")))
        shown = found.most_common(room)
        wide = max(8, width - _RIGHT)
        for value, many in shown:
            drawn = bar(many, len(order), max(1, _RIGHT - len(count(many)) - 3))
            lines.append(line(fit(show(value), wide), f" {count(many)} ", (drawn, "accent")))
        if left := len(found) - len(shown):
            rest = len(order) - sum(many for _, many in shown)
            lines.append(line((f"{left} more: {count(rest)}", "dim")))
        lines.append(line(""))
    return stack(lines[:-1])


def named(value: str) -> str:
    """Return a value as it is shown, unknown for none."""
    return visible(value) or "unknown"
