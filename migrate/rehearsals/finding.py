"""What a dry rehearsal finds in the way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the way: a sentence, and what to do."""

    what: str
    message: str
    hint: str
