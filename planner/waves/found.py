"""What a search tells of its best plan so far, each time it has found a better one.

Better is what costs less by the search's own cost, over the slots it may use; figures are those of the
score card.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.waves.bounds import waves_bound
from planner.waves.condense import Model
from planner.waves.cost import Cost
from planner.waves.score import traffic_of

_BETTER = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Best:
    """The best plan so far; ``services`` says that it is the track of shared services."""

    phase: str
    waves: int
    waves_bound: int
    cut_share: float
    stretch_gb: float
    services: bool = False


Found = Callable[[Best], None]


class Teller:
    """Tells of plans of one problem that hold every rule."""

    def __init__(self, model: Model, found: Found | None) -> None:
        self._model = model
        self._found = found
        self._bound = waves_bound(model).waves if found else 0
        self._least: float | None = None

    def offer(self, phase: str, at: list[int], cost: Cost) -> None:
        """Tell of a plan, a slot for each block, if it is better than the last one told of."""
        if self._found is None:
            return
        costs = cost.of(self._model, at)
        if self._least is not None and costs >= self._least * _BETTER:
            return
        self._least = costs
        cut, stretch, _ = traffic_of(self._model.problem, self._model.spread(at), self._model.days)
        self._found(Best(phase, len(set(at)), self._bound, cut, stretch))
