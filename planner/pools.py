"""Resource pools of the source and where they lead: the map of pools, applied.

A pool is told by its path below its cluster's own pool (``gold/db``), with its cluster
(``prod/Resources/gold``), or as a whole (``/DC1/host/prod/Resources/gold``). The longest path that the
settings map decides, and what lies in deeper pools lands there too: none is made at the target. What nobody
mapped lands in the cluster's own pool: that is the empty text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.destinations import ANYWHERE, Parts, parts_of
from planner.model import VM, Inventory

_ROOT = "Resources"  # what a vCenter calls the pool that every cluster has


def inside(path: str) -> Parts:
    """Return the names in a pool's path below its cluster's own pool."""
    parts = parts_of(path)
    return parts[parts.index(_ROOT) + 1 :] if _ROOT in parts else parts


def shown(path: str) -> str:
    """Return a pool as it is listed: its path below its cluster's own pool, ``/`` for that itself."""
    return "/".join(inside(path)) or ANYWHERE


def pools_above(vm: VM) -> tuple[str, ...]:
    """Return a VM's pool and those above it, the cluster's own first; nothing when it is not known."""
    if not vm.resource_pool:
        return ()
    parts = inside(vm.resource_pool)
    return (ANYWHERE, *("/".join(parts[: at + 1]) for at in range(len(parts))))


def known_pools(target: Inventory) -> frozenset[Parts]:
    """Return the pools of a target: all ends of their paths, which is how a place there is named."""
    found: set[Parts] = set()
    for one in target.resource_pools:
        parts = parts_of(one.path)
        found.update(parts[at:] for at in range(len(parts)))
    return frozenset(found)


def is_there(path: str, known: frozenset[Parts]) -> bool:
    """Return whether a pool that a map names is one of the target's; its cluster is not looked at."""
    parts = parts_of(path)
    return bool(parts) and (parts[parts.index(_ROOT) :] if _ROOT in parts else parts) in known


@dataclass(frozen=True, slots=True)
class PoolMaps:
    """The map of pools, ready to be asked."""

    by_parts: Mapping[Parts, tuple[str, str]]  # → (path as it was said, pool of the target)

    def decided(self, path: str) -> tuple[str, str]:
        """Return which path of the map decides on a pool and where that leads, both empty when none."""
        parts, below = parts_of(path), inside(path)
        above = len(parts) - len(below)  # names down to the cluster's own pool
        for length in range(len(below), -1, -1):
            whole = parts[: above + length]
            for said in (whole, whole[max(above - 2, 0) :], below[:length]):
                if (found := self.by_parts.get(said)) is not None:
                    return found
        return "", ""

    def of(self, vm: VM) -> str:
        """Return the pool that a VM lands in, empty for its cluster's own."""
        return self.decided(vm.resource_pool)[1] if vm.resource_pool and self.by_parts else ""


def pool_maps(pools: Mapping[str, str]) -> PoolMaps:
    """Return the map of the settings, ready to be asked."""
    return PoolMaps({parts_of(path): (path, to) for path, to in pools.items()})
