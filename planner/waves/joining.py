"""Two groups merged in place: their items become one, without building the problem anew.

Groups of one family meet in the item of the first; groups of two families leave theirs for an item of their
own, and the order between items is told anew. None where ties that give way, pilots, pairs apart or whole
networks might make other items of others, too.
"""

from __future__ import annotations

from dataclasses import replace

from planner.model import MoveGroup, Tie
from planner.waves.arrange import Track
from planner.waves.constraints import Kin, kin, order_among
from planner.waves.items import Ask, weigh
from planner.waves.layout import Layout
from planner.waves.parting import part
from planner.waves.traffic import traffic_between

_NOBODY = Kin("", "")  # of no one application


def joined(layout: Layout, first: MoveGroup, second: MoveGroup, whole: MoveGroup, free: Ask) -> Track | None:
    """Return the track of both with ``whole`` in their place, in the slot of ``first``.

    Its items are not settled yet: they have the slots they had. ``free`` is the ask after the merge.
    """
    number, at = layout.home[first.name]
    kins = {kin(group, layout.ask.vms(group)) for group in (first, second)}
    family = len(kins) == 1
    # In one item already, none of its ties of order begins or ends elsewhere than before.
    together = family and layout.home[second.name] == (number, at)
    if not _apart_from_all(layout, first, second, ordered=together or not family):
        return None
    if not layout.families.calm(number, kins):
        return None
    if not family and kin(whole, layout.ask.vms(whole)).application:
        return None  # of another family now, which may share an item with it
    track, own = layout.tracks[number], at
    if not family:
        track, own = _alone(layout, track, at, first)
    other = layout.home[second.name][1]
    if other != own:
        track, other = _alone(layout, track, other, second)
    found = _as_one(layout, track, own, other, (first, second, whole), free)
    return found if family else _ordered(layout, found, whole)


def _apart_from_all(layout: Layout, first: MoveGroup, second: MoveGroup, *, ordered: bool) -> bool:
    """True when no pair apart, pilot or network that moves whole has to do with the two.

    Nor any order, unless they may be ``ordered``.
    """
    waves = layout.ask.settings.waves
    if waves.pilots or waves.pilot_vms or waves.whole_networks or layout.ask.settings.apart:
        return False
    ties = (Tie.APART,) if ordered else (Tie.ORDER, Tie.APART)
    return not any(
        tie.tie in ties for group in (first, second) for vm in group.vms for tie in layout.ties(vm)
    )


def _alone(layout: Layout, track: Track, at: int, group: MoveGroup) -> tuple[Track, int]:
    """Return the track with a group in an item of its own, and the number of that."""
    if len(track.built.members[at]) == 1:
        return track, at
    parted = part(track, at, [group], layout.free, layout.ties)
    return parted, len(parted.built.members) - 1


def _as_one(
    layout: Layout,
    track: Track,
    own: int,
    other: int,
    groups: tuple[MoveGroup, MoveGroup, MoveGroup],
    ask: Ask,
) -> Track:
    """Return the track with item ``other`` gone into ``own``, two groups as the third."""
    first, second, whole = groups
    built, problem = track.built, track.built.problem
    mine = tuple(
        whole if group.name == first.name else group
        for group in built.members[own]
        if group.name != second.name
    )
    gone = None if other == own else other

    def now(at: int) -> int:
        return at if gone is None or at < gone else at - 1

    kept = [at for at in range(len(built.members)) if at != gone]
    members = tuple(mine if at == own else built.members[at] for at in kept)
    items = [weigh(mine, ask) if at == own else problem.items[at] for at in kept]
    home = {vm: at for at, found in enumerate(members) for group in found for vm in group.vms}
    touching = {id(tie): tie for group in mine for vm in group.vms for tie in layout.ties(vm)}
    fresh, near, _ = traffic_between(touching.values(), home, ask.hubs)
    ends = {own, other}
    return replace(
        track,
        assignment=tuple(track.assignment[at] for at in kept),
        built=replace(
            built,
            members=members,
            problem=replace(
                problem,
                items=tuple(items),
                traffic=(
                    *(
                        (now(a), now(b), carried)
                        for a, b, carried in problem.traffic
                        if not (a in ends or b in ends)
                    ),
                    *fresh,
                ),
                latency=(
                    *((now(a), now(b)) for a, b in problem.latency if not (a in ends or b in ends)),
                    *near,
                ),
                order=tuple(
                    replace(tie, before=now(tie.before), after=now(tie.after))
                    for tie in problem.order
                    if gone not in (tie.before, tie.after)
                ),
                apart=tuple(
                    replace(pair, a=min(now(pair.a), now(pair.b)), b=max(now(pair.a), now(pair.b)))
                    for pair in problem.apart
                ),
                last=None if problem.last is None else tuple(problem.last[at] for at in kept),
            ),
        ),
    )


def _ordered(layout: Layout, track: Track, whole: MoveGroup) -> Track | None:
    """Return the track with the order between its items; None where that might have to give way.

    Two families lose a group each, which changes what comes next in theirs. Ties that the plan keeps are no
    circle, so that none of them is dropped.
    """
    order = order_among(
        track.built.members,
        lambda group: _NOBODY if group is whole else layout.families.kin_of(group),
        layout.order_ties,
        layout.ask.settings,
    )
    at = track.assignment
    if order is None or any(at[tie.before] + tie.lag > at[tie.after] for tie in order):
        return None
    problem = replace(track.built.problem, order=order)
    return replace(track, built=replace(track.built, problem=problem))
