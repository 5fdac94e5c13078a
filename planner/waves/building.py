"""From groups to the wave problem: what each item weighs, may have and is tied to.

    groups ──share──▶ items ──weights, pins, freezes, tasks──▶ Problem + who stands for which number

Slots are the open windows of the calendar and as many undated ones behind them as any plan could need.
What the inventory does not say weighs nothing, and is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planner.errors import BadInput
from planner.model import MoveGroup, Tie
from planner.names import visible
from planner.settings import Window
from planner.units import show_count
from planner.waves.calendar import calendar
from planner.waves.constraints import Shares, share
from planner.waves.hand import Hand
from planner.waves.items import Ask, Before, fit_together, placed, weigh
from planner.waves.pilots import pilots
from planner.waves.pins import named_groups, pinned_slots, refuse_contradictions, wave_name
from planner.waves.problem import Apart, Assignment, Caps, Item, Problem
from planner.waves.supply import line_of, room, slot_caps, slots_of
from planner.waves.traffic import traffic_between


@dataclass(frozen=True, slots=True)
class Built:
    """A problem, and which groups and windows its numbers stand for."""

    problem: Problem
    members: tuple[tuple[MoveGroup, ...], ...]
    windows: tuple[Window | None, ...]  # by slot
    dropped: tuple[tuple[str, str], ...]  # order ties nobody can keep: (later group, earlier group)
    notes: tuple[str, ...]

    def groups(self, assignment: Assignment, slot: int) -> tuple[MoveGroup, ...]:
        """Return the groups of a slot."""
        return tuple(
            group for at, here in enumerate(assignment) if here == slot for group in self.members[at]
        )


def _largest(shares: Sequence[tuple[tuple[str, int], ...]]) -> int:
    total: Counter[str] = Counter()
    for amounts in shares:
        total.update(dict(amounts))
    return max(total.values(), default=0)


def _undated(items: Sequence[Item], caps: Caps, chain: int) -> int:
    """Return how many slots are enough for first fit, whatever the windows are like."""
    alone = 0
    asked = 0.0
    for cap, takes in (
        (caps.vms, [item.vms for item in items]),
        (caps.size_bytes, [item.size_bytes for item in items]),
        (caps.engineer_h, [item.engineer_h for item in items]),
    ):
        if cap:
            alone += sum(one > cap for one in takes)
            asked += sum(one for one in takes if one <= cap) / cap
    for cap, total in (
        (caps.cutovers, sum(item.groups for item in items)),
        (caps.items_per_owner, _largest([item.by_owner for item in items])),
        (caps.items_per_team, _largest([item.by_team for item in items])),
        (caps.bytes_per_datastore, _largest([item.datastores for item in items])),
        (caps.disks_per_host, _largest([item.hosts for item in items])),
    ):
        asked += total / cap if cap else 0.0
    # First fit fills every slot but the last at least by half, in one cap or another.
    return min(len(items), round(2 * asked) + alone) + chain + 2


def _chain(shares: Shares) -> int:
    import networkx

    graph = networkx.DiGraph()
    graph.add_edges_from((tie.before, tie.after) for tie in shares.order)
    return int(networkx.dag_longest_path_length(graph)) + 1


def _apart(ask: Ask, members: Sequence[Sequence[MoveGroup]]) -> list[Apart]:
    """Return the pairs of items the settings keep apart; raises BadInput for one that cannot be."""
    home = {group.name: at for at, found in enumerate(members) for group in found}
    pairs: list[Apart] = []
    for pair in ask.settings.apart:
        ends = []
        for end in (pair.a, pair.b):
            mine = [group for group in ask.everyone if any(vm.application == end for vm in ask.vms(group))]
            found = mine or named_groups(end, ask.everyone, ask.names)
            ends.append({home[group.name] for group in found if group.name in home})
        if shared := ends[0] & ends[1]:
            both = visible(members[min(shared)][0].name)
            raise BadInput(
                f"{visible(pair.a)} and {visible(pair.b)} are to be kept apart, and both move with {both}",
                "end the pair",
            )
        why = visible(pair.why or f"{pair.a} and {pair.b} are to be kept apart")
        pairs += [Apart(min(a, b), max(a, b), why) for a in sorted(ends[0]) for b in sorted(ends[1])]
    return pairs


def _told_apart(ask: Ask, members: Sequence[Sequence[MoveGroup]]) -> tuple[list[Apart], list[str]]:
    """Return the pairs that a person's word on two VMs keeps apart, and notes on words nobody can keep."""
    home = {vm: at for at, found in enumerate(members) for group in found for vm in group.vms}
    pairs: dict[tuple[int, int], Apart] = {}
    notes: list[str] = []
    for item in ask.inventory.dependencies:
        if item.tie is not Tie.APART or item.source == item.target:
            continue
        a, b = home.get(item.source), home.get(item.target)
        if a is None or b is None:
            continue
        names = " and ".join(visible(ask.lookup.vms[end].name) for end in (item.source, item.target))
        if a == b:
            notes.append(
                f"{names} are to be kept apart, and hard ties move them together: drop one of the ties"
            )
        else:
            pair = (min(a, b), max(a, b))
            pairs[pair] = Apart(*pair, f"{names} are to be kept apart")
    return [pairs[pair] for pair in sorted(pairs)], sorted(set(notes))


