"""The keys of docs/terminal.md: ``python -m tui.actions.reference`` writes them anew from the action table.

They stand between two marks in the page; the rest of it is written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from planner.effects import Effect
from tui.actions.action import Action, shown_key
from tui.actions.places import PAGES, PLACES
from tui.actions.table import ACTIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "terminal.md"
BEGIN, END = "<!-- keys -->", "<!-- end of keys -->"


def tables() -> str:
    """Return one table a place, of what it has for itself, and one of what works in several."""
    lines: list[str] = []
    for place in (*PLACES, *PAGES):
        own = [action for action in ACTIONS if action.places == (place.id,)]
        if own:
            lines += _table(f"{place.key} {place.title}", own)
    shared = [action for action in ACTIONS if len(action.places) != 1]
    return "\n".join([*lines, *_table("In several places, and everywhere", shared)])


def _table(title: str, actions: list[Action]) -> Iterator[str]:
    yield from (
        f"### {title}",
        "",
        "| key | does | effect | command | name |",
        "| --- | --- | --- | --- | --- |",
    )
    for action in actions:
        keys = " ".join(f"`{shown_key(key)}`" for key in action.key.split(","))
        effect = "" if action.effect is Effect.VIEW else action.effect.value
        twin = f"`wherry {action.twin}`" if action.twin else ""
        yield f"| {keys} | {action.title} | {effect} | {twin} | `{action.id}` |"
    yield ""


def page(text: str) -> str:
    """Return the page with its tables as they are now; raises ValueError without the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost {BEGIN} or {END}")
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"{PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
