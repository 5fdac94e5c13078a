"""What people see of a move in vCenter: an event for each act, attributes that say where a VM stands.

Nothing depends on it: where the account may not, or the vCenter does not answer, it is left out and the act
goes on. An event stands before its act, so that one which fails is seen too.
"""

from __future__ import annotations

import contextlib

from migrate.sites.ports import Shown
from migrate.sites.vsphere.attributes import OWN, Attributes
from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.tasks import Act
from planner.errors import WherryError
from planner.names import visible

WAVE, STATE, CHECKPOINT = (f"{OWN}{name}" for name in ("wave", "state", "checkpoint"))


class Showing(Part):
    """Shows what is done to VMs."""

    def act(self, call: str, subject: str, op: str) -> Act:
        """Note a call as every part does, and tell of it at the VM that it is of."""
        found = super().act(call, subject, op)
        self._tell(subject, f"wherry: {call.replace('_', ' ')} [{visible(op, 200)}]")
        return found

    def _tell(self, vm: str, said: str) -> None:
        from pyVmomi import vmodl

        target = self.ids.known(vm)
        if target is None:
            return
        connection = self.connection
        self.tasks.log.sent("LogUserEvent")
        with contextlib.suppress(WherryError, vmodl.MethodFault):
            connection.session.invoke(
                lambda content: content.eventManager.LogUserEvent(connection.managed(target), said)
            )

    def show(self, vm: str, shown: Shown, op: str) -> None:
        """Set the attributes of a VM that say where it stands; one that is not there is left out.

        Raises Declined, Unreachable.
        """
        target = self.ids.find(vm)
        if target is None:
            return
        said = {WAVE: shown.wave, STATE: shown.state, CHECKPOINT: shown.checkpoint}
        changes = [(name, visible(value, 200)) for name, value in said.items() if value]
        Attributes(self.connection).write(Act(self.tasks, op, "show", vm), target, changes)
