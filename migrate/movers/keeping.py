"""Kept writes that a mover keeps: of what a rolled-back target wrote, no byte passes this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from migrate.movers.errands import Errands
from migrate.movers.task import Keeping, Task
from migrate.transfers.ports import Moving, Written


class MovedKeeps(Errands):
    """What a target wrote, kept through ``movers`` in a folder of the project, which is on their machine."""

    def keep(
        self, name: str, wave: str, volumes: Sequence[Written], report: Callable[[Moving], None]
    ) -> dict[str, Any]:
        """Keep it; see the protocol. Raises Unreachable when the mover died."""
        about = Keeping(name, wave, str(self._folder), tuple(volumes))
        return dict(self._run(report, keeping=about)["kept"])


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
