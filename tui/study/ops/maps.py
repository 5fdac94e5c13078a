"""Maps for the screens: networks of the source, where each leads, what is odd about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room


def networks(room: Room) -> dict[str, Any]:
    """Return every network with its map, and the networks of the target; None when nobody read them."""
    from tui.acts.mapping import network_maps

    at = room.situation
    known = at.target is not None and "networks" not in at.target.gaps
    there = {one.name: one for one in at.target.networks} if at.target and known else None
    return {
        "networks": network_maps(at.inventory, at.target, at.settings),
        "target": None
        if there is None
        else [{"name": one.name, "vlan": one.vlan, "place": one.datacenter} for one in there.values()],
    }


def put(room: Room, values: dict[str, str | None]) -> dict[str, Any]:
    """Map networks by name, None takes a map away; return all then."""
    from tui.acts.settling import put_names

    put_names(room.project, "networks", values)
    return networks(room)


def matching(room: Room, pattern: str, target: str) -> dict[str, Any]:
    """Return what a pattern would map, and to which of these the target has no network."""
    from tui.acts.mapping import matched, networks_of

    at = room.situation
    found = matched(networks_of(at.inventory), pattern, target)
    known = at.target is not None and "networks" not in at.target.gaps
    there = {one.name for one in at.target.networks} if at.target else set()
    return {
        "maps": found,
        "missing": sorted({to for to in found.values() if to not in there}) if known else [],
        "before": {name: at.settings.networks[name] for name in found if name in at.settings.networks},
    }


WRITES = frozenset({"maps.set"})
OPS = {"maps": networks, "maps.set": put, "maps.match": matching}
