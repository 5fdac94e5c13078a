"""What an edit by hand would do: refused or not, what is told, what it costs, how the plan stands then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.edits import Edit
from planner.waves.arrange import Track
from planner.waves.moved import Delta, Standing

Laid = tuple[int, Track, Standing]  # a track by its number, and how it stands


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an edit would do. ``refused`` are broken rules, ``told`` what is good to know.

    ``standing`` is the slot of every VM after it, ``also`` are edits that came with it, and ``laid`` holds
    the tracks that it changed.
    """

    edit: Edit
    standing: Mapping[str, int]
    refused: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    delta: Delta = field(default_factory=Delta)
    also: tuple[Edit, ...] = ()
    laid: tuple[Laid, ...] = field(default=(), repr=False, compare=False)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All it would do."""
        return (self.edit, *self.also)
