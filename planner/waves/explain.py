"""Why a group moves in its wave and not in an earlier one, and what the nearest other waves would cost.

Each earlier slot is tried: the group is put there alone, and every rule that breaks is a sentence. A slot in
which nothing breaks is told with what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.model import MoveGroup
from planner.names import visible
from planner.waves.arrange import Track
from planner.waves.calendar import overlaps
from planner.waves.items import Ask
from planner.waves.moved import Delta, Standing, changed
from planner.waves.pins import wave_name
from planner.waves.verify import Violation


@dataclass(frozen=True, slots=True)
class Tried:
    """A wave that was tried: what breaks in it, empty when it would do, and how the score changes."""

    slot: int
    wave: str
    why: tuple[str, ...]
    delta: Delta


@dataclass(frozen=True, slots=True)
class Why:
    """Why a group stands where it does.

    ``with_it`` are groups of its application that share its place; ``held`` is what keeps it here whatever
    else is free; ``earlier`` and ``later`` the nearest waves that would do, None when there is none.
    """

    group: MoveGroup
    with_it: tuple[str, ...]
    slot: int
    wave: str
    held: tuple[str, ...]
    tried: tuple[Tried, ...]
    earlier: Tried | None
    later: Tried | None


def shown_slot(track: Track, slot: int) -> str:
    """Return what a slot is called: ``W03 of 2026-10-17 22:00 UTC``."""
    slots = track.built.problem.slots
    return slots[slot].name if slot < len(slots) and slots[slot].name else wave_name(slot)


def _under_way(ask: Ask, slot: int) -> bool:
    before = ask.before
    return before is not None and any(before.slot_of.get(vm) == slot for vm in before.frozen)


def _closed(track: Track, ask: Ask, at: int, slot: int) -> str:
    """Return why an item may not move in a slot that its list of slots leaves out."""
    where = shown_slot(track, slot)
    groups = track.built.members[at]
    name = visible(track.built.problem.items[at].name)
    if slot in ask.hand.locked:
        return f"{where} is locked by hand and takes nobody else"
    if _under_way(ask, slot):
        return f"{where} is under way and takes nobody else"
    names = {group.name for group in groups}
    for vm in (vm for group in groups for vm in ask.vms(group)):
        names |= {vm.id, vm.name, vm.application, ask.owner(vm)}
    window = track.built.windows[slot]
    for freeze in ask.settings.freezes:
        if window and not names.isdisjoint(freeze.only) and overlaps(window, freeze):
            why = f" ({visible(freeze.why)})" if freeze.why else ""
            return f"{where} overlaps a freeze for {name}{why}"
    if track.built.problem.items[at].pilot:
        return f"{name} is a pilot: pilots move together, before everybody else"
    return f"{name} may not move in {where}"


def _too_early(track: Track, ask: Ask, at: int, slot: int) -> str:
    """Return why an item is not ready in a slot."""
    item = track.built.problem.items[at]
    name = visible(item.name)
    groups = track.built.members[at]
    ready = shown_slot(track, item.earliest)
    days = max(ask.lookup.lead_days(group) for group in groups)
    if item.earliest > slot and any(ask.hubs & set(group.vms) for group in groups):
        return f"{name} is a shared service: those move last, from {ready} on"
    pilots = [
        own for own, other in zip(track.assignment, track.built.problem.items, strict=True) if other.pilot
    ]
    if pilots and max(pilots) + 1 == item.earliest:
        return f"pilots move before everybody else, so {name} cannot move before {ready}"
    if days:
        return (
            f"{name} has tasks that must be done {days} days before its seed, so it is ready for {ready} "
            "and no earlier"
        )
    return f"{name} is not ready before {ready}"


def _pinned(track: Track, ask: Ask, at: int) -> str:
    """Return who put an item where it is."""
    item = track.built.problem.items[at]
    where = shown_slot(track, item.pinned or 0)
    if item.pinned is not None and _under_way(ask, item.pinned):
        return f"{where} is under way, with {visible(item.name)} in it"
    said = next((ask.hand.said[one.name] for one in track.built.members[at] if one.name in ask.hand.said), "")
    if said:
        return f"{visible(item.name)} is held in {where} by {said}"
    return f"{visible(item.name)} is pinned to {where} in the settings"


def _disordered(track: Track, broken: Violation, after: tuple[int, ...]) -> str:
    """Return which tie is broken and where its ends would stand."""
    tie = track.built.problem.order[int(broken.cause[1])]
    first, then = (visible(track.built.problem.items[at].name) for at in broken.items)
    places = [wave_name(after[at]) for at in broken.items]
    why = tie.why or f"{first} moves before {then}"
    where = (
        f"both would move in {places[0]}"
        if places[0] == places[1]
        else (f"{first} would move in {places[0]}, {then} in {places[1]}")
    )
    return f"{why}, and {where}"


def _plain(track: Track, text: str, slots: set[int]) -> str:
    """Return the text of a rule with waves called by their names alone."""
    for slot in slots:
        text = text.replace(visible(shown_slot(track, slot)), wave_name(slot))
    return text


def sentence(track: Track, ask: Ask, broken: Violation, after: tuple[int, ...]) -> str:
    """Return a broken rule in the words of the settings it comes from."""
    if broken.kind == "allowed":
        return _closed(track, ask, broken.items[0], after[broken.items[0]])
    if broken.kind == "earliest":
        return _too_early(track, ask, broken.items[0], after[broken.items[0]])
    if broken.kind == "pinned":
        return _pinned(track, ask, broken.items[0])
    if broken.kind == "order":
        return _disordered(track, broken, after)
    return _plain(track, broken.text, {after[at] for at in broken.items})


def sentences(track: Track, ask: Ask, delta: Delta, after: tuple[int, ...]) -> tuple[str, ...]:
    """Return the rules a change breaks as sentences, each once."""
    return tuple(dict.fromkeys(sentence(track, ask, item, after) for item in delta.broken))


def _try(track: Track, ask: Ask, was: Standing, at: int, slot: int, last: int) -> Tried:
    after = (*was.assignment[:at], slot, *was.assignment[at + 1 :])
    _, delta = changed(was, after)
    why = sentences(track, ask, delta, after)
    if slot > last:
        why = (*why, f"shared services move last, from {shown_slot(track, last + 1)} on")
    return Tried(slot, wave_name(slot), why, delta)


def why(track: Track, ask: Ask, was: Standing, group: MoveGroup, last: int) -> Why:
    """Return why ``group`` stands in its slot; ``last`` is the last slot before shared services begin."""
    at = next(
        n for n, found in enumerate(track.built.members) if any(one.name == group.name for one in found)
    )
    slot = was.assignment[at]
    item = track.built.problem.items[at]
    tried = tuple(_try(track, ask, was, at, other, last) for other in range(slot))
    later = None
    if item.pinned is None:
        rest = (_try(track, ask, was, at, other, last) for other in range(slot + 1, len(was.problem.slots)))
        later = next((one for one in rest if not one.why), None)
    held = [_pinned(track, ask, at)] if item.pinned is not None else []
    moved = ask.hand.moved.get(group.name)
    if moved is not None and item.pinned is None:
        held.append(
            f"{visible(group.name)} is held in {shown_slot(track, moved)} by {ask.hand.said[group.name]}"
        )
    return Why(
        group=group,
        with_it=tuple(one.name for one in track.built.members[at] if one.name != group.name),
        slot=slot,
        wave=wave_name(slot),
        held=tuple(held),
        tried=tried,
        earlier=next((one for one in reversed(tried) if not one.why), None),
        later=later,
    )
