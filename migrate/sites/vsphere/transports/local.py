"""A datastore that is mounted on this machine, NFS as a rule: its flat files are disks as they are.

A mount may be stale, or of another datastore with folders of the same names, as after a fail-over of an
array. So the descriptor that lies beside the bytes must be of the disk that is meant: its size, and the
uuid that the vCenter gives it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.disks.layout import MAX_BYTES, Layout, parse_layout
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.transports.ports import Place, Purpose, Way
from planner.errors import Corrupt, SiteRefused, Unreachable
from planner.names import visible
from planner.units import show_bytes

_UUID = "ddb.uuid"
_HINT = "check that the path in the settings is a mount of this very datastore"


class LocalFiles:
    """Disks of mounted datastores. ``mounts`` leads from a datastore's name to its path."""

    way = Way.LOCAL

    def __init__(self, mounts: Mapping[str, Path]) -> None:
        self._mounts = mounts

    def refusal(self, place: Place, purpose: Purpose) -> str:
        """Return why the disk is not a file of this machine, empty when it is."""
        if place.file.datastore not in self._mounts:
            return f"datastore {visible(place.file.datastore, 80)} is not mounted here"
        if purpose is Purpose.WRITE and place.running:
            return "a VM that runs holds it"
        return (purpose is Purpose.READ and place.restless) or place.not_flat

    def open_read(self, place: Place) -> ReadableDisk:
        """Open the flat file; raises SiteRefused, Unreachable."""
        return self._open(place, writable=False)

    def open_write(self, place: Place) -> WritableDisk:
        """Open the flat file to write it in place; raises SiteRefused, Unreachable."""
        return self._open(place, writable=True)

    def _open(self, place: Place, *, writable: bool) -> FlatDisk:
        try:
            self._check(place)
            disk = FlatDisk(self._path(place.file.flat), writable)
        except OSError as error:
            raise Unreachable(
                f"disk {place.file.shown} cannot be opened at its mount: {error.strerror}", _HINT
            ) from error
        if disk.size_bytes != place.size_bytes:
            size = disk.size_bytes
            disk.close()
            raise SiteRefused(
                f"disk {place.file.shown} has {show_bytes(size)} at its mount and "
                f"{show_bytes(place.size_bytes)} at the vCenter",
                _HINT,
            )
        return disk

    def _check(self, place: Place) -> None:
        """Raise SiteRefused unless the descriptor at the mount is of the disk that is meant."""
        with self._path(place.file).open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode("utf-8", "surrogateescape")
        try:
            found = parse_layout(text, place.file.shown)
        except Corrupt as error:
            raise SiteRefused(f"at its mount, {error.message}", _HINT) from error
        said, wanted = _uuid(dict(found.keys).get(_UUID, "")), _uuid(place.uuid)
        if not said or said != wanted:
            raise SiteRefused(f"disk {place.file.shown} has another uuid at its mount", _HINT)
        if not _is_one_file(found, place.file.flat):
            raise SiteRefused(f"disk {place.file.shown} is no single flat file at its mount", _HINT)

    def _path(self, file: DatastorePath) -> Path:
        """Return where a file of a datastore is; raises OSError when a link leads out of the mount."""
        mount = self._mounts[file.datastore].resolve(strict=True)
        path = mount / file.path
        if path.parent.resolve(strict=True) != mount / file.folder or not path.is_relative_to(mount):
            raise OSError(os.EX_NOPERM, "a symbolic link is on the way to it")
        return path


def _uuid(text: str) -> str:
    """Return the digits of a disk's uuid: a descriptor writes it as ``60 00 C2 9a ...-...``."""
    return "".join(char for char in text.casefold() if char in "0123456789abcdef")


def _is_one_file(layout: Layout, flat: DatastorePath) -> bool:
    return len(layout.spans) == 1 and layout.spans[0].holds.is_flat and layout.spans[0].file == flat.name
