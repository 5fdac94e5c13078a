"""Settings changed entry by entry: validated as a whole before anything is stored, and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.errors import NotFound
    from planner.settings import Settings
    from planner.store.project import Project

_OPEN = (["owners"], ["networks"], ["teams"])  # tables whose entries people name themselves


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
    for name, value in values.items():
        audit.note(project, Effect.EDIT_PLAN, "settings set", name, {"value": value})
    return settings


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
