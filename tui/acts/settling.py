"""Settings changed entry by entry: validated as a whole before anything is stored, and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planner.conduct_addressing import AddressedNic
    from planner.errors import NotFound
    from planner.settings import Holiday, Settings
    from planner.store.project import Project

_OPEN = (
    ["owners"],
    ["networks"],
    ["datastores"],
    ["folders"],
    ["pools"],
    ["storage_policies"],
    ["teams"],
    ["conduct", "addresses"],
    ["conduct", "test_networks"],
)  # tables whose entries people name themselves


def set_values(project: Project, values: Mapping[str, Any]) -> Settings:
    """Set entries by dotted name, all of them or none; return the settings then.

    Raises NotFound for a name that no setting has, and BadInput that names the wrong entry.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.store import settings as settings_store

    body = settings_store.load(project).model_dump(mode="json")
    for name, value in values.items():
        *path, last = name.split(".")
        part = body
        for step in path:
            if not isinstance(part.get(step), dict):
                raise _unknown(name, body)
            part = part[step]
        if last not in part and path not in _OPEN:
            raise _unknown(name, body)
        part[last] = value
    settings = settings_store.validate(body, "the change")
    settings_store.save(project, settings, audit.person())
    stored = settings.model_dump(mode="json")
    for name in values:
        audit.note(
            project, Effect.EDIT_PLAN, "settings set", name, {"value": settings_store.entry(stored, name)}
        )
    return settings


def put_item(
    project: Project, name: str, was: Mapping[str, Any] | None, item: Mapping[str, Any] | None
) -> Settings:
    """Add a block to the list ``name`` (``was`` None), change one, or take it away (``item`` None).

    Raises BadInput for a block that cannot be, and when ``was`` is not there any more.
    """
    from planner.store import settings as settings_store

    body = settings_store.load(project).model_dump(mode="json")
    listed = list(settings_store.entry(body, name, ()))
    if was is None:
        listed += [item]
    else:
        at = _place_of(dict(was), listed, name)
        listed[at : at + 1] = [] if item is None else [item]
    return set_values(project, {name: listed})


def _place_of(was: dict[str, Any], listed: list[Any], name: str) -> int:
    from planner.errors import BadInput

    if was not in listed:
        raise BadInput(
            f"what was to be changed is not in {name} any more",
            "look at the settings again: somebody changed them",
        )
    return listed.index(was)


def put_names(project: Project, name: str, values: Mapping[str, str | None]) -> Settings:
    """Set what names of a table (owners, teams, maps) stand for; None takes a name out of it."""
    from planner.store import settings as settings_store

    table = settings_store.entry(settings_store.load(project).model_dump(mode="json"), name, {})
    left = {**table, **values}
    return set_values(project, {name: {key: value for key, value in left.items() if value is not None}})


def restore(project: Project, number: int) -> Settings:
    """Set the settings of an earlier version again, as a version of their own; raises NotFound.

    Sites are where, not what: those in force stay.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.store import settings as settings_store

    sites = settings_store.load(project).sites
    settings = settings_store.get(project, number).model_copy(update={"sites": sites})
    settings_store.save(project, settings, audit.person())
    audit.note(
        project,
        Effect.EDIT_PLAN,
        "settings restore",
        f"version {number}",
        {"fingerprint": settings.fingerprint},
    )
    return settings


def add_holidays(project: Project, file: Path, years: int) -> tuple[tuple[Holiday, ...], int, int]:
    """Add the all-day events of an ics calendar; return those that are new, timed events left aside, all.

    Raises BadInput for a file that is no calendar; nothing is stored then.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.readiness import today
    from planner.sources.holidays import read_holidays
    from planner.store import settings as settings_store

    settings = settings_store.load(project)
    found = read_holidays(file, today(), years)
    known = {item.day for item in settings.holidays}
    fresh = tuple(item for item in found.holidays if item.day not in known)
    every = tuple(sorted((*settings.holidays, *fresh), key=lambda item: item.day))
    settings_store.save(project, settings.model_copy(update={"holidays": every}), audit.person())
    audit.note(project, Effect.EDIT_PLAN, "settings import-holidays", str(file), {"added": len(fresh)})
    return fresh, found.timed, len(every)


def import_addresses(project: Project, file: Path) -> tuple[tuple[AddressedNic, ...], int]:
    """Set the addresses of a table in ``conduct.nics``; return them, and how many there are then.

    Raises BadInput that names every wrong row; nothing is stored then.
    """
    from planner.imports.addresses import read_addresses, replaced
    from planner.store import inventories
    from planner.store import settings as settings_store

    said = read_addresses(file, inventories.latest(project).inventory.vms)
    every = replaced(settings_store.load(project).conduct.nics, said)
    set_values(project, {"conduct.nics": [one.model_dump(mode="json") for one in every]})
    return said, len(every)


def store_text(project: Project, text: str, where: str, act: str) -> Settings:
    """Store settings from TOML; raises BadInput that names ``where`` and the line or entry."""
    from migrate import audit
    from planner.effects import Effect
    from planner.store import settings as settings_store

    settings = settings_store.read_toml(text, where)
    settings_store.save(project, settings, audit.person())
    audit.note(project, Effect.EDIT_PLAN, act, where, {"fingerprint": settings.fingerprint})
    return settings


def _unknown(name: str, body: dict[str, Any]) -> NotFound:
    """Return the error for a name that no setting has, with the nearest one that exists."""
    from difflib import get_close_matches

    from planner.errors import NotFound

    known = [*body]
    known += [f"{key}.{entry}" for key, part in body.items() if isinstance(part, dict) for entry in part]
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else "see 'wherry settings show' for all names"
    return NotFound(f"setting {name!r} does not exist", hint)
