"""Coming back in the middle of an outage: an engine that takes up an order again finds its sites away.

Steps of the run rest then, and their patience counts for the sites as well: it was given by the person who
asked, and ends when they would have given up. A verb that a person gives anew is told at once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, TypeVar

from migrate.run.actions import waits
from planner.errors import Unreachable

if TYPE_CHECKING:
    from migrate.clock import Clock
    from migrate.run.history import History

T = TypeVar("T")

_SLICE_S = 0.25
_PAUSE_S = 5.0  # between two looks at sites that are away


def patient_until_s(history: History, asked_s: float) -> float:
    """Return until when steps that failed after ``asked_s`` are tried again, 0 when none is."""
    resting = (spent for step, spent in history.spent.items() if waits(history, step))
    return max((spent.gives_up_s for spent in resting if spent.at_s > asked_s), default=0.0)


def enter(
    at_end: ExitStack,
    opens: Callable[[], AbstractContextManager[T]],
    until_s: float,
    paused: Callable[[], bool],
    clock: Clock,
) -> T | None:
    """Enter what ``opens`` gives, tried again until a moment; None after a pause. Raises Unreachable."""
    while True:
        try:
            return at_end.enter_context(opens())
        except Unreachable:
            if clock.epoch_s() >= until_s:
                raise
        next_s = clock.now_s() + _PAUSE_S
        while clock.now_s() < next_s:
            if paused():
                return None
            clock.sleep(_SLICE_S)
