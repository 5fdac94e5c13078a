"""Disks without snapshots brought over before their VMs stop: a pass over one that is written to meanwhile.

Physical RDMs have none, nor have the disks of VMs that share some, where a site freezes single VMs. What such
a pass brings is of no one moment and proves nothing. The last pass, over the stopped disk, compares all of it
by digest and sends what differs: the bytes are out of the downtime, the reading is not. Nobody waits for one
that fails.

On the way out it belongs to the first copy and to every round that a person asks for. On the way home it
comes after the go, for until then the source holds what was committed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.run.runbook import Phase, Step
from planner.model import Sending

if TYPE_CHECKING:
    from migrate.run.group_steps import GroupSteps
    from migrate.run.runbook import Runbook

AHEAD: Final = "ahead"  # the mode in the params of such a step, and the last part of its id
UNFROZEN: Final = "unfrozen"  # in the params of a run's first step: the volumes that its site cannot freeze


def ahead(
    group: GroupSteps, needs: tuple[str, ...], number: int = 0, phase: Phase = Phase.REPLICATE
) -> list[Step]:
    """Return a step for each disk that no snapshot holds; ``number`` is the round's, 0 the first copy.

    What is sent once comes with the first copy, and nothing ever compares it.
    """
    once = not number and phase is Phase.REPLICATE
    bare = [disk for disk in group.disks if disk not in group.tracked]
    return [
        group.transfer(
            disk,
            f"{AHEAD}/{number}" if number else AHEAD,
            needs,
            phase,
            mode=AHEAD,
            snapshot="",
        )._replace(optional=True)
        for disk in bare
        if not disk.left_out or (once and disk.send is Sending.ONCE)
    ]


def is_ahead(step: Step) -> bool:
    """Return whether a transfer is such a pass."""
    return step.params.get("mode") == AHEAD


def unfrozen_in(runbook: Runbook) -> frozenset[str]:
    """Return the volumes that no snapshot of the run holds, besides physical RDMs."""
    return frozenset(volume for step in runbook.steps for volume in step.params.get(UNFROZEN, ()))
