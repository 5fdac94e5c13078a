"""Maps for the screens: what of the source is mapped to the target, where each leads, what is odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.model import Inventory
    from tui.study.room import Room


def networks(room: Room) -> dict[str, Any]:
    """Return every network with its map, and the networks of the target; None when nobody read them."""
    from tui.acts.mapping import network_maps

    at = room.situation
    return {
        "networks": network_maps(at.inventory, at.target, at.settings),
        "target": _there(at.target, "networks"),
    }


def datastores(room: Room) -> dict[str, Any]:
    """Return every datastore with its map and room, and the datastores of the target."""
    from tui.acts.landing import datastore_landings

    at, stored = room.situation, room.plan
    plan = stored.plan if stored is not None else None
    return {
        "datastores": datastore_landings(at.inventory, at.target, at.settings, plan),
        "target": _there(at.target, "datastores"),
    }


def folders(room: Room) -> dict[str, Any]:
    """Return every folder with its map, and the folders of the target."""
    from tui.acts.landing import folder_landings

    at = room.situation
    return {
        "folders": folder_landings(at.inventory, at.target, at.settings),
        "target": _there(at.target, "folders"),
    }


def pools(room: Room) -> dict[str, Any]:
    """Return every resource pool with its map, and the pools of the target."""
    from tui.acts.landing_pools import pool_landings

    at = room.situation
    return {
        "pools": pool_landings(at.inventory, at.target, at.settings),
        "target": _there(at.target, "pools"),
    }


def policies(room: Room) -> dict[str, Any]:
    """Return every storage policy with its map; an inventory says which are in use, not all there are."""
    from tui.acts.landing_pools import policy_landings

    at = room.situation
    return {"storage_policies": policy_landings(at.inventory, at.settings), "target": None}


def _there(target: Inventory | None, table: str) -> list[dict[str, Any]] | None:
    """Return what the target has to be mapped to: name, what is said beside it, and where it is."""
    if target is None or table in target.gaps or table == "storage_policies":
        return None
    if table in ("folders", "pools"):
        from tui.acts.landing import folders_there
        from tui.acts.landing_pools import pools_there

        paths = (folders_there if table == "folders" else pools_there)(target)
        return None if paths is None else [{"name": path, "place": ""} for path in paths]
    if table == "datastores":
        from planner.filling import free_on

        return [
            {"name": one.name, "free": free_on(one), "size": one.capacity_bytes, "place": one.datacenter}
            for one in {one.name: one for one in target.datastores}.values()
        ]
    named = {one.name: one for one in target.networks}
    return [{"name": one.name, "vlan": one.vlan, "place": one.datacenter} for one in named.values()]


_ALL = {
    "networks": networks,
    "datastores": datastores,
    "folders": folders,
    "pools": pools,
    "storage_policies": policies,
}


def put(room: Room, values: dict[str, str | None], table: str = "networks") -> dict[str, Any]:
    """Map what a table maps by name, None takes a map away; return all of these then."""
    from tui.acts.mapping import put_maps

    put_maps(room.project, table, values)
    return _ALL[table](room)


def matching(room: Room, pattern: str, target: str, table: str = "networks") -> dict[str, Any]:
    """Return what a pattern would map, and to which of these the target has nothing."""
    from planner.destinations import is_known, known_folders, spelled
    from planner.pools import is_there, known_pools
    from tui.acts.mapping import matched_in

    at = room.situation
    found = matched_in(table, at.inventory, pattern, target)
    there = _there(at.target, table)
    if there is None or at.target is None:
        missing: set[str] = set()
    elif table == "folders":
        known = known_folders(at.target)
        missing = {to for to in found.values() if not is_known(to, known)}
    elif table == "pools":
        pools_known = known_pools(at.target)
        missing = {to for to in found.values() if not is_there(to, pools_known)}
    else:
        missing = set(found.values()) - {one["name"] for one in there}
    before = getattr(at.settings, table)
    if table in ("folders", "pools"):
        before = {spelled(path): to for path, to in before.items()}
    return {
        "maps": found,
        "missing": sorted(missing),
        "before": {name: before[name] for name in found if name in before},
    }


WRITES = frozenset({"maps.set"})
OPS = {
    "maps": networks,
    "maps.datastores": datastores,
    "maps.folders": folders,
    "maps.pools": pools,
    "maps.policies": policies,
    "maps.set": put,
    "maps.match": matching,
}
