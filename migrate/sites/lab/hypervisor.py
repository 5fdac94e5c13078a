"""The hypervisor of a lab site: who is on, who writes, what changed, what is frozen.

It implements what ``migrate.sites.ports`` asks of a site, inside one process; ``daemon`` puts it
behind a socket. Two locks: ``_control`` serialises calls, ``_writes`` is held around every single
guest write and, taken alone, stops all guests at one instant.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from migrate.sites.configuration import Configuration
from migrate.sites.lab.acks import Acks
from migrate.sites.lab.configuring import Configuring
from migrate.sites.lab.customising import Customising, HeldBy
from migrate.sites.lab.folder import SiteFolder
from migrate.sites.lab.guests import Guests
from migrate.sites.lab.health import GuestState
from migrate.sites.lab.machines import MachineRegistry
from migrate.sites.lab.oplog import OpLog
from migrate.sites.lab.powerbook import PowerBook
from migrate.sites.lab.shelf import SnapshotShelf
from migrate.sites.lab.storage import Storage
from migrate.sites.lab.vmx import Machine, with_free_slots
from migrate.sites.lab.volumes import Volumes
from migrate.sites.networking import GuestNic
from migrate.sites.ports import (
    ChangeId,
    Consistency,
    Extent,
    Health,
    NewDisk,
    NewVM,
    Snapshot,
    VMSnapshot,
    VMState,
)
from planner.errors import NotFound, SiteRefused
from planner.model import Power
from planner.names import content_id, visible

_T = TypeVar("_T")
_POWER_CALLS = frozenset({"power_on", "shut_down", "power_off"})
_CONFIGURING = frozenset(
    {"set_change_tracking", "set_hardware_version", "set_disk_modes", "set_drives", "consolidate"}
)
_ONCE = _POWER_CALLS | _CONFIGURING | {"create_vm", "delete_vm", "delete_disk", "rename", "customise"}
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Hypervisor:
    """One lab site, in the process that owns it. Calls may come from several threads."""

    def __init__(self, folder: SiteFolder) -> None:
        """Take over a site folder; VMs that were on when the last process died are off, crashed."""
        self._folder = folder
        self._settings = folder.settings()
        folder.make_state()
        self._identity = folder.identity()
        self._control = threading.RLock()
        self._writes = threading.RLock()
        volumes = Volumes(folder, self._settings.capacity_bytes)
        self._machines = MachineRegistry(folder.vms, volumes)
        self._power = PowerBook(folder.state / "power.json", _BOOT_ID.read_text().strip())
        # what outlived only the process is whole in the page cache; a machine restart may tear it
        trusted = self._power.was_clean or self._power.same_boot
        self._storage = Storage(volumes, folder.state / "maps", trusted)
        self._tracked = self._storage.tracked
        self._shelf = SnapshotShelf(folder.state / "snapshots", self._tracked, self._writes, trusted)
        self._acks = Acks(folder.state / "acks")
        self._log = OpLog(folder.state / "ops.log", forget=_POWER_CALLS)
        self._customising = Customising(
            self._machines, self._storage, self._writes, self._settings.answer_port
        )
        self._guests = Guests(
            self._machines,
            self._storage,
            self._power,
            self._acks,
            self._customising,
            self._writes,
            self._settings.write_rate,
        )
        self._configuring = Configuring(
            self._machines, self._storage, self._guests, self._shelf, self._writes
        )

    @property
    def name(self) -> str:
        """Name of the site."""
        return self._settings.name

    @property
    def identity(self) -> str:
        """What tells this site from every other one, kept in its state."""
        return self._identity

    @property
    def idle(self) -> bool:
        """True while no VM is on."""
        return not self._guests.running()

    # observing

    def vms(self) -> tuple[str, ...]:
        """Return the ids of all registered VMs."""
        with self._control:
            return tuple(machine.spec.id for machine in self._machines)

    def observe(self, vm: str) -> VMState | None:
        """Return a VM's state, None when it is not registered."""
        with self._control:
            machine = self._machines.get(vm)
            if machine is None:
                return None
            state = self._power.get(vm)
            power = Power.ON if state.on else Power.OFF
            return VMState(
                vm,
                machine.spec.name,
                power,
                self._storage.disks(machine.spec),
                machine.connected,
                machine.op,
                state.op,
                machine.note,
            )

    def crashed(self, vm: str) -> bool:
        """True when a VM was on as the hypervisor died, and was not powered on since."""
        with self._control:
            return self._power.get(vm).crashed

    def volume(self, volume: str) -> NewDisk | None:
        """Return a volume, attached or not, or None."""
        with self._control:
            return self._storage.describe(volume)

    def free_bytes(self) -> int:
        """Return the bytes that new disks may take."""
        with self._control:
            return self._storage.free_bytes()

    def networks(self) -> tuple[str, ...] | None:
        """Return the networks that NICs can be plugged into, None for any."""
        return self._settings.networks

    def _logged(self, op: str, call: str, subject: str, act: Callable[[], _T]) -> _T | object:
        """Log a request, act unless it was done under the same op, and log the outcome."""
        with self._control:
            return self._log.perform(op, call, subject, act, once=call in _ONCE)

    # power

    def power_on(self, vm: str, op: str) -> None:
        """Power a VM on and start its guest; raises SiteRefused when a writer has one of its disks."""

        def act() -> None:
            if vm not in self._guests:
                self._configuring.stunned((vm,))
            self._guests.start(vm, op)

        self._logged(op, "power_on", vm, act)

    def shut_down(self, vm: str, op: str, timeout_s: float) -> bool:
        """Stop a guest in order and power it off; False when it ignores the request."""
        if vm in self._settings.stubborn and vm in self._guests:
            number = self._log_begin(op, "shut_down", vm)
            time.sleep(timeout_s)
            with self._control:
                self._log.failed(number, op, "shut_down", vm, "the guest ignored the request")
            return False
        return bool(self._logged(op, "shut_down", vm, lambda: self._guests.stop(vm, op, clean=True)))

    def _log_begin(self, op: str, call: str, subject: str) -> int:
        with self._control:
            return self._log.begin(op, call, subject)

    def power_off(self, vm: str, op: str) -> None:
        """Stop a VM at once, as pulling its plug does."""
        self._logged(op, "power_off", vm, lambda: self._guests.stop(vm, op, clean=False))

    # consistency

    def quiesce(self, vms: tuple[str, ...], op: str) -> Consistency:
        """Bring the guests of a group to a clean point; they write nothing more until ``thaw``."""
        self._logged(op, "quiesce", " ".join(vms), lambda: self._guests.quiesce(vms))
        return self._guests.label(vms)

    def thaw(self, vms: tuple[str, ...], op: str) -> None:
        """Let guests write again; one that is off is not an error."""
        self._logged(op, "thaw", " ".join(vms), lambda: self._guests.thaw(vms))

    # snapshots and changes

    def take_snapshot(self, vms: tuple[str, ...], op: str) -> Snapshot:
        """Freeze all tracked volumes of a group at one instant; raises SiteRefused, OSError."""

        def act() -> Snapshot:
            found = self._shelf.find(op) if op else None
            if found is not None:
                return found
            disks = [disk.volume for vm in vms for disk in self._machines.need(vm).spec.disks]
            volumes = tuple(v for v in dict.fromkeys(disks) if self._storage.need(v).tracked)
            for volume in volumes:
                self._tracked[volume].check_quiet()
            self._configuring.stunned(vms)
            return self._shelf.take(volumes, lambda: self._guests.label(vms), op)

        made = self._logged(op, "take_snapshot", " ".join(vms), act)
        assert isinstance(made, Snapshot)
        return made

    def find_snapshot(self, op: str) -> Snapshot | None:
        """Return the snapshot made under ``op`` that still exists."""
        with self._control:
            return self._shelf.find(op)

    def list_snapshots(self) -> tuple[Snapshot, ...]:
        """Return all snapshots."""
        with self._control:
            return tuple(self._shelf)

    def snapshots_of(self, vm: str) -> tuple[VMSnapshot, ...]:
        """Return everybody's snapshots of a VM, those from before the lab by their names."""
        with self._control:
            return self._configuring.snapshots(vm)

    def drop_snapshot(self, snapshot: str, op: str) -> None:
        """Remove a snapshot; one that is gone already is not an error."""
        self._logged(op, "drop_snapshot", snapshot, lambda: self._shelf.drop(snapshot))

    def changed_areas(self, volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        """Return the areas written after ``since``, None when that cannot be known."""
        with self._control:
            if not self._configuring.tracks(volume):
                return None
            return self._storage.changed_areas(volume, since)

    def change_id(self, volume: str) -> ChangeId | None:
        """Return the change id of this instant, None for a volume that is not tracked."""
        with self._control, self._writes:
            return self._storage.end_period(volume) if self._configuring.tracks(volume) else None

    # disks

    def create_disk(self, disk: NewDisk, op: str) -> None:
        """Create a volume of zeros; raises SiteRefused, NoSpace."""
        self._logged(op, "create_disk", disk.volume, lambda: self._storage.create(disk))

    def delete_disk(self, volume: str, op: str) -> None:
        """Delete a volume that no VM, snapshot or writer uses; one that is gone is not an error."""

        def act() -> None:
            self._storage.delete(volume, self._machines.users(volume), self._shelf.of_volume(volume))

        self._logged(op, "delete_disk", volume, act)

    def locate(self, volume: str, snapshot: str | None) -> tuple[Path, Path | None, str]:
        """Return a volume's data file, a snapshot's folder and the stem of its files there."""
        with self._control:
            found = self._storage.need(volume)
            if snapshot is None:
                return found.data, None, found.stem
            folder = self._shelf.folder(snapshot)
            if folder is None or snapshot not in self._shelf.of_volume(volume):
                raise NotFound(
                    f"snapshot {visible(snapshot)} of volume {visible(volume)} does not exist",
                    "take a new one",
                )
            return found.data, folder, found.stem

    def admit_writer(self, volume: str) -> None:
        """Agree that the caller, who holds the exclusive lock already, writes a volume directly.

        Its writes pass no change map, so change ids given before lose their meaning, and what its
        VMs had acknowledged is not there any more. Raises SiteRefused while snapshots need it.
        """
        with self._control:
            users = self._machines.users(volume)
            running = any(vm in self._guests for vm in users)
            self._storage.admit_writer(volume, running, self._shelf.of_volume(volume))
            for vm in users:
                self._acks.forget(content_id(vm))

    # machines

    def create_vm(self, vm: NewVM, op: str) -> None:
        """Register a VM, powered off; raises SiteRefused when its id is taken, NotFound for a volume."""

        def act() -> None:
            known = self._machines.get(vm.id)
            if known is not None:
                if op and known.op == op:
                    return
                raise SiteRefused(f"VM {visible(vm.id)} is registered already", "delete it first")
            self._acks.forget(content_id(vm.id))
            self._machines.save(Machine(replace(vm, disks=with_free_slots(vm.disks)), True, op))

        self._logged(op, "create_vm", vm.id, act)

    def delete_vm(self, vm: str, op: str) -> None:
        """Unregister a powered-off VM; its volumes stay. One that is gone is not an error."""

        def act() -> None:
            if vm in self._guests:
                raise SiteRefused(f"VM {visible(vm)} is powered on", "power it off first")
            self._machines.remove(vm)
            self._power.forget(vm)
            self._acks.forget(content_id(vm))

        self._logged(op, "delete_vm", vm, act)

    def rename(self, vm: str, name: str, op: str) -> None:
        """Give a VM another display name."""

        def act() -> None:
            machine = self._machines.need(vm)
            self._machines.save(replace(machine, spec=replace(machine.spec, name=name)))

        self._logged(op, "rename", vm, act)

    def connect_nics(self, vm: str, connected: bool, op: str) -> None:
        """Plug or unplug all NICs of a VM."""
        self._logged(op, "connect_nics", vm, lambda: self._machines.change(vm, connected=connected))

    def annotate(self, vm: str, note: str, op: str) -> None:
        """Replace a VM's note."""
        self._logged(op, "annotate", vm, lambda: self._machines.change(vm, note=note))

    # configuration

    def configuration(self, vm: str) -> Configuration | None:
        """Return a VM's configuration, None when it is not registered."""
        with self._control:
            return self._configuring.read(vm)

    def set_change_tracking(self, vm: str, on: bool, op: str) -> None:
        """Ask for change tracking; it takes effect at the next power-on or snapshot."""
        self._logged(op, "set_change_tracking", vm, lambda: self._configuring.set_change_tracking(vm, on))

    def set_hardware_version(self, vm: str, version: int, op: str) -> None:
        """Change the virtual hardware of a VM that is off."""
        self._logged(
            op, "set_hardware_version", vm, lambda: self._configuring.set_hardware_version(vm, version)
        )

    def set_disk_modes(self, vm: str, modes: tuple[tuple[str, str], ...], op: str) -> None:
        """Change the modes of disks of a VM that is off."""
        self._logged(op, "set_disk_modes", vm, lambda: self._configuring.set_disk_modes(vm, modes))

    def set_drives(self, vm: str, drives: tuple[tuple[str, bool, bool], ...], op: str) -> None:
        """Connect or disconnect CD and floppy drives."""
        self._logged(op, "set_drives", vm, lambda: self._configuring.set_drives(vm, drives))

    def consolidate(self, vm: str, op: str) -> None:
        """Merge delta files that belong to no snapshot."""
        self._logged(op, "consolidate", vm, lambda: self._configuring.consolidate(vm))

    # guests

    def networking(self, vm: str) -> tuple[GuestNic, ...] | None:
        """Return what a guest is set to, or will be when it starts next; None where nobody can know."""
        with self._control:
            return self._customising.read(vm)

    def address_holders(self) -> list[HeldBy]:
        """Return every VM with the addresses that it holds, as plain data."""
        with self._control:
            return self._customising.holders(self._guests.running())

    def customise(self, vm: str, nics: tuple[GuestNic, ...], op: str) -> None:
        """Have the guest of a VM that is off start with other settings; raises SiteRefused."""
        self._logged(op, "customise", vm, lambda: self._customising.ask(vm, nics, self._guests.running()))

    def probe(self, vm: str) -> Health:
        """Look whether a guest runs and everything it acknowledged is on its disks."""
        with self._control:
            return self._guests.probe(vm)

    def guest(self, vm: str) -> GuestState:
        """Scan a VM's records, on or off; raises NotFound, OSError."""
        with self._control:
            return self._guests.state(vm)

    def close(self) -> None:
        """Shut every guest down in order and let go of the folder; later calls wait for ever."""
        self._control.acquire()  # never released: nobody may act after the end was noted
        for vm in self._guests.running():
            self._guests.stop(vm, "", clean=True)
        self._storage.close()
        self._power.stop()  # last: after a machine restart it vouches for maps and snapshots
        self._log.close()
