"""Which checkpoint somebody means: by its number, by its name, or the latest."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.journal.state import Checkpoint
from planner.errors import NotFound
from planner.names import visible


def meant(points: Sequence[Checkpoint], wanted: str, group: str) -> Checkpoint:
    """Return the checkpoint of that number or name, the newest of several, or ``latest``; or NotFound.

    ``points`` are those of ``group``, the oldest first.
    """
    if wanted == "latest" and points:
        return points[-1]
    for point in points:  # a name that looks like a number hides none
        if wanted == str(point.record):
            return point
    for point in reversed(points):
        if wanted and wanted == point.name:
            return point
    raise NotFound(
        f"group {visible(group, 200)} has no checkpoint {visible(wanted, 200)}",
        "wherry checkpoints GROUP lists them",
    )
