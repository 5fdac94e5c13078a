"""Consistent points: which guests are to stand still for their snapshot, and what it is worth.

vSphere quiesces a guest within the snapshot and lets go by itself, so ``quiesce`` only says whose next
snapshot shall. What was reached is read from the snapshot, never from what was asked for.

    Windows with VSS writers asked (disk.EnableUUID)   application
    other guests with tools                            filesystem
    no tools, tools that fail twice, guest refuses     crash
    off, and shut down in order by wherry              application: nothing is in memory
"""

from __future__ import annotations

from migrate.sites.consistency import Consistency, lowest
from migrate.sites.vsphere.power_stamps import PowerStamps
from migrate.sites.vsphere.reading import Machine
from planner.model import Power
from planner.sources.vcenter.values import text

_RUNNING = "guestToolsRunning"


class Quiescing(PowerStamps):
    """Remembers whose snapshots are to be quiesced."""

    _asked: frozenset[str] = frozenset()

    def quiesce(self, vms: tuple[str, ...], op: str) -> Consistency:
        """Have the next snapshots of these VMs quiesced; return what that can reach at best."""
        self.act("quiesce", " ".join(vms), op)
        machines = [self.need_machine(vm) for vm in vms]
        self._asked |= frozenset(vms)
        return lowest(self.reachable(machine) for machine in machines)

    def thaw(self, vms: tuple[str, ...], op: str) -> None:
        """Take plain snapshots of these VMs again; a guest goes on by itself when its snapshot is there."""
        self.act("thaw", " ".join(vms), op)
        self._asked -= frozenset(vms)

    def to_quiesce(self, machine: Machine) -> bool:
        """Whether a VM's snapshot is to be quiesced, and can be."""
        tools = text(machine.item.values.get("guest.toolsRunningStatus"))
        return machine.id in self._asked and machine.power is Power.ON and tools == _RUNNING

    def reachable(self, machine: Machine) -> Consistency:
        """Return what a snapshot of a VM is worth at best, when its guest is quiesced."""
        if machine.power is not Power.ON:
            stamp = self.power_stamp(machine)
            return Consistency.APPLICATION if stamp and stamp.clean else Consistency.CRASH
        if text(machine.item.values.get("guest.toolsRunningStatus")) != _RUNNING:
            return Consistency.CRASH
        return self.worth(machine, quiesced=True)

    def worth(self, machine: Machine, quiesced: bool) -> Consistency:
        """Return what a snapshot is worth that vCenter says was quiesced, or was not."""
        if machine.power is not Power.ON:
            return self.reachable(machine)
        if not quiesced:
            return Consistency.CRASH
        windows = text(machine.item.values.get("config.guestId")).casefold().startswith("win")
        asks_writers = machine.settings.get("disk.enableuuid", "").casefold() in ("true", "1")
        return Consistency.APPLICATION if windows and asks_writers else Consistency.FILESYSTEM
