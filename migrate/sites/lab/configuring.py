"""Changes of lab VMs' configuration: each is one durable .vmx, with vSphere's own refusals.

Change tracking is real: while it has not taken effect, no change id of the VM's volumes is trusted,
and when it takes effect their change maps begin a new epoch. The caller holds the control lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

from migrate.sites.configuration import PERSISTENT, Configuration, plugged
from migrate.sites.lab.guests import Guests
from migrate.sites.lab.hardware import Hardware
from migrate.sites.lab.machines import MachineRegistry
from migrate.sites.lab.shelf import SnapshotShelf
from migrate.sites.lab.storage import Storage
from migrate.sites.ports import VMSnapshot
from planner.errors import SiteRefused
from planner.names import visible

NEWEST_HARDWARE = 22
_MODES = frozenset(
    {PERSISTENT, "nonpersistent", "independent_persistent", "independent_nonpersistent", "undoable", "append"}
)


class Configuring:
    """The configurations of one site's VMs."""

    def __init__(
        self,
        machines: MachineRegistry,
        storage: Storage,
        guests: Guests,
        shelf: SnapshotShelf,
        writes: threading.RLock,
    ) -> None:
        self._machines = machines
        self._storage = storage
        self._guests = guests
        self._shelf = shelf
        self._writes = writes

    def read(self, vm: str) -> Configuration | None:
        """Return a VM's configuration, None when it is not registered."""
        machine = self._machines.get(vm)
        if machine is None:
            return None
        hardware, disks = machine.hardware, machine.spec.disks
        modes = dict(hardware.modes)
        return Configuration(
            hardware.version,
            hardware.cbt,
            hardware.tracking,
            tuple((disk.key, modes.get(disk.key, PERSISTENT)) for disk in disks),
            hardware.drives,
            hardware.consolidation_needed,
            len(self.snapshots(vm)),
        )

    def snapshots(self, vm: str) -> tuple[VMSnapshot, ...]:
        """Return everybody's snapshots of a VM; those from before the lab are names only."""
        machine = self._machines.get(vm)
        if machine is None:
            return ()
        before = (VMSnapshot(f"before-{n}", name) for n, name in enumerate(machine.hardware.snapshots))
        mine = {disk.volume for disk in machine.spec.disks}
        taken = (item for item in self._shelf if not mine.isdisjoint(item.changes))
        return *before, *(VMSnapshot(item.id, item.op or item.id, item.op) for item in taken)

    def _save(self, vm: str, hardware: Hardware) -> None:
        machine = self._machines.need(vm)
        if hardware != machine.hardware:
            self._machines.save(replace(machine, hardware=hardware))

    def _off(self, vm: str) -> Hardware:
        found = self._machines.need(vm).hardware
        if vm in self._guests:
            raise SiteRefused(f"VM {visible(vm)} is powered on", "power it off first")
        return found

    def set_change_tracking(self, vm: str, on: bool) -> None:
        """Ask for change tracking or none; it takes effect later. Raises SiteRefused, NotFound."""
        found = self._machines.need(vm).hardware
        if on and found.version < 7:
            raise SiteRefused(
                f"virtual hardware {found.version} of VM {visible(vm)} knows no change tracking",
                "upgrade it first",
            )
        self._save(vm, replace(found, cbt=on))

    def set_hardware_version(self, vm: str, version: int) -> None:
        """Change the virtual hardware, up or down: a lab can do both. Raises SiteRefused, NotFound."""
        found = self._off(vm)
        if not 3 <= version <= NEWEST_HARDWARE:
            raise SiteRefused(
                f"virtual hardware {version} is not known at the site", f"use at most {NEWEST_HARDWARE}"
            )
        self._save(vm, replace(found, version=version))

    def set_disk_modes(self, vm: str, modes: Iterable[tuple[str, str]]) -> None:
        """Change the modes of the named disks; raises SiteRefused, NotFound."""
        found = self._off(vm)
        keys = {disk.key for disk in self._machines.need(vm).spec.disks}
        said = dict(modes)
        for key, mode in said.items():
            if key not in keys or mode not in _MODES:
                raise SiteRefused(
                    f"disk {visible(key)} of VM {visible(vm)} cannot be {visible(mode)}", "check its key"
                )
        merged = dict(found.modes) | said
        self._save(vm, replace(found, modes=tuple((k, m) for k, m in merged.items() if m != PERSISTENT)))

    def set_drives(self, vm: str, states: Iterable[tuple[str, bool, bool]]) -> None:
        """Connect or disconnect the named drives; raises SiteRefused, NotFound."""
        found = self._machines.need(vm).hardware
        said = list(states)
        missing = {key for key, *_ in said} - {drive.key for drive in found.drives}
        if missing:
            raise SiteRefused(f"VM {visible(vm)} has no drive {visible(min(missing))}", "check its key")
        self._save(vm, replace(found, drives=plugged(found.drives, said)))

    def consolidate(self, vm: str) -> None:
        """Merge delta files that belong to no snapshot."""
        self._save(vm, replace(self._machines.need(vm).hardware, consolidation_needed=False))

    def stunned(self, vms: Iterable[str]) -> None:
        """Let change tracking take effect, or end, for VMs that stood still for a moment."""
        for vm in vms:
            machine = self._machines.get(vm)
            if machine is None or machine.hardware.tracking == machine.hardware.cbt:
                continue
            with self._writes:
                for disk in machine.spec.disks:
                    changes = self._storage.tracked[disk.volume].changes
                    if changes is not None:
                        changes.restart()
            self._save(vm, replace(machine.hardware, tracking=machine.hardware.cbt))

    def tracks(self, volume: str) -> bool:
        """Return whether every VM that holds a volume tracks its changes."""
        return all(self._machines.need(vm).hardware.tracking for vm in self._machines.users(volume))
