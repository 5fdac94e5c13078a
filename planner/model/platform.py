"""What VMs stand on: vCenters, hosts with their LUNs, clusters with their rules, datastores, networks.

Names are unique within a vCenter at the most; ``vcenter`` is its instance UUID wherever it is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.model.words import RuleKind


@dataclass(frozen=True, slots=True)
class VCenter:
    """A vCenter. ``id`` is its instance UUID; ``extensions`` are keys, None = unknown."""

    id: str
    name: str = ""
    version: str = ""
    build: str = ""
    api_version: str = ""
    certificate_expires: str = ""  # ISO 8601
    extensions: tuple[str, ...] | None = None
    linked: bool | None = None  # enhanced linked mode
    scheduled_tasks: int | None = None


@dataclass(frozen=True, slots=True)
class Hba:
    """A storage adapter of a host."""

    device: str
    kind: str = ""  # fc, iscsi, sas, ...
    wwn: str = ""
    model: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """An ESXi host. ``id`` is its moref, or its name where the source says no more."""

    id: str
    name: str
    cluster: str = ""
    datacenter: str = ""
    version: str = ""
    cpus: int = 0
    memory_bytes: int = 0
    vcenter: str = ""
    build: str = ""
    cpu_model: str = ""
    cpu_mhz: int | None = None
    evc_mode: str | None = None  # in force; "" = none
    evc_max: str | None = None  # the most it supports
    maintenance: bool | None = None
    lockdown: bool | None = None
    connection_state: str = ""
    vmotion: bool | None = None
    ntp_servers: tuple[str, ...] | None = None
    ntp_running: bool | None = None
    clock_skew_s: float | None = None  # against the vCenter
    certificate_expires: str = ""  # ISO 8601
    licence: str = ""
    vendor: str = ""
    model: str = ""
    hbas: tuple[Hba, ...] | None = None
    vmkernel_networks: tuple[str, ...] | None = None  # port groups its own adapters use
    supported_hw_version: int | None = None


@dataclass(frozen=True, slots=True)
class Lun:
    """A LUN that hosts see. ``name`` is canonical (naa...); ``hosts`` are ids of hosts."""

    name: str
    uuid: str = ""
    size_bytes: int | None = None
    vendor: str = ""
    model: str = ""
    serial: str = ""
    hosts: tuple[str, ...] = ()
    datastore: str = ""  # name of the datastore it carries, empty = none or unknown
    vcenter: str = ""


@dataclass(frozen=True, slots=True)
class DrsGroup:
    """A named set of VMs or hosts of a cluster; ``members`` are ids."""

    name: str
    of_hosts: bool
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrsRule:
    """A rule of a cluster. ``vms`` are ids; None = the source knows its name only."""

    name: str
    kind: RuleKind
    vms: tuple[str, ...] | None = None
    enabled: bool | None = None
    mandatory: bool | None = None
    vm_group: str = ""
    host_group: str = ""
    affine: bool = True  # of VM_HOST: run on those hosts, or on any other


@dataclass(frozen=True, slots=True)
class Cluster:
    """A vSphere cluster."""

    id: str
    name: str
    hosts: int = 0
    vcenter: str = ""
    datacenter: str = ""
    ha: bool | None = None
    drs: bool | None = None
    drs_mode: str = ""
    evc_mode: str | None = None
    vsan: bool | None = None
    vsan_stretched: bool | None = None
    admission_control: bool | None = None
    rules: tuple[DrsRule, ...] | None = None
    groups: tuple[DrsGroup, ...] | None = None


@dataclass(frozen=True, slots=True)
class ResourcePool:
    """A resource pool or vApp; ``path`` begins below its cluster."""

    id: str
    name: str
    path: str = ""
    cluster: str = ""
    vcenter: str = ""
    vapp: bool = False
    cpu_reservation_mhz: int | None = None
    cpu_limit_mhz: int | None = None
    memory_reservation_bytes: int | None = None
    memory_limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder; ``path`` begins below its datacenter."""

    id: str
    name: str
    path: str = ""
    datacenter: str = ""
    vcenter: str = ""
    kind: str = ""  # vm, host, datastore, network


@dataclass(frozen=True, slots=True)
class Datastore:
    """A datastore; ``capacity_bytes`` and ``free_bytes`` are 0 when unknown."""

    id: str
    name: str
    kind: str = ""  # VMFS, NFS, vsan, VVOL, ...
    capacity_bytes: int = 0
    free_bytes: int = 0
    vcenter: str = ""
    datacenter: str = ""
    provisioned_bytes: int | None = None
    accessible: bool | None = None
    maintenance: bool | None = None
    hosts: int | None = None  # how many hosts mount it
    multiple_hosts: bool | None = None  # whether more than one can
    version: str = ""  # VMFS or NFS version
    url: str = ""
    address: str = ""  # of NFS: server and path; of VMFS: its first LUN
    extents: tuple[str, ...] | None = None  # canonical names of its LUNs


@dataclass(frozen=True, slots=True)
class Network:
    """A network or port group."""

    id: str
    name: str
    vlan: str = ""
    switch: str = ""
    vcenter: str = ""
    datacenter: str = ""
    kind: str = ""  # standard, distributed, opaque; empty = unknown
    key: str = ""  # of a distributed port group
    binding: str = ""  # static, dynamic, ephemeral
    promiscuous: bool | None = None
    forged_transmits: bool | None = None
    mac_changes: bool | None = None
    uplink: bool | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence of a vCenter; ``key`` is masked down to its last five characters."""

    name: str
    key: str = ""
    total: int | None = None
    used: int | None = None
    expires: str = ""  # ISO 8601, empty = never or unknown
    vcenter: str = ""
