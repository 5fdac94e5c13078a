"""Every noun of the estate. All of it is plain frozen data; nothing here acts.

    Inventory ── one immutable snapshot of the estate, with source and time
      ├── VM ──┬── Disk ── Backing: a VMDK by path, or a raw device (RDM) by LUN
      │        ├── Nic, Snapshot, Cdrom
      │        └── application, tier, owner, environment: what people say of it
      ├── Host, Cluster, Datastore, Network
      └── Dependency ── source needs target: hard, soft or order, with evidence

    Volume = one backing with everyone attached to it; what replication copies, once.

Identity is (vCenter, VM id); a name is untrusted text for display. ``None`` means *unknown*: the
source does not say. It never means no.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Power(StrEnum):
    """Power state of a VM, as vSphere says."""

    ON = "poweredOn"
    OFF = "poweredOff"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


class Backing(StrEnum):
    """What a virtual disk is made of."""

    VMDK = "vmdk"
    RDM_PHYSICAL = "rdm-physical"
    RDM_VIRTUAL = "rdm-virtual"

    @property
    def is_rdm(self) -> bool:
        """True when the disk is a raw device mapping."""
        return self is not Backing.VMDK


class BusSharing(StrEnum):
    """Sharing mode of the SCSI controller a disk hangs on."""

    NONE = "noSharing"
    VIRTUAL = "virtualSharing"
    PHYSICAL = "physicalSharing"


class Tie(StrEnum):
    """What a dependency means for a move."""

    HARD = "hard"  # breaks when its ends are apart: same group
    SOFT = "soft"  # works over the WAN meanwhile
    ORDER = "order"  # the target must be there first


class Severity(StrEnum):
    """How much a finding weighs for a replication-backed move."""

    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"


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


@dataclass(frozen=True, slots=True)
class Nic:
    """A network adapter of a VM."""

    label: str
    network: str
    mac: str = ""
    adapter: str = ""  # Vmxnet3, E1000, ...
    connected: bool | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot of a VM at the source. ``created`` is ISO 8601, empty = unknown."""

    name: str
    created: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Cdrom:
    """A CD drive of a VM."""

    label: str
    connected: bool | None = None
    media: str = ""


@dataclass(frozen=True, slots=True)
class VM:
    """A virtual machine. ``id`` is its instance UUID or moref, unique within ``vcenter``."""

    id: str
    name: str
    vcenter: str = ""
    power: Power = Power.UNKNOWN
    template: bool = False
    placeholder: bool = False
    guest_os: str = ""
    dns_name: str = ""
    cpus: int = 0
    memory_bytes: int = 0
    firmware: str = ""
    hw_version: int | None = None
    host: str = ""
    cluster: str = ""
    datacenter: str = ""
    folder: str = ""
    resource_pool: str = ""
    vapp: str = ""
    vmx_path: str = ""
    bios_uuid: str = ""
    tools: str = ""  # toolsOk, toolsOld, toolsNotRunning, toolsNotInstalled; empty = unknown
    cbt: bool | None = None
    consolidation_needed: bool | None = None
    ft_state: str = ""
    connection_state: str = ""
    used_bytes: int | None = None
    churn_bytes_day: int | None = None
    annotation: str = ""
    application: str = ""
    tier: str = ""  # database, application, web, directory, ...
    environment: str = ""
    owner: str = ""
    rules: tuple[str, ...] = ()  # names of DRS rules
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    cdroms: tuple[Cdrom, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def disk_bytes(self) -> int:
        """Provisioned size of all disks, RDMs included."""
        return sum(disk.size_bytes for disk in self.disks)

    @property
    def movable(self) -> bool:
        """False for what is never replicated: templates and SRM placeholders."""
        return not (self.template or self.placeholder)


@dataclass(frozen=True, slots=True)
class Host:
    """An ESXi host."""

    id: str
    name: str
    cluster: str = ""
    datacenter: str = ""
    version: str = ""
    cpus: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A vSphere cluster."""

    id: str
    name: str
    hosts: int = 0


@dataclass(frozen=True, slots=True)
class Datastore:
    """A datastore; ``capacity_bytes`` and ``free_bytes`` are 0 when unknown."""

    id: str
    name: str
    kind: str = ""
    capacity_bytes: int = 0
    free_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Network:
    """A network or port group."""

    id: str
    name: str
    vlan: str = ""
    switch: str = ""


@dataclass(frozen=True, slots=True)
class Dependency:
    """``source`` needs ``target`` (both VM ids). ``evidence`` says where this is known from."""

    source: str
    target: str
    tie: Tie
    reason: str
    port: int | None = None
    evidence: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Inventory:
    """One immutable snapshot of an estate.

    ``notes`` lists, one sentence each, what the source could not say or what was repaired while
    reading it. ``gaps`` names the kinds it had no word on at all (disks, nics, snapshots, cdroms):
    there an empty tuple means unknown, not none. ``taken_at`` is ISO 8601 in UTC.
    """

    source: str
    taken_at: str
    vms: tuple[VM, ...]
    hosts: tuple[Host, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    datastores: tuple[Datastore, ...] = ()
    networks: tuple[Network, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    notes: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """One VM's disk that uses a volume."""

    vm: VM
    disk: Disk


@dataclass(frozen=True, slots=True)
class Volume:
    """One backing and everyone attached to it. ``id`` is ``<VM id>/<disk key>`` of its first user."""

    id: str
    backing: Backing
    size_bytes: int
    attachments: tuple[Attachment, ...]

    @property
    def shared(self) -> bool:
        """True when more than one VM uses it."""
        return len({item.vm.id for item in self.attachments}) > 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What a readiness check found, and what to do about it. ``subject`` is a VM id."""

    check: str
    severity: Severity
    subject: str
    subject_name: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two VMs must move together: one edge of a move group's closure."""

    a: str
    b: str
    why: str


@dataclass(frozen=True, slots=True)
class MoveGroup:
    """VMs that must move together, closed over hard ties, with the reasons."""

    name: str
    vms: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    shared_services: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """A quantity with its median and its 95th percentile, in the unit its name says."""

    p50: float
    p95: float
