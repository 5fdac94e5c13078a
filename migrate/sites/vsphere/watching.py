"""Room on the datastores that delta files of snapshots grow on, before one is taken and while one is there.

A snapshot keeps what is written meanwhile beside the disk. A datastore that fills up stops every VM on it,
so none is taken where less than a reserve is free.
"""

from __future__ import annotations

import contextlib

from migrate.sites.rooms import Room
from migrate.sites.vsphere.reading import Reading
from planner.errors import WherryError
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import many, text, whole

RESERVE = 0.05  # of a datastore, free
_OF_VM = Kind("virtual machines", (), {"VirtualMachine": ("datastore",)})
_ROOM = Kind("datastores", (), {"Datastore": ("name", "summary.capacity", "summary.freeSpace")})


class Watching(Reading):
    """Looks at the room for snapshots."""

    reserve = RESERVE

    def snapshot_waits(self, vm: str) -> str:
        """Return what a snapshot of a VM has to wait for now, empty for nothing; raises Unreachable."""
        rooms = self._rooms(self._stores((vm,)))
        full = [room.datastore for room in rooms if room.free_bytes < room.reserve_bytes]
        return f"room on datastore {min(full)}" if full else ""

    def rooms(self, vms: tuple[str, ...]) -> tuple[Room, ...]:
        """Return each datastore of these VMs as its hosts see it now; raises Unreachable.

        A vCenter counts anew every few minutes only, unless it is asked to (``RefreshDatastore``).
        """
        stores = self._stores(vms)
        for store in stores:
            with contextlib.suppress(WherryError):  # what it knew before is told then
                self._refresh(store)
        return tuple(self._rooms(stores))

    def _refresh(self, store: Ref) -> None:
        self.connection.ask(
            "cannot count the room of a datastore anew",
            lambda _: self.connection.managed(store).RefreshDatastore(),
        )

    def _stores(self, vms: tuple[str, ...]) -> list[Ref]:
        targets = [target for vm in vms if (target := self.ids.find(vm)) is not None]
        found = self.connection.read(_OF_VM, targets) if targets else []
        stores = dict.fromkeys(str(store) for item in found for store in many(item.values.get("datastore")))
        return [Ref("Datastore", store) for store in stores]

    def _rooms(self, stores: list[Ref]) -> list[Room]:
        found = self.connection.read(_ROOM, stores) if stores else []
        return [room for item in found if (room := self._room(item)) is not None]

    def _room(self, store: RawObject) -> Room | None:
        capacity = whole(store.values.get("summary.capacity"))
        free = whole(store.values.get("summary.freeSpace"))
        if not capacity or free is None:
            return None
        name = entity_name(text(store.values.get("name")))
        return Room(name, free, capacity, int(self.reserve * capacity))
