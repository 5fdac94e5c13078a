"""What people decided on ties, laid over an inventory; the newest word on a tie counts.

Decisions are kept with the names of their ends, so that they still hold after a new discovery: an end
is found by its id, else by its instance UUID, else by a name that one VM has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from planner.graph.chains import Pair
from planner.model import VM, Decision, Dependency, Inventory, Ruling, Tie
from planner.names import visible
from planner.units import show_count

_ADDED = {Ruling.HARD: Tie.HARD, Ruling.ORDER: Tie.ORDER}
_HUBS = (Ruling.HUB, Ruling.NO_HUB)
_SEEN = (Ruling.ACCEPT, Ruling.REFUSE)


@dataclass(frozen=True, slots=True)
class End:
    """One end of a tie as it is remembered."""

    id: str
    instance_uuid: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A decision as it was made; ``number`` counts up. ``decision`` names the ends by their ids then."""

    number: int
    decision: Decision
    a: End
    b: End | None = None


def said_by(decision: Decision) -> str:
    """Return who decided when and why, made visible: ``mia on 2026-10-01: old job``."""
    why = f": {decision.why}" if decision.why else ""
    return visible(f"{decision.who} on {decision.at[:10]}{why}")


def tie_key(decision: Decision) -> tuple[str, ...]:
    """Return what two decisions have in common when the newer one replaces the older one."""
    if decision.ruling in _HUBS:
        return ("hub", decision.a)
    ends = (decision.a, decision.b)
    if decision.ruling is Ruling.ORDER:
        return ("order", *ends)
    if decision.ruling in _SEEN:
        return ("seen", *sorted(ends), "" if decision.port is None else str(decision.port))
    return ("bond", *sorted(ends))  # together or apart, not both


class Rulings:
    """Decisions that count, oldest first, looked up by tie."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._seen: dict[Pair, list[Decision]] = {}
        self._added: dict[tuple[str, str, Tie], Decision] = {}
        for item in decisions:
            if item.ruling in _SEEN:
                self._seen.setdefault(frozenset((item.a, item.b)), []).append(item)
            elif item.ruling in _ADDED:
                self._added[item.a, item.b, _ADDED[item.ruling]] = item
        self._any = bool(decisions)
        self.pairs = {
            pair: whole[-1]
            for pair, found in self._seen.items()
            if (whole := [item for item in found if item.port is None])
        }
        self.refused_pairs = frozenset(
            pair for pair, item in self.pairs.items() if item.ruling is Ruling.REFUSE
        )

    def on(self, item: Dependency) -> Decision | None:
        """Return the newest decision on a dependency, None when nobody decided."""
        if not self._any:
            return None
        added = self._added.get((item.source, item.target, item.tie))
        if added is not None and item.evidence == said_by(added):
            return added
        for ruling in reversed(self._seen.get(frozenset((item.source, item.target)), ())):
            if ruling.port is None or ruling.port == item.port:
                return ruling
        return None


def _one(ids: Iterable[VM]) -> str:
    found = [vm.id for vm in ids]
    return found[0] if len(found) == 1 else ""


def finder(inventory: Inventory) -> Callable[[End], str]:
    """Return what says which id a remembered end has in this inventory, empty when nobody is it."""
    ids = {vm.id for vm in inventory.vms}

    @cache
    def others() -> tuple[dict[str, list[VM]], dict[str, list[VM]]]:
        """By UUID and by name: made when an id is not enough, which is seldom."""
        uuids: dict[str, list[VM]] = {}
        names: dict[str, list[VM]] = {}
        for vm in inventory.vms:
            if vm.instance_uuid:
                uuids.setdefault(vm.instance_uuid, []).append(vm)
            names.setdefault(vm.name.casefold(), []).append(vm)
        return uuids, names

    def find(end: End) -> str:
        if end.id in ids:
            return end.id
        uuids, names = others()
        by_uuid = _one(uuids.get(end.instance_uuid, ())) if end.instance_uuid else ""
        return by_uuid or _one(names.get(end.name.casefold(), ()))

    return find


def found_ends(inventory: Inventory, remembered: Sequence[Remembered]) -> dict[int, Decision]:
    """Return decisions by number with the ids that their ends have in this inventory."""
    find = finder(inventory)
    found = {}
    for item in remembered:
        a, b = find(item.a), find(item.b) if item.b else ""
        if a and (b or not item.b) and a != b:
            found[item.number] = replace(item.decision, a=a, b=b)
    return found


def _newest(found: dict[int, Decision]) -> list[Decision]:
    """Return the newest decision of each key, oldest first."""
    newest: dict[tuple[str, ...], Decision] = {}
    for _, decision in sorted(found.items()):
        key = tie_key(decision)
        newest.pop(key, None)  # a newer word stands behind all that were said before it
        newest[key] = decision
    return list(newest.values())


def decided(inventory: Inventory, remembered: Sequence[Remembered]) -> Inventory:
    """Return the inventory with decisions on it: accepted ties are sure, refused ones set aside.

    What only a person knows of becomes a dependency of its own. Without decisions, the inventory itself.
    """
    if not remembered:
        return inventory
    found = found_ends(inventory, remembered)
    decisions, lost = _newest(found), len(remembered) - len(found)
    rulings = Rulings(decisions)
    kept: list[Dependency] = []
    refused: list[Dependency] = []
    for item in inventory.dependencies:
        ruling = rulings.on(item)
        if ruling is None:
            kept.append(item)
        elif ruling.ruling is Ruling.REFUSE:
            refused.append(item)
        else:
            kept.append(replace(item, confidence=1.0))
    added = [
        Dependency(item.a, item.b, _ADDED[item.ruling], item.why or "said by a person", None, said_by(item))
        for item in decisions
        if item.ruling in _ADDED
    ]
    note = f"{show_count(lost, 'decision')} on ties name VMs that the inventory does not hold"
    return replace(
        inventory,
        dependencies=(*kept, *added),
        refused=(*inventory.refused, *refused),
        decisions=(*inventory.decisions, *decisions),
        notes=(*inventory.notes, note) if lost else inventory.notes,
    )
