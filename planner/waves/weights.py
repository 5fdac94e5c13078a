"""What items take of the caps of a slot, and which of them no slot can hold.

Four caps count everything in a slot, four count for each owner, team, datastore or host. An unknown
owner or team is nobody's, so its cap does not count. What exceeds every slot alone moves whole, in a
slot to itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import inf

from planner.waves.problem import Caps, Item, Problem

PLAIN = ("vms", "size_bytes", "cutovers", "engineer_h")
EACH = ("items_per_owner", "items_per_team", "bytes_per_datastore", "disks_per_host")
Plain = tuple[float, float, float, float]
Key = tuple[int, str]  # the number of the cap in EACH, and whose it is
Sheet = tuple[Plain, tuple[float, ...]]  # the caps of a slot, as PLAIN and EACH


def sheet_of(caps: Caps) -> Sheet:
    """Return caps as numbers, infinite where there is none."""

    def of(name: str) -> float:
        cap = getattr(caps, name)
        return inf if cap is None else cap

    return (of(PLAIN[0]), of(PLAIN[1]), of(PLAIN[2]), of(PLAIN[3])), tuple(of(name) for name in EACH)


def plain_of(item: Item) -> Plain:
    """Return what an item takes of the caps that count everything, as PLAIN."""
    return item.vms, item.size_bytes, item.groups, item.engineer_h


def each_of(item: Item) -> list[tuple[Key, float]]:
    """Return what an item takes of the caps that count for each owner, team, datastore and host."""
    found: list[tuple[Key, float]] = [((0, name), count) for name, count in item.by_owner]
    found += [((1, name), count) for name, count in item.by_team]
    found += [((2, name), amount) for name, amount in item.datastores]
    found += [((3, name), amount) for name, amount in item.hosts]
    return found


def together(items: Iterable[Item]) -> tuple[Plain, dict[Key, float]]:
    """Return what items take together."""
    takes = [0.0, 0.0, 0.0, 0.0]
    each: dict[Key, float] = defaultdict(float)
    for item in items:
        for at, use in enumerate(plain_of(item)):
            takes[at] += use
        for key, amount in each_of(item):
            each[key] += amount
    return (takes[0], takes[1], takes[2], takes[3]), dict(each)


def fits(load: tuple[Plain, dict[Key, float]], sheet: Sheet) -> bool:
    """True when a load alone is within the caps of a slot."""
    return all(use <= cap for use, cap in zip(load[0], sheet[0], strict=True)) and all(
        amount <= sheet[1][kind] for (kind, _), amount in load[1].items()
    )


def sheets(problem: Problem) -> list[Sheet]:
    """Return the different caps of the slots that are not closed by a cap of nothing."""
    every = {id(slot.caps): slot.caps for slot in problem.slots}  # most slots share theirs
    found = dict.fromkeys(sheet_of(caps) for caps in every.values())
    return [sheet for sheet in found if min(*sheet[0], *sheet[1]) > 0]


def oversize(items: list[Item], open_sheets: list[Sheet]) -> bool:
    """True when items exceed the caps of every open slot together."""
    if not open_sheets:
        return False
    load = together(items)
    return not any(fits(load, sheet) for sheet in open_sheets)


def permitted(item: Item, slot: int) -> bool:
    """True when the item's own pin, earliest slot and list of slots let it into ``slot``."""
    return (
        (item.pinned is None or item.pinned == slot)
        and slot >= item.earliest
        and (item.allowed is None or slot in item.allowed)
    )
