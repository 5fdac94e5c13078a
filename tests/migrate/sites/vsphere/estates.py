"""Small estates for vCenters that are acted on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planner.model import (
    VM,
    BusSharing,
    Cdrom,
    Cluster,
    Compute,
    Controller,
    Datastore,
    Device,
    DeviceKind,
    Disk,
    DrsGroup,
    DrsRule,
    Guest,
    Host,
    Inventory,
    Network,
    Nic,
    ResourcePool,
    VCenter,
)
from planner.sources.document import dump_document

MIB, GIB = 1 << 20, 1 << 30
VCENTER = "7f0d3c1e-0000-4000-8000-0000000000a1"
SCSI: dict[str, Any] = {"controller": "SCSI controller 0", "bus": 0, "controller_kind": Controller.PVSCSI}
PLACE: dict[str, Any] = {"host": "esx-1", "cluster": "prod", "datacenter": "dc1", "vcenter": VCENTER}

ODD = VM(
    *("vm-7", "odd"),
    moref="vm-7",
    hw_version=13,
    cbt=False,
    consolidation_needed=True,
    disks=(
        Disk(
            "2000", "Hard disk 1", MIB, path="[ds] odd/0.vmdk", mode="independent_persistent", unit=0, **SCSI
        ),
        Disk("2001", "Hard disk 2", MIB, path="[ds] odd/1.vmdk", mode="persistent", unit=1, **SCSI),
    ),
    cdroms=(Cdrom("CD/DVD drive 1", True, "[ds] iso/tools.iso", True),),
    devices=(Device(DeviceKind.FLOPPY, "Floppy 1", True, "a.flp"),),
    **PLACE,
)

APP = VM(
    *("vm-8", "app/one"),
    moref="vm-8",
    guest_os="Red Hat Enterprise Linux 9 (64-bit)",
    dns_name="app-1.example.test",
    cpus=4,
    memory_bytes=2 * GIB,
    firmware="efi",
    hw_version=19,
    bios_uuid="42000000-0000-4000-8000-000000000008",
    instance_uuid="52000000-0000-4000-8000-000000000008",
    annotation="the shop\nask Kim",
    attributes=(("owner", "sales-it"), ("cost centre", "4711")),
    tags=(("tier", "database"), ("site", "north")),
    compute=Compute(
        cpu_hot_add=True,
        memory_hot_add=True,
        cpu_reservation_mhz=500,
        cpu_limit_mhz=8000,
        memory_reservation_bytes=GIB,
        memory_limit_bytes=-1,
        latency_sensitivity="high",
        nested_virtualisation=True,
        secure_boot=True,
        enable_uuid=True,
        boot_order=("disk", "net"),
    ),
    disks=(
        Disk("2000", "Hard disk 1", MIB, path="[ds] app/0.vmdk", mode="persistent", unit=0, **SCSI),
        Disk(
            *("2016", "Hard disk 2", 2 * MIB),
            path="[ds] app/1.vmdk",
            mode="independent_persistent",
            multi_writer=True,
            controller="SCSI controller 1",
            bus=1,
            unit=5,
            bus_sharing=BusSharing.VIRTUAL,
            controller_kind=Controller.LSI_SAS,
            iops_limit=500,
        ),
    ),
    nics=(
        Nic("Network adapter 1", "net", "00:50:56:9a:00:01", "Vmxnet3", True, starts_connected=True),
        Nic("Network adapter 2", "net", "0a:11:22:33:44:55", "E1000e", False, starts_connected=False),
    ),
    cdroms=(Cdrom("CD/DVD drive 1", True, "[ds] iso/tools.iso", True),),
    devices=(Device(DeviceKind.USB, "USB 1"),),
    guest=Guest(guest_id="rhel9_64Guest"),
    **PLACE,
)

# A target that knows one of APP's tags.
TAGGED = VM("vm-5", "tagged", moref="vm-5", tags=(("tier", "database"), ("tier", "web")), **PLACE)


def document(
    directory: Path,
    *vms: VM,
    newest: int = 17,
    networks: tuple[str, ...] = ("net",),
    pools: tuple[str, ...] = (),
    groups: tuple[DrsGroup, ...] = (),
    rules: tuple[DrsRule, ...] = (),
) -> Path:
    """Write an estate of a cluster of two hosts with two datastores that holds these VMs.

    ``pools`` are paths below the cluster's own pool, ``groups`` and ``rules`` those of the cluster.
    """
    common = ("prod", "dc1", "7.0.3", 8, 64 * GIB, VCENTER)
    estate = Inventory(
        "test",
        "2026-01-01T00:00:00+00:00",
        vms,
        hosts=tuple(
            Host(f"host-{n}", f"esx-{n}", *common, maintenance=False, supported_hw_version=newest)
            for n in (1, 2)
        ),
        clusters=(Cluster("domain-c8", "prod", 2, VCENTER, "dc1", drs=True, groups=groups, rules=rules),),
        datastores=tuple(
            Datastore(f"datastore-{n}", name, "VMFS", 64 * GIB, 64 * GIB, VCENTER, "dc1", accessible=True)
            for n, name in enumerate(("ds", "ds2"))
        ),
        networks=tuple(
            Network(f"network-{n}", name, "7", "vSwitch0", VCENTER, "dc1", "standard")
            for n, name in enumerate(networks)
        ),
        resource_pools=tuple(
            ResourcePool(f"resgroup-{n}", path.rpartition("/")[2], f"Resources/{path}", "prod", VCENTER)
            for n, path in enumerate(pools, 1)
        ),
        vcenters=(VCenter(VCENTER, "vc", "8.0.2", "1", "8.0.2.0"),),
    )
    path = directory / "estate.json"
    path.write_text(dump_document(estate), "utf-8")
    return path
