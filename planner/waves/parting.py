"""One item parted in two, without building the problem anew: some of its groups become an item of their own.

What the parts weigh, may have and are tied to is worked out again for them alone; everything else stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from planner.errors import BadInput
from planner.groups import hard_edges
from planner.model import Dependency, MoveGroup, Tie
from planner.names import visible
from planner.waves.arrange import Track
from planner.waves.building import Built
from planner.waves.constraints import kin
from planner.waves.items import Ask, placed, weigh
from planner.waves.problem import Item, Order
from planner.waves.traffic import traffic_between
from planner.waves.words import rank

Ties = Callable[[str], Sequence[Dependency]]  # the dependencies of a VM
Members = Sequence[MoveGroup]


def _refuse_whole_network(rest: Members, parted: Members, ask: Ask) -> None:
    whole = set(ask.settings.waves.whole_networks)
    mine, theirs = (
        {nic.network for group in side for vm in ask.vms(group) for nic in vm.nics} & whole
        for side in (rest, parted)
    )
    if shared := sorted(mine & theirs):
        raise BadInput(
            f"{visible(parted[0].name)} cannot be parted from {visible(rest[0].name)}: network "
            f"{visible(shared[0])} moves whole",
            "take it out of waves.whole_networks in the settings first",
        )


def _item(groups: Members, whole: Item, was: Item, ask: Ask, built: Built) -> Item:
    """Return a part; what held the whole back beyond its own tasks and freezes holds its parts back too."""
    windows = [window for window in built.windows if window]
    item = placed(weigh(groups, ask), groups, ask, windows, len(built.problem.slots), was.pinned)
    floor = was.earliest if was.earliest > whole.earliest else 0
    allowed = item.allowed
    if was.allowed is not None and was.allowed != whole.allowed:  # waves that take nobody else
        everywhere = frozenset(range(len(built.problem.slots)))
        closed = (whole.allowed if whole.allowed is not None else everywhere) - was.allowed
        allowed = (allowed if allowed is not None else everywhere) - closed
    return replace(item, earliest=max(item.earliest, floor), allowed=allowed, pilot=was.pilot)


def _wished(a: Members, b: Members, ask: Ask) -> bool:
    """True when the order of environments puts ``a`` before ``b``."""
    order = ask.settings.waves.environments
    for one in a:
        for other in b:
            first, then = kin(one, ask.vms(one)), kin(other, ask.vms(other))
            places = rank(first.environment, order), rank(then.environment, order)
            if first.application and first.application == then.application and None not in places:
                return places[0] != places[1]
    return False


def _needed(a: Members, b: Members, ties: Ties) -> bool:
    """True when a VM of ``b`` needs one of ``a`` to be there before."""
    first = {vm for group in a for vm in group.vms}
    return any(
        item.tie is Tie.ORDER and item.source == vm and item.target in first
        for group in b
        for vm in group.vms
        for item in ties(vm)
    )


def _orders(built: Built, at: int, parts: Mapping[int, Members], ask: Ask, ties: Ties) -> Iterable[Order]:
    for order in built.problem.order:
        if at not in (order.before, order.after):
            yield order
            continue
        other = order.after if order.before == at else order.before
        pairs = [
            (number, other, mine, built.members[other])
            if order.before == at
            else (other, number, built.members[other], mine)
            for number, mine in parts.items()
        ]
        firm = [pair for pair in pairs if _needed(pair[2], pair[3], ties)]
        kept = [pair for pair in pairs if pair in firm or _wished(pair[2], pair[3], ask)]
        # A tie nobody can tell the end of holds for both parts.
        for pair in kept or pairs:
            yield Order(pair[0], pair[1], order.lag, order.why)


def part(track: Track, at: int, groups: Members, ask: Ask, ties: Ties) -> Track:
    """Return the track with ``groups`` of item ``at`` as its last item, in the same slot.

    ``ties`` are the dependencies of a VM. Raises BadInput when a network that moves whole holds them.
    """
    built, problem = track.built, track.built.problem
    names = {group.name for group in groups}
    rest = tuple(group for group in built.members[at] if group.name not in names)
    mine = tuple(group for group in built.members[at] if group.name in names)
    _refuse_whole_network(rest, mine, ask)
    number = len(problem.items)
    was = problem.items[at]
    windows = [window for window in built.windows if window]
    whole = placed(was, built.members[at], ask, windows, len(problem.slots), None)
    parts: dict[int, Members] = {at: rest, number: mine}
    members = (*built.members[:at], rest, *built.members[at + 1 :], mine)
    items = list(problem.items)
    items[at] = _item(rest, whole, was, ask, built)
    items.append(_item(mine, whole, was, ask, built))
    home = {vm: of for of, found in enumerate(members) for group in found for vm in group.vms}
    touching = [tie for found in parts.values() for group in found for vm in group.vms for tie in ties(vm)]
    fresh, near, _ = traffic_between({id(tie): tie for tie in touching}.values(), home, ask.hubs)
    apart = [
        replace(pair, a=number) if pair.a == at else replace(pair, b=number)
        for pair in problem.apart
        if at in (pair.a, pair.b)
    ]
    return replace(
        track,
        assignment=(*track.assignment, track.assignment[at]),
        built=replace(
            built,
            members=members,
            problem=replace(
                problem,
                items=tuple(items),
                traffic=(*(tie for tie in problem.traffic if at not in tie[:2]), *fresh),
                latency=(*(pair for pair in problem.latency if at not in pair), *near),
                order=tuple(_orders(built, at, parts, ask, ties)),
                apart=(*problem.apart, *apart),
                last=None if problem.last is None else (*problem.last, problem.last[at]),
            ),
        ),
    )


def torn(ask: Ask, inside: Collection[str], chosen: Collection[str]) -> tuple[str, ...]:
    """Return the hard ties that run between ``chosen`` and the rest of ``inside`` (ids), as sentences."""
    names = ask.lookup.vms
    mine = replace(ask.inventory, vms=tuple(vm for vm in ask.inventory.vms if vm.id in inside))
    return tuple(
        dict.fromkeys(
            f"{visible(names[edge.source].name)} and {visible(names[edge.target].name)} must move "
            f"together: {visible(edge.reason)}"
            for edge in hard_edges(mine, inside, ask.hubs)
            if (edge.source in chosen) != (edge.target in chosen)
        )
    )
