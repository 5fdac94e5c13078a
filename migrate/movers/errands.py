"""Errands of a project that movers on its own machine run: no byte of theirs passes this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from migrate.movers.task import Ends, Manner, Task
from migrate.movers.transfers import Does, Generations
from migrate.transfers.ports import Moving


class Errands:
    """Sends ``movers`` on errands between two ends; ``folder`` is the project's, on their machine."""

    def __init__(
        self,
        movers: Does,
        ends: Ends,
        manner: Manner,
        folder: Path,
        generations: Generations,
        stop: Callable[[], bool],
    ) -> None:
        self._movers = movers
        self._ends = ends
        self._manner = manner
        self._folder = folder
        self._generations = generations
        self._stop = stop

    def _run(self, report: Callable[[Moving], None], **about: Any) -> dict[str, Any]:
        """Have one run, by that part of a task, and return its result; raises Unreachable when it died."""
        task = Task(self._ends, self._manner, self._generations.next(), **about)
        return self._movers.do(task, lambda: None, self._stop, report)
