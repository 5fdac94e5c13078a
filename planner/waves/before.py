"""The plan before: which slot each of its VMs had, so that a new plan stays near it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from planner.errors import BadInput
from planner.waves.calendar import calendar
from planner.waves.items import Before

if TYPE_CHECKING:
    from planner.plan import Plan, Wave
    from planner.settings import Settings, Window

_NUMBER = re.compile(r"W(\d{2,6})")


def _slot(wave: Wave, windows: tuple[Window, ...]) -> int | None:
    """Return the slot of a wave now: that of its window, else the one its name says."""
    if wave.window is not None:
        starts = [window.start_utc for window in windows]
        return starts.index(wave.window.start_utc) if wave.window.start_utc in starts else None
    match = _NUMBER.fullmatch(wave.name)
    return max(int(match[1]) - 1, len(windows)) if match else None


def before(last: Plan, frozen: frozenset[str], settings: Settings) -> Before:
    """Return what ``last`` said. Raises BadInput when a frozen wave's window is no longer open to waves."""
    windows = calendar(settings).windows
    slots: dict[str, int] = {}
    held: set[str] = set()
    for wave in last.waves:
        slot = _slot(wave, windows)
        if wave.name in frozen:
            held |= {vm.id for vm in wave.vms}
            match = _NUMBER.fullmatch(wave.name)
            if slot is None or match is None or slot != int(match[1]) - 1:
                raise BadInput(
                    f"wave {wave.name} is under way, and the windows as they are now would move it",
                    "leave its window and those before it in the settings until it is committed",
                )
        if slot is not None:
            slots.update((vm.id, slot) for vm in wave.vms)
    return Before(slots, frozenset(held))
