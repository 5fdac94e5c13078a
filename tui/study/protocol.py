"""What the application and the study say to each other: one JSON object a line, ASCII only.

    ask       {"id": 7, "op": "hand.move", "args": {...}}
    answers   {"id": 7, "begun": true}, then {"id": 7, "progress": {...}}, any number, then
              {"id": 7, "value": ...} or {"id": 7, "error": ...}

Values are what JSON knows; dataclasses become objects, sets sorted lists. An error keeps class, message and
hint over the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any

from planner import errors
from planner.errors import WherryError

# Classes a hint or an exit code hangs on; one that is not among them arrives as the nearest of its parents.
_CLASSES: Mapping[str, type[WherryError]] = {
    name: found
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, WherryError)
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: what is to be done, and with what."""

    number: int
    op: str
    args: dict[str, Any]

    def line(self) -> bytes:
        """Return it as it goes over the pipe."""
        return written({"id": self.number, "op": self.op, "args": self.args})


def written(message: Mapping[str, Any]) -> bytes:
    """Return a message as its line."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":"), default=plain).encode() + b"\n"


def read(line: bytes) -> dict[str, Any]:
    """Return the message of a line; raises ValueError for what is none."""
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("a message is a JSON object")
    return found


def read_ask(line: bytes) -> Ask:
    """Return the question of a line; raises ValueError for what is none."""
    found = read(line)
    number, op, args = found.get("id"), found.get("op"), found.get("args", {})
    if not isinstance(number, int) or not isinstance(op, str) or not isinstance(args, dict):
        raise ValueError("a question has a number, an op and args")
    return Ask(number, op, args)


def plain(value: Any) -> Any:
    """Return what JSON does not know as something it does: one step, its parts are asked for later."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterator):
        return list(value)
    if hasattr(value, "model_dump"):  # a document
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} cannot be said in JSON")


def told(error: WherryError) -> dict[str, str]:
    """Return an error as it goes over the pipe."""
    kind = next(found.__name__ for found in type(error).__mro__ if found.__name__ in _CLASSES)
    return {"class": kind, "message": error.message, "hint": error.hint}


def heard(said: Mapping[str, Any]) -> WherryError:
    """Return the error of a message."""
    kind = _CLASSES.get(str(said.get("class")), WherryError)
    return kind(str(said.get("message", "")), str(said.get("hint", "")))
