"""A small world in which every check of disks, storage, machines, devices and hosts is fine.

Cases change one thing of it. ``ask`` hands back what those families say; others have tests of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from planner.checks.registry import Readiness, all_checks, run_checks
from planner.model import (
    VM,
    BusSharing,
    Compute,
    Controller,
    Datastore,
    Disk,
    Folder,
    Host,
    Inventory,
    Lun,
    Management,
    Method,
    Nic,
    Power,
    Severity,
    VCenter,
)
from planner.settings import Settings
from planner.units import GIB, TIB

FAMILIES = {"disks", "storage", "snapshots", "replication", "compute", "devices", "security", "hosts"}
DISK = Disk(
    "2000",
    "Hard disk 1",
    GIB,
    path="[ds] good/good.vmdk",
    mode="persistent",
    multi_writer=False,
    controller="SCSI controller 0",
    bus=0,
    unit=0,
    bus_sharing=BusSharing.NONE,
    controller_kind=Controller.PVSCSI,
    format="flat",
    parent="",
    cbt=True,
    encrypted=False,
    filters=(),
    flash_cache=False,
    iops_limit=-1,
    policy="",
)
NIC = Nic("Network adapter 1", "lan", "00:50:56:00:00:01", "Vmxnet3", True, ("10.0.0.1",), direct_path=False)
COMPUTE = Compute(
    cpu_hot_add=False,
    memory_hot_add=False,
    cpu_reservation_mhz=0,
    cpu_limit_mhz=-1,
    memory_reservation_bytes=0,
    memory_limit_bytes=-1,
    memory_locked=False,
    latency_sensitivity="normal",
    affinity=False,
    nested_virtualisation=False,
    iommu=False,
    evc_mode="intel-haswell",
    secure_boot=False,
    vbs=False,
    sgx=False,
    sev=False,
    encrypted=False,
    boot_order=("disk",),
)
GOOD = VM(
    id="1",
    name="good",
    vcenter="vc",
    power=Power.ON,
    dns_name="good.example.test",
    cpus=2,
    memory_bytes=4 * GIB,
    host="esx-1",
    hw_version=19,
    vmx_path="[ds] good/good.vmx",
    tools="toolsOk",
    cbt=True,
    consolidation_needed=False,
    ft_state="notConfigured",
    connection_state="connected",
    disks=(DISK,),
    nics=(NIC,),
    compute=COMPUTE,
    management=Management(managed_by="", replication=""),
)
TWIN = replace(
    GOOD,
    id="2",
    name="other",
    vmx_path="[ds] other/other.vmx",
    disks=(replace(DISK, path="[ds] other/other.vmdk"),),
    nics=(replace(NIC, mac="00:50:56:00:00:02", addresses=("10.0.0.2",)),),
)
HOST = Host(
    "h1",
    "esx-1",
    vcenter="vc",
    version="VMware ESXi 8.0.2 build-22380479",
    cpus=16,
    memory_bytes=256 * GIB,
    evc_mode="intel-icelake",
    maintenance=False,
    lockdown=False,
    connection_state="connected",
    vmotion=True,
    supported_hw_version=21,
)
STORE = Datastore(
    "d1",
    "ds",
    "VMFS",
    100 * TIB,
    50 * TIB,
    vcenter="vc",
    accessible=True,
    maintenance=False,
    hosts=4,
    multiple_hosts=True,
    version="6.82",
    extents=("naa.1",),
)
TARGET = Inventory(
    "target",
    "2026-06-30T00:00:00+00:00",
    (),
    hosts=(replace(HOST, id="t1", name="new-1"),),
    datastores=(replace(STORE, id="t2", name="new"),),
    luns=(Lun("naa.target", "02000000target"),),
    folders=(Folder("f0", "Apps", "Apps", "DC2", kind="vm"),),
)


@dataclass(frozen=True)
class World:
    """What is asked about. ``vms`` None is the good one alone."""

    vms: tuple[VM, ...] | None = None
    hosts: tuple[Host, ...] = (HOST,)
    datastores: tuple[Datastore, ...] = (STORE,)
    target: Inventory | None = TARGET
    gaps: tuple[str, ...] = ()
    luns: tuple[Lun, ...] = (Lun("naa.1", hosts=("h1",)),)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def inventory(self) -> Inventory:
        """The source as an inventory."""
        return Inventory(
            "test",
            "2026-06-30T00:00:00+00:00",
            (GOOD,) if self.vms is None else self.vms,
            hosts=self.hosts,
            datastores=self.datastores,
            gaps=self.gaps,
            luns=self.luns,
            vcenters=(VCenter("vc", "vc.example.test"),),
        )


@dataclass(frozen=True)
class Case:
    """A check on a world in which it finds something, and on one that does not say enough.

    ``also`` are checks that find something of their own in the same world.
    """

    check: str
    found: World
    unknown: World | None
    also: tuple[str, ...] = ()


def one(**changes: Any) -> World:
    """The good VM with changes."""
    return World(vms=(replace(GOOD, **changes),))


def disk(**changes: Any) -> World:
    """The good VM whose only disk has changes."""
    return World(vms=(replace(GOOD, disks=(replace(DISK, **changes),)),))


def compute(**changes: Any) -> World:
    """The good VM that is run differently."""
    return World(vms=(replace(GOOD, compute=replace(COMPUTE, **changes)),))


def store(**changes: Any) -> World:
    """The good VM on another datastore."""
    return World(datastores=(replace(STORE, **changes),))


def host(**changes: Any) -> World:
    """The good VM on another host."""
    return World(hosts=(replace(HOST, **changes),))


def landing(*, hosts: Mapping[str, Any] | None = None, stores: Mapping[str, Any] | None = None) -> Inventory:
    """The target with another host, another datastore."""
    return replace(
        TARGET,
        hosts=tuple(replace(item, **(hosts or {})) for item in TARGET.hosts),
        datastores=tuple(replace(item, **(stores or {})) for item in TARGET.datastores),
    )


def ask(world: World, method: Method = Method.WARM) -> Readiness:
    """What the families of this room say of a world."""
    said = {"method": method, "datastores": {"ds": "new"}, **world.settings}
    settings = Settings.model_validate(said)
    readiness = run_checks(world.inventory(), settings, world.target)
    mine = {check.id for check in all_checks() if check.family in FAMILIES}
    return Readiness(
        tuple(item for item in readiness.findings if item.check in mine),
        {check: count for check, count in readiness.unknown.items() if check in mine},
    )


def found(world: World, method: Method = Method.WARM) -> list[str]:
    """The checks that find something, each as often as it does."""
    return sorted(item.check for item in ask(world, method).findings)


def weights(check_id: str) -> tuple[Severity, Severity]:
    """How much a check weighs warm and cold."""
    (check,) = [check for check in all_checks() if check.id == check_id]
    return check.severity(Method.WARM), check.severity(Method.COLD)
