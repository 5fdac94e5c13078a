"""What strikes in a night: a fault, the step during which it does, and the moment of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

FREEZE_S = 10.0
LONG_S = 30.0  # until well after another one has taken over


class Fault(StrEnum):
    """What happens."""

    ENGINE = "kill engine"
    MOVER = "kill mover"
    RECEIVER = "kill receiver"
    LINK = "cut link"
    FREEZE = "freeze 10 s"


class Moment(StrEnum):
    """When in a step: its intent is recorded, in the middle, its act is over and not recorded."""

    BEGIN = "begin"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Span:
    """When a step was under way in a run that nothing struck: between these steps of the schedule."""

    step: str
    kind: str  # with "undo" before it on the way back
    first: int
    last: int

    def at(self, moment: Moment, rng: random.Random) -> int:
        """Return the step of the schedule before which a moment is."""
        match moment:
            case Moment.BEGIN:
                return self.first + 1
            case Moment.END:
                return self.last + 1
        return rng.randint(min(self.first + 2, self.last + 1), self.last + 1)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault before a step of the schedule; ``freeze_s`` is how long a frozen process stands still."""

    fault: Fault
    at: int
    freeze_s: float = FREEZE_S
