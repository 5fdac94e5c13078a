"""A flat disk read, and where the server takes it written, over a vCenter's HTTPS.

For reading it asks for nothing but the right to browse a datastore, and is the slowest way: all of a disk
travels, holes too. ESXi replaces a file that is put, whatever range is named; so a disk is written only
after a probe beside it has shown that this server writes in place.
"""

from __future__ import annotations

import errno
import secrets
from collections.abc import Callable, Iterator

from migrate.claims import Rank, Standing
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.refusing import kind_of
from migrate.sites.vsphere.transports.folder import FolderFile, Stand, as_os_error
from migrate.sites.vsphere.transports.ports import Place, Purpose, Way
from migrate.sites.vsphere.transports.slots import UNLIMITED, Ration
from planner.errors import SiteRefused, WherryError
from planner.sources.vcenter.soap import Ref
from planner.units import SECTOR, show_bytes

_PIECE_BYTES = 4 * 1024 * 1024
_ZEROS = bytes(_PIECE_BYTES)


class DatastoreHttp:
    """Disks whose flat files the vCenter serves."""

    way = Way.HTTP

    def __init__(self, connection: Connection, ration: Ration = UNLIMITED) -> None:
        self._connection = connection
        self._ration = ration
        self._writes_in_place: bool | None = None

    def refusal(self, place: Place, purpose: Purpose) -> str:
        """Return why the disk is no file that is served, empty when it is."""
        if purpose is Purpose.WRITE and self._writes_in_place is False:
            return "the server does not write files in place"
        if purpose is Purpose.WRITE and place.running:
            return "a VM that runs holds it"
        return place.restless or place.not_flat

    def takes(self, place: Place, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        """Return the place that the disk takes."""
        return self._ration.standings(place, rank)

    def is_wanted(self, place: Place) -> bool:
        """Return whether somebody who goes first waits for a place of the disk's."""
        return self._ration.is_wanted(place)

    def open_read(self, place: Place) -> ReadableDisk:
        """Open the flat file; raises SiteRefused, Unreachable."""
        return self._open(place, writable=False)

    def open_write(self, place: Place) -> WritableDisk:
        """Open the flat file to write it in place; raises SiteRefused, Unreachable."""
        if self._writes_in_place is None:
            self._writes_in_place = self._probe(place)
        if not self._writes_in_place:
            raise SiteRefused(
                f"{self._connection.shown} replaces a file of which a range is put",
                "write the disk by hot-add, NBD or a mounted datastore",
            )
        return self._open(place, writable=True)

    def _open(self, place: Place, *, writable: bool) -> HttpDisk:
        file = FolderFile(self._connection, place.file.flat, place.datacenter)
        stand = file.look()
        if stand is None or stand.size_bytes != place.size_bytes:
            has = "does not exist" if stand is None else f"has {show_bytes(stand.size_bytes)}"
            raise SiteRefused(
                f"file {place.file.flat.shown} {has}, its disk has {show_bytes(place.size_bytes)}",
                "check that the disk is a flat one, or choose another way to it",
            )
        purpose = Purpose.WRITE if writable else Purpose.READ
        return HttpDisk(file, stand, writable, self._ration.take(place, purpose))

    def _probe(self, place: Place) -> bool:
        """Tell whether a range that is put changes nothing else of a file beside the disk."""
        folder = f"{place.file.folder}/" if place.file.folder else ""
        name = f"{folder}wherry-probe-{secrets.token_hex(6)}.tmp"
        file = FolderFile(self._connection, DatastorePath(place.file.datastore, name), place.datacenter)
        file.replace(b"a" * SECTOR * 2)
        try:
            file.write(b"b" * SECTOR, SECTOR // 2, SECTOR * 2)
            return file.small() == b"a" * (SECTOR // 2) + b"b" * SECTOR + b"a" * (SECTOR // 2)
        except SiteRefused:  # an honest server says that it takes no ranges
            return False
        finally:
            self._remove(file.file, place)

    def _remove(self, file: DatastorePath, place: Place) -> None:
        from pyVmomi import vmodl

        session = self._connection.session
        centre = session.content.searchIndex.FindByInventoryPath(place.datacenter.strip("/"))
        manager = Ref("FileManager", session.content.fileManager._GetMoId())
        try:
            session.invoke(lambda _: session.managed(manager).DeleteDatastoreFile_Task(str(file), centre))
        except vmodl.MethodFault as fault:
            raise SiteRefused(
                f"{file.shown} cannot be removed: {kind_of(fault)}", "remove it by hand: it is a probe"
            ) from fault


class HttpDisk:
    """A flat file behind a vCenter. Reads, and writes to disjoint runs, may come from any thread."""

    def __init__(
        self, file: FolderFile, stand: Stand, writable: bool, closed: Callable[[], None] = lambda: None
    ) -> None:
        self._file = file
        self._closed = closed
        # Who writes changes the time of the last change; only a reader can hold it against replacement.
        self._stand = Stand(stand.size_bytes, "") if writable else stand
        self._writable = writable
        self._open = True

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._stand.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, never returns short."""
        self._check(offset, len(buffer))
        for at in range(0, len(buffer), _PIECE_BYTES):
            part = buffer[at : at + _PIECE_BYTES]
            try:
                self._file.read_into(part, offset + at, self._stand)
            except WherryError as error:
                raise as_os_error(error) from error

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield the whole disk: the server tells no holes."""
        self._check(0, 0)
        if self.size_bytes:
            yield 0, self.size_bytes

    def write(self, data: bytes | memoryview, offset: int) -> None:
        """Write all of ``data``; raises OSError. Answered is written: a file is closed before the answer."""
        self._check(offset, len(data))
        if not self._writable:
            raise OSError(errno.EROFS, "the disk is open for reading only")
        view = memoryview(data).cast("B")
        for at in range(0, len(view), _PIECE_BYTES):
            try:
                self._file.write(bytes(view[at : at + _PIECE_BYTES]), offset + at, self.size_bytes)
            except WherryError as error:
                raise as_os_error(error) from error

    def zero(self, offset: int, length: int) -> None:
        """Make a run read as zeros; they travel."""
        for at in range(0, length, _PIECE_BYTES):
            self.write(_ZEROS[: min(_PIECE_BYTES, length - at)], offset + at)

    def flush(self) -> None:
        """Look that the file still is there, whole: each write was answered after it was made."""
        self._check(0, 0)
        try:
            stand = self._file.look()
        except WherryError as error:
            raise as_os_error(error) from error
        if stand is None or stand.size_bytes != self.size_bytes:
            raise OSError(errno.ESTALE, f"{self._file.file.shown} was replaced while it was written")

    def close(self) -> None:
        """Let go of it; closing twice is not an error."""
        self._open = False
        self._closed()

    def _check(self, offset: int, length: int) -> None:
        if not self._open:
            raise OSError(errno.EBADF, "the disk is closed")
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise OSError(errno.EINVAL, f"{offset}+{length} lies outside a disk of {self.size_bytes} bytes")
