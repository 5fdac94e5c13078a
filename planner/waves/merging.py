"""Merging a group into another: one group from then on, in the wave of the first."""

from __future__ import annotations

from dataclasses import replace

from planner.edits import Act, ends_of
from planner.errors import BadInput
from planner.garbage import uncollected
from planner.model import MoveGroup, Tie
from planner.names import visible
from planner.waves.layout import Layout
from planner.waves.told import told
from planner.waves.verdict import Verdict

_NAMED = 8


def merge(layout: Layout, what: str, other: str) -> Verdict:
    """Return what merging ``other`` into ``what`` does: one group, in the wave of ``what``."""
    first, second = one_named(layout, what), one_named(layout, other)
    if first.name == second.name:
        raise BadInput(f"{visible(what)} and {visible(other)} are one group already", "name two groups")
    edit = replace(
        layout.edit(Act.MERGE, what, [first]),
        other=other,
        partners=ends_of(layout.ask.lookup.vms[vm] for vm in second.vms),
    )
    slot = layout.slot(first)
    if first.shared_services is not second.shared_services:
        service = first if first.shared_services else second
        refused: tuple[str, ...] = (f"{visible(service.name)} is a shared service, and those move last",)
        return Verdict(edit, layout.standing({}), refused)
    refused, delta, _ = layout.placed({first.name: slot, second.name: slot})
    refused = (*_ordered(layout, first, second), *refused)
    if not refused:
        refused = _come_undone(layout, first, second, slot)
    said = told(layout, [second], slot) if layout.slot(second) != slot else ()
    return Verdict(edit, layout.standing({second.name: slot}), tuple(dict.fromkeys(refused)), said, delta)


def _come_undone(layout: Layout, first: MoveGroup, second: MoveGroup, slot: int) -> tuple[str, ...]:
    """Return ties of order that ran in a circle until the two are one, and that the plan does not keep."""
    if layout.families.calm(layout.home[first.name][0], ()):
        return ()
    whole = replace(first, vms=(*first.vms, *second.vms))
    everyone = tuple(
        whole if group.name == first.name else group
        for group in layout.ask.everyone
        if group.name != second.name
    )
    ask = replace(layout.ask, everyone=everyone, standing=layout.standing({second.name: slot}))
    with uncollected():
        then = Layout(ask, layout)
    known = {one.text for was in layout.was for one in was.held}
    return tuple(
        one.text for was in then.was for one in was.held if one.kind == "order" and one.text not in known
    )


def one_named(layout: Layout, what: str) -> MoveGroup:
    """Return the one group a person means; raises NotFound, and BadInput for several."""
    found = layout.named(what)
    if len(found) > 1:
        names = ", ".join(visible(group.name) for group in found[:_NAMED])
        raise BadInput(f"{visible(what)} is {len(found)} move groups", f"name one of: {names}")
    return found[0]


def _ordered(layout: Layout, first: MoveGroup, second: MoveGroup) -> list[str]:
    """Return the order ties between two groups that merging would silence."""
    names = layout.ask.lookup.vms
    return [
        f"{visible(names[tie.source].name)} needs {visible(names[tie.target].name)} there before it moves"
        for vm in first.vms
        for tie in layout.ties(vm)
        if tie.tie is Tie.ORDER and {tie.source, tie.target} & set(second.vms)
    ]
