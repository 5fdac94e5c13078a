"""Drift: what changed between two snapshots of an estate, object by object and field by field.

    two inventories ──▶ by identity: new, gone, changed ──▶ each change: path, before, after

Objects are known by vCenter and id, what hangs on a VM by its key or label. A value that one side does
not know is named as unknown, never as a change to nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from planner.model import Inventory, Tie
from planner.names import visible
from planner.units import show_bytes

UNKNOWN = "unknown"
# The lists of an inventory that are compared, with what one of their objects is called.
KINDS = {
    "vms": "VM",
    "hosts": "host",
    "clusters": "cluster",
    "datastores": "datastore",
    "networks": "network",
    "luns": "LUN",
    "resource_pools": "resource pool",
    "folders": "folder",
    "licences": "licence",
    "vcenters": "vCenter",
}
# What an object of a list is known by, best first.
_KEYS = ("key", "id", "kind", "label", "name", "path")
# Moves with every look at a running estate; a drift of these alone is no news.
_RESTLESS = {
    "used_bytes",
    "free_bytes",
    "provisioned_bytes",
    "churn_bytes_day",
    "clock_skew_s",
    "heartbeat",
    "guest.heartbeat",
    "guest.partitions",
    "sayings",  # where people said it; what they said is in the fields
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs. ``path`` is ``disks[2000].size_bytes``; texts are fit to be shown."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Drifted:
    """One object that is new (``before`` missing), gone or changed. ``kind`` is a key of ``KINDS``."""

    kind: str
    id: str
    name: str
    what: str  # new, gone, changed
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """All objects that differ, VMs first, in the order of the newer inventory and then of the older.

    Dependencies are only counted: one import of flows brings thousands.
    """

    objects: tuple[Drifted, ...]
    new_dependencies: int = 0
    gone_dependencies: int = 0

    def count(self, kind: str, what: str) -> int:
        """Return how many objects of a kind are new, gone or changed."""
        return sum(item.kind == kind and item.what == what for item in self.objects)

    def fields(self) -> Counter[str]:
        """Return how many VMs changed in each field, by its first word."""
        return Counter(
            field
            for item in self.objects
            if item.kind == "vms" and item.what == "changed"
            for field in dict.fromkeys(change.path.partition("[")[0] for change in item.changes)
        )


_NAMES: dict[Any, tuple[str, ...]] = {}


def _names(kind: Any) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(kind))
    return _NAMES[kind]


def _is_noun(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _shown(name: str, value: object) -> str:
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith("_bytes"):
        return show_bytes(value) if value >= 0 else "none"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return ", ".join(_shown(name, item) for item in value) or "none"
    if _is_noun(value):
        return _called(value)
    return visible(str(value), 200)


def _called(item: Any) -> str:
    for key in ("label", "name", "key", "id", "path"):
        if said := getattr(item, key, ""):
            return visible(str(said), 80)
    return type(item).__name__


def _by_key(items: Sequence[Any]) -> dict[tuple[str, int], Any]:
    """Return objects by what they are known by; a repeated key gets a number."""
    key = next(key for key in _KEYS if key in _names(type(items[0])))
    seen: Counter[str] = Counter()
    found: dict[tuple[str, int], Any] = {}
    for item in items:
        said = _shown(key, getattr(item, key))
        found[said, seen[said]] = item
        seen[said] += 1
    return found


def _list_changes(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    old = _by_key(before) if before else {}
    new = _by_key(after) if after else {}
    for key in dict.fromkeys([*old, *new]):
        where = f"{path}[{key[0]}{f'#{key[1] + 1}' if key[1] else ''}]"
        if key not in new:
            yield Change(where, _called(old[key]), "gone")
        elif key not in old:
            yield Change(where, "not there", _called(new[key]))
        else:
            yield from changes(old[key], new[key], f"{where}.")


def changes(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Yield the fields in which two nouns of one class differ, deep into what hangs on them."""
    for name in _names(type(before)):
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        if _is_noun(old) and _is_noun(new):
            yield from changes(old, new, f"{path}{name}.")
        elif isinstance(old, tuple) and isinstance(new, tuple) and _is_noun((*old, *new)[0]):
            yield from _list_changes(f"{path}{name}", old, new)
        else:
            yield Change(f"{path}{name}", _shown(name, old), _shown(name, new))


def _identified(items: Sequence[Any]) -> dict[tuple[str, str], Any]:
    """Return the objects of a list by (vCenter, id); what has no id goes by its name."""
    return {
        (
            item.vcenter if "vcenter" in _names(type(item)) else "",
            str(getattr(item, "id", "") or item.name),
        ): item
        for item in items
    }


def _of_kind(kind: str, before: Sequence[Any], after: Sequence[Any], restless: bool) -> Iterator[Drifted]:
    old, new = _identified(before), _identified(after)
    for key in (*new, *(key for key in old if key not in new)):
        was, now = old.get(key), new.get(key)
        name = str(getattr(now or was, "name", ""))
        if was is None or now is None:
            yield Drifted(kind, key[1], name, "gone" if now is None else "new")
        elif was != now:
            found = tuple(
                change
                for change in changes(was, now)
                if restless
                or (change.path not in _RESTLESS and change.path.rpartition(".")[2] not in _RESTLESS)
            )
            if found:
                yield Drifted(kind, key[1], name, "changed", found)


def drift(before: Inventory, after: Inventory, restless: bool = False) -> Drift:
    """Return what changed from ``before`` to ``after``.

    ``restless`` counts figures that move with every look too: used and free space, heartbeats.
    """
    old, new = _ties(before), _ties(after)
    return Drift(
        tuple(
            item
            for kind in KINDS
            for item in _of_kind(kind, getattr(before, kind), getattr(after, kind), restless)
        ),
        len(new - old),
        len(old - new),
    )


def _ties(inventory: Inventory) -> set[tuple[str, str, Tie, int | None]]:
    return {(item.source, item.target, item.tie, item.port) for item in inventory.dependencies}


def summary(found: Drift) -> str:
    """Return the drift in one sentence: ``2 VMs new, 1 VM gone, 12 VMs changed (power 4, disks 3)``."""
    parts = []
    for kind, noun in KINDS.items():
        for what in ("new", "gone", "changed"):
            if count := found.count(kind, what):
                parts.append(f"{count:,} {noun if count == 1 else noun + 's'} {what}")
    for what, count in (("new", found.new_dependencies), ("gone", found.gone_dependencies)):
        if count:
            parts.append(f"{count:,} {'dependency' if count == 1 else 'dependencies'} {what}")
    said = ", ".join(parts) or "no difference"
    most = ", ".join(f"{name} {count}" for name, count in found.fields().most_common(6))
    return f"{said} ({most})" if most else said
