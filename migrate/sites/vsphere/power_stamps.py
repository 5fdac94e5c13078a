"""Who powered a VM last: the key of the call, kept as a custom attribute of the VM at the vCenter.

An attribute is the vCenter's: neither the VM's configuration nor its files change. It holds the op, the
newest power event at that moment and whether the guest shut down in order; a power event after that one
is somebody else's, and then the op is not the last any more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from migrate.sites.vsphere.attributes import Attributes
from migrate.sites.vsphere.reading import Machine, Reading
from migrate.sites.vsphere.tasks import Act
from planner.sources.vcenter.soap import Ref

ATTRIBUTE = "wherry.power"
_EVENTS = (
    "VmPoweredOnEvent",
    "VmPoweredOffEvent",
    "VmSuspendedEvent",
    "VmResettingEvent",
)


@dataclass(frozen=True, slots=True)
class PowerStamp:
    """The last power operation of ours on a VM."""

    op: str
    event: int
    clean: bool


class PowerStamps(Reading):
    """Writes and reads the attribute."""

    def last_power_op(self, machine: Machine) -> str:
        """Return the op of the VM's last power operation, "" when it was not ours."""
        stamp = self.power_stamp(machine)
        return stamp.op if stamp else ""

    def power_stamp(self, machine: Machine) -> PowerStamp | None:
        """Return the stamp of the VM's last power operation, None when that was not ours."""
        if not machine.item.values.get("customValue"):
            return None
        said = dict(Attributes(self.connection).values(machine.ref)).get(ATTRIBUTE, "")
        try:
            op, event, clean = json.loads(said)
        except ValueError:
            return None
        return PowerStamp(str(op), int(event), bool(clean)) if self._newest(machine.ref) == event else None

    def stamp_power(self, act: Act, target: Ref, clean: bool) -> None:
        """Say of a VM that its last power operation was made under the act's op."""
        value = json.dumps([act.op, self._newest(target), clean])
        Attributes(self.connection).write(act, target, [(ATTRIBUTE, value)])

    def _newest(self, target: Ref) -> int:
        """Return the key of a VM's newest power event, 0 when there is none."""
        import pyVmomi

        vim: Any = pyVmomi.vim
        by = vim.event.EventFilterSpec.ByEntity(entity=self.connection.managed(target), recursion="self")
        spec = vim.event.EventFilterSpec(entity=by, eventTypeId=list(_EVENTS))
        events = self.connection.ask(
            "cannot read the events of a VM", lambda content: content.eventManager.QueryEvents(spec)
        )
        return max((int(event.key) for event in events), default=0)
