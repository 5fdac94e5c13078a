"""Pins: where a person's word or a wave under way puts a group, as slots, checked for contradictions.

A pin names a VM or a move group, and a wave (W03 is the third window there is) or the start of a
window. Nothing is planned while a pin cannot be: the first one wrong is named with what it runs against.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from planner.errors import BadInput
from planner.model import MoveGroup
from planner.names import visible
from planner.settings import Pin, Settings, Window
from planner.waves.calendar import calendar, frozen_by, overlaps, said_windows
from planner.waves.problem import Order

_WAVE = re.compile(r"[wW]0*([1-9][0-9]{0,5})")


def wave_name(slot: int) -> str:
    """Return what the wave in a slot is called: W01 for the first."""
    return f"W{slot + 1:02d}"


def slot_named(wave: str) -> int | None:
    """Return the slot a name like W03 means, None for any other text."""
    match = _WAVE.fullmatch(wave.strip())
    return int(match[1]) - 1 if match else None


def named_groups(what: str, groups: Sequence[MoveGroup], vm_names: Mapping[str, str]) -> list[MoveGroup]:
    """Return the group a person means: by a VM's id, the group's name, or a VM's name.

    ``vm_names`` maps ids to names. Raises BadInput when no group or several VMs are called that.
    """
    if found := [group for group in groups if what in group.vms]:
        return found
    holders = [
        group for group in groups if group.name == what or any(vm_names[vm] == what for vm in group.vms)
    ]
    if len(holders) > 1:
        raise BadInput(f"{visible(what)} means {len(holders)} move groups", "name the VM by its id")
    if not holders:
        raise BadInput(
            f"{visible(what)} is neither a VM nor a move group of this plan",
            "see 'wherry plan show' and 'wherry inventory' for names; what stays has no wave",
        )
    return holders


def _moment(pin: Pin) -> datetime | None:
    try:
        return datetime.fromisoformat(pin.wave)
    except ValueError:
        return None


def _day(pin: Pin) -> date | None:
    try:
        return date.fromisoformat(pin.wave)
    except ValueError:
        return None


def _dated(pin: Pin, at: datetime, settings: Settings, windows: Sequence[Window], does: str) -> int:
    day = _day(pin)

    def meant(window: Window) -> bool:
        if day:  # no time of day: whichever window begins on that day where it is
            return window.start_utc.astimezone(ZoneInfo(window.zone)).date() == day
        if at.tzinfo:
            return window.start_utc == at.astimezone(UTC)
        return at in (window.start.replace(tzinfo=None), window.start_utc.replace(tzinfo=None))

    found = [number for number, window in enumerate(windows) if meant(window)]
    if len(found) > 1 and day:
        raise BadInput(
            f"{visible(pin.what)} {does} {visible(pin.wave)}, on which {len(found)} windows begin",
            f"write the time too, like {windows[found[0]].start_utc:%Y-%m-%dT%H:%MZ}",
        )
    if found:
        return found[0]
    who = f"{visible(pin.what)} {does} the window of {visible(pin.wave)}"
    for window in said_windows(settings):
        if meant(window):
            freeze = frozen_by(window, settings.freezes)
            why = "overlaps a freeze" if freeze else "is closed to waves"
            raise BadInput(f"{who}, which {why}", "move the pin, or open the window")
    raise BadInput(f"{who}, which the settings do not name", "pin it to a window there is, or to a wave")


def slot_of(
    pin: Pin, settings: Settings, windows: Sequence[Window], slots: int, does: str = "is pinned to"
) -> int:
    """Return the slot a pin means; raises BadInput when there is no such wave or window.

    ``does`` is what its group does there, in the words of that sentence.
    """
    if (slot := slot_named(pin.wave)) is not None:
        if slot < slots:
            return slot
        raise BadInput(
            f"{visible(pin.what)} {does} {visible(pin.wave)}, and there are {slots} waves at the most",
            "pin it to an earlier wave, or add windows",
        )
    at = _moment(pin)
    if at is None:
        raise BadInput(
            f"{visible(pin.what)} {does} {visible(pin.wave)}, which is neither a wave nor a time",
            "write it like W03 or 2026-10-03T22:00",
        )
    return _dated(pin, at, settings, windows, does)


def pinned_slots(
    groups: Sequence[MoveGroup], vm_names: Mapping[str, str], settings: Settings, slots: int
) -> dict[str, int]:
    """Return group name → slot for all pins of the settings; raises BadInput for the first wrong one."""
    windows = calendar(settings).windows
    found: dict[str, int] = {}
    said: dict[str, Pin] = {}
    for pin in settings.pins:
        slot = slot_of(pin, settings, windows, slots)
        for group in named_groups(pin.what, groups, vm_names):
            if found.setdefault(group.name, slot) != slot:
                other = said[group.name]
                raise BadInput(
                    f"{visible(pin.what)} is pinned to {visible(pin.wave)} and {visible(other.what)} to "
                    f"{visible(other.wave)}, but both are of the move group {visible(group.name)}",
                    "keep one of the two pins",
                )
            said.setdefault(group.name, pin)
            if slot < len(windows):
                _refuse_frozen(pin, group, windows[slot], settings, vm_names)
    return found


def _refuse_frozen(
    pin: Pin, group: MoveGroup, window: Window, settings: Settings, vm_names: Mapping[str, str]
) -> None:
    names = {group.name, *group.vms, *(vm_names[vm] for vm in group.vms)}
    for freeze in settings.freezes:
        if not names.isdisjoint(freeze.only) and overlaps(window, freeze):
            why = f" ({visible(freeze.why)})" if freeze.why else ""
            raise BadInput(
                f"{visible(pin.what)} is pinned to {visible(pin.wave)}, which overlaps a freeze of its own"
                f"{why}",
                "move the pin, or end the freeze before",
            )


def refuse_contradictions(
    pins: Sequence[int | None],
    order: Sequence[Order],
    apart: Sequence[tuple[int, int]],
    name: Callable[[int], str],
) -> None:
    """Raise BadInput for two pins that an order tie or a pair apart forbids; lists are by item."""
    for tie in order:
        first, then = pins[tie.before], pins[tie.after]
        if first is not None and then is not None and then < first + tie.lag:
            raise BadInput(
                f"{name(tie.before)} is pinned to {wave_name(first)} and {name(tie.after)} to "
                f"{wave_name(then)}, but {tie.why}",
                "move one of the two pins, or drop the tie",
            )
    for a, b in apart:
        slot = pins[a]
        if slot is not None and slot == pins[b]:
            raise BadInput(
                f"{name(a)} and {name(b)} are both pinned to {wave_name(slot)}, and are to be kept apart",
                "move one of the two pins, or end the pair",
            )
