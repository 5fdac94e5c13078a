"""The wave problem as the solver sees it: items, slots, ties and caps, all by number.

    inventory, settings, groups ──building──▶ Problem ──solving──▶ Assignment (a slot for each item)

An item is a move group, or several that must share a slot. A slot is a window of the calendar, or an
undated one behind the last. Nothing here knows names of VMs, files or stores; everything is immutable.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Assignment = tuple[int, ...]  # the slot of each item


@dataclass(frozen=True, slots=True)
class Item:
    """What a group weighs. Sizes are bytes, ``risk`` and ``criticality`` run from 0 to 1.

    ``groups`` is how many move groups it is, ``owners`` and ``teams`` how many of them are whose; for one
    group ``owner`` and ``team`` say it. ``earliest`` is the first slot it may have (lead times, tasks),
    ``allowed`` the only ones, None = any; ``pinned`` is where a person or a frozen plan put it.
    """

    name: str
    vms: int
    size_bytes: int  # provisioned: what caps count
    seed_bytes: int = 0  # to send over the line: what is in use where that is known, else provisioned
    churn_bytes_day: float = 0.0
    downtime_h: float = 0.0
    engineer_h: float = 0.0
    risk: float = 0.0
    criticality: float = 0.0
    groups: int = 1
    owner: str = ""
    team: str = ""
    owners: tuple[tuple[str, int], ...] = ()
    teams: tuple[tuple[str, int], ...] = ()
    application: str = ""
    environment: str = ""
    vcpus: int = 0
    memory_bytes: int = 0
    target_bytes: int = 0  # provisioned at the target
    datastores: tuple[tuple[str, int], ...] = ()  # bytes read from each
    hosts: tuple[tuple[str, int], ...] = ()  # disks read on each
    earliest: int = 0
    allowed: frozenset[int] | None = None
    pinned: int | None = None
    pilot: bool = False

    @property
    def by_owner(self) -> tuple[tuple[str, int], ...]:
        """How many of its groups each owner has; an unknown owner is nobody."""
        return self.owners or (((self.owner, 1),) if self.owner else ())

    @property
    def by_team(self) -> tuple[tuple[str, int], ...]:
        """How many of its groups each team has."""
        return self.teams or (((self.team, 1),) if self.team else ())


@dataclass(frozen=True, slots=True)
class Caps:
    """The most one slot takes; None = no cap. Those with ``per`` count for each owner, team, ... apart."""

    vms: int | None = None
    size_bytes: int | None = None
    cutovers: int | None = None  # move groups
    engineer_h: float | None = None
    items_per_owner: int | None = None
    items_per_team: int | None = None
    bytes_per_datastore: int | None = None
    disks_per_host: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A window, in order of time. ``start_s`` is seconds since 1970, None = undated."""

    start_s: float | None
    hours: float
    caps: Caps
    name: str = ""  # of the window it stands for, for sentences
    late: str = ""  # the exit date it is after: nothing may have it; empty = in time, or nobody can tell


@dataclass(frozen=True, slots=True)
class Order:
    """``before`` has its slot at least ``lag`` slots ahead of ``after``."""

    before: int
    after: int
    lag: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Apart:
    """Two items that must not share a slot."""

    a: int
    b: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """What the line carries for seeds and deltas, bytes a second, in each hour of a week from Monday, UTC.

    ``reserved_bytes_s`` is kept free for traffic of applications whose ends are apart.
    """

    bytes_s: tuple[float, ...] = field(default=(), repr=False)  # 168 of them, () = no limit
    reserved_bytes_s: float = 0.0
    begins_s: float | None = None  # when seeding may begin, None = a lead time before the first slot


@dataclass(frozen=True, slots=True)
class Room:
    """What is free at the target before the first wave, N+1 already taken off; None = unknown."""

    vcpus: float | None = None
    memory_bytes: int | None = None
    storage_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything a plan has to obey and what it is to keep small.

    ``traffic`` holds (a, b, bytes a day) with a < b, each pair once, hubs left out; ``latency`` the
    pairs that must share a slot because they don't work over the WAN.
    """

    items: tuple[Item, ...]
    slots: tuple[Slot, ...]
    traffic: tuple[tuple[int, int, float], ...] = ()
    latency: tuple[tuple[int, int], ...] = ()
    order: tuple[Order, ...] = ()
    apart: tuple[Apart, ...] = ()
    link: Link = Link()
    room: Room = Room()
    last: Assignment | None = None  # the plan before, for stability; -1 = was not in it
