"""A seed that a mover brings in: an image of the source that is older than it in one block."""

from __future__ import annotations

from collections.abc import Callable

from migrate.disks.bringing import Brought
from migrate.movers.task import Placement
from planner.errors import Paused
from tests.faults.nights.rack import GRAIN, Rack


def place(about: Placement, source: Rack, target: Rack, stop: Callable[[], bool]) -> Brought:
    """Write it over the link onto the target's disk, block by block, and make it durable."""
    held = bytes(GRAIN) + bytes(source.disks[about.volume].seen[GRAIN:])
    disk = target.open_write(about.volume)

    def ask(work: Callable[[], None]) -> None:
        if stop():
            raise Paused("bringing in a seed was stopped", "run the verb again; it resumes")
        target.links.ask(target.process, f"write at {target.name}", work, far=True)

    for at in range(0, about.size_bytes, GRAIN):
        ask(lambda at=at: disk.write(held[at : at + GRAIN], at))  # type: ignore[misc]
    ask(disk.flush)
    return Brought(about.size_bytes, about.size_bytes)