def _kept_apart(groups: Sequence[MoveGroup], ask: Ask) -> set[str]:
    """Return the names of the groups that a pair keeps apart from others."""
    ends = {end for pair in ask.settings.apart for end in (pair.a, pair.b)}
    ends |= {
        end
        for item in ask.inventory.dependencies
        if item.tie is Tie.APART
        for end in (item.source, item.target)
    }
    return {
        group.name
        for group in groups
        if ends and (group.name in ends or any({vm.id, vm.name} & ends for vm in ask.vms(group)))
    }


def _last(members: Sequence[Sequence[MoveGroup]], before: Before | None, slots: int) -> Assignment | None:
    if before is None:
        return None
    said = [before.slot_of.get(found[0].vms[0], -1) for found in members]
    return tuple(slot if slot < slots else -1 for slot in said)


def _frozen(groups: Sequence[MoveGroup], before: Before | None) -> dict[str, int]:
    """Return group name → slot for the groups whose wave is under way."""
    if before is None or not before.frozen:
        return {}
    return {
        group.name: before.slot_of[vm]
        for group in groups
        for vm in group.vms
        if vm in before.frozen and vm in before.slot_of
    }


def _by_hand(pins: Mapping[str, int], fixed: Mapping[str, int], hand: Hand) -> dict[str, int]:
    """Return group name → slot of people's edits; raises BadInput for one that a pin or a run forbids."""
    for name, slot in hand.pins.items():
        for others, why in ((pins, "is pinned to"), (fixed, "is under way in")):
            if (other := others.get(name, slot)) != slot:
                raise BadInput(
                    f"{hand.said[name]} can no longer hold: {visible(name)} {why} {wave_name(other)}",
                    "take the edit back ('wherry plan undo' once it is saved), or move the pin",
                )
    return hand.pins


@dataclass(frozen=True, slots=True)
class Pins:
    """Group name → slot: of the settings, of waves under way, and both with people's edits."""

    said: Mapping[str, int]
    fixed: Mapping[str, int]
    everything: Mapping[str, int]


def pins_of(ask: Ask) -> Pins:
    """Return what holds groups in a slot; raises BadInput for what contradicts itself."""
    fixed = _frozen(ask.everyone, ask.before)
    most = len(calendar(ask.settings).windows) + len(ask.everyone) + 2
    said = pinned_slots(ask.everyone, ask.names, ask.settings, most)
    return Pins(said, fixed, {**said, **_by_hand(said, fixed, ask.hand), **fixed})


def _part(group: MoveGroup, ask: Ask, pins: Mapping[str, int]) -> tuple[str, int]:
    """Return what keeps groups of one application apart: a person's word, or where they stand or have to."""
    slot = ask.standing[group.vms[0]] if ask.standing else pins.get(group.name, -1)
    return ask.hand.parts.get(group.name, ""), slot


def item_pins_of(members: Sequence[Sequence[MoveGroup]], pins: Mapping[str, int]) -> list[int | None]:
    """Return the slot that holds each item, None for none; raises BadInput for one that two hold."""
    found: list[int | None] = []
    for groups in members:
        said = sorted({pins[group.name] for group in groups if group.name in pins})
        if len(said) > 1:
            raise BadInput(
                f"{visible(groups[0].name)} is pinned to {len(said)} waves through VMs that move together",
                "keep one of the pins",
            )
        found.append(said[0] if said else None)
    return found


