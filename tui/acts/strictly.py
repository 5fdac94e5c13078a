"""Application lists taken at their word: every VM they name is one of ours, or nothing of them is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.sources.flows.reading import Reading
    from planner.store.project import Project

_NAMED = 8  # rows that a refusal lists


def refuse_unknown(project: Project, readings: Sequence[Reading]) -> None:
    """Raise BadInput naming the rows of lists that lead to no VM; NotFound before there is an inventory."""
    from planner.errors import BadInput
    from planner.evidence.nearest import nearest_names
    from planner.evidence.resolve import Resolver, Verdict
    from planner.names import visible
    from planner.store import evidence, inventories

    inventory = inventories.latest_bare(project).inventory
    resolver = Resolver(inventory, evidence.settled(project))
    lost = {}
    for reading in readings:
        for told in reading.facts:
            subject = reading.tally.endpoints[told.subject]
            verdict = resolver.resolve(subject).verdict
            if verdict is not Verdict.VM:
                lost[reading.source.name, told.row, subject.label] = verdict
    if not lost:
        return
    near = nearest_names((label for _, _, label in lost), inventory)
    said = []
    for (name, row, label), verdict in list(lost.items())[:_NAMED]:
        what = "may be several VMs" if verdict is Verdict.AMBIGUOUS else "is no VM of the inventory"
        like = f" (near: {visible(near[label], 60)})" if label in near else ""
        said.append(f"{name} row {row}: {visible(label, 60)} {what}{like}")
    more = f"; and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    raise BadInput(
        f"{'; '.join(said)}{more}; nothing was stored",
        "mend those rows, settle the names with 'wherry flows map', or import without --strict",
    )
