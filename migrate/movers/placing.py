"""Seeds that a mover brings in: of an image, no byte passes this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from migrate.disks.bringing import Brought
from migrate.movers.errands import Errands
from migrate.movers.task import Placement, Task
from migrate.transfers.placing import Placing, placed
from migrate.transfers.ports import Moving


class MovedPlaces(Errands):
    """Images brought onto disks of the target through ``movers``, which run on this machine."""

    def place(
        self, image: Path, volume: str, size_bytes: int, run: str, report: Callable[[Moving], None]
    ) -> Brought:
        """Bring an image onto a volume; see the protocol. Raises Unreachable when the mover died."""
        about = Placement(str(image.absolute()), str(self._folder), volume, size_bytes, run)
        return Brought(**self._run(report, placement=about)["placed"])


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
