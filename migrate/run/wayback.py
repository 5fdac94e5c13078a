"""The way back, kept up to date entry by entry: which steps may be undone now.

    a step is clear when nothing of it is left to undo and every step that needed it is clear
    it is due   when something of it is left to undo and every step that needed it is clear

Only an undo that is done makes a step clear, so an entry costs what it changes, in a run of any size.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field

from migrate.run.runbook import Phase, Runbook

UNDONE_PHASES = {
    "rollback": frozenset({Phase.CUTOVER, Phase.COMMIT, Phase.REMEDY}),
    "abort": frozenset({Phase.REPLICATE, Phase.CUTOVER, Phase.COMMIT}),
}


@dataclass(slots=True)
class WayBack:
    """What is left to undo. ``due`` holds positions in the runbook, ascending."""

    runbook: Runbook
    left: set[str]
    waiting: dict[str, int]  # for each step: how many of those that needed it are not clear
    due: list[int] = field(default_factory=list)

    @classmethod
    def begin(cls, runbook: Runbook, way: str, left: Callable[[str], bool]) -> WayBack:
        """Return what going a way has to undo; ``left`` says whether a step left something in the world."""
        phases = UNDONE_PHASES[way]
        back = cls(
            runbook,
            {step.id for step in runbook.steps if step.phase in phases and step.undoable and left(step.id)},
            {step.id: len(runbook.dependents[step.id]) for step in runbook.steps},
        )
        for step in runbook.steps:
            if not runbook.dependents[step.id]:
                back._free(step.id)
        return back

    def undone(self, step: str) -> None:
        """Take in that nothing of a step is left."""
        self.left.discard(step)
        position = self.runbook.index[step]
        if position in self.due:
            self.due.remove(position)
            self._free(step)

    def _free(self, step: str) -> None:
        """All that needed a step are clear: it is due, or clear itself and frees what it needed."""
        freed = [step]
        while freed:
            one = freed.pop()
            if one in self.left:
                insort(self.due, self.runbook.index[one])
                continue
            for need in self.runbook.step(one).needs:
                self.waiting[need] -= 1
                if not self.waiting[need]:
                    freed.append(need)
