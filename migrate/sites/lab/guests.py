"""The guests of powered-on VMs: started, stopped, frozen and looked at.

A guest writes numbered records (``guest``); whether they are all there is judged by ``health``. The
hypervisor calls with its control lock held.
"""

from __future__ import annotations

import threading

from migrate.sites.copies import original_of
from migrate.sites.lab.acks import Acks
from migrate.sites.lab.customising import Customising
from migrate.sites.lab.guest import Guest
from migrate.sites.lab.health import GuestState, guest_state, judge
from migrate.sites.lab.machines import MachineRegistry
from migrate.sites.lab.powerbook import PowerBook, PowerState
from migrate.sites.lab.records import Scan, read_lanes, scan
from migrate.sites.lab.storage import Storage
from migrate.sites.lab.tracked import TrackedVolume
from migrate.sites.ports import Consistency, Health
from planner.names import content_id


class Guests:
    """The guests of one site, by VM id."""

    def __init__(
        self,
        machines: MachineRegistry,
        storage: Storage,
        power: PowerBook,
        acks: Acks,
        customising: Customising,
        writes: threading.RLock,
        write_rate: float,
    ) -> None:
        self._machines = machines
        self._storage = storage
        self._power = power
        self._acks = acks
        self._customising = customising
        self._writes = writes
        self._write_rate = write_rate
        self._running: dict[str, Guest] = {}

    def __contains__(self, vm: str) -> bool:
        return vm in self._running

    def running(self) -> tuple[str, ...]:
        """Return the VMs that are on."""
        return tuple(self._running)

    def start(self, vm: str, op: str) -> None:
        """Take hold of a VM's disks and start its guest; raises SiteRefused when a writer has one."""
        machine = self._machines.need(vm)
        if vm in self._running:
            return
        tracked = [self._storage.tracked[self._storage.need(disk.volume).id] for disk in machine.spec.disks]
        try:
            for item in tracked:
                item.hold(vm)
            self._power.put(vm, PowerState(on=True, clean=False, op=op))
            self._running[vm] = self._boot(vm, tracked)
            self._customising.started(vm)
        except BaseException:
            self._running.pop(vm, None)
            for item in tracked:
                item.release(vm)
            if self._power.get(vm).on:
                self._power.put(vm, PowerState(op=op))
            raise
        self._running[vm].start()

    def _boot(self, vm: str, tracked: list[TrackedVolume]) -> Guest:
        owner, acks = _records(vm), content_id(vm)
        with self._writes:  # another VM may be writing a shared disk
            found = scan(tracked, owner)
            places = [(item, lane) for item in tracked for lane in read_lanes(item) if lane.owner == owner]
        guest = Guest(
            owner,
            places,
            found.last,
            self._write_rate,
            self._writes,
            lambda number: self._acks.put(acks, number),
        )
        if tracked and not (found.complete and found.last >= self._acks.get(acks)):
            guest.fault = "the guest does not write: its records are not complete"
        return guest

    def stop(self, vm: str, op: str, clean: bool) -> bool:
        """Stop a guest, in order when ``clean``, and let go of its disks; True also when it was off."""
        machine = self._machines.need(vm)
        guest = self._running.pop(vm, None)
        if guest is None:
            return True
        self._customising.stopped(vm)
        if clean:
            guest.shut_down()
        else:
            guest.power_off()
        for disk in machine.spec.disks:
            self._storage.tracked[disk.volume].release(vm)
        self._power.put(vm, PowerState(clean=clean and not guest.fault, op=op))
        return True

    def quiesce(self, vms: tuple[str, ...]) -> None:
        """Bring guests to a clean point; raises NotFound before any is touched."""
        for vm in vms:
            self._machines.need(vm)
        for vm in vms:
            if vm in self._running:
                self._running[vm].quiesce()

    def thaw(self, vms: tuple[str, ...]) -> None:
        """Let those write again that are on."""
        for vm in vms:
            if vm in self._running:
                self._running[vm].thaw()

    def label(self, vms: tuple[str, ...]) -> Consistency:
        """Return what the state of a group is worth to an application right now."""
        for vm in vms:
            guest = self._running.get(vm)
            if not (guest.paused and not guest.fault if guest else self._power.get(vm).clean):
                return Consistency.CRASH
        return Consistency.APPLICATION

    def probe(self, vm: str) -> Health:
        """Look whether a guest runs and everything it acknowledged is on its disks."""
        machine = self._machines.get(vm)
        if machine is None:
            return Health(False, "the VM is not registered")
        guest = self._running.get(vm)
        if guest is None:
            crashed = self._power.get(vm).crashed
            return Health(False, "the VM crashed with its host" if crashed else "the VM is powered off")
        if not machine.spec.disks:
            return Health(True, "running, no disks")
        known = self._acks.get(content_id(vm))  # before the scan: the guest goes on writing
        try:
            found = self._scan(vm)
        except OSError as error:
            return Health(False, f"its disks cannot be read: {error.strerror or error}")
        return judge(found, known, guest.fault)

    def state(self, vm: str) -> GuestState:
        """Scan a VM's records, on or off; raises NotFound, OSError."""
        known = self._acks.get(content_id(vm))  # before the scan, as in ``probe``
        return guest_state(self._scan(vm), known)

    def _scan(self, vm: str) -> Scan:
        machine = self._machines.need(vm)
        with self._writes:
            return scan([self._storage.tracked[disk.volume] for disk in machine.spec.disks], _records(vm))


def _records(vm: str) -> str:
    """Return whose records a VM writes: a copy goes on with those of its original."""
    return content_id(original_of(vm))
