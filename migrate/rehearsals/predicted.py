"""A site as it would be: reads are answered by the real one, until a call that is only predicted changed it.

Nothing is ever asked of the real site but what reads. Time stands still, guests stop when they are
told to and answer when they are started, and nothing writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrate.sites.configuration import Configuration
from migrate.sites.definition import Definition
from migrate.sites.networking import GuestNic
from migrate.sites.ports import Capability, NewDisk, NewVM, VMSnapshot, VMState
from migrate.sites.simulated import SimulatedSite

if TYPE_CHECKING:
    from migrate.sites.ports import FullSite


@dataclass(slots=True)
class _Seen:
    """What was read of the real site already, or is predicted to be gone."""

    vms: set[str] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)
    taken_bytes: int = 0


class PredictedSite(SimulatedSite):
    """A simulated site that begins as the real one is."""

    __slots__ = ("_real", "_seen")
    _real: FullSite
    _seen: _Seen

    @classmethod
    def of(cls, real: FullSite) -> PredictedSite:
        """Return the prediction of a site; nothing is asked of it yet."""
        import random

        from migrate.clock import SimulatedClock

        site = cls(real.name, SimulatedClock(), random.Random(0))  # noqa: S311 - never drawn from
        site._real, site._seen = real, _Seen()
        return site

    @property
    def identity(self) -> str:
        """The real one's."""
        return self._real.identity

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The real one's."""
        return self._real.capabilities

    def _takes(self, call: str) -> None:
        """Take no time and never fail."""

    def observe(self, vm: str) -> VMState | None:
        """Return the VM as it would be."""
        if vm not in self._seen.vms:
            self._seen.vms.add(vm)
            found = self._real.observe(vm)
            if found is not None:
                self.vms[vm] = found
                for disk in found.disks:
                    self.volume(disk.volume)
                    self.holders.setdefault(disk.volume, set()).add(vm)
                self.configurations[vm] = self._real.configuration(vm) or Configuration()
        return self.vms.get(vm)

    def definition(self, vm: str) -> Definition | None:
        """Return the real one's."""
        return self._real.definition(vm)

    def volume(self, volume: str) -> NewDisk | None:
        """Return the volume as it would be."""
        if volume not in self._seen.volumes:
            self._seen.volumes.add(volume)
            if (found := self._real.volume(volume)) is not None:
                self.volumes[volume] = found
        return self.volumes.get(volume)

    def free_bytes(self) -> int:
        """Return what would be left."""
        return self._real.free_bytes() - self._seen.taken_bytes

    def networks(self) -> frozenset[str] | None:
        """Return the real one's."""
        return self._real.networks()

    def snapshots_of(self, vm: str) -> tuple[VMSnapshot, ...]:
        """Return those that are there, and those that would be."""
        return *self._real.snapshots_of(vm), *super().snapshots_of(vm)

    def configuration(self, vm: str) -> Configuration | None:
        """Return the configuration as it would be."""
        self.observe(vm)
        return super().configuration(vm)

    def networking(self, vm: str) -> tuple[GuestNic, ...] | None:
        """Return what the guest would be set to."""
        if vm not in self.guests and self._real.observe(vm) is not None:
            return self._real.networking(vm)
        return super().networking(vm)

    def create_disk(self, disk: NewDisk, op: str) -> None:
        """Predict a volume."""
        if self.volume(disk.volume) is None:
            self._seen.taken_bytes += 0 if disk.backing.is_rdm else disk.size_bytes
            super().create_disk(disk, op)

    def create_vm(self, vm: NewVM, op: str) -> None:
        """Predict a VM."""
        for disk in vm.disks:
            self.volume(disk.volume)
            self.holders.setdefault(disk.volume, set()).add(vm.id)
        self._seen.vms.add(vm.id)
        super().create_vm(vm, op)
