"""What a copy of a wave can be booted of: the checkpoints that its groups keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.errors import Blocked
from planner.names import visible

if TYPE_CHECKING:
    from migrate.rehearsals.choosing import GroupKept
    from planner.store.project import Project


def bootable(project: Project, wave: str) -> tuple[GroupKept, ...]:
    """Return the groups of a wave that keep a history, empty for none: then its replicas are booted.

    Their receivers are asked, and started where none answers. Raises Blocked where nothing was copied yet,
    NotFound, Unreachable.
    """
    from migrate.rehearsals.journalled import kept_of
    from migrate.run.waves import find_wave

    standing = find_wave(project, wave)
    if standing.history is None:
        raise Blocked(
            f"{visible(standing.wave.name)} has no replicas to boot a copy of", "n in 6 Replicate makes them"
        )
    return kept_of(project, standing.wave, standing.history)
