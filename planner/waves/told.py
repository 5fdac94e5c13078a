"""What is good to know of groups that move by hand: who comes along, who stays, which ties cross the line."""

from __future__ import annotations

from collections.abc import Sequence

from planner.model import Dependency, MoveGroup, Tie
from planner.names import visible
from planner.units import show_count
from planner.waves.layout import Layout
from planner.waves.pins import wave_name

_NAMED = 8


def told(layout: Layout, groups: Sequence[MoveGroup], slot: int) -> tuple[str, ...]:
    """Return what is to be known of ``groups`` that all move into one slot."""
    names = {group.name for group in groups}
    vms = {vm for group in groups for vm in group.vms}
    said = [
        f"{visible(group.name)} moves whole: {show_count(len(group.vms), 'VM')}"
        for group in groups
        if len(group.vms) > 1
    ][:_NAMED]
    left: dict[str, set[int]] = {}
    for group in groups:
        number, at = layout.home[group.name]
        others = [one for one in layout.tracks[number].built.members[at] if one.name not in names]
        if others and (application := layout.ask.lookup.vms[group.vms[0]].application):
            left.setdefault(application, set()).update(layout.slot(one) for one in others)
    said += [
        f"the rest of {visible(application)} stays in {', '.join(map(wave_name, sorted(slots)))}"
        for application, slots in sorted(left.items())
    ]
    apart = {
        frozenset((tie.source, tie.target))
        for vm in vms
        for tie in layout.ties(vm)
        if tie.tie is Tie.SOFT and not {tie.source, tie.target} <= vms and _parts(layout, tie, vms, slot)
    }
    if apart:
        said.append(f"{show_count(len(apart), 'soft tie')} between VMs will cross the line for a while")
    if not layout.tracks[0].built.windows[slot]:
        said.append(f"{wave_name(slot)} has no window yet")
    return tuple(said)


def _parts(layout: Layout, tie: Dependency, vms: set[str], slot: int) -> bool:
    """True when a tie runs inside one slot now, and one end leaves it."""
    other = layout.group_of(tie.target if tie.source in vms else tie.source)
    mine = layout.group_of(tie.source if tie.source in vms else tie.target)
    return other is not None and mine is not None and layout.slot(other) == layout.slot(mine) != slot
