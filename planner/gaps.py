"""What the sources of single vCenters had no word on, where an inventory was merged from several.

What nobody knows stands in the inventory's own gaps; here is what only some of its VMs lack.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from planner.model import Inventory


@dataclass(frozen=True, slots=True)
class PartGap:
    """Kinds that nothing is known of for ``vms`` of the ``of`` VMs of one vCenter."""

    vcenter: str
    name: str
    kinds: tuple[str, ...]
    vms: int
    of: int


def part_gaps(inventory: Inventory) -> tuple[PartGap, ...]:
    """Return what only some VMs lack, by vCenter in the order of its VMs; most VMs first."""
    names = {vcenter.id: vcenter.name for vcenter in inventory.vcenters}
    sizes = Counter(vm.vcenter for vm in inventory.vms)
    lacking: dict[str, Counter[str]] = {vcenter: Counter() for vcenter in sizes}
    for vm in inventory.vms:
        lacking[vm.vcenter].update(kind for kind in dict.fromkeys(vm.gaps) if kind not in inventory.gaps)
    found = []
    for vcenter, counted in lacking.items():
        kinds: defaultdict[int, list[str]] = defaultdict(list)
        for kind, count in counted.items():
            kinds[count].append(kind)
        found += [
            PartGap(vcenter, names.get(vcenter) or vcenter, tuple(kinds[count]), count, sizes[vcenter])
            for count in sorted(kinds, reverse=True)
        ]
    return tuple(found)
