"""Disks over NBD: nbdkit with the user's own VDDK, which speaks to the hosts' network copy service.

VDDK is VMware's and not ours to ship: the settings say where its libraries are. It reads snapshots of
running VMs with their delta files, and writes disks of VMs that are off; thin disks keep their holes.
Replicas have no VM yet: a carrier has them meanwhile.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from migrate.claims import Rank, Standing
from migrate.disks.nbd.disk import NbdDisk
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.vsphere.transports.carrier import Carrier
from migrate.sites.vsphere.transports.nbdkit import serve
from migrate.sites.vsphere.transports.ports import Place, Purpose, Way
from migrate.sites.vsphere.transports.slots import UNLIMITED, Ration
from planner.errors import SiteRefused
from planner.model import Backing
from planner.sources.vcenter.address import Login
from planner.sources.vcenter.tls import reaching, verified_context
from planner.units import show_bytes


class Plugin(Protocol):
    """What nbdkit is told: a plugin with its parameters, and those parameters that are secret."""

    def words(self, place: Place, purpose: Purpose) -> Sequence[str]: ...
    def secrets(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Vddk:
    """The parameters of nbdkit's VDDK plugin. ``thumbprint`` is what ``sha1_of`` returns."""

    libraries: Path
    login: Login
    thumbprint: str

    def words(self, place: Place, purpose: Purpose) -> tuple[str, ...]:
        """Return the plugin and what it is told of a disk (nbdkit-vddk-plugin(1))."""
        address = self.login.address
        return (
            "vddk",
            f"libdir={self.libraries}",
            f"server={address.host}",
            *(() if address.port == 443 else (f"port={address.port}",)),
            f"user={address.user}",
            f"thumbprint={self.thumbprint}",
            f"vm=moref={place.vm}",
            *((f"snapshot={place.snapshot}",) if place.snapshot else ()),
            "transports=nbdssl:nbd",
            f"file={place.file}",
        )

    def secrets(self) -> Mapping[str, str]:
        """Return the password, which goes through a descriptor."""
        return {"password": self.login.password}


def sha1_of(login: Login) -> str:
    """Return the SHA-1 by which VDDK knows a vCenter, of a certificate that we verified ourselves.

    Raises UntrustedCertificate, Unreachable. VDDK takes no other digest; whoever shows another certificate
    to us is refused before VDDK is ever started.
    """
    context, _ = verified_context(login)
    address = login.address
    with (
        reaching(login),
        socket.create_connection((address.host, address.port), timeout=login.timeout_s) as plain,
        context.wrap_socket(plain, server_hostname=address.host) as wrapped,
    ):
        der = wrapped.getpeercert(binary_form=True) or b""
    return hashlib.sha1(der, usedforsecurity=False).digest().hex(":").upper()


class Nbd:
    """Disks that nbdkit serves. ``plugin`` is asked for anew for each disk; None = none is set up.

    A disk that no VM has, as replicas, hangs on the ``carrier`` for as long as it is open.
    """

    way = Way.NBD

    def __init__(
        self,
        plugin: Callable[[], Plugin] | None,
        ration: Ration = UNLIMITED,
        timeout_s: float = 60.0,
        carrier: Carrier | None = None,
    ) -> None:
        self._plugin = plugin
        self._ration = ration
        self._timeout_s = timeout_s
        self.carrier = carrier

    def refusal(self, place: Place, purpose: Purpose) -> str:
        """Return why VDDK cannot reach the disk, empty when it can; raises NotFound, Unreachable."""
        if self._plugin is None:
            return "no VDDK is set up"
        if place.backing is Backing.RDM_PHYSICAL:
            return "VDDK reaches no physical raw device mapping over the network"
        if purpose is Purpose.WRITE and place.running:
            return "a VM that runs holds it"
        if place.live and place.running:
            return "VDDK reads disks of a VM that runs from its snapshots only"
        if (carrier := self._carrier_of(place)) is not None:
            return carrier.refusal()
        if not place.vm:
            return "no VM holds it, VDDK reaches disks through their VM, and no carrier is set up"
        return place.restless

    def takes(self, place: Place, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        """Return the connections that the disk takes, and its place on the carrier."""
        if (carrier := self._carrier_of(place)) is None:
            return self._ration.standings(place, rank)
        return (*self._ration.standings(carrier.seated(place), rank), carrier.takes(rank))

    def is_wanted(self, place: Place) -> bool:
        """Return whether somebody who goes first waits for a place of the disk's."""
        return self._ration.is_wanted(place)

    def open_read(self, place: Place) -> ReadableDisk:
        """Open the disk; raises SiteRefused, Unreachable, ProjectBusy."""
        return self._open(place, Purpose.READ)

    def open_write(self, place: Place) -> WritableDisk:
        """Open the disk to write it; raises SiteRefused, Unreachable, ProjectBusy."""
        return self._open(place, Purpose.WRITE)

    @property
    def is_set_up(self) -> bool:
        """Whether there is a VDDK."""
        return self._plugin is not None

    def clean_up(self) -> None:
        """Take off the carrier what dead processes left on it; raises Unreachable."""
        if self.carrier is not None:
            self.carrier.clean_up()

    def _carrier_of(self, place: Place) -> Carrier | None:
        return self.carrier if self.carrier is not None and self.carrier.carries(place) else None

    def _open(self, place: Place, purpose: Purpose) -> NbdDisk:
        assert self._plugin is not None, "asked for a refusal before"
        plugin, held = self._plugin(), ExitStack()
        try:
            if (carrier := self._carrier_of(place)) is not None:
                place = carrier.seated(place)
            held.callback(self._ration.take(place, purpose))
            if carrier is not None:
                held.callback(carrier.hang(place))
            disk = serve(
                plugin.words(place, purpose),
                plugin.secrets(),
                what=place.file.shown,
                writable=purpose is Purpose.WRITE,
                closed=held.close,
                timeout_s=self._timeout_s,
            )
        except BaseException:
            held.close()
            raise
        if why := _unfit(disk, place, purpose):
            disk.close()
            raise SiteRefused(*why)
        return disk


def _unfit(disk: NbdDisk, place: Place, purpose: Purpose) -> tuple[str, str] | None:
    """Return why what is served is not the disk that is meant, or cannot keep what is written, and a hint."""
    if disk.size_bytes != place.size_bytes:
        return (
            f"disk {place.file.shown} has {show_bytes(disk.size_bytes)} over NBD and "
            f"{show_bytes(place.size_bytes)} at the vCenter",
            "look whether the disk grew since the inventory was read",
        )
    if purpose is Purpose.WRITE and not disk.can_flush:
        return (
            f"the server of disk {place.file.shown} cannot flush: nothing that is written would be known "
            "to be durable",
            "take a newer VDDK, or set up another way to the disk",
        )
    return None
