"""Edits by hand: what people moved, split, merged and locked, kept for every plan that follows.

    edits, oldest first ──on the groups of an inventory──▶ merged groups, and a Hand for the waves

VMs are remembered by id, instance UUID and name, waves by name and the start of their window, so that an
edit still means the same after a discovery. One that cannot be kept any more is named, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from planner.errors import BadInput
from planner.graph.decided import End, finder
from planner.model import VM, Inventory, MoveGroup, Reason
from planner.names import visible
from planner.settings import Settings, Window
from planner.waves.calendar import calendar
from planner.waves.hand import Hand
from planner.waves.pins import slot_named, wave_name

MERGED = "merged by hand: "  # begins the reason of a group that an edit made


class Act(StrEnum):
    """What a person did to a plan."""

    MOVE = "move"
    SPLIT = "split"
    MERGE = "merge"
    LOCK = "lock"
    UNLOCK = "unlock"


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit. ``what`` and ``other`` are names as they were shown; ``number`` counts up, 0 = none yet;
    one that is not ``saved`` has the number it is going to be stored with.

    ``vms`` are all it is about, ``partners`` those of the second group of a merge; ``start`` is the start
    of the wave's window in UTC, empty = undated.
    """

    act: Act
    what: str
    vms: tuple[End, ...]
    other: str = ""
    partners: tuple[End, ...] = ()
    wave: str = ""
    start: str = ""
    who: str = ""
    at: str = ""
    number: int = 0
    saved: bool = field(default=True, compare=False)

    @property
    def did(self) -> str:
        """What was done: ``move crm to W03``."""
        what = visible(self.what, 60)
        if self.act is Act.MOVE:
            return f"move {what} to {visible(self.wave)}"
        if self.act is Act.MERGE:
            return f"merge {visible(self.other, 60)} into {what}"
        if self.act is Act.SPLIT:
            return f"split {visible(self.other, 60)} off {what}"
        return f"{self.act.value} {visible(self.wave)}"

    @property
    def said(self) -> str:
        """Number, what, who and when, made visible."""
        by = f", {visible(self.who, 60)} on {self.at[:10]}" if self.who else ""
        return f"edit {self.number} ({self.did}{by})" if self.number else f"to {self.did}"

    @property
    def part(self) -> str:
        """What keeps its VMs apart from the rest of their application."""
        return f"{self.act.value} {self.number}"

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all VMs it is about, as they were then."""
        return frozenset(end.id for end in (*self.vms, *self.partners))


def ends_of(vms: Iterable[VM]) -> tuple[End, ...]:
    """Return VMs as an edit remembers them."""
    return tuple(End(vm.id, vm.instance_uuid, vm.name) for vm in vms)


def _lost(edit: Edit, why: str) -> BadInput:
    if not edit.saved:
        return BadInput(f"{edit.said} cannot hold: {why}", "leave it out, it is not saved yet")
    hint = f"take it back: wherry plan undo {edit.number}" if edit.number else "name another wave"
    return BadInput(f"{edit.said} can no longer hold: {why}", hint)


def slot_of(edit: Edit, windows: Sequence[Window]) -> int:
    """Return the slot of an edit's wave; raises BadInput when its window is no longer open to waves."""
    if edit.start:
        start = datetime.fromisoformat(edit.start)
        for slot, window in enumerate(windows):
            if window.start_utc == start:
                return slot
        raise _lost(edit, f"the window of {start:%Y-%m-%d %H:%M} UTC is not open to waves")
    named = slot_named(edit.wave)
    if named is None:
        raise _lost(edit, f"{visible(edit.wave)} is no wave")
    return named


