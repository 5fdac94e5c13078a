"""A VM: who it is, where it is, what it is made of, and what people say of it."""

from __future__ import annotations

from dataclasses import dataclass

from planner.model.devices import Cdrom, Device, Disk, Nic, Partition, Snapshot
from planner.model.words import Power


@dataclass(frozen=True, slots=True)
class Guest:
    """What the guest and its VMware Tools report. Empty and ``None`` mean unknown."""

    guest_id: str = ""  # windows2019srv_64Guest, ...
    running_os: str = ""  # as the tools say, where guest_os is as configured
    tools_version: str = ""
    heartbeat: str = ""  # green, yellow, red, gray
    time_sync: bool | None = None  # with the host
    partitions: tuple[Partition, ...] | None = None


@dataclass(frozen=True, slots=True)
class Compute:
    """How a VM is run: processor, memory, firmware, security. ``None`` and empty mean unknown."""

    cpu_hot_add: bool | None = None
    memory_hot_add: bool | None = None
    cpu_reservation_mhz: int | None = None
    cpu_limit_mhz: int | None = None  # -1 = none
    memory_reservation_bytes: int | None = None
    memory_limit_bytes: int | None = None  # -1 = none
    memory_locked: bool | None = None  # reservation locked to the maximum
    latency_sensitivity: str = ""  # normal, high, ...
    affinity: bool | None = None  # pinned to processors or memory nodes
    nested_virtualisation: bool | None = None
    iommu: bool | None = None
    evc_mode: str | None = None  # the least EVC mode it needs now; "" = none
    secure_boot: bool | None = None
    vbs: bool | None = None  # virtualisation-based security
    sgx: bool | None = None
    sev: bool | None = None
    encrypted: bool | None = None  # the VM's home
    enable_uuid: bool | None = None  # disk.EnableUUID
    npiv: bool | None = None
    boot_order: tuple[str, ...] | None = None  # disk, net, cdrom, floppy; () = the default order


@dataclass(frozen=True, slots=True)
class Management:
    """Who else holds a string on the VM. ``None`` means unknown, empty means nobody."""

    managed_by: str | None = None  # key of the extension it belongs to
    replication: str | None = None  # vsphere-replication, srm, zerto, recoverpoint, ...
    drs_override: str | None = None  # manual, partiallyAutomated, disabled, ...
    restart_priority: str | None = None  # of HA, where it differs from the cluster's
    storage_policy: str | None = None  # of the VM's home
    last_backup: str = ""
    fault_tolerance_role: str = ""
    permissions: int | None = None  # permissions set on the VM itself


@dataclass(frozen=True, slots=True)
class VM:
    """A virtual machine. ``id`` is its instance UUID or moref, unique within an inventory.

    ``gaps`` names the kinds its source had no word on (see ``Inventory``).
    """

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
    instance_uuid: str = ""
    moref: str = ""
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
    criticality: str = ""
    window: str = ""  # the maintenance window people gave it, in their words
    sayings: tuple[tuple[str, str], ...] = ()  # (field of these, where an import says so)
    rules: tuple[str, ...] = ()  # names of DRS rules
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    cdroms: tuple[Cdrom, ...] = ()
    devices: tuple[Device, ...] = ()
    guest: Guest = Guest()
    compute: Compute = Compute()
    management: Management = Management()
    tags: tuple[tuple[str, str], ...] | None = None  # (category, tag); None = unknown
    attributes: tuple[tuple[str, str], ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def disk_bytes(self) -> int:
        """Provisioned size of all disks, RDMs included."""
        return sum(disk.size_bytes for disk in self.disks)

    @property
    def movable(self) -> bool:
        """False for what is never replicated: templates and SRM placeholders."""
        return not (self.template or self.placeholder)

    @property
    def cluster_agent(self) -> bool:
        """True for what a cluster makes for itself and never parts with (vCLS)."""
        return self.name.startswith(("vCLS-", "vCLS(", "vCLS "))
