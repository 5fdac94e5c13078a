"""Where a volume lies: from the plan's id, a path or a LUN's name to the file of its descriptor.

"[datastore] folder/file.vmdk"    that file
"naa.6..."                        the pointer by which some VM maps the LUN
"vm-42/2000" here                 the disk of that key of the VM
any id elsewhere                  [datastore] wherry-ID/..., where wherry made it or would make it
a copy of a rehearsal             the same on the datastore of its original
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from migrate.disks.layout import MAX_BYTES, Layout, parse_layout
from migrate.sites.copies import original_of
from migrate.sites.ports import NewDisk
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.holders import HeldDisk, Holders
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.mappings import Luns
from migrate.sites.vsphere.refusing import Declined
from migrate.sites.vsphere.stores import Datacenter, Store, Stores
from migrate.sites.vsphere.tasks import Act, Tasks
from migrate.sites.vsphere.transports.folder import FolderFile
from planner.errors import Corrupt, SiteRefused
from planner.model import Backing
from planner.names import content_id
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import many, text

_BACKINGS = {
    "vmfsRawDeviceMap": Backing.RDM_VIRTUAL,
    "vmfsPassthroughRawDeviceMap": Backing.RDM_PHYSICAL,
    "vmfsRDM": Backing.RDM_PHYSICAL,
}
_LUN_NAMES = ("naa.", "eui.", "t10.", "mpx.", "vml.")
_PARTS = ("-flat.vmdk", "-rdm.vmdk", "-rdmp.vmdk")  # of a disk, beside its descriptor


class Form(StrEnum):
    """How a VMDK takes its room, by the API's names."""

    THIN = "thin"
    THICK = "preallocated"
    EAGER = "eagerZeroedThick"

    @classmethod
    def called(cls, word: str) -> Form:
        """Return the form that the settings call by a word: thin, thick, eager."""
        return cls[word.upper()]


