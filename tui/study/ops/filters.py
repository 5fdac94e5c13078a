"""Saved filters from the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room


def save(room: Room, name: str, text: str, place: str) -> Any:
    """Keep a filter of a place's table under a name, in place of one of that name."""
    from tui.acts import filtering

    return filtering.save(room.project, place, name, text)


WRITES = frozenset({"filters.save"})
OPS = {"filters.save": save}
