"""What ties move groups to each other, and where their VMs stand in the newest plan: worked out once, kept.

Bytes are those of a day; None is what nobody measured, and a wave's day is None while it has no window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.errors import NotFound
from planner.model import Tie
from planner.names import visible

if TYPE_CHECKING:
    from datetime import datetime

    from planner.graph import Edge
    from planner.model import MoveGroup
    from tui.study.room import Room

_KEPT, _PLAN = "between", "standing"


class Between:
    """The edges inside and between the groups of one inventory, by the places of the groups."""

    def __init__(self, room: Room) -> None:
        from planner.waves.traffic import bytes_a_day

        self.known = known = room.known
        self.groups = known.groups
        self.place = {group.name: at for at, group in enumerate(self.groups)}
        self.home = {vm: at for at, group in enumerate(self.groups) for vm in group.vms}
        self.edges: dict[tuple[int, int], list[Edge]] = defaultdict(list)  # from the source's group
        self.near: dict[int, set[int]] = defaultdict(set)
        self.inner: dict[int, list[Edge]] = defaultdict(list)
        for edge in known.edges:
            a, b = self.home.get(edge.source), self.home.get(edge.target)
            if a is None or b is None:
                continue
            if a == b:
                self.inner[a].append(edge)
            else:
                self.edges[a, b].append(edge)
                self.near[a].add(b)
                self.near[b].add(a)
        self._daily: dict[tuple[str, str, Tie, int | None], float] = {}
        for item in (*known.inventory.dependencies, *known.inventory.refused):
            if (carried := bytes_a_day(item)) is not None:
                key = (item.source, item.target, item.tie, item.port)
                self._daily[key] = self._daily.get(key, 0.0) + carried

    def group(self, what: str) -> tuple[int, MoveGroup]:
        """Return a group and its place, by its name or the id of one of its VMs; raises NotFound."""
        at = self.place.get(what, self.home.get(what))
        if at is None:
            raise NotFound(f"{visible(what, 60)} is no move group", "look for it among what stays")
        return at, self.groups[at]

    def a_day(self, edge: Edge) -> float | None:
        """Return what an edge carries a day."""
        return self._daily.get((edge.source, edge.target, edge.tie, edge.port))

    def carried(self, edges: Iterable[Edge]) -> float | None:
        """Return what edges carry a day together, None when nobody measured any of them."""
        seen = [one for edge in edges if (one := self.a_day(edge)) is not None]
        return sum(seen) if seen else None


def between(room: Room) -> Between:
    """Return what ties the groups of the newest inventory."""
    found = room.kept.get(_KEPT)
    if not isinstance(found, Between) or found.known is not room.known:
        found = room.kept[_KEPT] = Between(room)
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """Where VMs stand in a plan: the wave of each, and number and beginning of each wave."""

    version: int = 0
    waves: Mapping[str, str] = field(default_factory=dict)  # VM id → wave
    number: Mapping[str, int] = field(default_factory=dict)
    start: Mapping[str, datetime | None] = field(default_factory=dict)

    def of(self, vms: Iterable[str]) -> list[str]:
        """Return the waves of some VMs, the first one first."""
        found = {self.waves[vm] for vm in vms if vm in self.waves}
        return sorted(found, key=lambda wave: self.number.get(wave, 0))

    def days(self, a: str, b: str) -> float | None:
        """Return how many days lie between two waves, None when one of them has no window."""
        first, second = self.start.get(a), self.start.get(b)
        return abs((second - first).total_seconds()) / 86400 if first and second else None


def standing(room: Room) -> Standing:
    """Return where VMs stand in the newest plan; nowhere without one."""
    from planner.store import plans

    head = plans.find_head(room.project)
    found = room.kept.get(_PLAN)
    if head is None:  # the same one each time: what was made of it is known by it
        if not isinstance(found, Standing) or found.version:
            found = room.kept[_PLAN] = Standing()
    elif not isinstance(found, Standing) or found.version != head.version:
        rows = plans.waves(room.project, head.version)
        placed = plans.placed(room.project, head.version)
        found = room.kept[_PLAN] = Standing(
            head.version,
            {vm: wave for vm, (wave, _) in placed.items()},
            {row.name: at for at, row in enumerate(rows)},
            {row.name: row.window.start_utc if row.window else None for row in rows},
        )
    return found
