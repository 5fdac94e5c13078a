"""Networks of the source and where they lead: who is on them, what the target has.

Datastores, folders, pools and storage policies are mapped alike: one by one, or many by one pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.destinations import ANYWHERE, spelled
from planner.errors import BadInput
from planner.names import visible
from planner.sized import holds_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.model import Inventory
    from planner.settings import Settings
    from planner.store.project import Project

NOUNS = {
    "networks": "network",
    "datastores": "datastore",
    "folders": "folder",
    "pools": "resource pool",
    "storage_policies": "storage policy",
}  # by table of the settings
_PATHS = frozenset({"folders", "pools"})  # tables whose names are paths
_MOST_STARS = 3


@dataclass(frozen=True, slots=True)
class Mapped:
    """A network of the source. ``to`` is empty while nobody mapped it; ``wrong`` says what planner knows.

    ``size_bytes`` are all disks of its VMs, the least they are unless ``sized``; ``vlan`` and ``to_vlan`` are
    empty when unknown.
    """

    name: str
    vms: int
    size_bytes: int
    sized: bool
    vlan: str
    to: str
    to_vlan: str
    wrong: str


def networks_of(inventory: Inventory) -> tuple[str, ...]:
    """Return the names of all networks that VMs which may move are on, and of those nobody is on, sorted."""
    used = {nic.network for vm in inventory.vms if vm.movable for nic in vm.nics if nic.network}
    return tuple(sorted(used | {network.name for network in inventory.networks if not network.uplink}))


def _vlans(inventory: Inventory | None) -> dict[str, str]:
    """Return the VLAN of each network by name; those of several that do not agree are named together."""
    found: dict[str, dict[str, None]] = {}
    for network in inventory.networks if inventory else ():
        found.setdefault(network.name, {})
        if network.vlan:
            found[network.name][network.vlan] = None
    return {name: " or ".join(vlans) for name, vlans in found.items()}


def network_maps(inventory: Inventory, target: Inventory | None, settings: Settings) -> tuple[Mapped, ...]:
    """Return every network with its map, those that need one first, the most VMs before others."""
    vms: dict[str, int] = {}
    sizes: dict[str, int] = {}
    part: set[str] = set()  # networks with a VM of which not all disks are known
    for vm in inventory.vms:
        for name in {nic.network for nic in vm.nics if nic.network} if vm.movable else ():
            vms[name] = vms.get(name, 0) + 1
            sizes[name] = sizes.get(name, 0) + vm.disk_bytes
            if not holds_all(vm, inventory.gaps):
                part.add(name)
    here, there = _vlans(inventory), _vlans(target)
    known = target is not None and "networks" not in target.gaps
    found = []
    for name in networks_of(inventory):
        to = settings.networks.get(name, "")
        wanted = to or name
        wrong = []
        if known and wanted not in there:
            wrong.append("the target has no such network")
        elif (a := here.get(name, "")) and (b := there.get(wanted, "")) and a != b:
            wrong.append(f"VLAN {a} here, {b} there")
        if not to and vms.get(name):
            wrong.append("not mapped: goes to the one of its name")
        found.append(
            Mapped(
                name,
                vms.get(name, 0),
                sizes.get(name, 0),
                name not in part,
                here.get(name, ""),
                to,
                there.get(wanted, ""),
                "; ".join(wrong),
            )
        )
    return tuple(sorted(found, key=lambda one: (bool(one.to) or not one.vms, -one.vms, one.name)))


def names_of(table: str, inventory: Inventory) -> tuple[str, ...]:
    """Return what of the source a table maps: names, or paths of folders and pools."""
    from tui.acts.landing import datastores_of, folders_of
    from tui.acts.landing_pools import policies_of, pools_of

    every = {
        "networks": networks_of,
        "datastores": datastores_of,
        "folders": folders_of,
        "pools": pools_of,
        "storage_policies": policies_of,
    }
    return every[table](inventory)


def matched_in(table: str, inventory: Inventory, pattern: str, target: str) -> Mapping[str, str]:
    """Return what of the source a pattern matches in a table, with what it becomes; raises as ``matched``.

    The root of all folders or pools is meant only where it is named.
    """
    names = names_of(table, inventory)
    if table in _PATHS:
        pattern = spelled(pattern)
        names = tuple(name for name in names if name != ANYWHERE or pattern == ANYWHERE)
    return matched(names, pattern, target, NOUNS[table])


def put_maps(project: Project, table: str, values: Mapping[str, str | None]) -> None:
    """Map names of a table, None takes a map away; a folder or pool has one map however its path was spelled.

    Raises BadInput for a name that would lead to a blank one; nothing is mapped then.
    """
    from planner.store import settings as settings_store
    from tui.acts.settling import put_names

    for name, to in values.items():
        if to is not None and not to.strip():
            raise BadInput(
                f"{visible(name, 60)} would lead to a blank name", f"name a {NOUNS[table]} of the target"
            )
    same: dict[str, str | None] = {}
    if table in _PATHS:
        named = {spelled(name) for name in values}
        known = getattr(settings_store.load(project), table)
        same = dict.fromkeys(key for key in known if spelled(key) in named)
    put_names(project, table, {**same, **values})


def matched(names: Iterable[str], pattern: str, target: str, noun: str = "network") -> Mapping[str, str]:
    """Return the names that a pattern matches, with what they become.

    ``*`` stands for any characters, upper and lower case alike; each ``*`` of ``target`` is what the one at
    the same place stood for. Raises BadInput for a pattern that matches none, or cannot be.
    """
    stars = pattern.count("*")
    if stars > _MOST_STARS:
        raise BadInput(f"{visible(pattern, 60)!r} has more than {_MOST_STARS} stars", "write fewer")
    if not target.strip():
        raise BadInput("the target of the map is empty", f"name a {noun} of the target")
    if target.count("*") > stars:
        raise BadInput(
            f"{visible(target, 60)!r} has more stars than {visible(pattern, 60)!r}",
            "write at most as many in the target as in the pattern",
        )
    wanted = re.compile(
        "(.*)".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE | re.DOTALL
    )
    found = {}
    for name in names:
        if hit := wanted.fullmatch(name):
            parts = iter(hit.groups())
            found[name] = re.sub(r"\*", lambda _, parts=parts: next(parts), target)  # type: ignore[misc]
    if not found:
        raise BadInput(
            f"no {noun} of the source matches {visible(pattern, 60)!r}",
            "* stands for any characters: prod-*",
        )
    return found
