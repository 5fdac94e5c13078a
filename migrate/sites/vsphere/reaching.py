"""Opening the bytes of a volume: who holds it, which file is meant, which way leads there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.holders import HeldDisk
from migrate.sites.vsphere.seats import Seat
from migrate.sites.vsphere.transports import choosing
from migrate.sites.vsphere.transports.choosing import Choice
from migrate.sites.vsphere.transports.ports import Place, Purpose, Transport
from migrate.sites.vsphere.trees import tree
from migrate.sites.vsphere.volumes import Volumes
from planner.errors import NotFound, SiteRefused
from planner.model import BusSharing
from planner.names import visible
from planner.sources.vcenter.paths import Kind

_LOG = logging.getLogger(__name__)
_TREE = Kind("virtual machines", (), {"VirtualMachine": ("snapshot",)})


def _logged(volume: str, choice: Choice) -> None:
    _LOG.info("volume %s is reached by %s", visible(volume, 80), choice.reason)


class Reaching(Volumes):
    """Opens volumes. ``transports`` are set by who puts the site together.

    ``tell`` hears of each volume that is opened by which way, and why; the log does unless told otherwise.
    """

    transports: tuple[Transport, ...] = ()
    tell: Callable[[str, Choice], None] = staticmethod(_logged)

    def way_to(self, volume: str, purpose: Purpose, snapshot: str | None = None) -> Choice:
        """Return the way that a volume would be opened by; nothing is opened. Raises WherryError."""
        return choosing.choose(self.transports, self._place_of(volume, snapshot), purpose)

    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk:
        """Open a volume that nobody changes, or as a snapshot holds it; raises WherryError."""
        place = self._place_of(volume, snapshot)
        return choosing.open_read(self.transports, place, lambda choice: self.tell(volume, choice))

    def open_live(self, volume: str) -> ReadableDisk:
        """Open a volume as it is while its VMs write to it, for a pass that proves nothing."""
        place = replace(self._place_of(volume, None), live=True)
        return choosing.open_read(self.transports, place, lambda choice: self.tell(volume, choice))

    def open_write(self, volume: str) -> WritableDisk:
        """Open a volume that no running VM holds to write it; raises WherryError."""
        place = self._place_of(volume, None)
        if place.running:
            raise SiteRefused(
                f"volume {visible(volume, 80)} is in use by a powered-on VM", "power it off first"
            )
        if place.file.is_delta:
            raise SiteRefused(f"volume {visible(volume, 80)} has snapshots", "drop them first")
        return choosing.open_write(self.transports, place, lambda choice: self.tell(volume, choice))

    def _place_of(self, volume: str, snapshot: str | None) -> Place:
        seats = self.seats
        seat = seats.find(volume)
        described = seats.described(volume, seat) if seat is not None else None
        if seat is None or described is None:
            raise NotFound(f"volume {visible(volume, 80)} does not exist at the site", "create it first")
        held = seats.held(seat, described.lun)
        holder, frozen = self._part_of_snapshot(volume, held, snapshot) if snapshot else (_first(held), "")
        return Place(
            file=self._file_of(volume, seat, holder, frozen),
            size_bytes=described.size_bytes,
            backing=described.backing,
            lun=described.lun,
            uuid=seats.uuid(seat),
            datacenter=seat.centre.path,
            datastore_kind=seat.store.kind,
            vm=holder.vm.id if holder else "",
            host=holder.host if holder else "",
            snapshot=frozen,
            running=any(one.running for one in held),
            sharing=holder.sharing if holder else BusSharing.NONE,
            multi_writer=bool(holder and holder.multi_writer),
        )

    def _file_of(self, volume: str, seat: Seat, holder: HeldDisk | None, frozen: str) -> DatastorePath:
        """Return the file whose bytes are meant; raises SiteRefused when a snapshot holds none."""
        if holder is None:
            return seat.file
        if not frozen:
            return holder.file
        file = self.seats.holders.frozen(holder, frozen)
        if file is None or (holder.running and holder.mode.startswith("independent")):
            raise SiteRefused(
                f"volume {visible(volume, 80)} is not in the snapshot of {visible(holder.name, 80)}",
                "copy it after the VM has stopped",
            )
        return file

    def _part_of_snapshot(
        self, volume: str, held: tuple[HeldDisk, ...], snapshot: str
    ) -> tuple[HeldDisk, str]:
        """Return which of a volume's VMs has the snapshot, and its managed object there."""
        by_vm = {one.vm: one for one in held}
        for item in self.connection.read(_TREE, by_vm):
            for taken in tree(item.values.get("snapshot")):
                if snapshot in (taken.op, taken.id):
                    return by_vm[item.ref], taken.id
        raise NotFound(
            f"no VM of volume {visible(volume, 80)} has snapshot {visible(snapshot, 80)}", "take a new one"
        )


def _first(held: tuple[HeldDisk, ...]) -> HeldDisk | None:
    return held[0] if held else None
