"""Disks as files of a vCenter: looked at, created by its disk manager, deleted.

    VMDK    [datastore] wherry-ID/disk.vmdk      thin, thick or eager-zeroed, full of zeros
    RDM     [datastore] wherry-ID/LUN.vmdk       a pointer, named after the LUN that it maps

A volume that the plan knows by its id alone lies in a folder whose name follows from that id, so that it is
found again by whoever looks. What exists is known by its descriptor, which counts in sectors.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from migrate.sites.ports import NewDisk
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.refusing import Declined
from migrate.sites.vsphere.seats import Form, Laying, Seat, Seats
from migrate.sites.vsphere.stores import Stores
from migrate.sites.vsphere.tasks import Act
from migrate.sites.vsphere.transports.ports import Hangs, Transport
from planner.errors import NoSpace, NotFound, SiteRefused
from planner.model import Backing
from planner.names import visible
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.units import SECTOR, show_bytes

_CLUSTER = Kind("clusters", (), {"ComputeResource": ("host",), "ClusterComputeResource": ("host",)})
_POINTERS = {Backing.RDM_VIRTUAL: "rdm", Backing.RDM_PHYSICAL: "rdmp"}
_KIB = 1024


class Volumes(Part):
    """Volumes of the vCenter. ``laying`` and ``transports`` are set by who puts the site together."""

    laying = Laying()
    transports: tuple[Transport, ...] = ()

    @cached_property
    def stores(self) -> Stores:
        """The vCenter's datastores."""
        return Stores(self.connection)

    @property
    def seats(self) -> Seats:
        """Finds where volumes lie."""
        return Seats(self.connection, self.tasks, self.ids, self.laying, self.stores)

    def volume(self, volume: str) -> NewDisk | None:
        """Return a volume as it exists, held by a VM or not, or None; raises WherryError."""
        seats = self.seats
        try:
            seat = seats.find(volume)
        except NotFound:  # nothing lies on a datastore that is not there
            return None
        return None if seat is None else seats.described(volume, seat)

    def create_disk(self, disk: NewDisk, op: str) -> None:
        """Create a volume full of zeros, or find it in the same shape.

        A LUN is mapped and not zeroed: the copy overwrites all of it that the disk has. Raises SiteRefused
        for another shape or a LUN that may not be used, NoSpace, Unreachable.
        """
        seats = self.seats
        seat = seats.find(disk.volume) or seats.new(disk)
        grain = SECTOR if disk.backing.is_rdm else _KIB
        if disk.size_bytes <= 0 or disk.size_bytes % grain:
            raise SiteRefused(
                f"volume {visible(disk.volume, 80)} cannot have {disk.size_bytes} bytes",
                f"use a multiple of {grain} above zero",
            )
        size = disk.size_bytes
        if disk.backing.is_rdm:
            lun = seats.luns.usable(
                disk.lun, size, _hosts(self.connection, self.laying.cluster, seat), seat.file
            )
            size = lun.size_bytes or size
        known = seats.described(disk.volume, seat)
        if known is None:
            self._make_disk(disk, seat, op)
        elif (known.backing, known.size_bytes, known.lun) != (disk.backing, size, disk.lun):
            raise SiteRefused(
                f"volume {visible(disk.volume, 80)} exists in another shape",
                "delete it first, or use another name",
            )
        if disk.backing.is_rdm:
            self.ids.learn(disk.volume, disk.lun)  # what a VM's mapping is known by
        self.ids.learn(disk.volume, str(seat.file))

    def delete_disk(self, volume: str, op: str) -> None:
        """Delete a volume that no VM holds; a mapped LUN keeps its content. One that is gone is no error."""
        self.clean_up()
        seats = self.seats
        seat = seats.find(volume)
        if seat is None or seats.described(volume, seat) is None:
            return
        if held := seats.held(seat):
            raise SiteRefused(
                f"volume {visible(volume, 80)} is a disk of {visible(held[0].name, 80)}",
                "remove the VM first",
            )

        def gone() -> bool | None:
            return True if seats.described(volume, seat) is None else None

        act = self.act("delete_disk", volume, op)
        centre = self.connection.managed(seat.centre.ref)
        act.run(
            _service(self.connection, "virtualDiskManager"),
            "DeleteVirtualDisk_Task",
            str(seat.file),
            centre,
            done=gone,
        )
        if seat.file.folder.startswith("wherry-") and not seats.files(seat):
            self._clear_folder(act, seat, centre)

    def clean_up(self) -> None:
        """Take off our own VMs what dead processes left hanging there; raises WherryError."""
        for transport in self.transports:
            if isinstance(transport, Hangs):
                transport.clean_up()

    def clear_home(self, act: Act, file: str) -> None:
        """Remove the folder that an unregistered VM's ``file`` is in, unless a disk lies there as well."""
        seats, at = self.seats, DatastorePath.parse(file)
        store = seats.stores.need(at.datastore)
        seat = Seat(at, store, seats.stores.datacenter(store))
        if at.folder and not any(name.endswith(".vmdk") for name in seats.files(seat)):
            self._clear_folder(act, seat, self.connection.managed(seat.centre.ref))

    def _clear_folder(self, act: Act, seat: Seat, centre: Any) -> None:
        """Remove the folder of what is gone; somebody else may have done so."""
        folder = f"[{seat.file.datastore}] {seat.file.folder}"
        try:
            act.run(
                _service(self.connection, "fileManager"),
                "DeleteDatastoreFile_Task",
                folder,
                centre,
                done=_never,
            )
        except Declined as error:
            if error.kind != "FileNotFound":
                raise

    def _make_disk(self, disk: NewDisk, seat: Seat, op: str) -> None:
        if not disk.backing.is_rdm and disk.size_bytes > seat.store.free_bytes:
            raise NoSpace(
                f"datastore {visible(seat.store.name, 80)} has {show_bytes(seat.store.free_bytes)} left, "
                f"volume {visible(disk.volume, 80)} needs {show_bytes(disk.size_bytes)}",
                "free space there, then run again",
            )
        act = self.act("create_disk", disk.volume, op)
        centre = self.connection.managed(seat.centre.ref)
        folder = f"[{seat.file.datastore}] {seat.file.folder}"
        try:
            act.run(
                _service(self.connection, "fileManager"), "MakeDirectory", folder, centre, True, done=_never
            )
        except Declined as error:
            if error.kind != "FileAlreadyExists":
                raise
        seats = self.seats

        def made() -> bool | None:
            return None if seats.described(disk.volume, seat) is None else True

        manager, spec = (
            _service(self.connection, "virtualDiskManager"),
            _spec(disk, Form.EAGER if disk.shared else self.laying.form),
        )
        act.run(manager, "CreateVirtualDisk_Task", str(seat.file), centre, spec, done=made)


def _spec(disk: NewDisk, form: Form) -> Any:
    from pyVmomi import vim

    kinds: Any = vim.VirtualDiskManager
    if disk.backing.is_rdm:
        device = f"/vmfs/devices/disks/{disk.lun}"
        kind = _POINTERS[disk.backing]
        return kinds.DeviceBackedVirtualDiskSpec(diskType=kind, adapterType="lsiLogic", device=device)
    return kinds.FileBackedVirtualDiskSpec(
        diskType=form.value, adapterType="lsiLogic", capacityKb=disk.size_bytes // _KIB
    )


def _service(connection: Connection, name: str) -> Ref:
    found = getattr(connection.session.content, name)
    return Ref(name[0].upper() + name[1:], found._GetMoId())


def _hosts(connection: Connection, cluster: Ref | None, seat: Seat) -> frozenset[str]:
    """Return the hosts that may run the VM of a disk."""
    if cluster is None:
        return seat.store.hosts
    item = connection.one(_CLUSTER, cluster)
    found = item.values.get("host", ()) if item else ()
    return frozenset([found] if isinstance(found, str) else map(str, found))


def _never() -> None:
    return None
