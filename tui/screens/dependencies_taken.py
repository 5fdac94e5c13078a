"""Suggestions that were taken or dismissed and names that were given, each to be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.names import visible
from tui.dialogs.pick import Choice, Pick
from tui.text import short_time

if TYPE_CHECKING:
    from tui.screens.dependencies_deciding import DecidingPlace

_TITLE = "Take back what was taken, named or dismissed"
_EMPTY = "nothing was taken, named or dismissed here"


def ask_taken(place: DecidingPlace) -> None:
    """Ask which one is taken back, and take it back."""

    def listed(found: Sequence[Mapping[str, Any]]) -> None:
        choices = [
            Choice(
                str(at), one["title"], f"{one['what']} by {visible(one['who'], 40)}, {short_time(one['at'])}"
            )
            for at, one in enumerate(found)
        ]

        def picked(key: str | None) -> None:
            if key is not None:
                one = found[int(key)]
                args = {"what": one["what"], "key": one["key"]}
                words = f"{visible(one['title'], 60)}: no longer {one['what']}"
                place.do("applications.forget", args, lambda done: words)

        place.app.push_screen(Pick(_TITLE, choices, _EMPTY), picked)

    place.wherry.ask("applications.decided", {}, listed, busy="looking for what was decided")