@dataclass(frozen=True, slots=True)
class Laying:
    """Where new disks go and how. ``cluster`` is the managed object whose hosts may run their VMs.

    Without one, every host that mounts the datastore may.
    """

    datastore: str = ""
    form: Form = Form.THIN
    cluster: Ref | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a volume lies or would lie."""

    file: DatastorePath
    store: Store
    centre: Datacenter


@dataclass(frozen=True, slots=True)
class Seats:
    """Finds seats; everything is asked anew."""

    connection: Connection
    tasks: Tasks
    ids: Ids
    laying: Laying
    stores: Stores
    holders: Holders = field(init=False)
    luns: Luns = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "holders", Holders(self.connection))
        object.__setattr__(self, "luns", Luns(self.connection))

    def find(self, volume: str) -> Seat | None:
        """Return where a volume lies as far as is known, None when nothing tells; raises WherryError."""
        place = self.ids.place(volume)
        if place.startswith("["):
            return self._seated(DatastorePath.parse(place).base)
        if place.startswith(_LUN_NAMES):
            return self._mapped(place)
        if (held := self._own(volume)) is not None:
            return self._seated(held.file.base)
        if not (store := self._usual(volume)):
            return None
        folder = _folder(volume)
        seat = self._seated(DatastorePath(store, f"{folder}/disk.vmdk"))
        disks = [name for name in self.files(seat) if name.endswith(".vmdk") and not name.endswith(_PARTS)]
        return self._seated(DatastorePath(seat.file.datastore, f"{folder}/{disks[0]}")) if disks else None

    def new(self, disk: NewDisk) -> Seat:
        """Return where a volume will lie that has no place yet; raises SiteRefused."""
        if not (store := self._usual(disk.volume)):
            raise SiteRefused(
                f"{self.connection.shown} has no datastore that new disks go to",
                "map the source's datastores in the settings, then plan anew",
            )
        name = f"{disk.lun}.vmdk" if disk.backing.is_rdm else "disk.vmdk"
        return self._seated(DatastorePath(store, f"{_folder(disk.volume)}/{name}"))

    def _usual(self, volume: str) -> str:
        """Return the datastore for what has no place yet, or nothing; a copy goes where its original is."""
        original = original_of(volume)
        place = self.ids.place(original) if original != volume else ""
        return DatastorePath.parse(place).datastore if place.startswith("[") else self.laying.datastore

    def described(self, volume: str, seat: Seat) -> NewDisk | None:
        """Return what the descriptor at a seat says, and of a mapping which LUN it is of."""
        layout = self._layout(seat)
        if layout is None:
            return None
        backing = _BACKINGS.get(layout.kind, Backing.VMDK)
        return NewDisk(volume, layout.size_bytes, backing, self._lun(seat) if backing.is_rdm else "")

    def uuid(self, seat: Seat) -> str:
        """Return the uuid that the vCenter gives a disk, empty when it gives none."""
        manager = Ref("VirtualDiskManager", self.connection.session.content.virtualDiskManager._GetMoId())
        centre = self.connection.managed(seat.centre.ref)
        disks = self.connection.managed(manager)
        try:
            return str(
                self.connection.ask(
                    f"the uuid of {seat.file.shown} cannot be asked for",
                    lambda _: disks.QueryVirtualDiskUuid(str(seat.file), centre),
                )
            )
        except Declined:
            return ""

    def held(self, seat: Seat, lun: str = "") -> tuple[HeldDisk, ...]:
        """Return the disks of VMs at a seat; with ``lun`` those too that map it by other pointers."""
        mine = self.holders.of_file(seat.file, seat.store.ref)
        if not lun:
            return mine
        names = self.luns.seen().names
        others = (
            disk for disk in self.holders.mappings() if names.canonical(disk.lun_uuid, disk.device) == lun
        )
        return (*mine, *(disk for disk in others if disk not in mine))

    def files(self, seat: Seat) -> list[str]:
        """Return the names of all files in the folder of a seat, none when it is not there."""
        from pyVmomi import vim

        kinds: Any = vim.host.DatastoreBrowser
        spec = kinds.SearchSpec(matchPattern=["*"])
        folder = f"[{seat.file.datastore}] {seat.file.folder}"
        looking = Act(self.tasks, "", "search", folder)  # changes nothing: it is no call of a step
        try:
            result = looking.run(
                self.stores.browser(seat.store), "SearchDatastore_Task", folder, spec, done=_never
            )
        except Declined as error:
            if error.kind == "FileNotFound":
                return []
            raise
        return [text(one, "path") for one in many(result, "file")]

    def _layout(self, seat: Seat) -> Layout | None:
        raw = FolderFile(self.connection, seat.file, seat.centre.path).small()
        if raw is None:
            return None
        if not raw or len(raw) > MAX_BYTES:
            raise SiteRefused(f"{seat.file.shown} is no descriptor of a disk", "look at it in the datastore")
        try:
            return parse_layout(raw.decode("utf-8", "surrogateescape"), seat.file.shown)
        except Corrupt as error:
            raise SiteRefused(error.message, "look at it in the datastore") from error

    def _lun(self, seat: Seat) -> str:
        """Return the LUN of a pointer: its VM's mapping says it, else the name that wherry gave the file."""
        held = self.held(seat)
        if held:
            return self.luns.of_disk(held[0])
        stem = seat.file.name.removesuffix(".vmdk")
        return stem if stem.startswith(_LUN_NAMES) else ""

    def _mapped(self, lun: str) -> Seat | None:
        names = self.luns.seen().names
        for disk in self.holders.mappings():
            if names.canonical(disk.lun_uuid, disk.device) == lun:
                return self._seated(disk.file.base)
        return None

    def _own(self, volume: str) -> HeldDisk | None:
        """Return the disk that ``VM/key`` names at the vCenter its inventory was read from."""
        vm, _, key = volume.rpartition("/")
        found = self.holders.of_vms([self.ids.need(vm)]) if self.ids.at_home(vm) else ()
        return next((disk for disk in found if disk.key == key), None)

    def _seated(self, file: DatastorePath) -> Seat:
        store = self.stores.need(file.datastore)
        return Seat(file, store, self.stores.datacenter(store))


def _folder(volume: str) -> str:
    return f"wherry-{content_id('volume', volume)}"


def _never() -> None:
    return None
