"""What hangs on a VM: disks, adapters, drives, snapshots and the devices that resist a move."""

from __future__ import annotations

from dataclasses import dataclass

from planner.model.words import Backing, BusSharing, Controller, DeviceKind


@dataclass(frozen=True, slots=True)
class Disk:
    """A virtual disk of one VM. ``key`` is stable and unique within its VM."""

    key: str
    label: str
    size_bytes: int
    backing: Backing = Backing.VMDK
    path: str = ""  # "[datastore] folder/file.vmdk"; for an RDM its pointer
    lun: str = ""  # canonical name or raw LUN id, empty for a VMDK
    used_bytes: int | None = None
    thin: bool | None = None
    mode: str = ""  # persistent, independent_persistent, ...; empty = unknown
    multi_writer: bool | None = None
    controller: str = ""  # "SCSI controller 0"
    bus: int | None = None
    unit: int | None = None
    bus_sharing: BusSharing | None = None
    controller_kind: Controller | None = None
    uuid: str = ""
    format: str = ""  # flat, sparse, sesparse, pmem, rdm; empty = unknown
    parent: str | None = None  # file of the next disk of a delta chain; "" = none
    cbt: bool | None = None  # change tracking of this disk
    encrypted: bool | None = None
    filters: tuple[str, ...] | None = None  # I/O filters
    flash_cache: bool | None = None
    iops_limit: int | None = None  # -1 = none
    policy: str | None = None  # storage policy; "" = none

    @property
    def independent(self) -> bool:
        """True when snapshots of its VM leave it out."""
        return self.mode.startswith("independent")


@dataclass(frozen=True, slots=True)
class Nic:
    """A network adapter of a VM."""

    label: str
    network: str
    mac: str = ""
    adapter: str = ""  # Vmxnet3, E1000, ...
    connected: bool | None = None
    addresses: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()  # "10.1.2.0/24" of each address whose prefix is known
    starts_connected: bool | None = None
    mac_type: str = ""  # manual, generated, assigned; empty = unknown
    switch: str = ""
    port_group: str = ""  # key of a distributed port group
    dhcp: bool | None = None
    direct_path: bool | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot of a VM at the source. ``created`` is ISO 8601, empty = unknown."""

    name: str
    created: str = ""
    size_bytes: int | None = None
    description: str = ""
    quiesced: bool | None = None


@dataclass(frozen=True, slots=True)
class Cdrom:
    """A CD drive of a VM."""

    label: str
    connected: bool | None = None
    media: str = ""
    starts_connected: bool | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """Any other device that a move has to know of."""

    kind: DeviceKind
    label: str = ""
    connected: bool | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Partition:
    """A file system as the guest sees it. ``disk`` is the key of its disk, empty = unknown."""

    path: str
    capacity_bytes: int | None = None
    free_bytes: int | None = None
    disk: str = ""
