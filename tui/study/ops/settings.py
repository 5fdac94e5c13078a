"""Settings for the screens: blocks with their entries, set one by one or as items; errors name the field."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.study.blocks import Block
    from tui.study.room import Room


def read(room: Room) -> dict[str, Any]:
    """Return all settings, defaults included."""
    from planner.store import settings as settings_store

    found: dict[str, Any] = settings_store.load(room.project).model_dump(mode="json")
    return found


def put(room: Room, values: dict[str, Any]) -> dict[str, Any]:
    """Set entries by dotted name, all or none; return all settings then."""
    from tui.acts.settling import set_values

    if not values:
        raise BadInput("no setting was named", "name one, like caps.vms")
    found: dict[str, Any] = set_values(room.project, values).model_dump(mode="json")
    return found


def view(room: Room) -> dict[str, Any]:
    """Return every block with its entries, where they came from, and which version this is."""
    from planner.store import settings as settings_store
    from tui.study.blocks import BLOCKS, COLUMNS, rows

    settings = settings_store.load(room.project)
    body = settings.model_dump(mode="json")
    names = [name for block in BLOCKS for name in block.names]
    origins = settings_store.origins(room.project, names)
    newest = settings_store.versions(room.project)[0]
    return {
        "version": newest.number,
        "who": newest.who,
        "at": newest.at,
        "fingerprint": settings.fingerprint,
        "blocks": [
            {
                "id": block.id,
                "title": block.title,
                "about": block.about,
                "shape": block.shape,
                "names": block.names,
                "columns": COLUMNS.get(block.shape, ()),
                "said": sum(len(settings_store.entry(body, name, ())) for name in block.names)
                if block.shape != "values"
                else sum(name in origins for name in block.names),
                "fields": _fields(block),
                "rows": rows(block, settings, body, origins),
            }
            for block in BLOCKS
        ],
    }


_NAMES = {  # what a name is and what it stands for, by block
    "owners": ("application", "owner"),
    "teams": ("owner", "team"),
    "addresses": ("VM", "address at the target"),
    "isolated": ("target network", "isolated network"),
}


def _fields(block: Block) -> dict[str, Any]:
    """Return the fields that a form of each name of a block has."""
    from planner import settings_fields
    from planner.settings_fields import Field
    from tui.study.blocks import MAPS

    if block.shape == "values":
        return {name: [settings_fields.field(name)] for name in block.names}
    if block.shape == "names":
        a, b = _NAMES[block.id]
        both = [Field("name", "text", a, "text", needed=True), Field("value", "text", b, "text", needed=True)]
        return {block.names[0]: both}
    return {name: settings_fields.fields(name) for name in block.names if block.shape not in MAPS}


def zones(room: Room) -> list[str]:
    """Return the names of all time zones."""
    from zoneinfo import available_timezones

    return sorted(available_timezones())


def used(room: Room) -> dict[str, str]:
    """Return what the newest plan uses of each cap; nothing before there is one."""
    from tui.study.caps_used import caps_used

    stored = room.plan
    return {} if stored is None else caps_used(stored.plan, room.inventory, room.settings)


def write(room: Room, name: str, said: dict[str, str]) -> int:
    """Set an entry by what a person wrote; return the version of the settings then."""
    from planner import settings_fields
    from tui.acts.settling import set_values

    field = settings_fields.field(name)
    set_values(room.project, {name: settings_fields.read(field, said[field.name], name)})
    return _version(room)


def write_item(room: Room, name: str, was: dict[str, Any] | None, said: dict[str, str] | None) -> int:
    """Add an item to a list as a person wrote it, change one, or take it away; return the version then.

    What a form has no field for stays as it was.
    """
    from tui.acts.settling import put_item

    put_item(room.project, name, was, None if said is None else {**(was or {}), **_item(name, said)})
    return _version(room)


def _item(name: str, said: Mapping[str, str]) -> dict[str, Any]:
    from planner import settings_fields

    return {
        one.name: settings_fields.read(one, said[one.name], f"{name}.{one.name}")
        for one in settings_fields.fields(name)
    }


def add_window(room: Room, said: dict[str, str], times: int = 1) -> int:
    """Add a window; with several ``times`` it comes back every week, as one entry. Return the version."""
    from datetime import timedelta

    from planner.settings import WEEKDAYS, Window
    from planner.store import settings as settings_store
    from tui.acts.settling import put_item

    item = _item("windows", said)
    if times < 1:
        raise BadInput("a window comes at least once", "say how many weeks it comes")
    settings_store.validate({"windows": [item]}, "the window")
    if times > 1:
        window = Window.model_validate(item)
        if window.start.tzinfo is not None:
            raise BadInput(
                "a window with an offset cannot come back", "leave the offset out and name the time zone"
            )
        first = window.start.date()
        again = {
            "every": WEEKDAYS[first.weekday()],
            "at": window.start.time().isoformat(),
            "hours": window.hours,
            "zone": window.zone,
            "first": first.isoformat(),
            "until": (first + timedelta(weeks=times - 1)).isoformat(),
        }
        put_item(room.project, "recurring", None, again)
    else:
        put_item(room.project, "windows", None, item)
    return _version(room)


def write_name(room: Room, name: str, was: str | None, said: dict[str, str] | None) -> int:
    """Set what a name of a table stands for, or take it out of the table; return the version then."""
    from tui.acts.settling import put_names

    gone: dict[str, str | None] = {} if was is None else {was: None}
    put_names(room.project, name, gone if said is None else {**gone, said["name"]: said["value"]})
    return _version(room)


def holidays(room: Room, path: str, years: int = 3) -> dict[str, int]:
    """Add the holidays of an ics calendar; return how many are new, how many were left aside."""
    from tui.acts.settling import add_holidays

    fresh, timed, every = add_holidays(room.project, Path(path).expanduser(), years)
    return {"added": len(fresh), "timed": timed, "all": every}


def versions(room: Room) -> list[dict[str, Any]]:
    """Return every version, the newest first, with the entries that it changed."""
    from planner.store import settings as settings_store

    found = settings_store.versions(room.project)
    bodies = [settings_store.get(room.project, one.number).model_dump(mode="json") for one in found[:_SHOWN]]
    rows = []
    for at, one in enumerate(found[:_SHOWN]):
        before = bodies[at + 1] if at + 1 < len(bodies) else None
        changed = [] if before is None else [key for key in bodies[at] if bodies[at][key] != before[key]]
        rows.append({"number": one.number, "at": one.at, "who": one.who, "changed": changed})
    return rows


def restore(room: Room, number: int) -> int:
    """Set the settings of an earlier version again; return the version they are then."""
    from tui.acts.settling import restore as set_again

    set_again(room.project, number)
    return _version(room)


def _version(room: Room) -> int:
    from planner.store import settings as settings_store

    return settings_store.versions(room.project)[0].number


_SHOWN = 100  # versions that are looked through
WRITES = frozenset(
    {"settings.set", "settings.write", "settings.item", "settings.window", "settings.name",
     "settings.holidays", "settings.restore"}
)  # fmt: skip
OPS = {
    "settings.get": read,
    "settings.set": put,
    "settings.view": view,
    "settings.zones": zones,
    "settings.used": used,
    "settings.write": write,
    "settings.item": write_item,
    "settings.window": add_window,
    "settings.name": write_name,
    "settings.holidays": holidays,
    "settings.versions": versions,
    "settings.restore": restore,
}
