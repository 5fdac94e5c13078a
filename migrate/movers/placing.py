"""Seeds that a mover brings in: of an image, no byte passes this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from migrate.disks.bringing import Brought
from migrate.movers.task import Ends, Manner, Placement, Task
from migrate.movers.transfers import Does, Generations
from migrate.transfers.placing import Placing, placed
from migrate.transfers.ports import Moving


class MovedPlaces:
    """Images brought onto disks of the target through ``movers``, which run on this machine."""

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

    def place(
        self, image: Path, volume: str, size_bytes: int, run: str, report: Callable[[Moving], None]
    ) -> Brought:
        """Bring an image onto a volume; see the protocol. Raises Unreachable when the mover died."""
        about = Placement(str(image.absolute()), str(self._folder), volume, size_bytes, run)
        task = Task(self._ends, self._manner, self._generations.next(), placement=about)
        return Brought(**self._movers.do(task, lambda: None, self._stop, report)["placed"])


def carry_placement(
    task: Task, stop: Callable[[], bool], tell: Callable[[Moving], None], wait_s: float
) -> dict[str, Any]:
    """Bring in the image of a task; raises WherryError, OSError.

    A mover whose engine died may hold the disk until it comes to an edge: it is waited for that long.
    """
    from contextlib import closing

    from migrate.sites.opening import open_at

    about = task.placement
    assert about is not None
    with closing(open_at(task.ends.target)) as target:
        placing = Placing(Path(about.folder), stop)
        brought = placed(
            placing, target, Path(about.image), about.volume, about.size_bytes, about.run, tell, wait_s
        )
    return {"placed": asdict(brought)}
