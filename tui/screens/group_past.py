"""What was done to a group, as its page tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.names import visible
from tui.text import line

if TYPE_CHECKING:
    from textual.content import Content

    from tui.acts.histories import GroupTold


def describe_past(told: GroupTold | None) -> list[Content]:
    """Return what every run of the wave did to the group, the newest first."""
    if told is None or told.course is None:
        return [line(("being read …", "dim"))]
    if not told.course.happened:
        return [line(("no run was begun yet", "dim"))]
    return [
        line(
            (f"{one.at[5:16].replace('T', ' ')}  ", "dim"),
            (f"{'✖ ' if one.ill else ''}{one.what}", "bad" if one.ill else ""),
            (f"  {visible(one.who, 40)}" if one.who else "", "dim"),
        )
        for one in reversed(told.course.happened)
    ]
