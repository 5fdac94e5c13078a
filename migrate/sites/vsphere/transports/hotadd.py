"""Disks attached to the VM that the mover runs in, and read or written as its block devices.

The way of raw device mappings too, whose LUN no file holds. A disk is detached when it is closed, whatever
came of it; what a process left attached when it died, the next one detaches before it attaches anything.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from migrate.claims import Claim, Rank, Standing
from migrate.disks.flat import FlatDisk
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.vsphere.transports.blockdevices import BlockDevices, Wanted, claimed
from migrate.sites.vsphere.transports.hanging import Hanging
from migrate.sites.vsphere.transports.mover_vm import Hung
from migrate.sites.vsphere.transports.ports import Place, Purpose, Way
from migrate.sites.vsphere.transports.slots import Slots
from planner.errors import SiteRefused, Unreachable
from planner.model import Backing
from planner.units import show_bytes

_NAA = "naa."


class HotAdd:
    """Disks that hang on the mover's VM for as long as they are open; ``hanging`` None = none is set up."""

    way = Way.HOT_ADD

    def __init__(self, hanging: Hanging | None, devices: BlockDevices, slots: Slots | None = None) -> None:
        self._hanging = hanging
        self._devices = devices
        self._slots = slots

    def refusal(self, place: Place, purpose: Purpose) -> str:
        """Return why the disk cannot hang on the mover's VM, empty when it can."""
        if self._hanging is None:
            return "no VM of the mover is set up at this vCenter"
        if place.vm == self._hanging.vm.ref.id:
            return "it is a disk of the mover itself"
        if purpose is Purpose.WRITE and place.running:
            return "a VM that runs holds it"
        if purpose is Purpose.WRITE and place.file.is_delta:
            return "its VM has snapshots"
        if place.live and place.running and not place.is_shared:
            return "the VM that runs has it for itself"
        if place.running and not place.live and place.backing is Backing.RDM_PHYSICAL:
            return "a VM that runs writes it, and physical mappings have no snapshots"
        return place.restless

    def takes(self, place: Place, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        """Return the place that the disk takes on a SCSI controller; raises NotFound, Unreachable."""
        assert self._hanging is not None, "asked for a refusal before"
        most, taken = self._hanging.vm.places()
        claim = Claim(Way.HOT_ADD, most, self._hanging.vm.called)
        return (Standing(claim, taken) if self._slots is None else self._slots.standing(claim, rank, taken),)

    def is_wanted(self, place: Place) -> bool:
        """Return whether somebody who goes first waits for a place on a SCSI controller."""
        assert self._hanging is not None, "asked for a refusal before"
        claim = Claim(Way.HOT_ADD, 0, self._hanging.vm.called)
        return self._slots is not None and self._slots.is_wanted(claim)

    def open_read(self, place: Place) -> ReadableDisk:
        """Attach the disk for reading; raises SiteRefused, Unreachable, ProjectBusy."""
        return self._open(place, writable=False)

    def open_write(self, place: Place) -> WritableDisk:
        """Attach the disk for writing; raises SiteRefused, Unreachable, ProjectBusy."""
        return self._open(place, writable=True)

    @property
    def is_set_up(self) -> bool:
        """Whether the mover is a VM of this vCenter."""
        return self._hanging is not None

    def clean_up(self) -> None:
        """Detach what dead processes left attached; raises Unreachable, and then it is tried again later."""
        if self._hanging is not None:
            self._hanging.clean_up()

    def _open(self, place: Place, *, writable: bool) -> AttachedDisk:
        assert self._hanging is not None, "asked for a refusal before"
        self._hanging.clean_up()
        before = self._devices.names()
        with ExitStack() as undo:
            hung, take_off = self._hanging.hang(place, writable=writable)
            undo.callback(take_off)
            path = self._devices.wait_for(_wanted(place, hung), before)
            try:
                claim = claimed(path)
                if claim >= 0:
                    undo.callback(os.close, claim)
                flat = FlatDisk(path, writable)
            except OSError as error:
                raise Unreachable(
                    f"device {path} of disk {place.file.shown} cannot be opened: {error.strerror}",
                    "run the mover as a user who may open block devices",
                ) from error
            undo.callback(flat.close)
            if flat.size_bytes != place.size_bytes:
                raise SiteRefused(
                    f"disk {place.file.shown} has {show_bytes(flat.size_bytes)} as device {path} and "
                    f"{show_bytes(place.size_bytes)} at the vCenter",
                    "look at the mover's VM in vCenter before anything is written",
                )
            return AttachedDisk(flat, undo.pop_all().close)


def _wanted(place: Place, hung: Hung) -> Wanted:
    if place.backing is Backing.RDM_PHYSICAL:  # the guest sees the LUN as it is
        digits = place.lun.removeprefix(_NAA) if place.lun.startswith(_NAA) else ""
    else:
        digits = "".join(char for char in (hung.uuid or place.uuid) if char != "-")
    return Wanted(digits.casefold(), hung.unit, place.size_bytes, place.file.shown)


class AttachedDisk:
    """A block device that is detached when it is closed."""

    def __init__(self, disk: FlatDisk, release: Callable[[], None]) -> None:
        self._disk = disk
        self._release = release
        self._closed = False

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._disk.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, never returns short."""
        self._check()
        self._disk.read_into(buffer, offset)

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield the runs that may hold data: all of a device, which tells no holes."""
        self._check()
        return self._disk.allocated()

    def write(self, data: bytes | memoryview, offset: int) -> None:
        """Write all of ``data``; raises OSError."""
        self._check()
        self._disk.write(data, offset)

    def zero(self, offset: int, length: int) -> None:
        """Make a run read as zeros."""
        self._check()
        self._disk.zero(offset, length)

    def flush(self) -> None:
        """Return only when everything written is durable."""
        self._check()
        self._disk.flush()

    def close(self) -> None:
        """Close the device and detach the disk; raises WherryError when it may still be attached."""
        if not self._closed:
            self._closed = True
            self._release()

    def _check(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the disk is closed")
