"""Pilots: the few VMs that go first, so that rates and habits are known before anything matters.

A person names them, or they are the groups of least risk: whole groups that wait for nobody, not of
production where others are, small ones first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.model import MoveGroup
from planner.names import visible
from planner.waves.constraints import kin
from planner.waves.items import Ask
from planner.waves.order import order_ties
from planner.waves.pins import named_groups
from planner.waves.words import criticality


def _rank(group: MoveGroup, ask: Ask) -> tuple[bool, int, float, int, int, str]:
    vms = ask.vms(group)
    return (
        kin(group, vms).environment == "prod",
        ask.lookup.risk(group),
        max(criticality(vm.criticality) for vm in vms),
        len(vms),
        sum(volume.size_bytes for volume in ask.lookup.volumes(group)),
        visible(group.name),
    )


def pilots(groups: Sequence[MoveGroup], ask: Ask, pins: Mapping[str, int]) -> frozenset[str]:
    """Return the names of the groups that go first; raises BadInput for a pilot that is in no group.

    The shared services have none: they move last. Groups in ``pins`` are not chosen by us.
    """
    said = ask.settings.waves
    if ask.first or not (said.pilots or said.pilot_vms):
        return frozenset()
    if said.pilots:
        names = ask.names
        wanted = {group.name for what in said.pilots for group in named_groups(what, ask.everyone, names)}
        return frozenset(wanted & {group.name for group in groups})
    waiting = {later for later, _ in order_ties(groups, ask.inventory.dependencies)}
    chosen: list[str] = []
    left = said.pilot_vms
    for group in sorted(groups, key=lambda group: _rank(group, ask)):
        if group.name not in waiting and group.name not in pins and len(group.vms) <= left:
            chosen.append(group.name)
            left -= len(group.vms)
    return frozenset(chosen)


def pilot_notes(ask: Ask) -> tuple[str, ...]:
    """Return one sentence for each pilot the settings name that cannot go first."""
    return tuple(
        f"{visible(what)} is a shared service: it moves last, and is no pilot"
        for what in ask.settings.waves.pilots
        if any(group.shared_services for group in named_groups(what, ask.everyone, ask.names))
    )
