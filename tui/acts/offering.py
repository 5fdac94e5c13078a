"""What else would do: waves that take groups which another refused, and moves that break less than there is.

Trying a wave costs what an edit costs, so they are tried a slice at a time, the nearest first: who asks can
stop in between, and an edit never waits long for an offer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planner.model import MoveGroup
    from planner.waves.desk import Desk
    from planner.waves.verdict import Verdict

_SLICE = 4  # waves tried at once
_REACH = 32  # waves tried in all
Places = list[tuple["MoveGroup", int]]
Offers = list[tuple[dict[str, Any], "Verdict"]]


def whole(desk: Desk, what: Sequence[str]) -> list[MoveGroup]:
    """Return the groups that names, VM ids and applications mean, each once; raises NotFound, BadInput."""
    return list({group.name: group for said in what for group in desk.named(said)}.values())


def called(desk: Desk, what: str) -> str:
    """Return the name of the group that a VM's id means, for people to read; what is else said stays.

    So does an id whose group shares its name with another one.
    """
    from planner.errors import WherryError

    group = desk.group_of(what)
    if group is None:
        return what
    try:
        return group.name if desk.named(group.name) == (group,) else what
    except WherryError:
        return what


def places(desk: Desk, what: Sequence[str], wave: str | None, by: int) -> Places:
    """Return where groups go: all into a wave, or each by so many waves."""
    groups = whole(desk, what)
    if wave is not None:
        slot = desk.wave(wave, what[0])
        return [(group, slot) for group in groups]
    return [(group, desk.slot(group) + by) for group in groups]


def empty_slots(desk: Desk, what: Sequence[str]) -> list[int]:
    """Return the slots that hold nobody, first those behind the groups, then those before them."""
    groups = whole(desk, what)
    here = max(desk.slot(group) for group in groups)
    taken = {slot for track in desk.tracks for slot in track.assignment}
    empty = [slot for slot in range(_slots(desk)) if slot not in taken]
    return sorted(empty, key=lambda slot: (slot < here, abs(slot - here)))


def _slots(desk: Desk) -> int:
    return min(len(track.built.problem.slots) for track in desk.tracks)


def _near(slot: int, most: int) -> Iterator[int]:
    """Yield the slots around one, the nearest first and of two the later."""
    for far in range(1, most):
        yield from (found for found in (slot + far, slot - far) if 0 <= found < most)


def elsewhere(desk: Desk, wanted: Places, begin: int) -> tuple[Offers, int | None]:
    """Return the waves of one slice that take all the groups together, and where the next slice begins."""
    groups = [group for group, _ in wanted]
    around = list(_near(wanted[0][1], _slots(desk)))[:_REACH]
    found: Offers = []
    for slot in around[begin : begin + _SLICE]:
        if all(desk.slot(group) == slot for group in groups):
            continue
        verdict = desk.shift([(group, slot) for group in groups])
        if not verdict.refused:
            found.append((_fix(groups, slot), verdict))
    after = begin + _SLICE
    return found, after if after < len(around) else None


def _fix(groups: Sequence[MoveGroup], slot: int) -> dict[str, Any]:
    """Return a move as it is offered; groups are told by a VM of theirs, since names may stand twice."""
    from planner.waves.pins import wave_name

    return {
        "groups": [group.vms[0] for group in groups],
        "names": [group.name for group in groups],
        "wave": wave_name(slot),
    }


def mending(desk: Desk, wave: str, begin: int) -> tuple[Offers, int | None]:
    """Return the moves of one slice after which less is broken, and where the next slice begins.

    Tried is each item that has a part in what the wave breaks, in the waves around its own.
    """
    from planner.waves.pins import slot_named

    slot = slot_named(wave)
    tries = [
        (group, at)
        for group in _at_fault(desk, slot)
        for at in list(_near(desk.slot(group[0]), _slots(desk)))[:_SLICE]
    ][:_REACH]
    found: Offers = []
    for groups, at in tries[begin : begin + _SLICE]:
        verdict = desk.shift([(group, at) for group in groups])
        if not verdict.refused and verdict.delta.violations < 0:
            found.append((_fix(groups, at), verdict))
    after = begin + _SLICE
    return found, after if after < len(tries) else None


def _at_fault(desk: Desk, slot: int | None) -> list[tuple[MoveGroup, ...]]:
    """Return the groups of each item with a part in a rule that is broken in a slot, the smallest first."""
    found: dict[tuple[int, int], tuple[MoveGroup, ...]] = {}
    for number, (track, was) in enumerate(zip(desk.tracks, desk.was, strict=True)):
        for one in was.held:
            if any(track.assignment[at] == slot for at in one.items):
                found.update(((number, at), track.built.members[at]) for at in one.items)
    return sorted(found.values(), key=lambda groups: sum(len(group.vms) for group in groups))
