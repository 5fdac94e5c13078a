"""What a look for a kind of deviation finds: when it was, at which step, and the sentence about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Strayed(NamedTuple):
    """One deviation; ``at`` and ``step`` are empty where it has none. Names are in ``said`` as they are."""

    at: str
    step: str
    said: str


Found = Iterator[Strayed]
