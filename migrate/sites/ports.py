"""What wherry asks of a site: small protocols and a set of capabilities.

    Site ── identity, capabilities, observe
      Powers     power on, shut down, power off
      Quiescer   bring guests to a consistent point
      Snapshots  freeze a group's disks, with change ids
      Tracker    which areas changed since a change id
      Disks      create, open to read or write, delete
      Machines   create, rename, fence and delete VMs
      Prober     is the application in the guest well
      Configures what remedies change: change tracking, virtual hardware, disk modes, drives
      Customises which addresses a guest has

Every changing call takes ``op``, a key that is unique for one attempt at one step. A site stamps
what it makes with it, so that after a crash the question "did this happen?" has an answer.
Discovery, login and sessions are not here: they stay in ``planner.sources``.

vSphere must fit: a snapshot there is per VM, so ``Snapshot.label`` says what consistency was really
reached; change tracking answers ``None`` when it cannot be trusted, which means "compare digests".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from migrate.disks.extent import Extent as Extent
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.configuration import Configuration
from migrate.sites.consistency import Consistency as Consistency
from migrate.sites.definition import Choices, Definition, Difference
from migrate.sites.networking import GuestNic
from planner.model import Backing, BusSharing, Power


class Capability(StrEnum):
    """What a site can do; a runbook is refused when a needed one is missing."""

    POWER = "power"
    QUIESCE = "quiesce"
    SNAPSHOT = "snapshot"
    GROUP_SNAPSHOT = "group-snapshot"
    CHANGE_TRACKING = "change-tracking"
    READ_DISKS = "read-disks"
    WRITE_DISKS = "write-disks"
    CREATE_VM = "create-vm"
    LUNS = "luns"
    PROBE = "probe"
    CONFIGURE = "configure"
    CONSOLIDATE = "consolidate"
    CUSTOMISE = "customise"
    FOLDERS = "folders"  # of VMs: see migrate.sites.aside
    RULES = "rules"  # of where VMs run: see migrate.sites.rules
    LOWER_HARDWARE = "lower-hardware"  # virtual hardware can be taken back to an older version


@dataclass(frozen=True, slots=True)
class DiskState:
    """A disk of a VM as the site sees it now. ``volume`` is equal for everyone who shares it."""

    key: str
    volume: str
    size_bytes: int
    backing: Backing
    lun: str = ""
    bus: int = 0
    unit: int = 0
    bus_sharing: BusSharing = BusSharing.NONE
    multi_writer: bool = False
    independent: bool = False  # snapshots of its VM leave it out


@dataclass(frozen=True, slots=True)
class VMState:
    """A VM as the site sees it now. ``op`` is the key of the call that created it, if known."""

    id: str
    name: str
    power: Power
    disks: tuple[DiskState, ...]
    connected: bool = True  # NICs plugged
    op: str = ""
    last_power_op: str = ""
    note: str = ""  # what people and wherry wrote on it


@dataclass(frozen=True, slots=True)
class ChangeId:
    """A point in a volume's history of writes. Equal ``epoch`` means the counter can be compared."""

    epoch: str
    counter: int

    def __str__(self) -> str:
        return f"{self.epoch}/{self.counter}"

    @classmethod
    def parse(cls, text: str) -> ChangeId:
        """Return the change id written by ``str``; raises ValueError."""
        epoch, _, counter = text.rpartition("/")
        return cls(epoch, int(counter))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One instant of several volumes. ``changes`` maps volume to its change id at that instant.

    ``parts`` maps volume to the id of the very snapshot that holds it, at a site where each VM has its own.
    """

    id: str
    label: Consistency
    changes: dict[str, ChangeId]
    op: str = ""
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VMSnapshot:
    """A snapshot of a VM, whoever took it. ``op`` is the key of the call that did, empty for others' own."""

    id: str
    name: str
    op: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a VM stands in its move, for people at the site's own console. Empty says nothing."""

    wave: str
    state: str
    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """What a probe saw. ``detail`` is one line for the record."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class NewDisk:
    """A volume to create. An RDM names the LUN it maps.

    ``shared`` is one that several VMs write at a time, which some sites have to make for that; what exists
    does not say so.
    """

    volume: str
    size_bytes: int
    backing: Backing
    lun: str = ""
    shared: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A disk of a VM to create. ``policy`` is the name of a storage policy, empty for the datastore's own."""

    key: str
    volume: str
    bus: int = 0
    unit: int = 0
    bus_sharing: BusSharing = BusSharing.NONE
    multi_writer: bool = False
    policy: str = ""


@dataclass(frozen=True, slots=True)
class NewNic:
    """A network adapter of a VM to create."""

    label: str
    network: str
    mac: str = ""
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class NewVM:
    """A VM to create and register.

    ``definition`` is its source's, for a site that can build it; disks and NICs are always those said here.
    Places that are empty are the site's to choose; ``pool`` is a name or the end of a path, ``policy`` the
    name of the storage policy of its own files.
    """

    id: str
    name: str
    cpus: int
    memory_bytes: int
    firmware: str
    guest_os: str
    disks: tuple[NewAttachment, ...]
    nics: tuple[NewNic, ...]
    datastore: str = ""
    folder: str = ""
    pool: str = ""
    policy: str = ""
    definition: Definition | None = None
    choices: Choices = field(default_factory=Choices)