class _Reading:
    """What edits come to, taken one after the other; everything by VM id."""

    def __init__(self, planned: Iterable[str], inventory: Inventory, windows: Sequence[Window]) -> None:
        self._planned = frozenset(planned)
        self._find = finder(inventory)
        self._windows = windows
        self.moves: dict[str, Edit] = {}
        self.parts: dict[str, str] = {}
        self.bonds: list[tuple[frozenset[str], frozenset[str], Edit]] = []
        self.locks: dict[tuple[str, str], tuple[Edit, frozenset[str]]] = {}
        self.notes: list[str] = []

    def _ids(self, ends: Iterable[End]) -> frozenset[str]:
        return frozenset(vm for end in ends if (vm := self._find(end)) in self._planned)

    def take(self, edit: Edit) -> None:
        mine = self._ids(edit.vms)
        partners = self._ids(edit.partners)
        if not mine or (edit.partners and not partners):
            self.notes.append(f"{edit.said} can no longer hold: its VMs are in no move group")
        elif edit.act is Act.MOVE:
            self.moves.update(dict.fromkeys(mine, edit))
            self.parts.update(dict.fromkeys(mine, edit.part))
        elif edit.act is Act.SPLIT:
            self.parts.update(dict.fromkeys(mine, edit.part))
            self.bonds = [bond for bond in self.bonds if bool(bond[0] & mine) == bool(bond[1] & mine)]
        elif edit.act is Act.MERGE:
            self._merge(mine, partners, edit)
        elif edit.act is Act.LOCK:
            self.locks[edit.wave, edit.start] = edit, mine
        else:
            self.locks.pop((edit.wave, edit.start), None)

    def _merge(self, mine: frozenset[str], partners: frozenset[str], edit: Edit) -> None:
        self.bonds.append((mine, partners, edit))
        led = next((self.moves[vm] for vm in sorted(mine) if vm in self.moves), None)
        label = next((self.parts[vm] for vm in sorted(mine) if vm in self.parts), "")
        for vm in partners:
            self.moves.pop(vm, None)
            if led is not None:
                self.moves[vm] = led
            self.parts[vm] = label

    def merged(self, groups: Sequence[MoveGroup]) -> tuple[MoveGroup, ...]:
        """Return the groups with those that were merged as one; the first keeps its name and place."""
        found = list(groups)
        for mine, partners, edit in self.bonds:
            first = next((group for group in found if not mine.isdisjoint(group.vms)), None)
            other = next((group for group in found if not partners.isdisjoint(group.vms)), None)
            if first is None or other is None or first is other:
                continue
            if first.shared_services is not other.shared_services:
                raise _lost(edit, "only one of the two is a shared service, and those move last")
            reason = Reason(first.vms[0], other.vms[0], f"{MERGED}{edit.said}")
            whole = replace(
                first,
                vms=(*first.vms, *other.vms),
                reasons=(*first.reasons, *other.reasons, reason),
            )
            found = [whole if group is first else group for group in found if group is not other]
        return tuple(found)

    def hand(self, groups: Sequence[MoveGroup]) -> Hand:
        """Return what the edits ask of these groups; raises BadInput for two that run against each other."""
        held = {vm: edit for edit, vms in self.locks.values() for vm in vms}
        said: dict[str, Edit] = {}
        slots: dict[str, int] = {}
        spoken = held.keys() | self.moves.keys()
        for group in groups:
            if spoken.isdisjoint(group.vms):
                continue
            for vm in group.vms:
                for edit in (held.get(vm), self.moves.get(vm)):
                    if edit is None:
                        continue
                    slot = slot_of(edit, self._windows)
                    if slots.setdefault(group.name, slot) != slot:
                        raise _lost(edit, f"{visible(group.name)} is also in {said[group.name].said}")
                    if group.name not in said or edit.act is Act.LOCK:
                        said[group.name] = edit
        locked = {slot_of(edit, self._windows) for edit, _ in self.locks.values()}
        kept = {group.name for group in groups if not held.keys().isdisjoint(group.vms)}
        return Hand(
            moved={name: slot for name, slot in slots.items() if name not in kept},
            held={name: slot for name, slot in slots.items() if name in kept},
            parts={
                group.name: part
                for group in groups
                if not self.parts.keys().isdisjoint(group.vms)
                and (part := next((self.parts[vm] for vm in group.vms if self.parts.get(vm)), ""))
            },
            locked=frozenset(locked),
            said={name: edit.said for name, edit in said.items()},
            notes=tuple(self.notes),
        )


def by_hand(
    edits: Sequence[Edit], groups: tuple[MoveGroup, ...], inventory: Inventory, settings: Settings
) -> tuple[tuple[MoveGroup, ...], Hand]:
    """Return the groups, merged as people said, and what the edits ask of them.

    Raises BadInput that names the first edit which can no longer hold.
    """
    if not edits:
        return groups, Hand()
    planned = (vm for group in groups for vm in group.vms)
    reading = _Reading(planned, inventory, calendar(settings).windows)
    for edit in edits:
        reading.take(edit)
    merged = reading.merged(groups)
    return merged, reading.hand(merged)


def wave_of(slot: int, windows: Sequence[Window | None]) -> tuple[str, str]:
    """Return name and start (ISO 8601 in UTC, empty = undated) of the wave in a slot."""
    window = windows[slot] if slot < len(windows) else None
    return wave_name(slot), window.start_utc.isoformat() if window else ""
