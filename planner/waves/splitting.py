"""Splitting VMs off a group or an application: no hard tie is cut, and both parts stay where they are."""

from __future__ import annotations

from collections.abc import Sequence

from planner.edits import Act, Edit, ends_of
from planner.errors import BadInput, NotFound
from planner.model import MoveGroup
from planner.names import visible
from planner.waves.layout import Layout
from planner.waves.parting import torn
from planner.waves.verdict import Laid, Verdict


def split(layout: Layout, what: str, vms: Sequence[str]) -> Verdict:
    """Return what splitting ``vms`` (names or ids) off ``what`` does; no hard tie is cut."""
    whole = _holding(layout, what, vms)
    inside = {vm for group in whole for vm in group.vms}
    chosen: set[str] = set()
    for name in vms:
        found = [vm for vm in inside if name in (vm, layout.ask.lookup.vms[vm].name)]
        if not found:
            raise NotFound(f"VM {visible(name)} is not in {visible(what)}", "see 'wherry plan show WAVE'")
        if len(found) > 1:
            raise BadInput(
                f"{len(found)} VMs of {visible(what)} are called {visible(name)}", "name one by its id"
            )
        chosen.update(found)
    if not chosen or chosen == inside:
        raise BadInput(
            f"nothing of {visible(what)} would be left, or nothing split off", "name some of its VMs"
        )
    names = layout.ask.lookup.vms
    refused = torn(layout.ask, inside, chosen)
    mine = [group for group in whole if chosen & set(group.vms)]
    if not refused and not _joined(layout, mine, chosen):
        raise BadInput(
            f"{visible(vms[0])} does not have to move with the rest of {visible(what)} as it is",
            f"move it: wherry plan move {vms[0]!r} WAVE",
        )
    called = ", ".join(names[vm].name if vm in names else vm for vm in vms)  # ids are no words for people
    edit = Edit(Act.SPLIT, what, ends_of(names[vm] for vm in names if vm in chosen), called)
    told = ("both parts stay in their wave until one is moved or the plan is made anew",)
    standing = layout.standing({})
    if refused:
        return Verdict(edit, standing, refused, told)
    refused, laid = _parted(layout, mine)
    return Verdict(edit, standing, refused, told, laid=laid)


def _holding(layout: Layout, what: str, vms: Sequence[str]) -> tuple[MoveGroup, ...]:
    """Return the groups a name means, or the application of that name when only that has all VMs."""
    whole = layout.named(what)
    mine = layout.called.application(what)
    names = layout.ask.lookup.vms

    def known(groups: Sequence[MoveGroup]) -> bool:
        inside = {said for group in groups for vm in group.vms for said in (vm, names[vm].name)}
        return inside.issuperset(vms)

    return mine if not known(whole) and known(mine) else whole


def _parted(layout: Layout, groups: Sequence[MoveGroup]) -> tuple[tuple[str, ...], tuple[Laid, ...]]:
    """Return the caps that break because groups count one by one once they are split off, and the tracks."""
    refused, _, laid = layout.placed({group.name: layout.slot(group) for group in groups})
    return refused, laid


def _joined(layout: Layout, groups: Sequence[MoveGroup], chosen: set[str]) -> bool:
    """True when chosen VMs share a group, or an item, with others."""
    for group in groups:
        number, at = layout.home[group.name]
        mates = {vm for one in layout.tracks[number].built.members[at] for vm in one.vms}
        if mates - chosen:
            return True
    return False
