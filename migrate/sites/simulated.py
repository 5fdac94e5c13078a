"""The simulated site: the whole site protocol on a simulated clock. No bytes move.

Every call takes modelled time, drawn around a median, and can be told to fail. The medians are
judgements from practice (boot times, snapshot removal), to be replaced by measured ones; the spread
is lognormal. Used by the twin and by tests; a live run against it is refused.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from migrate.clock import SimulatedClock
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.configuration import PERSISTENT, Configuration, plugged
from migrate.sites.definition import Definition, Difference
from migrate.sites.networking import GuestNic, merged
from migrate.sites.ports import (
    Capability,
    ChangeId,
    Consistency,
    DiskState,
    Extent,
    Health,
    NewDisk,
    NewVM,
    Snapshot,
    VMSnapshot,
    VMState,
)
from migrate.sites.simulated_places import SimulatedPlaces
from planner.errors import SiteRefused, StepFailed
from planner.model import Backing, Power

_EPOCH = "simulated"

MEDIAN_S: dict[str, float] = {
    "power_on": 4.0,
    "boot": 75.0,
    "shut_down": 40.0,
    "power_off": 2.0,
    "quiesce": 6.0,
    "thaw": 1.0,
    "take_snapshot": 4.0,
    "drop_snapshot": 15.0,
    "create_disk": 3.0,
    "delete_disk": 2.0,
    "create_vm": 8.0,
    "delete_vm": 3.0,
    "rename": 1.0,
    "connect_nics": 1.0,
    "annotate": 1.0,
    "set_change_tracking": 2.0,
    "set_hardware_version": 5.0,
    "set_disk_modes": 3.0,
    "set_drives": 2.0,
    "consolidate": 600.0,
    "customise": 6.0,
    "build_rule": 2.0,
    "drop_rule": 2.0,
    "put_aside": 1.0,
    "put_back": 1.0,
    "first boot": 40.0,  # a guest that sets itself up anew starts twice
}
_SIGMA = 0.35


@dataclass(slots=True)
class SimulatedSite(SimulatedPlaces):
    """A site that exists only as numbers.

    ``failing`` maps a call's name to how many more times it fails; ``churn_bytes_s`` is what each
    volume changes per simulated second while its VM runs; ``able`` is what it can do.
    """

    name: str
    clock: SimulatedClock
    rng: random.Random
    vms: dict[str, VMState] = field(default_factory=dict)
    volumes: dict[str, NewDisk] = field(default_factory=dict)
    churn_bytes_s: float = 0.0
    failing: dict[str, int] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    booted_at: dict[str, float] = field(default_factory=dict)
    stopped_at: dict[str, float] = field(default_factory=dict)
    holders: dict[str, set[str]] = field(default_factory=dict)
    configurations: dict[str, Configuration] = field(default_factory=dict)
    guests: dict[str, tuple[GuestNic, ...]] = field(default_factory=dict)
    customised: set[str] = field(default_factory=set)  # VMs whose guests set themselves up when they start
    able: frozenset[Capability] = frozenset(Capability)

    @property
    def identity(self) -> str:
        """The name: a simulated site lives as long as its run."""
        return self.name

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it was said to be able to do."""
        return self.able

    def _takes(self, call: str) -> None:
        self.clock.at_s += MEDIAN_S[call] * self.rng.lognormvariate(0.0, _SIGMA)
        left = self.failing.get(call, 0)
        if left:
            self.failing[call] = left - 1
            raise StepFailed(f"site {self.name} failed in {call}", "this fault was injected")

    def observe(self, vm: str) -> VMState | None:
        """Return the VM."""
        return self.vms.get(vm)

    def definition(self, vm: str) -> Definition | None:
        """Return None: a modelled VM is what a plan says of it."""
        return None

    def volume(self, volume: str) -> NewDisk | None:
        """Return the volume."""
        return self.volumes.get(volume)

    def free_bytes(self) -> int:
        """Return a room that is never too small."""
        return 1 << 62

    def networks(self) -> frozenset[str] | None:
        """Return None: any name will do."""
        return None

    def _set(self, vm: str, power: Power, op: str) -> None:
        found = self.vms.get(vm)
        if found is None:
            raise SiteRefused(f"VM {vm} is not at site {self.name}", "check the plan")
        if found.power is Power.ON and power is Power.OFF:
            self.stopped_at[vm] = self.clock.at_s
        self.vms[vm] = replace(found, power=power, last_power_op=op)

    def power_on(self, vm: str, op: str) -> None:
        """Power on; the guest answers a boot later."""
        self._takes("power_on")
        self._set(vm, Power.ON, op)
        self._stunned((vm,))
        median_s = MEDIAN_S["boot"]
        if vm in self.customised:
            self.customised.remove(vm)
            median_s += MEDIAN_S["first boot"]
        boot_s = median_s * self.rng.lognormvariate(0.0, _SIGMA)
        self.booted_at[vm] = self.clock.at_s + boot_s

    def shut_down(self, vm: str, op: str, timeout_s: float) -> bool:
        """Shut down; False when the guest takes longer than it may."""
        before = self.clock.at_s
        self._takes("shut_down")
        if self.clock.at_s - before > timeout_s:
            self.clock.at_s = before + timeout_s
            return False
        self._set(vm, Power.OFF, op)
        return True

    def power_off(self, vm: str, op: str) -> None:
        """Pull the plug."""
        self._takes("power_off")
        self._set(vm, Power.OFF, op)

    def quiesce(self, vms: tuple[str, ...], op: str) -> Consistency:
        """Quiesce a group."""
        self._takes("quiesce")
        return Consistency.APPLICATION

    def thaw(self, vms: tuple[str, ...], op: str) -> None:
        """Let a group write again."""
        self._takes("thaw")

    def take_snapshot(self, vms: tuple[str, ...], op: str) -> Snapshot:
        """Take a group snapshot; the change counter is the simulated time in milliseconds."""
        self._takes("take_snapshot")
        self._stunned(vms)
        change = ChangeId(_EPOCH, int(self.clock.at_s * 1000))
        changes = {
            disk.volume: change
            for vm in vms
            for disk in self.vms[vm].disks
            if disk.backing is not Backing.RDM_PHYSICAL
        }
        taken = Snapshot(f"snapshot-{op}", Consistency.CRASH, changes, op)
        self.snapshots[taken.id] = taken
        return taken

    def find_snapshot(self, op: str) -> Snapshot | None:
        """Return the snapshot of one attempt."""
        return self.snapshots.get(f"snapshot-{op}")

    def drop_snapshot(self, snapshot: str, op: str) -> None:
        """Remove a snapshot."""
        self._takes("drop_snapshot")
        self.snapshots.pop(snapshot, None)

    def list_snapshots(self) -> tuple[Snapshot, ...]:
        """Return all snapshots."""
        return tuple(self.snapshots.values())

    def snapshots_of(self, vm: str) -> tuple[VMSnapshot, ...]:
        """Return everybody's snapshots of a VM."""
        found = self.vms.get(vm)
        mine = {disk.volume for disk in found.disks} if found else set()
        return tuple(
            VMSnapshot(item.id, item.id, item.op)
            for item in self.list_snapshots()
            if not mine.isdisjoint(item.changes)
        )

    def changed_areas(self, volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        """Return one extent as long as what the churn wrote meanwhile."""
        if since.epoch != _EPOCH or not self._tracks(volume):
            return None
        wrote_s = max((self._wrote_s(vm) for vm in self.holders.get(volume, ())), default=0.0)
        seconds = max(wrote_s - since.counter / 1000, 0.0)
        length = min(int(seconds * self.churn_bytes_s), self.volumes[volume].size_bytes)
        return (Extent(0, length),) if length else ()

    def _wrote_s(self, vm: str) -> float:
        """Return until when a VM wrote."""
        found = self.vms.get(vm)
        return self.clock.at_s if found and found.power is Power.ON else self.stopped_at.get(vm, 0.0)

    def change_id(self, volume: str) -> ChangeId | None:
        """Return the change id now; rounded up, so that nothing before it counts as later."""
        return ChangeId(_EPOCH, ceil(self.clock.at_s * 1000)) if self._tracks(volume) else None

    def _tracks(self, volume: str) -> bool:
        users = self.holders.get(volume, ())
        return all(self.configurations[vm].tracking for vm in users if vm in self.configurations)

    def _stunned(self, vms: tuple[str, ...]) -> None:
        for vm in vms:
            if known := self.configurations.get(vm):
                self.configurations[vm] = replace(known, tracking=known.cbt)

    def configuration(self, vm: str) -> Configuration | None:
        """Return a VM's configuration; one that nobody described has nothing in the way."""
        found = self.vms.get(vm)
        if found is None:
            return None
        known = self.configurations.get(vm, Configuration())
        said = dict(known.modes)
        mine = {disk.volume for disk in found.disks}
        taken = sum(not mine.isdisjoint(item.changes) for item in self.snapshots.values())
        modes = tuple((disk.key, said.get(disk.key, PERSISTENT)) for disk in found.disks)
        return replace(known, modes=modes, snapshots=known.snapshots + taken)

    def _reconfigure(self, call: str, vm: str, **fields: Any) -> None:
        self._takes(call)
        if vm not in self.vms:
            raise SiteRefused(f"VM {vm} is not at site {self.name}", "check the plan")
        self.configurations[vm] = replace(self.configurations.get(vm, Configuration()), **fields)

    def set_change_tracking(self, vm: str, on: bool, op: str) -> None:
        """Ask for change tracking."""
        self._reconfigure("set_change_tracking", vm, cbt=on)

    def set_hardware_version(self, vm: str, version: int, op: str) -> None:
        """Change the virtual hardware."""
        self._must_be_off(vm)
        self._reconfigure("set_hardware_version", vm, hw_version=version)

    def set_disk_modes(self, vm: str, modes: tuple[tuple[str, str], ...], op: str) -> None:
        """Change disk modes."""
        self._must_be_off(vm)
        known = self.configurations.get(vm, Configuration())
        self._reconfigure("set_disk_modes", vm, modes=tuple((dict(known.modes) | dict(modes)).items()))

    def set_drives(self, vm: str, drives: tuple[tuple[str, bool, bool], ...], op: str) -> None:
        """Connect or disconnect drives."""
        known = self.configurations.get(vm, Configuration())
        self._reconfigure("set_drives", vm, drives=plugged(known.drives, drives))

    def consolidate(self, vm: str, op: str) -> None:
        """Merge delta files."""
        self._reconfigure("consolidate", vm, consolidation_needed=False)

    def networking(self, vm: str) -> tuple[GuestNic, ...] | None:
        """Return what a guest was set to; None for one that nobody told anything."""
        return self.guests.get(vm)

    def customise(self, vm: str, nics: tuple[GuestNic, ...], op: str) -> None:
        """Have a guest start with other settings."""
        self._takes("customise")
        if vm not in self.vms:
            raise SiteRefused(f"VM {vm} is not at site {self.name}", "check the plan")
        self._must_be_off(vm)
        self.guests[vm] = merged(self.guests.get(vm, ()), nics)
        self.customised.add(vm)

    def _must_be_off(self, vm: str) -> None:
        if vm in self.vms and self.vms[vm].power is not Power.OFF:
            raise SiteRefused(f"VM {vm} is not off", "stop it first")

    def create_disk(self, disk: NewDisk, op: str) -> None:
        """Create a volume."""
        self._takes("create_disk")
        self.volumes[disk.volume] = disk

    def delete_disk(self, volume: str, op: str) -> None:
        """Delete a volume."""
        self._takes("delete_disk")
        self.volumes.pop(volume, None)

    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk:
        """Return a disk that reads as zeros."""
        return _Nothing(self.volumes[volume].size_bytes)

    def open_write(self, volume: str) -> WritableDisk:
        """Refuse: a simulated site holds no bytes."""
        raise SiteRefused(f"site {self.name} is simulated and holds no bytes", "rehearse instead")

    def create_vm(self, vm: NewVM, op: str) -> None:
        """Create a VM."""
        self._takes("create_vm")
        disks = tuple(
            DiskState(
                disk.key,
                disk.volume,
                self.volumes[disk.volume].size_bytes,
                self.volumes[disk.volume].backing,
            )
            for disk in vm.disks
        )
        self.vms[vm.id] = VMState(vm.id, vm.name, Power.OFF, disks, op=op)

    def differences(self, vm: NewVM) -> tuple[Difference, ...]:
        """Return nothing: a modelled VM is as it is said."""
        return ()

    def delete_vm(self, vm: str, op: str) -> None:
        """Unregister a VM."""
        self._takes("delete_vm")
        self.vms.pop(vm, None)

    def rename(self, vm: str, name: str, op: str) -> None:
        """Rename a VM."""
        self._takes("rename")
        self.vms[vm] = replace(self.vms[vm], name=name)

    def connect_nics(self, vm: str, connected: bool, op: str) -> None:
        """Plug or unplug a VM's NICs."""
        self._takes("connect_nics")
        self.vms[vm] = replace(self.vms[vm], connected=connected)

    def annotate(self, vm: str, note: str, op: str) -> None:
        """Replace a VM's note."""
        self._takes("annotate")
        self.vms[vm] = replace(self.vms[vm], note=note)

    def probe(self, vm: str) -> Health:
        """Answer once the guest has booted."""
        ready = self.clock.at_s >= self.booted_at.get(vm, 0.0)
        if not ready:
            self.clock.at_s = self.booted_at[vm]  # a probe loop would only wait for it
        return Health(True, "modelled guest answers")


@dataclass(frozen=True, slots=True)
class _Nothing:
    """A disk of zeros."""

    size_bytes: int

    def read_into(self, buffer: memoryview, offset: int) -> None:
        buffer[:] = bytes(len(buffer))

    def allocated(self) -> Iterator[tuple[int, int]]:
        return iter(())

    def close(self) -> None:
        return


def populate(site: SimulatedSite, vms: Iterable[tuple[str, str, bool, tuple[DiskState, ...]]]) -> None:
    """Put VMs (id, name, running, disks) and their volumes into a site."""
    for vm, name, running, disks in vms:
        site.vms[vm] = VMState(vm, name, Power.ON if running else Power.OFF, disks)
        for disk in disks:
            site.volumes[disk.volume] = NewDisk(disk.volume, disk.size_bytes, disk.backing, disk.lun)
            site.holders.setdefault(disk.volume, set()).add(vm)
