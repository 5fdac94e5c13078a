"""Change ids that can be compared: only those of one disk in one life of its tracking.

    52 3c .. 9f/17   the disk's change id as vSphere gives it: a tracking's UUID and a counter
    epoch            UUID | build of the host | size of the disk | what the snapshot stands on
    counter          17

A tracking that begins anew has another UUID. A host that was patched, a disk that was grown and a VM that
stands on somebody's snapshot, to which it can be reverted, have lied about changes before: each makes an
epoch of its own, and what is not comparable is compared by digests. Sources: docs/change-tracking.md.
"""

from __future__ import annotations

from migrate.sites.ports import ChangeId
from migrate.sites.vsphere.reading import Attached, Machine, Reading
from migrate.sites.vsphere.trees import Taken, tree
from planner.model import Backing
from planner.sources.vcenter.paths import MACHINES, Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import many, text, whole

_SNAPSHOT = Kind(
    "snapshots",
    (),
    {"VirtualMachineSnapshot": ("config.hardware.device",)},
    {"config.hardware.device": MACHINES.convert["config.hardware.device"]},
)
_BUILD = Kind("hosts", (), {"HostSystem": ("config.product",)})


class Epochs(Reading):
    """Makes change ids of what a snapshot says."""

    def changes_of(self, machine: Machine, taken: Taken) -> dict[str, ChangeId]:
        """Return the change id of each volume that a VM's snapshot froze, as far as it is tracked."""
        held = {one.disk.key: one for one in self.attached(machine)}
        item = self.connection.one(_SNAPSHOT, taken.ref)
        devices = many(item.values.get("config.hardware.device")) if item else []
        found = {}
        for device in devices:
            one = held.get(text(device, "key"))
            change = self._change(machine, one, device, _ground(machine, taken)) if one else None
            if one is not None and change is not None:
                found[one.volume] = change
        return found

    def change_now(self, machine: Machine, one: Attached) -> ChangeId | None:
        """Return the change id of a disk whose VM is off, as it is now; None when it is not tracked."""
        under = tuple(taken.id for taken in tree(machine.item.values.get("snapshot")))
        return self._change(machine, one, one.device, "+".join(under))

    def _change(self, machine: Machine, one: Attached, device: object, ground: str) -> ChangeId | None:
        identity, _, counter = text(device, "backing", "changeId").rpartition("/")
        if not identity or not counter.isdecimal() or one.disk.backing is Backing.RDM_PHYSICAL:
            return None
        size = whole(device, "capacityInBytes") or one.disk.size_bytes
        return ChangeId("|".join((identity, self._build(machine), str(size), ground)), int(counter))

    def _build(self, machine: Machine) -> str:
        host = text(machine.item.values.get("runtime.host"))
        item = self.connection.one(_BUILD, Ref("HostSystem", host)) if host else None
        return text(item.values.get("config.product"), "build") if item else ""


def _ground(machine: Machine, taken: Taken) -> str:
    """Return what a snapshot stands on: nothing but our own, or this very snapshot, equal to no other."""
    ours = {one.id for one in tree(machine.item.values.get("snapshot")) if one.op}
    return "" if ours.issuperset(taken.under) else taken.id
