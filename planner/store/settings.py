"""Settings of a project, every version kept. Writes ``settings``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput, NotFound
from planner.store.project import Project, utc_now

if TYPE_CHECKING:
    from planner.settings import Settings


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the settings as it was stored. Number 0 are the defaults, before anybody set anything."""

    number: int
    at: str = ""
    who: str = ""


def load(project: Project) -> Settings:
    """Return the settings in force; defaults when none were ever saved."""
    rows = project.rows("SELECT document FROM settings ORDER BY version DESC LIMIT 1")
    return validate(json.loads(rows[0]["document"]), "the stored settings") if rows else validate({}, "")


def glance(project: Project, name: str, otherwise: Any = None) -> Any:
    """Return an entry as it is stored, by its dotted name: cheap, for who reads and does not build on it."""
    rows = project.rows("SELECT document FROM settings ORDER BY version DESC LIMIT 1")
    return entry(json.loads(rows[0]["document"]), name, otherwise) if rows else otherwise


def in_force(project: Project, at: str) -> Settings:
    """Return the settings in force at a time (ISO 8601 in UTC); defaults before the first were saved."""
    rows = project.rows("SELECT document FROM settings WHERE at <= ? ORDER BY version DESC LIMIT 1", at)
    return validate(json.loads(rows[0]["document"]), "the stored settings") if rows else validate({}, "")


def versions(project: Project) -> tuple[Version, ...]:
    """Return every version there is, the newest first; the defaults are the last."""
    rows = project.rows("SELECT version, at, who FROM settings ORDER BY version DESC")
    return (*(Version(row["version"], row["at"], row["who"]) for row in rows), Version(0))


def get(project: Project, number: int) -> Settings:
    """Return the settings of a version; raises NotFound."""
    if number == 0:
        return validate({}, "")
    rows = project.rows("SELECT document FROM settings WHERE version = ?", number)
    if not rows:
        raise NotFound(
            f"version {number} of the settings does not exist", "see 'wherry settings versions' for all"
        )
    return validate(json.loads(rows[0]["document"]), f"version {number} of the settings")


def origins(project: Project, names: Iterable[str]) -> dict[str, Version]:
    """Return in which version each entry (a dotted name) got the value it has; never set = left out."""
    defaults = validate({}, "").model_dump(mode="json")
    before = {name: entry(defaults, name) for name in names}
    found: dict[str, Version] = {}
    for row in project.rows("SELECT version, at, who, document FROM settings ORDER BY version"):
        document = json.loads(row["document"])
        for name, old in before.items():
            if (value := entry(document, name, old)) != old:
                before[name] = value
                found[name] = Version(row["version"], row["at"], row["who"])
    return found


def entry(document: Mapping[str, Any], name: str, otherwise: Any = None) -> Any:
    """Return an entry of a document of settings by its dotted name, ``otherwise`` where there is none."""
    part: Any = document
    for step in name.split("."):
        if not isinstance(part, Mapping) or step not in part:
            return otherwise
        part = part[step]
    return part


def save(project: Project, settings: Settings, who: str) -> None:
    """Store a new version of the settings."""
    with project.write() as db:
        db.table("settings").insert({"at": utc_now(), "who": who, "document": settings.model_dump_json()})


_BOUNDS = {"le": "at most", "lt": "less than", "ge": "at least", "gt": "more than"}
_WRONG = {  # by what kinds of errors begin with
    "extra_forbidden": "there is no such setting",
    "missing": "it is missing",
    "datetime": "it must be a time like 2027-01-09T22:00",
    "date": "it must be a day like 2027-01-09",
    "time": "it must be a time of day like 22:00",
    "int": "it must be a whole number",
    "float": "it must be a number",
    "bool": "it must be true or false",
    "string_type": "it must be text",
    "tuple": "it must be a list",
    "dict": "it must be a table",
    "model": "it must be a table",
}


def validate(document: dict[str, Any], where: str) -> Settings:
    """Return validated settings; raises BadInput that names the first wrong entry of ``where``."""
    from pydantic import ValidationError

    from planner.settings import Settings

    try:
        settings = Settings.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "the document"
        said = _wrong(first["type"], first.get("ctx", {})) or first["msg"].removeprefix("Value error, ")
        raise BadInput(
            f"{where} has a wrong setting at {name}: {said}",
            "see 'wherry settings show' for all names",
        ) from error
    conduct = settings.conduct
    if conduct.probes or conduct.hooks or conduct.subnets:
        from planner.conduct_planning import check_filters

        check_filters(conduct, where)
    return settings


def _wrong(kind: str, limits: Mapping[str, Any]) -> str:
    """Return what is wrong in words of people, empty where the sentence of the check itself says it."""
    for bound, word in _BOUNDS.items():
        if bound in limits:
            return f"it must be {word} {limits[bound]:g}"
    if kind in ("enum", "literal_error"):
        return f"it must be {limits['expected']}"
    return next((words for start, words in _WRONG.items() if kind.startswith(start)), "")


def read_toml(text: str, where: str) -> Settings:
    """Parse settings from TOML; raises BadInput that names ``where`` and the line or entry."""
    import tomllib

    try:
        return validate(tomllib.loads(text), where)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{where} is not valid TOML: {error}", "correct the line it names") from error


def _weight(value: object) -> int:
    """Order for TOML: plain values come before lists of tables, tables come last."""
    if isinstance(value, dict):
        return 2
    return int(isinstance(value, list) and any(isinstance(item, dict) for item in value))


def write_toml(settings: Settings) -> str:
    """Return all settings as TOML, defaults included, descriptions as comments."""
    import tomlkit

    from planner.settings import Settings

    document = tomlkit.document()
    body = settings.model_dump(mode="json", exclude_none=True)
    for key in sorted(body, key=lambda name: _weight(body[name])):
        described = Settings.model_fields[key].description
        value = body[key]
        if isinstance(value, dict):
            table = tomlkit.table()
            if described:
                table.add(tomlkit.comment(described))
            part = getattr(settings, key)
            fields = type(part).model_fields if hasattr(type(part), "model_fields") else {}
            for name, entry in value.items():
                item = tomlkit.item(entry)
                if name in fields and fields[name].description:
                    item.comment(str(fields[name].description))
                table.add(name, item)
            document.add(key, table)
        else:
            if described:
                document.add(tomlkit.comment(described))
            document.add(key, value)
    return tomlkit.dumps(document)
