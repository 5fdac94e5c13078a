"""Opening the bytes of a volume: who holds it, which file is meant, which way leads there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from migrate.claims import Claim, Rank, Standing
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.ports import NewDisk
from migrate.sites.removals import How
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.holders import HeldDisk
from migrate.sites.vsphere.seats import Seat
from migrate.sites.vsphere.transports import choosing
from migrate.sites.vsphere.transports.choosing import Choice
from migrate.sites.vsphere.transports.nbd import Nbd
from migrate.sites.vsphere.transports.ports import Hangs, Place, Purpose, Rationed
from migrate.sites.vsphere.transports.through import FrozenDisk
from migrate.sites.vsphere.trees import standing, tree
from migrate.sites.vsphere.volumes import Volumes
from planner.errors import NotFound, SiteRefused
from planner.model import Backing, BusSharing
from planner.names import visible
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import text

_NEXT = "next"  # stands for a snapshot that is still to be taken
_LOG = logging.getLogger(__name__)
_HOST = Kind("hosts", (), {"HostSystem": ("name",)})
_TREE = Kind("virtual machines", (), {"VirtualMachine": ("snapshot",)})


def _logged(volume: str, choice: Choice) -> None:
    _LOG.info("volume %s is reached by %s", visible(volume, 80), choice.reason)


class Reaching(Volumes):
    """Opens volumes.

    ``tell`` hears of each volume that is opened by which way, and why; the log does unless told otherwise.
    """

    tell: Callable[[str, Choice], None] = staticmethod(_logged)

    def reads_by(self, volume: str) -> Choice:
        """Return the way that a run would read a volume by: at its next snapshot, or once its VM is off.

        Nothing is opened. Raises SiteRefused when none leads there, NotFound, Unreachable.
        """
        place = self._place_of(volume, None)
        if place.backing is Backing.RDM_PHYSICAL or place.is_shared:  # which no snapshot holds
            place = replace(place, running=False)
        elif place.running:
            place = replace(place, snapshot=_NEXT)
        return choosing.choose(self.transports, place, Purpose.READ)

    def writes_by(self, disk: NewDisk) -> Choice:
        """Return the way that a run would write a replica by, also one that is not there yet.

        Nothing is opened. Raises SiteRefused when none leads there, Unreachable.
        """
        seats = self.seats
        if (seat := seats.find(disk.volume)) is not None and seats.described(disk.volume, seat) is not None:
            place = self._place_of(disk.volume, None)
        else:
            seat = seat or seats.new(disk)
            centre, kind = seat.centre.path, seat.store.kind
            place = Place(
                seat.file, disk.size_bytes, disk.backing, disk.lun, datacenter=centre, datastore_kind=kind
            )
        return choosing.choose(self.transports, place, Purpose.WRITE)

    def takes(self, volume: str, snapshot: str | None, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        """Return what reading a volume takes of what runs out, hosts by their names; raises WherryError."""
        if not any(isinstance(one, Rationed) for one in self.transports):
            return ()
        place = replace(self._place_of(volume, snapshot), live=rank is Rank.AHEAD)
        return self._told(choosing.takes(self.transports, place, rank))

    def takes_to_write(self, volume: str, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        """Return what writing a volume takes of what runs out, hosts by their names; raises WherryError.

        Without hot-add and VDDK that is nothing, and nothing is asked.
        """
        if not any(isinstance(one, Hangs) and one.is_set_up for one in self.transports):
            return ()
        place = self._place_of(volume, None)
        return self._told(choosing.takes(self.transports, place, rank, Purpose.WRITE))

    def _told(self, found: tuple[Standing, ...]) -> tuple[Standing, ...]:
        return tuple(replace(one, claim=self._named(one.claim)) for one in found)

    def _named(self, claim: Claim) -> Claim:
        if claim.of.startswith("vcenter "):  # no two have the same
            return claim
        host = (
            self.connection.one(_HOST, Ref("HostSystem", claim.of)) if claim.of.startswith("host-") else None
        )
        of = f"host {visible(entity_name(text(host.values.get('name'))), 80)}" if host else claim.of
        return replace(claim, of=f"{of} of {self.connection.shown}")  # both sites' stand side by side

    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk:
        """Open a volume that nobody changes, or as a snapshot holds it; raises WherryError."""
        self.clean_up()
        place = self._place_of(volume, snapshot)
        disk = choosing.open_read(self.transports, place, lambda choice: self.tell(volume, choice))
        if snapshot is None:
            return disk
        return FrozenDisk(disk, lambda: self._must_stand(volume, place))

    def _must_stand(self, volume: str, place: Place) -> None:
        """Raise NotFound when the snapshot that a volume was opened at is lost; raises Unreachable."""
        item = self.connection.one(_TREE, Ref("VirtualMachine", place.vm))
        how = standing(item.values.get("snapshot"), (place.snapshot,)) if item else How.REMOVED
        if how is How.REMOVED:
            raise NotFound(
                f"the snapshot of volume {visible(volume, 80)} was removed while it was read",
                "take a new one: what was read is of no one moment",
            )
        if how is How.REVERTED:
            raise NotFound(
                f"the VM of volume {visible(volume, 80)} was reverted behind its snapshot in mid-pass",
                "take a new one: what was read is of a moment that somebody went back from",
            )

    def open_live(self, volume: str) -> ReadableDisk:
        """Open a volume as it is while its VMs write to it, for a pass that proves nothing."""
        self.clean_up()
        place = replace(self._place_of(volume, None), live=True)
        return choosing.open_read(self.transports, place, lambda choice: self.tell(volume, choice))

    def open_write(self, volume: str) -> WritableDisk:
        """Open a volume that no running VM holds to write it; raises WherryError."""
        self.clean_up()
        place = self._place_of(volume, None)
        if place.running:
            raise SiteRefused(
                f"volume {visible(volume, 80)} is in use by a powered-on VM", "power it off first"
            )
        if place.file.is_delta:
            raise SiteRefused(f"volume {visible(volume, 80)} has snapshots", "drop them first")
        return choosing.open_write(self.transports, place, lambda choice: self.tell(volume, choice))

    @property
    def carriers(self) -> tuple[Ref, ...]:
        """The VMs that replicas hang on while they are open."""
        carriers = (one.carrier for one in self.transports if isinstance(one, Nbd))
        return tuple(Ref("VirtualMachine", one.id) for one in carriers if one is not None)

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
