"""What a screen shows of the groups in one wave of a desk, and what that wave takes as it stands.

A wave that an edit changed has no estimate in the plan yet: it is made here, by the rules of the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.edits import MERGED
from planner.estimate import WaveEstimate, estimate_planned
from planner.model import MoveGroup, Power, Tie, Volume
from planner.waves.boot import boot_batches
from planner.waves.desk import Desk
from planner.waves.pins import wave_name


@dataclass(frozen=True, slots=True)
class Needed:
    """A group that has to be at the target before another one, and where it moves; ``late`` = not before."""

    group: str
    wave: str
    late: bool


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One move group. Names are as they are; ``said`` is the edit by hand that holds it where it is, else
    the one that merged it.

    ``vms`` are (id, name), ``sized`` = all disks are known; a spread is P50 and P95.
    """

    name: str
    vms: tuple[tuple[str, str], ...]
    size_bytes: int
    sized: bool
    application: str
    owner: str
    service: bool
    needs: tuple[Needed, ...]
    downtime_min: tuple[float, float]
    seed_h: tuple[float, float]
    said: str


@dataclass(frozen=True, slots=True)
class Takes:
    """What a wave takes as it stands: P50 and P95."""

    seed_h: tuple[float, float]
    downtime_min: tuple[float, float]


def members(desk: Desk, slot: int) -> tuple[MoveGroup, ...]:
    """Return the groups of a slot, by name."""
    found = [group for track in desk.tracks for group in track.built.groups(track.assignment, slot)]
    return tuple(sorted(found, key=lambda group: (group.name.casefold(), group.name)))


def group_rows(desk: Desk, slot: int) -> tuple[GroupRow, ...]:
    """Return the groups of a slot as rows, by name."""
    return tuple(_row(desk, group, slot) for group in members(desk, slot))


def _row(desk: Desk, group: MoveGroup, slot: int) -> GroupRow:
    lookup = desk.ask.lookup
    vms = [lookup.vms[vm] for vm in group.vms]
    volumes = lookup.volumes(group)
    takes = _estimate(desk, volumes, 1)
    return GroupRow(
        name=group.name,
        vms=tuple((vm.id, vm.name) for vm in vms),
        size_bytes=sum(volume.size_bytes for volume in volumes),
        sized=desk.ask.sized(group),
        application=vms[0].application if len({vm.application for vm in vms}) == 1 else "",
        owner=next((owner for vm in vms if (owner := desk.ask.owner(vm))), ""),
        service=group.shared_services,
        needs=_needed(desk, group, slot),
        downtime_min=(takes.downtime_min.p50, takes.downtime_min.p95),
        seed_h=(takes.seed_h.p50, takes.seed_h.p95),
        said=_said(desk, group),
    )


def _said(desk: Desk, group: MoveGroup) -> str:
    """Return the edit that holds a group in its wave, else the newest that merged it."""
    merged = (item.why.removeprefix(MERGED) for item in group.reasons[::-1] if item.why.startswith(MERGED))
    return desk.ask.hand.said.get(group.name) or next(merged, "")


def _needed(desk: Desk, group: MoveGroup, slot: int) -> tuple[Needed, ...]:
    """Return what has to be there before a group, what comes too late first."""
    inside = set(group.vms)
    found: dict[str, Needed] = {}
    for vm in group.vms:
        for tie in desk.ties(vm):
            if tie.tie is Tie.ORDER and tie.source == vm and tie.target not in inside:
                other = desk.group_of(tie.target)
                if other is not None and other.name != group.name:
                    at = desk.slot(other)
                    found[other.name] = Needed(other.name, wave_name(at), at >= slot)
    return tuple(sorted(found.values(), key=lambda one: (not one.late, one.group.casefold(), one.group)))


def takes(desk: Desk, slot: int) -> Takes:
    """Return what the groups of a slot take together."""
    groups = members(desk, slot)
    lookup = desk.ask.lookup
    inside = [lookup.vms[vm] for group in groups for vm in group.vms]
    running = [vm.id for vm in inside if vm.power is Power.ON]
    known = {vm.id for vm in inside}
    ties = {id(tie): tie for vm in known for tie in desk.ties(vm) if {tie.source, tie.target} <= known}
    batches, _ = boot_batches(running, ties.values(), {vm.id: vm.name for vm in inside})
    found = _estimate(desk, [volume for group in groups for volume in lookup.volumes(group)], len(batches))
    return Takes(
        (found.seed_h.p50, found.seed_h.p95),
        (found.downtime_min.p50, found.downtime_min.p95),
    )


def _estimate(desk: Desk, volumes: Sequence[Volume], batches: int) -> WaveEstimate:
    ask = desk.ask
    return estimate_planned(volumes, ask.settings, batches, ask.rates)
