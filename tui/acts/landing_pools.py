"""Resource pools and storage policies of the source and where they lead: who is in them, what the target has.

Both have a default, so none of them has to be mapped: a VM lands in its cluster's own pool then, and its
disks get the default policy of their datastore. What is lost by that is said.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from planner.destinations import ANYWHERE, parts_of
from planner.pools import inside, is_there, known_pools, pool_maps, pools_above
from planner.sized import holds_all
from tui.acts.landing import Landing, open_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.model import VM, Inventory
    from planner.settings import Settings

# pools


def pools_of(inventory: Inventory) -> tuple[str, ...]:
    """Return the paths of all pools of VMs which may move, with those above them, sorted."""
    return tuple(sorted({path for vm in inventory.vms if vm.movable for path in pools_above(vm)}))


def pools_there(target: Inventory | None) -> tuple[str, ...] | None:
    """Return the paths of pools at the target below their clusters, None when nobody read them."""
    if target is None or not target.resource_pools:
        return None
    return tuple(sorted({"/".join(path) for one in target.resource_pools if (path := inside(one.path))}))


def pool_landings(inventory: Inventory, target: Inventory | None, settings: Settings) -> tuple[Landing, ...]:
    """Return every pool with its map, VMs and bytes of all that lies in it."""
    maps = pool_maps(settings.pools)
    vms: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    part: set[str] = set()  # pools with a VM of which not all disks are known
    for vm in inventory.vms:
        if not vm.movable or not vm.resource_pool:
            continue
        by, goes = maps.decided(vm.resource_pool)
        own = not inside(vm.resource_pool)
        for path in {*pools_above(vm), *([_spelled(by)] if by else [])}:
            vms[path] += 1
            sizes[path] += vm.disk_bytes
            lost[path] += not goes and not own
            if not holds_all(vm, inventory.gaps):
                part.add(path)
    known = known_pools(target) if target is not None and target.resource_pools else None
    rows = []
    for name in {*vms, *map(_spelled, settings.pools)}:
        own_map = maps.by_parts.get(parts_of(name))
        by, goes = own_map or maps.decided(name)
        wrong = []
        if lost[name] and name != ANYWHERE:
            wrong.append("not mapped: lands in its cluster's own pool")
        if own_map and known is not None and not is_there(goes, known):
            wrong.append("the target has no such pool")
        to = own_map[1] if own_map else ""
        rows.append(
            Landing(name, vms[name], sizes[name], name not in part, to, goes, by, "", "; ".join(wrong), 0)
        )
    return open_first(rows)


def _spelled(path: str) -> str:
    return "/".join(parts_of(path)) or ANYWHERE


# storage policies


def _policies_of(vm: VM) -> set[str]:
    return {name for name in (vm.management.storage_policy, *(disk.policy for disk in vm.disks)) if name}


def policies_of(inventory: Inventory) -> tuple[str, ...]:
    """Return the names of the storage policies of VMs which may move, sorted."""
    return tuple(sorted({name for vm in inventory.vms if vm.movable for name in _policies_of(vm)}))


def policy_landings(inventory: Inventory, settings: Settings) -> tuple[Landing, ...]:
    """Return every storage policy with its map; bytes are those of all disks of its VMs."""
    return open_first(_policies(inventory, settings))


def _policies(inventory: Inventory, settings: Settings) -> Iterator[Landing]:
    for name in {*policies_of(inventory), *settings.storage_policies}:
        held = [vm for vm in inventory.vms if vm.movable and name in _policies_of(vm)]
        to = settings.storage_policies.get(name, "")
        yield Landing(
            name,
            len(held),
            sum(vm.disk_bytes for vm in held),
            all(holds_all(vm, inventory.gaps) for vm in held),
            to,
            to,
            name if to else "",
            "",
            "" if to or not held else "not mapped: its disks get the default of their datastore",
            0,
        )
