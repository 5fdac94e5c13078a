"""What a snapshot has to wait for: room on the datastores that its delta files grow on.

A snapshot keeps what is written meanwhile beside the disk. A datastore that fills up stops every VM on it,
so none is taken where less than a reserve is free.
"""

from __future__ import annotations

from migrate.sites.vsphere.reading import Reading
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import many, text, whole

RESERVE = 0.05  # of a datastore, free
_OF_VM = Kind("virtual machines", (), {"VirtualMachine": ("datastore",)})
_ROOM = Kind("datastores", (), {"Datastore": ("name", "summary.capacity", "summary.freeSpace")})


class Watching(Reading):
    """Looks at the room before a snapshot."""

    reserve = RESERVE

    def snapshot_waits(self, vm: str) -> str:
        """Return what a snapshot of a VM has to wait for now, empty for nothing; raises Unreachable."""
        target = self.ids.find(vm)
        item = self.connection.one(_OF_VM, target) if target else None
        stores = many(item.values.get("datastore")) if item else []
        found = self.connection.read(_ROOM, [Ref("Datastore", str(store)) for store in stores])
        full = [entity_name(text(store.values.get("name"))) for store in found if self._is_full(store)]
        return f"room on datastore {min(full)}" if full else ""

    def _is_full(self, store: RawObject) -> bool:
        capacity = whole(store.values.get("summary.capacity"))
        free = whole(store.values.get("summary.freeSpace"))
        return bool(capacity) and free is not None and free < self.reserve * (capacity or 0)
