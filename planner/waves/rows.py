"""What a screen shows of one wave of a desk: who is in it, what it takes of its limits, what it breaks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from planner.model import MoveGroup
from planner.names import visible
from planner.units import show_count
from planner.waves.amounts import overfull
from planner.waves.desk import Desk
from planner.waves.pins import wave_name
from planner.waves.problem import Item
from planner.waves.weights import EACH, PLAIN, Sheet, sheet_of, together


@dataclass(frozen=True, slots=True)
class Used:
    """How much of a limit is used. ``whose`` is the fullest owner, datastore, ... of limits that have one."""

    limit: str
    used: float
    cap: float
    whose: str = ""


@dataclass(frozen=True, slots=True)
class WaveRow:
    """One wave. Times are ISO 8601 in UTC, empty = undated; ``groups`` are names, as they are.

    ``sized`` = all disks are known, else the size is the least it is. ``whole`` says why it may be over its
    limits, empty when it is not or must not be.
    """

    wave: str
    slot: int
    start: str
    end: str
    groups: tuple[str, ...]
    vms: int
    size_bytes: int
    sized: bool
    locked: bool
    limits: tuple[Used, ...]
    violations: tuple[str, ...]
    whole: str = ""


def rows(desk: Desk, slots: Iterable[int] | None = None) -> tuple[WaveRow, ...]:
    """Return the rows of these slots, of all when None, in order; a slot that holds nobody has none."""
    wanted = None if slots is None else set(slots)
    groups: dict[int, list[MoveGroup]] = {}
    items: dict[int, list[Item]] = {}
    broken = _broken(desk)
    for track in desk.tracks:
        for at, slot in enumerate(track.assignment):
            if wanted is None or slot in wanted:
                groups.setdefault(slot, []).extend(track.built.members[at])
                items.setdefault(slot, []).append(track.built.problem.items[at])
    return tuple(_row(desk, slot, groups[slot], items[slot], broken.get(slot, ())) for slot in sorted(groups))


def _broken(desk: Desk) -> dict[int, list[str]]:
    """Return what each slot has a part in that must not be."""
    broken: dict[int, list[str]] = {}
    for track, was in zip(desk.tracks, desk.was, strict=True):
        for one in was.held:
            for slot in {track.assignment[at] for at in one.items}:
                broken.setdefault(slot, []).append(one.text)
    return broken


def _row(desk: Desk, slot: int, groups: list[MoveGroup], items: list[Item], broken: Iterable[str]) -> WaveRow:
    windows = desk.tracks[-1].built.windows
    window = windows[slot] if slot < len(windows) else None
    return WaveRow(
        wave=wave_name(slot),
        slot=slot,
        start=window.start_utc.isoformat() if window else "",
        end=window.end_utc.isoformat() if window else "",
        groups=tuple(sorted((group.name for group in groups), key=lambda name: (name.casefold(), name))),
        vms=sum(item.vms for item in items),
        size_bytes=sum(item.size_bytes for item in items),
        sized=all(map(desk.ask.sized, groups)),
        locked=slot in desk.ask.hand.locked,
        limits=_limits(desk, slot, items),
        violations=tuple(dict.fromkeys(visible(text, 500) for text in broken)),
        whole=_whole(desk, slot, items),
    )


def _whole(desk: Desk, slot: int, items: list[Item]) -> str:
    """Return why a wave is over its limits without breaking a rule, empty when it is not so."""
    over = overfull(items, _sheet(desk, slot))
    broken = any(
        one.kind == "cap" and slot in {track.assignment[at] for at in one.items}
        for track, was in zip(desk.tracks, desk.was, strict=True)
        for one in was.held
    )
    if not over or broken:
        return ""
    named = visible(items[0].name)
    who = (
        f"{named} is larger alone than any wave may be"
        if len(items) == 1
        else f"{named} and {show_count(len(items) - 1, 'more group')} cannot be parted and are larger than "
        "any wave may be"
    )
    return f"over its limits and allowed: {who}, so it moves whole ({', '.join(over)})"


def _sheet(desk: Desk, slot: int) -> Sheet:
    """Return the caps of a slot."""
    slots = desk.tracks[0].built.problem.slots
    if slot >= len(slots):
        slots = desk.tracks[-1].built.problem.slots
    return sheet_of(slots[slot].caps)


def _limits(desk: Desk, slot: int, items: list[Item]) -> tuple[Used, ...]:
    plain, each = _sheet(desk, slot)
    takes, shared = together(items)
    found = [
        Used(name, use, cap) for name, use, cap in zip(PLAIN, takes, plain, strict=True) if isfinite(cap)
    ]
    for kind, (name, cap) in enumerate(zip(EACH, each, strict=True)):
        uses = [(use, whose) for (of, whose), use in shared.items() if of == kind]
        if isfinite(cap) and uses:
            use, whose = max(uses)
            found.append(Used(name, use, cap, whose))
    return tuple(found)


def changed_slots(before: Desk, after: Desk) -> set[int]:
    """Return the slots whose VMs, groups or locks differ."""
    then, now = before.ask.standing or {}, after.ask.standing or {}
    slots = {slot for vm, old in then.items() if (new := now.get(vm)) != old for slot in (old, new)}
    slots |= before.ask.hand.locked ^ after.ask.hand.locked
    if before.ask.everyone is not after.ask.everyone:  # merged, or parted again
        old_groups, new_groups = set(before.ask.everyone), set(after.ask.everyone)
        slots |= {before.slot(group) for group in old_groups - new_groups}
        slots |= {after.slot(group) for group in new_groups - old_groups}
    return {slot for slot in slots if slot is not None}


def otherwise_broken(before: Desk, after: Desk) -> set[int]:
    """Return the slots in which something else is broken than before; nobody there need have moved."""
    then, now = _broken(before), _broken(after)
    return {slot for slot in {*then, *now} if then.get(slot) != now.get(slot)}


def figures(desk: Desk) -> dict[str, float | int]:
    """Return what a score card says that an edit changes, as it stands in documents."""
    held = [one.kind for was in desk.was for one in was.held]
    cut, stretch, peak = desk.was[0].traffic if desk.was else (0.0, 0.0, 0.0)
    return {
        "waves": len({slot for track in desk.tracks for slot in track.assignment}),
        "cut_share": round(cut, 6),
        "stretch_gb": round(stretch, 6),
        "peak_share": round(peak, 6),
        "order_violations": held.count("order"),
        "latency_violations": held.count("latency"),
        "hard_violations": sum(kind not in ("order", "latency") for kind in held),
    }