def build_problem(groups: Sequence[MoveGroup], ask: Ask) -> Built:
    """Return the problem of ``groups``; raises BadInput for settings that contradict one another."""
    windows = calendar(ask.settings).windows
    pins = pins_of(ask)
    said, fixed = pins.said, pins.fixed
    # A pilot whose wave was locked is one still.
    going_first = pilots(groups, ask, {**said, **ask.hand.moved, **fixed})
    tied = {*said, *going_first, *_kept_apart(groups, ask)}
    placed_by = {**ask.hand.pins, **fixed}
    shares = share(
        groups,
        ask.vms,
        ask.inventory.dependencies,
        ask.settings,
        lambda found: fit_together(found, ask),
        lambda group: group.name not in tied,
        lambda group: _part(group, ask, placed_by),
    )
    weights = [weigh(found, ask) for found in shares.members]
    item_pins = item_pins_of(shares.members, pins.everything)
    caps = slot_caps(ask.settings)
    highest = max((slot for slot in item_pins if slot is not None), default=-1) + 1
    highest = max(highest, *(slot + 1 for slot in ask.standing.values())) if ask.standing else highest
    floor = max(len(windows), ask.first, highest)
    count = floor - len(windows) + _undated(weights, caps, _chain(shares))
    slots = slots_of(windows, count, caps, ask.settings.waves.exit)
    told, unkept = _told_apart(ask, shares.members)
    apart = [*_apart(ask, shares.members), *told]
    refuse_contradictions(
        item_pins, shares.order, [(pair.a, pair.b) for pair in apart], lambda at: visible(weights[at].name)
    )
    items = settled(weights, shares.members, item_pins, ask, windows, len(slots), going_first, fixed)
    home = {vm: at for at, found in enumerate(shares.members) for group in found for vm in group.vms}
    traffic, latency, unmeasured = traffic_between(ask.inventory.dependencies, home, ask.hubs)
    notes = [*shares.notes, *unkept]
    if unmeasured and len(traffic):
        notes.append(
            f"{show_count(unmeasured, 'tie')} between groups {'was' if unmeasured == 1 else 'were'} never "
            "measured; each counts as 1 MB a day"
        )
    return Built(
        Problem(
            items=tuple(items),
            slots=slots,
            traffic=traffic,
            latency=latency,
            order=shares.order,
            apart=tuple(apart),
            link=line_of(ask.settings, windows, ask.first, ask.rates.link_bytes_s if ask.rates else None),
            room=room(ask.settings, ask.target),
            last=_last(shares.members, ask.before, len(slots)),
        ),
        shares.members,
        (*windows, *([None] * count)),
        shares.dropped,
        tuple(notes),
    )


def settled(
    weights: Sequence[Item],
    members: Sequence[Sequence[MoveGroup]],
    pins: Sequence[int | None],
    ask: Ask,
    windows: Sequence[Window],
    slots: int,
    first: frozenset[str],
    fixed: Mapping[str, int],
) -> list[Item]:
    """Return what items weigh with the slots each may have.

    ``pins`` are by item, ``first`` the names of pilots, ``fixed`` the slots of groups that are under way.
    """
    items = [placed(weights[at], found, ask, windows, slots, pins[at]) for at, found in enumerate(members)]
    items = _pilots_first(items, members, first)
    return _alone(items, sorted({*fixed.values(), *ask.hand.locked}), slots)


def _pilots_first(
    items: Sequence[Item], members: Sequence[Sequence[MoveGroup]], first: frozenset[str]
) -> list[Item]:
    """Return the items with pilots marked; everybody else comes after them."""
    if not first:
        return list(items)
    mine = [any(group.name in first for group in found) for found in members]
    slot = max(
        items[at].earliest if (pinned := items[at].pinned) is None else pinned
        for at, pilot in enumerate(mine)
        if pilot
    )
    return [
        replace(item, pilot=True, earliest=slot, allowed=frozenset({slot}))
        if pilot
        else replace(item, earliest=max(item.earliest, slot + 1))
        for item, pilot in zip(items, mine, strict=True)
    ]


def _alone(items: Sequence[Item], taken: Sequence[int], slots: int) -> list[Item]:
    """Return the items kept out of the slots of waves that are under way, but for what is in them."""
    if not taken:
        return list(items)
    free = frozenset(range(slots)) - set(taken)
    return [
        item
        if item.pinned in taken
        else replace(item, allowed=free if item.allowed is None else item.allowed & free)
        for item in items
    ]
