"""Kept writes that a mover keeps: of what a rolled-back target wrote, no byte passes this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from migrate.movers.task import Ends, Keeping, Manner, Task
from migrate.movers.transfers import Does, Generations
from migrate.transfers.ports import Moving, Written


class MovedKeeps:
    """What a target wrote, kept through ``movers`` in a folder of the project, which is on their machine."""

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

    def keep(
        self, name: str, wave: str, volumes: Sequence[Written], report: Callable[[Moving], None]
    ) -> dict[str, Any]:
        """Keep it; see the protocol. Raises Unreachable when the mover died."""
        about = Keeping(name, wave, str(self._folder), tuple(volumes))
        task = Task(self._ends, self._manner, self._generations.next(), keeping=about)
        return dict(self._movers.do(task, lambda: None, self._stop, report)["kept"])


def carry_keeping(task: Task, stop: Callable[[], bool], tell: Callable[[Moving], None]) -> dict[str, Any]:
    """Keep what a task asks for; raises WherryError, OSError."""
    from contextlib import closing

    from migrate.kept import Checkpoints
    from migrate.sites.opening import open_at
    from migrate.transfers.keeping import KeepsHere

    about = task.keeping
    assert about is not None
    with (
        closing(open_at(task.ends.source)) as source,
        closing(open_at(task.ends.target)) as target,
    ):
        keeps = KeepsHere(source, target, Checkpoints(Path(about.folder)), stop)
        return {"kept": keeps.keep(about.name, about.wave, about.volumes, tell)}
