"""Endpoints that lead to no VM: unresolved ones with the nearest name, and those outside the estate.

Nothing that was seen is dropped: what could not be matched is listed with the traffic it carries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from planner.evidence.nearest import nearest_names
from planner.evidence.records import Endpoint, settled_key
from planner.evidence.resolve import Resolver, Verdict
from planner.model import Inventory


@dataclass(frozen=True, slots=True)
class Carried:
    """What one endpoint carries; ``size_bytes`` is None when no file says."""

    endpoint: Endpoint
    size_bytes: int | None = None
    conversations: int = 0
    facts: int = 0


@dataclass(frozen=True, slots=True)
class Leftover:
    """One label that leads to no VM. ``candidates`` are VM names it could mean, ``nearest`` one like it."""

    label: str
    addresses: tuple[str, ...]
    verdict: Verdict
    candidates: tuple[str, ...]
    size_bytes: int | None
    conversations: int
    facts: int
    nearest: str = ""


def _sum(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b


def leftovers(
    carried: Iterable[Carried], inventory: Inventory, settled: Mapping[str, str]
) -> tuple[Leftover, ...]:
    """Return every label that leads to no VM, by verdict and the traffic it carries, most first.

    Names and addresses that a person settled to be none of ours are external too.
    """
    resolver = Resolver(inventory, settled)
    names = {vm.id: vm.name for vm in inventory.vms}
    found: dict[tuple[str, Verdict], Leftover] = {}
    for item in carried:
        resolved = resolver.resolve(item.endpoint)
        if resolved.verdict is Verdict.VM:
            continue
        address = (item.endpoint.address,) if item.endpoint.address and item.endpoint.name else ()
        key = (settled_key(item.endpoint.label), resolved.verdict)
        before = found.get(key)
        if before is None:
            found[key] = Leftover(
                label=item.endpoint.label,
                addresses=address,
                verdict=resolved.verdict,
                candidates=tuple(names[vm] for vm in resolved.candidates),
                size_bytes=item.size_bytes,
                conversations=item.conversations,
                facts=item.facts,
            )
            continue
        found[key] = replace(
            before,
            addresses=tuple(dict.fromkeys((*before.addresses, *address))),
            size_bytes=_sum(before.size_bytes, item.size_bytes),
            conversations=before.conversations + item.conversations,
            facts=before.facts + item.facts,
        )
    unknown = [item.label for item in found.values() if item.verdict is Verdict.UNKNOWN]
    nearest = nearest_names(unknown, inventory)
    listed = (replace(item, nearest=nearest.get(item.label, "")) for item in found.values())
    return tuple(
        sorted(
            listed, key=lambda item: (-(item.size_bytes or 0), -item.conversations, -item.facts, item.label)
        )
    )
