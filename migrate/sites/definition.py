"""The whole definition of a VM as a site has it, so that another site can build it again.

    Definition ─┬─ Controller ── Disk slots, Drives
                ├─ Adapter                             its network is said by the plan
                ├─ Share (processor, memory), Boot
                └─ extra, attributes, tags             settings and labels, as pairs
    Choices ──── what of it a new VM shall not have
    Difference ─ what a built VM has otherwise, whether that was wanted, and why

Kinds of devices are those of the vSphere API (``ParaVirtualSCSIController``). Keys are unique in their VM.
"""

from __future__ import annotations

from dataclasses import dataclass

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class Share:
    """What a VM is promised of a resource, in MHz or MiB. ``shares`` counts where the level is custom."""

    reservation: int = 0
    limit: int = UNLIMITED
    level: str = "normal"
    shares: int = 0


@dataclass(frozen=True, slots=True)
class Boot:
    """How a VM starts. ``order`` names devices: ``disk:2000``, ``net:4000``, ``cdrom``, ``floppy``."""

    delay_ms: int = 0
    enters_setup: bool = False
    retries: bool = False
    retry_delay_ms: int = 10000
    secure: bool = False
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller of disks and drives. ``slot`` is its place on the PCI bus, 0 for any."""

    key: int
    kind: str
    bus: int
    sharing: str = "noSharing"
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a disk hangs and how it is opened. ``label`` is what people see."""

    key: int
    controller: int
    unit: int
    label: str = ""
    mode: str = "persistent"
    multi_writer: bool = False
    iops_limit: int = UNLIMITED


@dataclass(frozen=True, slots=True)
class Adapter:
    """A network adapter. ``slot`` is its place on the PCI bus, from which guests name it; 0 for any."""

    key: int
    kind: str
    label: str
    mac: str = ""
    starts_connected: bool = True
    wakes: bool = True
    slot: int = 0


@dataclass(frozen=True, slots=True)
class DriveSlot:
    """A CD (``VirtualCdrom``) or floppy drive; what lies in it does not travel."""

    key: int
    kind: str
    controller: int
    unit: int
    label: str = ""
    media: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A VM's virtual hardware, settings and labels.

    ``others`` are devices that cannot be built again, ``left`` what else cannot, in words.
    """

    hw_version: int
    guest_id: str
    cpus: int
    memory_mib: int
    firmware: str = "bios"
    cores_per_socket: int = 1
    cpu_hot_add: bool = False
    cpu_hot_remove: bool = False
    memory_hot_add: bool = False
    memory_locked: bool = False
    nested: bool = False
    latency: str = "normal"
    time_sync: bool = False
    vbs: bool = False
    iommu: bool = False
    processor: Share = Share()
    memory: Share = Share()
    boot: Boot = Boot()
    annotation: str = ""
    bios_uuid: str = ""
    instance_uuid: str = ""
    host_name: str = ""  # what the guest calls itself
    controllers: tuple[Controller, ...] = ()
    disks: tuple[Slot, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    drives: tuple[DriveSlot, ...] = ()
    others: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    left_extra: tuple[str, ...] = ()  # names of settings that stay behind
    attributes: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()  # (category, tag)
    no_tags: str = ""  # why tags are not known


@dataclass(frozen=True, slots=True)
class Choices:
    """What of a definition a new VM takes over.

    Guests and their licences know a VM by its BIOS UUID, so that is kept; by its instance UUID a vCenter
    tells VMs apart, so a new VM gets its own unless somebody wants otherwise.
    """

    bios_uuid: bool = True
    instance_uuid: bool = False
    attributes: bool = True
    tags: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """What a built VM has otherwise than its source. ``wanted`` is False for what was lost."""

    what: str
    source: str
    target: str
    wanted: bool
    why: str
