"""Groups that a table puts into waves, and the pins that hold them there.

A group that was moved is pinned where it went: else the next plan would move it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.export.printout import Printout
from planner.plan import PlannedGroup, Wave
from planner.settings import Pin, Settings


@dataclass(frozen=True, slots=True)
class Placed:
    """What a table says of one group; ``pinned`` is None where it does not say."""

    group: PlannedGroup
    before: Wave
    after: str
    pinned: bool | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A group that a person put into another wave."""

    group: str
    vms: tuple[str, ...]
    before: str
    after: str


def moved(placed: Iterable[Placed]) -> tuple[Moved, ...]:
    """Return the groups that go to another wave than the plan's."""
    return tuple(
        Moved(item.group.name, item.group.vms, item.before.name, item.after)
        for item in placed
        if item.after != item.before.name
    )


def pins(placed: Iterable[Placed], printout: Printout, settings: Settings) -> tuple[list[Pin], list[Pin]]:
    """Return all pins that hold afterwards, and those that were lifted or replaced."""
    kept, lifted, added = list(settings.pins), [], []
    for item in placed:
        names = {item.group.name, *item.group.vms}
        names |= {printout.vms[vm].name for vm in item.group.vms if vm in printout.vms}
        mine = [pin for pin in kept if pin.what in names]
        moves = item.after != item.before.name
        stays_pinned = item.pinned if item.pinned is not None else bool(mine)
        if not moves and stays_pinned == bool(mine):
            continue
        if mine:
            kept = [pin for pin in kept if pin not in mine]
        if moves or stays_pinned:
            added.append(Pin(what=item.group.vms[0], wave=item.after))
        lifted += mine
    return [*kept, *added], lifted
