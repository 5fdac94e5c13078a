"""The datastores of a vCenter as those need them who make disks there: kind, room, hosts, datacenter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from migrate.sites.vsphere.connection import Connection
from planner.errors import BadInput, NotFound, SiteRefused
from planner.names import visible
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import flag, many, text, whole

_STORES = Kind("datastores", ("Datastore",), {"Datastore": ("name", "parent", "summary", "info", "host")})
_ABOVE = Kind("folders", (), dict.fromkeys(("Folder", "Datacenter", "StoragePod"), ("name", "parent")))
_DEEPEST = 64  # folders below one another


@dataclass(frozen=True, slots=True)
class Store:
    """A datastore. ``hosts`` mount it and may reach it now; ``extents`` are the LUNs that it lies on."""

    ref: Ref
    name: str
    kind: str
    free_bytes: int
    accessible: bool
    hosts: frozenset[str]
    extents: frozenset[str]
    parent: Ref | None


@dataclass(frozen=True, slots=True)
class Datacenter:
    """A datacenter; ``path`` is where it is in the inventory, as ``dcPath`` has it."""

    ref: Ref
    path: str


class Stores:
    """Finds datastores by name; which one it is is remembered, what it says is asked anew."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, Ref] = {}
        self._centres: dict[str, Datacenter] = {}
        self._browsers: dict[str, Ref] = {}

    def all(self) -> tuple[Store, ...]:
        """Return every datastore; raises BadInput, Unreachable."""
        return tuple(self._connection.find(_STORES, _store))

    def find(self, name: str) -> Store | None:
        """Return the datastore of a name, None when there is none; raises SiteRefused for several."""
        known = self._known.get(name)
        item = self._connection.one(_STORES, known) if known else None
        if item is not None and (store := _named(item, name)) is not None:
            return store
        found = self._connection.find(_STORES, lambda item: _named(item, name))
        if len(found) > 1:
            raise SiteRefused(
                f"{len(found)} datastores at {self._connection.shown} are called {visible(name, 80)}",
                "rename one of them: a disk is found by the name of its datastore",
            )
        if found:
            self._known[name] = found[0].ref
        return found[0] if found else None

    def need(self, name: str) -> Store:
        """Return the datastore of a name; raises NotFound, SiteRefused."""
        found = self.find(name)
        if found is None:
            raise NotFound(
                f"datastore {visible(name, 80)} does not exist at {self._connection.shown}",
                "correct the datastores in the settings, then plan anew",
            )
        return found

    def browser(self, store: Store) -> Ref:
        """Return what lists the files of a datastore; raises Declined, Unreachable."""
        known = self._browsers.get(store.ref.id)
        if known is None:
            target = self._connection.managed(store.ref)
            what = f"datastore {visible(store.name, 80)} cannot be browsed"
            found = self._connection.ask(what, lambda _: target.browser)
            known = self._browsers[store.ref.id] = Ref("HostDatastoreBrowser", found._GetMoId())
        return known

    def datacenter(self, store: Store) -> Datacenter:
        """Return the datacenter that a datastore is in; raises BadInput."""
        known = self._centres.get(store.ref.id)
        if known is not None:
            return known
        names: list[str] = []
        centre: Ref | None = None
        above = store.parent
        for _ in range(_DEEPEST):
            item = self._connection.one(_ABOVE, above) if above else None
            if item is None:
                break
            if item.ref.kind == "Datacenter":
                centre = item.ref
            parent = _parent(item)
            if centre is not None and parent is not None:  # the root folder has no place in a path
                names.append(text(item.values.get("name")))
            above = parent
        if centre is None:
            raise BadInput(
                f"datastore {visible(store.name, 80)} is in no datacenter that the account may see",
                "give the account the read-only role at the datacenter",
            )
        self._centres[store.ref.id] = found = Datacenter(centre, "/".join(reversed(names)))
        return found


def _named(item: RawObject, name: str) -> Store | None:
    return _store(item) if entity_name(text(item.values.get("name"))) == name else None


def _store(item: RawObject) -> Store:
    values = item.values
    summary: Any = values.get("summary")
    mounted = frozenset(
        text(mount, "key")
        for mount in many(values.get("host"))
        if flag(mount, "mountInfo", "accessible") is not False
        and flag(mount, "mountInfo", "mounted") is not False
    )
    extents = many(values.get("info"), "vmfs", "extent")
    return Store(
        ref=item.ref,
        name=entity_name(text(values.get("name"))),
        kind=text(summary, "type"),
        free_bytes=whole(summary, "freeSpace") or 0,
        accessible=flag(summary, "accessible") is not False,
        hosts=mounted,
        extents=frozenset(name for one in extents if (name := text(one, "diskName"))),
        parent=_parent(item),
    )


def _parent(item: RawObject) -> Ref | None:
    """Return what an object hangs on; the collector gives ids alone, and they say their kind."""
    parent = text(item.values.get("parent"))
    if not parent:
        return None
    kind = "Datacenter" if parent.startswith("datacenter") else "Folder"
    return Ref("StoragePod" if parent.startswith("group-p") else kind, parent)
