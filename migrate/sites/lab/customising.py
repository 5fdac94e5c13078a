"""Network settings of lab guests: read off their disks, and asked for until they are started next.

As with a real site, a guest that is off is only told: what it shall have waits in its .vmx and is applied
when it starts. One that runs answers at those of its addresses that are of the loopback, if its site has a
port for that. The caller holds the control lock.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable
from typing import Any

from migrate.sites.copies import original_of
from migrate.sites.lab.addressed import read_networking, write_networking
from migrate.sites.lab.answering import Answering
from migrate.sites.lab.machines import MachineRegistry
from migrate.sites.lab.storage import Storage
from migrate.sites.lab.tracked import TrackedVolume
from migrate.sites.lab.vmx import Machine
from migrate.sites.networking import GuestNic, merged
from planner.errors import SiteRefused
from planner.names import content_id, visible

HeldBy = dict[str, Any]  # vm, name, macs, ips


class Customising:
    """The network settings of one site's guests; ``port`` is where those that run answer, 0 for nowhere."""

    def __init__(
        self, machines: MachineRegistry, storage: Storage, writes: threading.RLock, port: int
    ) -> None:
        self._machines = machines
        self._storage = storage
        self._writes = writes
        self._port = port
        self._answering: dict[str, Answering] = {}

    def read(self, vm: str) -> tuple[GuestNic, ...] | None:
        """Return what a guest is set to, or will be when it starts next; None where nobody can know."""
        machine = self._machines.get(vm)
        if machine is None or not machine.spec.disks:
            return None
        found = self._on_disk(machine)
        return merged(found or (), machine.customised) if found or machine.customised else None

    def holders(self, running: Container[str]) -> list[HeldBy]:
        """Return every VM with its MAC addresses, and the IP addresses that its guest has, as plain data.

        One that is off holds none; of one that runs and whose disk says nothing it is None.
        """
        found: list[HeldBy] = []
        for machine in self._machines:
            vm = machine.spec
            nics = self.read(vm.id) if vm.id in running else ()
            ips = None if nics is None else [one for nic in nics for one in nic.plain_addresses]
            macs = [nic.mac.casefold() for nic in vm.nics if nic.mac]
            found.append({"vm": vm.id, "name": vm.name, "macs": macs, "ips": ips})
        return found

    def ask(self, vm: str, nics: Iterable[GuestNic], running: Container[str]) -> None:
        """Have a guest that is off start with other settings; raises SiteRefused, NotFound."""
        if vm in running:
            raise SiteRefused(f"VM {visible(vm)} is powered on", "power it off first")
        machine = self._machines.need(vm)
        if not machine.spec.disks:
            raise SiteRefused(f"VM {visible(vm)} has no disk to start a guest from", "set it by hand")
        said = tuple(nics)
        if strange := {nic.label for nic in said} - {nic.label for nic in machine.spec.nics}:
            raise SiteRefused(f"VM {visible(vm)} has no adapter {visible(min(strange))}", "check its label")
        self._machines.change(vm, customised=merged(machine.customised, said))

    def started(self, vm: str) -> None:
        """Apply what was asked for, on the disks that its guest holds now, and let it answer."""
        machine = self._machines.need(vm)
        if machine.customised:
            first = self._first(machine)
            nics = merged(self._on_disk(machine) or (), machine.customised)
            with self._writes:
                write_networking(first, first.write, _owner(vm), nics)
                first.flush()
            self._machines.change(vm, customised=())
        if self._port and machine.connected:
            here = [address for nic in self.read(vm) or () for address in nic.plain_addresses]
            self._answering[vm] = Answering(here, self._port, machine.spec.name)

    def stopped(self, vm: str) -> None:
        """Let a guest answer no more."""
        if (answering := self._answering.pop(vm, None)) is not None:
            answering.close()

    def _on_disk(self, machine: Machine) -> tuple[GuestNic, ...] | None:
        with self._writes:
            return read_networking(self._first(machine), _owner(machine.spec.id))

    def _first(self, machine: Machine) -> TrackedVolume:
        return self._storage.tracked[self._storage.need(machine.spec.disks[0].volume).id]


def _owner(vm: str) -> str:
    return content_id(original_of(vm))
