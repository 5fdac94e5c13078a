"""A draft: edits by hand that are not stored yet, each judged on the desk as the ones before it left it.

    kept edits ──Desk──accepted act──Desk──accepted act──▶ Desk     undo and redo walk along them

An edit is taken over where it changes nothing but its groups' items and pins; everything else is laid out
anew, from the groups as the inventory has them and all edits, as a later plan is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

from planner.edits import Act, Edit, by_hand
from planner.errors import BadInput
from planner.garbage import uncollected
from planner.model import MoveGroup
from planner.waves.desk import Desk
from planner.waves.layout import free_of
from planner.waves.taking import after, after_moves
from planner.waves.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One accepted act: the edits it made, numbered, what was said of it, and the desk after it."""

    edits: tuple[Edit, ...]
    verdict: Verdict
    desk: Desk


@uncollected()
def laid_anew(
    now: Desk, groups: Sequence[MoveGroup], edits: Sequence[Edit], standing: Mapping[str, int]
) -> Desk:
    """Return the desk of all ``edits`` on the groups of the inventory, with every VM where it stands."""
    merged, hand = by_hand(edits, tuple(groups), now.ask.inventory, now.ask.settings)
    return Desk(replace(now.ask, everyone=merged, hand=hand, standing=standing), now)


class Draft:
    """Edits on top of those that are ``kept``; ``groups`` are those of the inventory, before any merge."""

    def __init__(
        self, desk: Desk, groups: Sequence[MoveGroup], kept: Sequence[Edit], next_number: int
    ) -> None:
        self.first = desk
        self._groups = tuple(groups)
        self._kept = tuple(kept)
        self._next = next_number
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @property
    def desk(self) -> Desk:
        """The plan as it stands now."""
        return self._done[-1].desk if self._done else self.first

    @property
    def steps(self) -> tuple[Step, ...]:
        """The accepted acts, the oldest first."""
        return tuple(self._done)

    @property
    def undone(self) -> tuple[Step, ...]:
        """What can be done again, the next one last."""
        return tuple(self._undone)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits of all steps, numbered as they are going to be stored."""
        return tuple(edit for step in self._done for edit in step.edits)

    def stored(self, edits: Sequence[Edit]) -> Desk:
        """Return the desk once all steps are stored as ``edits``, which say who made them and when."""
        now = self.desk
        _, hand = by_hand((*self._kept, *edits), self._groups, now.ask.inventory, now.ask.settings)
        found = copy(now)
        found.ask = replace(now.ask, hand=hand)
        found.free = free_of(found.ask)
        return found

    def take(self, verdict: Verdict) -> Step:
        """Make an act that is not refused; raises BadInput when it and an earlier edit cannot both hold."""
        if verdict.refused:
            raise ValueError("a refused edit is not taken")
        number = self._next + len(self.edits)
        edits = tuple(replace(edit, number=number + at, saved=False) for at, edit in enumerate(verdict.edits))
        now = self.desk
        every = (*self._kept, *self.edits, *edits)
        if all(edit.act is Act.MOVE for edit in edits):
            found = after_moves(now, verdict, edits)
        else:
            merged, hand = by_hand(every, self._groups, now.ask.inventory, now.ask.settings)
            found = after(now, verdict, edits[0], merged, hand)
        if found is None:
            found = laid_anew(now, self._groups, every, verdict.standing)
        step = Step(edits, verdict, found)
        self._done.append(step)
        self._undone.clear()
        return step

    def undo(self) -> Step:
        """Take the newest step back and return it; raises BadInput for none."""
        if not self._done:
            raise BadInput("there is no edit to take back", "take saved ones back with 'wherry plan undo'")
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def redo(self) -> Step:
        """Do again what was taken back last and return it; raises BadInput for none."""
        if not self._undone:
            raise BadInput("there is no edit to do again", "edit the plan")
        self._done.append(self._undone.pop())
        return self._done[-1]
