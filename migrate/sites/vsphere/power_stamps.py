"""Who powered a VM last: the key of the call, kept as a custom attribute of the VM at the vCenter.

An attribute is the vCenter's: neither the VM's configuration nor its files change. It holds the op, the
newest power event at that moment and whether the guest shut down in order; a power event after that one
is somebody else's, and then the op is not the last any more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from migrate.sites.vsphere.reading import Machine, Reading
from migrate.sites.vsphere.tasks import Act
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import many, text

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

    _known_field: int | None = None

    def last_power_op(self, machine: Machine) -> str:
        """Return the op of the VM's last power operation, "" when it was not ours."""
        stamp = self.power_stamp(machine)
        return stamp.op if stamp else ""

    def power_stamp(self, machine: Machine) -> PowerStamp | None:
        """Return the stamp of the VM's last power operation, None when that was not ours."""
        values = many(machine.item.values.get("customValue"))
        key = str(self._field()) if values else ""
        said = next((text(value, "value") for value in reversed(values) if text(value, "key") == key), "")
        try:
            op, event, clean = json.loads(said)
        except ValueError:
            return None
        return PowerStamp(str(op), int(event), bool(clean)) if self._newest(machine.ref) == event else None

    def stamp_power(self, act: Act, target: Ref, clean: bool) -> None:
        """Say of a VM that its last power operation was made under the act's op."""
        value = json.dumps([act.op, self._newest(target), clean])
        key = self._field()
        if key is None:
            key = self._make_field(act)
        manager = self._manager()

        def done() -> bool | None:
            values = self.connection.managed(target).customValue
            return True if any(one.key == key and one.value == value for one in values) else None

        act.run(
            manager,
            "SetField",
            self.connection.managed(target),
            key,
            value,
            done=lambda: self.connection.ask("cannot read a custom attribute", lambda _: done()),
        )

    def _manager(self) -> Ref:
        return Ref("CustomFieldsManager", self.connection.session.content.customFieldsManager._GetMoId())

    def _field(self) -> int | None:
        """Return the number of the attribute, None when the vCenter has none."""

        def find(content: Any) -> int | None:
            fields = content.customFieldsManager.field
            return next((int(one.key) for one in fields if one.name == ATTRIBUTE), None)

        if self._known_field is None:
            self._known_field = self.connection.ask("cannot read the custom attributes", find)
        return self._known_field

    def _make_field(self, act: Act) -> int | None:
        import pyVmomi

        vim: Any = pyVmomi.vim
        act.run(
            self._manager(),
            "AddCustomFieldDef",
            ATTRIBUTE,
            vim.VirtualMachine,
            None,
            None,
            done=self._field,
        )
        return self._field()

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
