"""Holds a document against a published JSON Schema, as far as our schemas go."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import planner.schemas

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def published(name: str) -> dict[str, Any]:
    """Return a schema as it is published."""
    file = Path(planner.schemas.__file__).parent / f"{name}.schema.json"
    return dict(json.loads(file.read_text("utf-8")))


def wrong(value: Any, schema: dict[str, Any], root: dict[str, Any], where: str = "$") -> list[str]:
    """Return what in a value is not as the schema says, by place."""
    if "$ref" in schema:
        return wrong(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, where)
    if "anyOf" in schema:
        tried = [wrong(value, one, root, where) for one in schema["anyOf"]]
        return min(tried, key=len)
    found = []
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{where} is no {kind}"]
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        found.append(f"{where} is {value!r}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where} does not match {schema['pattern']}")
    if kind == "array":
        for at, one in enumerate(value):
            found += wrong(one, schema["items"], root, f"{where}[{at}]")
    if kind == "object":
        known = schema["properties"]
        found += [f"{where}.{name} is not known" for name in value if name not in known]
        found += [f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        for name in value.keys() & known.keys():
            found += wrong(value[name], known[name], root, f"{where}.{name}")
    return found
