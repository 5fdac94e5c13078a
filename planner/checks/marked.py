"""Strict YAML as plain values, with the line of each: what people write by hand and errors must point into.

Only text, numbers, true, false, null, lists and mappings; no tags, no anchors and aliases, no key
twice, no key that is not text. ``yes``, ``on`` and dates are text. Bounded in size and in depth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput
from planner.names import visible

if TYPE_CHECKING:
    from yaml import Node, SafeLoader

MAX_BYTES = 512 * 1024
_DEEPEST = 20
Place = tuple[str | int, ...]
_PLAIN = (
    ("null", re.compile(r"(?:~|null|)$"), "~n"),
    ("bool", re.compile(r"(?:true|false)$"), "tf"),
    ("int", re.compile(r"-?(?:0|[1-9][0-9]{0,17})$"), "-0123456789"),
    ("float", re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}$"), "-0123456789"),
)
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Marked:
    """Values with the line each began at, by its place: ``(3, "tests", 0)``. Lines count from 1."""

    value: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """Return the line of a place, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def _loader() -> type[SafeLoader]:
    import yaml

    class Strict(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as its parent has it

        def compose_node(self, parent: Node | None, index: Any) -> Node | None:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            if getattr(event, "anchor", None) is not None:
                what = "an alias" if isinstance(event, yaml.AliasEvent) else "an anchor"
                raise yaml.MarkedYAMLError(
                    problem=f"{what} is not accepted here", problem_mark=event.start_mark
                )
            return super().compose_node(parent, index)

    for name, pattern, first in _PLAIN:
        Strict.add_implicit_resolver(_TAG + name, pattern, list(first) + ([""] if name == "null" else []))
    return Strict


def _scalar(tag: str, text: str) -> Any:
    kinds: dict[str, Any] = {"str": str, "int": int, "float": float}
    kind = tag.removeprefix(_TAG)
    if kind in kinds:
        return kinds[kind](text)
    return None if kind == "null" else text == "true"


class _Reader:
    """Turns nodes into values and notes their lines."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.lines: dict[Place, int] = {}

    def _refuse(self, line: int, why: str) -> BadInput:
        return BadInput(f"{self.where} line {line} {why}", "correct that line; see 'wherry check --help'")

    def value(self, node: Node, place: Place) -> Any:
        import yaml

        line = node.start_mark.line + 1
        self.lines[place] = line
        if len(place) > _DEEPEST:
            raise self._refuse(line, "is nested too deeply")
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(item, (*place, at)) for at, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node.value, place)
        if isinstance(node, yaml.ScalarNode) and node.tag in {_TAG + kind for kind in _KINDS}:
            return _scalar(node.tag, node.value)
        raise self._refuse(line, f"has a tag that is not accepted here: {visible(str(node.tag), 60)}")

    def _mapping(self, pairs: list[tuple[Node, Node]], place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in pairs:
            key = self.value(key_node, (*place, "key"))
            del self.lines[(*place, "key")]
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise self._refuse(line, "has a key that is not text")
            if key in found:
                raise self._refuse(line, f"repeats the key {visible(key, 60)!r}")
            found[key] = self.value(value_node, (*place, key))
            self.lines[*place, key] = line
        return found


_KINDS = ("str", *(name for name, _, _ in _PLAIN))


def parse_marked(text: str, where: str) -> Marked:
    """Return the values of a YAML text; ``where`` is what errors call it; raises BadInput with the line."""
    import yaml

    reader = _Reader(where)
    hint = "correct that line; texts with : # or quotes in them stand in single quotes"
    try:
        node = yaml.compose(text, Loader=_loader())
        return Marked(reader.value(node, ()) if node is not None else None, reader.lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}" if mark else ""
        raise BadInput(
            f"{where}{line} is not valid YAML: {visible(str(error.problem), 120)}", hint
        ) from error
    except yaml.YAMLError as error:  # a character that no YAML text has
        at = getattr(error, "position", 0)
        count = text.count("\n", 0, at) + 1
        raise BadInput(f"{where} line {count} holds a character that is not text", hint) from error
    except RecursionError as error:
        raise BadInput(f"{where} is nested too deeply", "write it simpler") from error


def read_marked(path: Path) -> Marked:
    """Return the values of a YAML file; raises BadInput."""
    where = visible(str(path))
    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{where} cannot be read: {error.strerror}", "name a YAML file") from error
    if len(body) > MAX_BYTES:
        raise BadInput(f"{where} is larger than {MAX_BYTES // 1024} KiB", "split it into several files")
    try:
        return parse_marked(body.decode("utf-8-sig"), where)
    except UnicodeDecodeError as error:
        count = body.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{where} line {count} is not UTF-8", "save it as UTF-8") from error
