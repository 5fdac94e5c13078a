"""The entries of a block of settings, as forms and tables need them: what each takes, means and defaults to.

Everything comes from the fields of ``planner.settings``. ``read`` turns what a person wrote into the value
of an entry; that the value is allowed is for the settings themselves to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from planner.errors import BadInput
from planner.names import visible
from planner.settings import Settings
from planner.settings_reference import part_of, takes
from planner.units import parse_bytes

# The unit of an entry stands at the end of its name.
_UNITS = {
    "rate_mbit": "Mbit/s", "reserve_mbit": "Mbit/s", "tib": "TiB", "tib_per_datastore": "TiB",
    "storage_tib": "TiB", "memory_gib": "GiB", "block_kib": "KiB", "size_bytes": "bytes", "hours": "h",
    "engineer_hours": "h", "vm_hours": "h", "commit_window_h": "h", "stop_timeout_s": "s",
    "probe_timeout_s": "s", "lead_days": "days", "soak_days": "days", "share": "of 1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """An entry. ``kind`` is text, whole, number, yes, day, time, clock, zone, choice or list.

    ``optional`` entries may be empty, which is None; a ``needed`` one has no default.
    """

    name: str
    kind: str
    meaning: str
    takes: str
    default: Any = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    optional: bool = False
    needed: bool = False


def _kind(name: str, said: Mapping[str, Any]) -> str:
    if "enum" in said:
        return "choice"
    plain = {"integer": "whole", "number": "number", "boolean": "yes", "array": "list"}
    dated = {"date": "day", "date-time": "time", "time": "clock"}
    if name == "zone":
        return "zone"
    return dated.get(said.get("format", ""), plain.get(str(said.get("type")), "text"))


def _field(name: str, said: Mapping[str, Any], parts: Mapping[str, Any], needed: bool) -> Field:
    inner = said
    if "$ref" in said:
        inner = parts[said["$ref"].rpartition("/")[2]]
    elif "anyOf" in said:
        inner = next(one for one in said["anyOf"] if one.get("type") != "null")
    items = inner.get("items", {}) if inner.get("type") == "array" else inner
    return Field(
        name,
        _kind(name, inner),
        str(said.get("description", "")),
        takes(said, parts).replace("`", ""),
        said.get("default"),
        _UNITS.get(name, ""),
        tuple(map(str, items.get("enum", ()))),
        optional=any(one.get("type") == "null" for one in said.get("anyOf", ())),
        needed=needed,
    )


@cache
def _schema() -> Mapping[str, Any]:
    return Settings.model_json_schema()


@cache
def fields(block: str) -> tuple[Field, ...]:
    """Return the plain entries of a block by its dotted name; of a list of blocks, those of each."""
    schema = _schema()
    parts: Mapping[str, Any] = schema.get("$defs", {})
    found: Mapping[str, Any] = schema
    for step in block.split(".") if block else ():
        inner = part_of(found["properties"][step], parts)
        if inner is None:
            raise KeyError(block)
        found = inner
    needed = frozenset(found.get("required", ()))
    return tuple(
        _field(name, said, parts, name in needed)
        for name, said in found["properties"].items()
        if part_of(said, parts) is None and said.get("type") != "object"
    )


def field(name: str) -> Field:
    """Return an entry by its dotted name."""
    block, _, last = name.rpartition(".")
    return next(one for one in fields(block) if one.name == last)


def shown(value: Any) -> str:
    """Return the value of an entry as people write it; lists one a line, None and nothing as empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "\n".join(map(shown, value))
    return str(value)


def read(entry: Field, text: str, where: str) -> Any:
    """Return the value that a text says; raises BadInput that names ``where``."""
    said = text.strip()
    if entry.kind == "list":
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return [_whole(line, where) if _counts(entry) else line for line in lines]
    if not said:
        if entry.optional:
            return None
        if entry.kind == "text" and not entry.needed:
            return ""
        if entry.needed or entry.default is None:
            raise BadInput(f"{where} is empty", f"say it: {entry.takes}")
        return entry.default
    if entry.kind == "yes":
        return said.casefold() in ("yes", "true", "1")
    if entry.unit == "bytes":
        return parse_bytes(said)
    if entry.kind == "whole" or (entry.kind == "choice" and said.isdigit()):
        return _whole(said, where)
    if entry.kind == "number":
        try:
            return float(said)
        except ValueError as error:
            raise BadInput(f"{where}: {visible(said, 40)!r} is no number", "write it like 12.5") from error
    return said


def _counts(entry: Field) -> bool:
    return bool(entry.choices) and all(choice.isdigit() for choice in entry.choices)


def _whole(said: str, where: str) -> int:
    try:
        return int(said)
    except ValueError as error:
        raise BadInput(f"{where}: {visible(said, 40)!r} is no whole number", "write digits alone") from error
