"""What people's edits ask of a plan, by move group and slot: places, locks, parts of applications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Hand:
    """Edits as waves need them. All keys are names of move groups.

    ``moved`` and ``held`` (by a lock) are slots, ``parts`` the part of its application a group was split
    into, ``locked`` the slots that take nobody else, ``said`` the edit that speaks of a group, in words.
    """

    moved: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    locked: frozenset[int] = frozenset()
    said: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def pins(self) -> dict[str, int]:
        """Group name → slot, of moves and locks."""
        return {**self.moved, **self.held}

    def with_moves(self, slots: Mapping[str, int], parts: Mapping[str, str], said: Mapping[str, str]) -> Hand:
        """Return it with groups moved as well; all keys are their names."""
        return replace(
            self,
            moved={**self.moved, **slots},
            parts={**self.parts, **parts},
            said={**self.said, **said},
        )
