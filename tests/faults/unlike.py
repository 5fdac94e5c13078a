"""What is told when a checkpoint finds that a replica differs: of which disk, where, and how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from migrate.daemons.receiver import SOCKET
from migrate.daemons.sockets import connect
from migrate.replication.channel import SocketChannel
from migrate.replication.comparing import compare
from migrate.replication.coverage import full
from migrate.replication.trees import DiskTree
from migrate.run import store as runs
from planner.errors import WherryError
from tests.faults.killlab import WAVE
from tests.faults.labrun import Ended, Lab


def told(lab: Lab, ended: Ended) -> list[str]:
    """Return how a run ended that did not get where it goes, with all that helps to find out why."""
    return [f"it ended {ended.message or ended}", *_differences(lab), *_course(lab)]


def _differences(lab: Lab) -> Iterator[str]:
    """Yield where the replicas differ from the snapshots that still stand."""
    with lab.site("dc1") as site:
        for snapshot in site.list_snapshots():
            for volume in snapshot.changes:
                try:
                    size = site.volume(volume).size_bytes
                    with (
                        closing(site.open_read(volume, snapshot.id)) as disk,
                        closing(SocketChannel(connect(lab.run_of(lab.receives), SOCKET, 5.0))) as channel,
                    ):
                        found = compare(DiskTree(disk, size), channel, volume, full(size))
                except (WherryError, OSError) as error:
                    yield f"{volume} of {snapshot.id} cannot be compared: {error}"
                    continue
                if not found.equal:
                    where = [(run.offset, run.length) for run in found.differing]
                    yield f"{volume} of {snapshot.id} differs at {where}, tail zero {found.tail_zero}"


def _course(lab: Lab) -> Iterator[str]:
    """Yield what the record holds of passes and their snapshots."""
    with lab.project() as project:
        run = runs.latest(project, WAVE)
        for entry in runs.history(project, run).entries if run else ():
            if any(
                part in entry.step for part in ("/snapshot/", "/seed", "/delta/", "/drop/", "/checkpoint/")
            ):
                yield f"{entry.event.value} {entry.step} {entry.attempt} {entry.detail}"
