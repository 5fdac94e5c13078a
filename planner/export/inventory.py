"""An inventory as a compact document: wherry's own format with one object a line.

It is written object by object, so that the largest estate needs no second copy of itself in memory,
and ASCII only, because names may hold what a terminal or a reader's eye obeys. Two versions of an
estate can be compared line by line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from planner.codec import encode
from planner.model import Inventory
from planner.sources.document import SCHEMA

Report = Callable[[int, int], None]
_HEAD = ("source", "taken_at")
_EVERY = 500  # objects between two words on progress


def _ascii(noun: Any) -> str:
    body = encode(noun).decode("utf-8")
    # What is ASCII already needs no second pass; almost all of it is.
    return body if body.isascii() else json.dumps(json.loads(body), separators=(",", ":"))


def inventory_lines(inventory: Inventory, report: Report | None = None) -> Iterator[str]:
    """Yield the document line by line; ``read_document`` reads it back equal. Raises BadInput."""
    yield f'{{"schema": {json.dumps(SCHEMA)},\n'
    parts = [field.name for field in fields(Inventory) if field.name not in _HEAD]
    filled = [name for name in parts if getattr(inventory, name) or name == "vms"]
    total = sum(len(getattr(inventory, name)) for name in filled)
    for name in _HEAD:
        yield f'"{name}": {json.dumps(getattr(inventory, name))},\n'
    done = 0
    for name in filled:
        items = getattr(inventory, name)
        yield f'"{name}": [\n'
        for at, item in enumerate(items):
            body = json.dumps(item) if isinstance(item, str) else _ascii(item)
            yield body + (",\n" if at + 1 < len(items) else "\n")
            done += 1
            if report and done % _EVERY == 0:
                report(done, total)
        yield "]\n}\n" if name == filled[-1] else "],\n"
