"""Settings for the screens: read, and set entry by entry; errors name the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room


def read(room: Room) -> dict[str, Any]:
    """Return all settings, defaults included."""
    from planner.store import settings as settings_store

    found: dict[str, Any] = settings_store.load(room.project).model_dump(mode="json")
    return found


def put(room: Room, values: dict[str, Any]) -> dict[str, Any]:
    """Set entries by dotted name, all or none; return all settings then."""
    from planner.errors import BadInput
    from tui.acts.settling import set_values

    if not values:
        raise BadInput("no setting was named", "name one, like caps.vms")
    found: dict[str, Any] = set_values(room.project, values).model_dump(mode="json")
    return found


WRITES = frozenset({"settings.set"})
OPS = {"settings.get": read, "settings.set": put}