class Site(Protocol):
    """Every site: who it is and what can be seen there."""

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> str:
        """What tells this site from every other, whatever it is called or where it lies."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...
    def observe(self, vm: str) -> VMState | None:
        """Return the VM's state, None when it is certainly not registered; raises Unreachable."""
        ...

    def definition(self, vm: str) -> Definition | None:
        """Return a VM's whole definition, None where the site knows no more than a plan says."""
        ...

    def volume(self, volume: str) -> NewDisk | None:
        """Return a volume as it exists at the site, attached or not, or None."""
        ...

    def free_bytes(self) -> int:
        """Bytes that new disks may take."""
        ...

    def networks(self) -> frozenset[str] | None:
        """Return the names of networks that NICs can be plugged into, None when any name will do."""
        ...


@runtime_checkable
class Powers(Protocol):
    """Power operations. Asking for the state a VM already has is not an error."""

    def power_on(self, vm: str, op: str) -> None: ...
    def shut_down(self, vm: str, op: str, timeout_s: float) -> bool:
        """Ask the guest to stop; False when it did not within the time."""
        ...

    def power_off(self, vm: str, op: str) -> None: ...


@runtime_checkable
class Quiescer(Protocol):
    """Bring the guests of a group to a consistent point; they go on writing when ``thaw`` is called."""

    def quiesce(self, vms: tuple[str, ...], op: str) -> Consistency: ...
    def thaw(self, vms: tuple[str, ...], op: str) -> None: ...


@runtime_checkable
class Snapshots(Protocol):
    """Group snapshots. Physical RDMs have none and are left out of ``changes``."""

    def take_snapshot(self, vms: tuple[str, ...], op: str) -> Snapshot: ...
    def find_snapshot(self, op: str) -> Snapshot | None:
        """Return the snapshot made under ``op`` that still exists."""
        ...

    def drop_snapshot(self, snapshot: str, op: str) -> None:
        """Remove a snapshot; one that is gone already is not an error."""
        ...

    def list_snapshots(self) -> tuple[Snapshot, ...]: ...
    def snapshots_of(self, vm: str) -> tuple[VMSnapshot, ...]:
        """Return everybody's snapshots of a VM, none for one that is not registered."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A site whose room for snapshots can run out beside us. Not every site is one."""

    def snapshot_waits(self, vm: str) -> str:
        """Return what a snapshot of a VM has to wait for now, ``room on datastore fast``; empty: nothing."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """Change tracking."""

    def changed_areas(self, volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        """Return areas written after ``since`` (a superset is allowed), None when untrusted."""
        ...

    def change_id(self, volume: str) -> ChangeId | None:
        """Return the volume's change id now, None when it is not tracked."""
        ...


@runtime_checkable
class Disks(Protocol):
    """Volumes. Opening to write fails while a powered-on VM holds the volume, and the reverse."""

    def create_disk(self, disk: NewDisk, op: str) -> None:
        """Create a volume full of zeros; one that exists with the same shape is not an error."""
        ...

    def delete_disk(self, volume: str, op: str) -> None: ...
    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk: ...
    def open_write(self, volume: str) -> WritableDisk: ...


@runtime_checkable
class Machines(Protocol):
    """VMs as objects of the site."""

    def create_vm(self, vm: NewVM, op: str) -> None: ...
    def differences(self, vm: NewVM) -> tuple[Difference, ...]:
        """Return what the VM that was created for ``vm`` has otherwise than its definition says."""
        ...

    def delete_vm(self, vm: str, op: str) -> None:
        """Unregister a powered-off VM; its volumes stay."""
        ...

    def rename(self, vm: str, name: str, op: str) -> None: ...
    def connect_nics(self, vm: str, connected: bool, op: str) -> None: ...
    def annotate(self, vm: str, note: str, op: str) -> None:
        """Replace a VM's note."""
        ...


@runtime_checkable
class Prober(Protocol):
    """Health of what runs in a guest."""

    def probe(self, vm: str) -> Health: ...


@runtime_checkable
class Configures(Protocol):
    """Changes of a VM's configuration. Asking for what is so already is not an error."""

    def configuration(self, vm: str) -> Configuration | None:
        """Return a VM's configuration, None when it is certainly not registered."""
        ...

    def set_change_tracking(self, vm: str, on: bool, op: str) -> None:
        """Ask for change tracking; it takes effect at the next power-on or snapshot."""
        ...

    def set_hardware_version(self, vm: str, version: int, op: str) -> None:
        """Change the virtual hardware of a VM that is off; to an older one with LOWER_HARDWARE only."""
        ...

    def set_disk_modes(self, vm: str, modes: tuple[tuple[str, str], ...], op: str) -> None:
        """Change the mode of the named disks of a VM that is off."""
        ...

    def set_drives(self, vm: str, drives: tuple[tuple[str, bool, bool], ...], op: str) -> None:
        """Set (key, connected, connected at power-on) of the named drives."""
        ...

    def consolidate(self, vm: str, op: str) -> None:
        """Merge delta files that belong to no snapshot. There is no way back, and none is needed."""
        ...


@runtime_checkable
class Customises(Protocol):
    """The network settings of guests. Asking for what is so already is not an error."""

    def networking(self, vm: str) -> tuple[GuestNic, ...] | None:
        """Return what a guest is set to, or will be when it starts next; None where nobody can know."""
        ...

    def customise(self, vm: str, nics: tuple[GuestNic, ...], op: str) -> None:
        """Have the guest of a VM that is off start with other settings of these adapters; others stay."""
        ...


@runtime_checkable
class Shows(Protocol):
    """A site with a console of its own, at which people see where VMs stand. Nothing depends on it."""

    def show(self, vm: str, shown: Shown, op: str) -> None:
        """Show where a VM stands; one that is not there is left out."""
        ...


class FullSite(
    Site, Powers, Quiescer, Snapshots, Tracker, Disks, Machines, Prober, Configures, Customises, Protocol
):
    """A site with every capability; what the steps are typed against after the capability check."""
