"""The noun for a run of bytes, in a room of its own: what only moves bytes needs no model of an estate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extent:
    """A run of bytes on a disk."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """First byte after the run."""
        return self.offset + self.length
