"""What the stored steps of a runbook say beside where they stand in it, decoded when it is asked for.

It is half of what is stored. Whoever wants to know how far hundreds of runs are asks for none of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any


class Sheet:
    """The params of all steps of one runbook, by position, as JSON."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def told(self) -> list[dict[str, Any]]:
        """What is said of each step; raises ValueError for what is no JSON."""
        return list(json.loads(self._text))


class Later(Mapping[str, Any]):
    """The params of one step, read from the sheet of its runbook when somebody asks."""

    __slots__ = ("_position", "_sheet")

    def __init__(self, sheet: Sheet, position: int) -> None:
        self._sheet = sheet
        self._position = position

    def __getitem__(self, name: str) -> Any:
        return self._sheet.told[self._position][name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sheet.told[self._position])

    def __len__(self) -> int:
        return len(self._sheet.told[self._position])

    def __repr__(self) -> str:
        return repr(dict(self))
