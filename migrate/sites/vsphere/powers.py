"""Power operations. Asking for the state a VM already has is not an error."""

from __future__ import annotations

from collections.abc import Callable

from migrate.sites.vsphere.power_stamps import PowerStamps
from migrate.sites.vsphere.reading import Machine
from migrate.sites.vsphere.refusing import Declined
from planner.model import Power

_POLL_S = 2.0
_CANNOT_ASK = frozenset({"ToolsUnavailable", "ToolsUnavailableFault"})


class Powering(PowerStamps):
    """Starts and stops VMs, and says of each who did it last."""

    def power_on(self, vm: str, op: str) -> None:
        """Power a VM on; raises NotFound, Declined, NoSpace, Unreachable."""
        self._turn("power_on", vm, op, "PowerOnVM_Task", Power.ON)

    def power_off(self, vm: str, op: str) -> None:
        """Stop a VM at once, as pulling its plug does; raises NotFound, Declined, Unreachable."""
        self._turn("power_off", vm, op, "PowerOffVM_Task", Power.OFF)

    def shut_down(self, vm: str, op: str, timeout_s: float) -> bool:
        """Ask the guest to stop; False when it did not within the time, or has no tools to be asked by."""
        act = self.act("shut_down", vm, op)
        found = self.need_machine(vm)
        off = self._is(vm, Power.OFF)
        if found.power is Power.OFF:
            return True
        try:
            act.run(found.ref, "ShutdownGuest", done=off)
        except Declined as refusal:
            if refusal.kind in _CANNOT_ASK:
                return False
            raise
        clock = self.connection.clock
        begun = clock()
        while not off():
            if clock() - begun >= timeout_s:
                return False
            self.connection.sleep(min(_POLL_S, timeout_s))
        self.stamp_power(act, found.ref, Power.OFF, clean=True)
        return True

    def _turn(self, call: str, vm: str, op: str, method: str, wanted: Power) -> None:
        act = self.act(call, vm, op)
        found = self.need_machine(vm)
        if found.power is wanted:
            return
        act.run(found.ref, method, done=self._is(vm, wanted))
        self.stamp_power(act, found.ref, wanted, clean=False)

    def _is(self, vm: str, wanted: Power) -> Callable[[], bool | None]:
        def look() -> bool | None:
            machine: Machine = self.need_machine(vm)
            return True if machine.power is wanted else None

        return look
