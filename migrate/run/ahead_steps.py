"""Physical RDMs brought over before their VMs stop: a pass over a disk that is written to meanwhile.

It has no snapshot and no change tracking, so what such a pass brings is of no one moment and proves
nothing. The last pass, over the stopped disk, compares all of it by digest and sends what differs: the
bytes are out of the downtime, the reading is not. Nobody waits for one that fails.

On the way out it belongs to the first copy and to every round that a person asks for. On the way home it
comes after the go, for until then the source holds what was committed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from migrate.run.runbook import Phase, Step

if TYPE_CHECKING:
    from migrate.run.group_steps import GroupSteps

AHEAD: Final = "ahead"  # the mode in the params of such a step, and the last part of its id


def ahead(
    group: GroupSteps, needs: tuple[str, ...], number: int = 0, phase: Phase = Phase.REPLICATE
) -> list[Step]:
    """Return a step for each physical RDM of the group; ``number`` is the round's, 0 the first copy."""
    return [
        replace(
            group.transfer(
                disk,
                f"{AHEAD}/{number}" if number else AHEAD,
                needs,
                phase,
                mode=AHEAD,
                snapshot="",
            ),
            optional=True,
        )
        for disk in group.settled
        if disk not in group.tracked
    ]


def is_ahead(step: Step) -> bool:
    """Return whether a transfer is such a pass."""
    return step.params.get("mode") == AHEAD
