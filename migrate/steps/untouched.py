"""Untouched: whether the disks that a journal stands on are still what they were.

Nothing is written to them while their first checkpoint is there. Who starts a fenced VM by hand writes
to them all the same, and then what was committed is no longer as it was, nor is what stands on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from migrate.run.runbook import Step, part_of
from migrate.sites.ports import ChangeId
from planner.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.steps.kind import Context

COMMITTED: Final = "committed"  # the checkpoint of what the disks held at the commit
LEFT_BEHIND: Final = "left behind"  # the same of disks that were written to since


def marks(ctx: Context, volumes: Iterable[str]) -> dict[str, str]:
    """Return from where writes to disks count, by volume; those that are not tracked are left out."""
    found = {volume: ctx.target.change_id(volume) for volume in volumes}
    return {volume: str(mark) for volume, mark in found.items() if mark is not None}


def is_written(ctx: Context, since: Mapping[str, str]) -> bool:
    """Return whether a disk is known to be written since its mark."""
    return any(ctx.target.changed_areas(volume, ChangeId.parse(mark)) for volume, mark in since.items())


def check_untouched(ctx: Context, step: Step) -> None:
    """Raise StepFailed when somebody wrote to the disks that the journal of the step's group stands on."""
    begun = ctx.result(f"{part_of(step.id)}/journal")
    if ctx.histories is None or not is_written(ctx, begun.get("held", {})):
        return
    reach = ctx.histories.kept(part_of(step.id))
    if reach is None or reach.oldest != begun["base"]:
        return  # history has been moved into them
    raise StepFailed(
        f"{step.title}: a disk at site {ctx.target.name} was written to, and nobody was to",
        f"see which VM ran there; give the journal up with 'wherry abort {ctx.wave} --live', then protect it "
        "again",
    )
