"""What is shared by many as few edges: a chain, or a tree where a person refused some of the pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from planner.model import VM

Pair = frozenset[str]


def movable_first(vms: Iterable[VM]) -> list[VM]:
    """Return VMs with those that never move at the end: leaving them out does not cut a chain."""
    return sorted(vms, key=lambda vm: not vm.movable)


def joined(vms: Sequence[VM], refused: frozenset[Pair] = frozenset()) -> Iterator[tuple[VM, VM]]:
    """Yield pairs that hold ``vms`` together as far as pairs that nobody refused do.

    Without refusals the chain of neighbours; else a spanning forest of the pairs that are left.
    """
    ordered = movable_first(vms)
    ids = {vm.id for vm in ordered}
    inside = {pair for pair in refused if pair <= ids}
    if not inside:
        yield from pairwise(ordered)
        return
    left = list(ordered)
    while left:
        queue = [left.pop(0)]
        for here in queue:
            apart = [vm for vm in left if frozenset((here.id, vm.id)) in inside]
            reached = [vm for vm in left if frozenset((here.id, vm.id)) not in inside]
            yield from ((here, vm) for vm in reached)
            queue += reached
            left = apart
