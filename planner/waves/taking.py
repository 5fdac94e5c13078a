"""The desk after an accepted edit, made from the one before it instead of laid out anew.

    moves, splits ──items parted──┐
    merges ──────── items joined ─┼──▶ the next desk      what it does not touch is shared with the one before
    locks ───────── pins alone ───┘

Where more than that would change, there is no such desk: None, and the plan has to be laid out anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from planner.edits import Act, Edit
from planner.model import MoveGroup
from planner.names import visible
from planner.waves.arrange import Track
from planner.waves.building import Pins, item_pins_of, pins_of, settled
from planner.waves.constraints import kin
from planner.waves.desk import Desk
from planner.waves.hand import Hand
from planner.waves.items import Ask
from planner.waves.joining import joined
from planner.waves.layout import free_of
from planner.waves.moved import standing, standing_held
from planner.waves.pins import refuse_contradictions
from planner.waves.verdict import Verdict

Groups = tuple[MoveGroup, ...]


def after_moves(desk: Desk, verdict: Verdict, edits: Sequence[Edit]) -> Desk | None:
    """Return the desk once moves are made; ``edits`` are those of the verdict, with their numbers."""
    said = {group: edit for edit in edits for end in edit.vms if (group := desk.group_of(end.id))}
    if any(group.shared_services for group in said):
        return None
    slots = {group.name: verdict.standing[group.vms[0]] for group in said}
    parts = {group.name: edit.part for group, edit in said.items()}
    hand = desk.ask.hand.with_moves(slots, parts, {group.name: one.said for group, one in said.items()})
    return _parted(desk, verdict, list(slots), replace(desk.ask, hand=hand, standing=verdict.standing))


def after(desk: Desk, verdict: Verdict, edit: Edit, groups: Groups, hand: Hand) -> Desk | None:
    """Return the desk once something is locked, unlocked, split or merged.

    ``groups`` and ``hand`` are what all edits come to, this one included. Raises BadInput when it and an
    earlier one cannot both hold.
    """
    ask = replace(desk.ask, hand=hand, standing=verdict.standing)
    if edit.act is Act.MERGE:
        return _merged(desk, edit, groups, ask)
    if groups != desk.ask.everyone:  # a merge that falls apart again
        return None
    if edit.act is Act.SPLIT:
        mine = {group.name: group for end in edit.vms if (group := desk.group_of(end.id))}
        services = any(group.shared_services for group in mine.values())
        return None if services else _parted(desk, verdict, list(mine), ask)
    return _held(desk, ask)


def _parted(desk: Desk, verdict: Verdict, names: Sequence[str], ask: Ask) -> Desk | None:
    """Return the desk with the tracks of a verdict, the groups called ``names`` parted from their items."""
    found = copy(desk)
    found.ask, found.free = ask, free_of(ask)
    found.tracks, found.was, found.home = list(desk.tracks), list(desk.was), dict(desk.home)
    for number, track, then in verdict.laid:
        before = desk.tracks[number]
        mine = [name for name in names if desk.home[name][0] == number]
        if not desk.families.keep(number, before, track, mine, ask, desk.ties):
            return None
        found.tracks[number], found.was[number] = track, then
        for at in range(len(before.built.members), len(track.built.members)):
            found.home.update((group.name, (number, at)) for group in track.built.members[at])
    return found if _last_plain(desk) == _last_plain(found) else None


def _last_plain(desk: Desk) -> int:
    """Return the last slot of groups that are no services, which those come behind; -1 without any."""
    services = {group.name for group in desk.ask.everyone if group.shared_services}
    if not services:
        return -1
    plain = (desk.slot(one) for one in desk.ask.everyone if one.name not in services)
    return max(plain, default=-1)


def _settled(track: Track, ask: Ask, first: int, pins: Pins, only: int | None = None) -> Track:
    """Return the track with the slots its items may have under ``ask``, or ``only`` one of them.

    Raises BadInput for a clash.
    """
    built, problem = track.built, track.built.problem
    own = item_pins_of(built.members, pins.everything)
    apart = [(pair.a, pair.b) for pair in problem.apart]
    refuse_contradictions(own, problem.order, apart, lambda at: visible(problem.items[at].name))
    pilots = frozenset(
        group.name
        for item, members in zip(problem.items, built.members, strict=True)
        if item.pilot
        for group in members
    )
    windows = [window for window in built.windows if window]
    chosen = range(len(problem.items)) if only is None else (only,)
    found = settled(
        [problem.items[at] for at in chosen],
        [built.members[at] for at in chosen],
        [own[at] for at in chosen],
        replace(ask, first=first),
        windows,
        len(problem.slots),
        pilots,
        pins.fixed,
    )
    items = dict(enumerate(problem.items)) | dict(zip(chosen, found, strict=True))
    return replace(track, built=replace(built, problem=replace(problem, items=tuple(items.values()))))


def _held(desk: Desk, ask: Ask) -> Desk:
    """Return the desk with other waves locked: nobody moves, and each item may have other slots."""
    found = copy(desk)
    found.ask, found.free = ask, free_of(ask)
    found.tracks, found.was = [], []
    pins = pins_of(found.free)
    first = ask.first
    for track, was in zip(desk.tracks, desk.was, strict=True):
        laid = _settled(track, found.free, first, pins)
        found.tracks.append(laid)
        found.was.append(standing_held(was, laid.built.problem))
        first = max(first, *(slot + 1 for slot in track.assignment))
    return found


def _merged(desk: Desk, edit: Edit, groups: Groups, ask: Ask) -> Desk | None:
    """Return the desk with two groups as one, when nobody else's item changes by that."""
    first, second = (desk.group_of(ends[0].id) for ends in (edit.vms, edit.partners))
    if first is None or second is None or first.shared_services or second.shared_services:
        return None
    whole = next((group for group in groups if group.name == first.name), None)
    if whole is None or groups != _without(desk.ask.everyone, first, second, whole):
        return None
    found = copy(desk)
    found.ask = replace(ask, everyone=groups)
    found.free = free_of(found.ask)
    pins = pins_of(found.free)
    if first.name in pins.said or first.name in pins.fixed:
        return None
    number, _ = desk.home[first.name]
    track = None if desk.home[second.name][0] != number else joined(desk, first, second, whole, found.free)
    if track is None:
        return None
    own = next(at for at, members in enumerate(track.built.members) if whole in members)
    track = _settled(track, found.free, ask.first, pins, own)
    found.tracks, found.was = list(desk.tracks), list(desk.was)
    found.tracks[number] = track
    found.was[number] = standing(track.built.problem, track.assignment)
    called = desk.called.merged(groups, (first, second), whole)
    found.find_groups(called, desk.families.kins_but(whole.name))
    kins = {kin(group, ask.vms(group)) for group in (first, second, whole)}
    if not found.families.calm(number, kins):
        return None
    return found if _last_plain(desk) == _last_plain(found) else None


def _without(groups: Groups, first: MoveGroup, second: MoveGroup, whole: MoveGroup) -> Groups:
    return tuple(whole if group is first else group for group in groups if group is not second)
