"""Compares an inventory with what was read back of it: everything the reader says has to be so."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, is_dataclass
from typing import Any

from planner.units import MIB


def _same(field: str, original: Any, read: Any) -> bool:
    if original == read:
        return True
    # Workbooks hold whole mebibytes.
    if isinstance(original, int) and isinstance(read, int) and field.endswith("_bytes"):
        return read == original // MIB * MIB
    return False


def _silent(value: Any) -> bool:
    return value is None or value == "" or value == ()


class Comparison:
    """Counts what was said right, wrong and not at all, by ``VM.field``."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.wrong: dict[str, tuple[Any, Any]] = {}
        self.unsaid: set[str] = set()

    def compare(self, original: Any, read: Any, skip: frozenset[str] = frozenset()) -> None:
        """Compare two nouns field by field, the things they hold included."""
        kind = type(original).__name__
        for field in fields(original):
            name = f"{kind}.{field.name}"
            if name not in skip:
                self._field(name, field.name, getattr(original, field.name), getattr(read, field.name), skip)

    def _field(self, name: str, field: str, said: Any, read: Any, skip: frozenset[str]) -> None:
        if is_dataclass(said) and is_dataclass(read):
            self.compare(said, read, skip)
        elif isinstance(said, tuple) and isinstance(read, tuple) and said and is_dataclass(said[0]):
            if len(said) != len(read):
                if read:
                    self.wrong[name] = (len(said), len(read))
                else:
                    self.unsaid.add(name)
                return
            for one, other in zip(said, read, strict=True):
                self.compare(one, other, skip)
        elif _same(field, said, read):
            self.right[name] += not _silent(read)
        elif _silent(read):
            self.unsaid.add(name)
        else:
            self.wrong[name] = (said, read)
