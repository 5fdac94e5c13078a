"""Small estates for vCenters that are acted on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planner.model import (
    VM,
    Cdrom,
    Cluster,
    Controller,
    Datastore,
    Device,
    DeviceKind,
    Disk,
    Host,
    Inventory,
    Network,
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


def document(directory: Path, *vms: VM, newest: int = 17, networks: tuple[str, ...] = ("net",)) -> Path:
    """Write an estate of a cluster of two hosts with two datastores that holds these VMs."""
    common = ("prod", "dc1", "7.0.3", 8, 64 * GIB, VCENTER)
    estate = Inventory(
        "test",
        "2026-01-01T00:00:00+00:00",
        vms,
        hosts=tuple(
            Host(f"host-{n}", f"esx-{n}", *common, maintenance=False, supported_hw_version=newest)
            for n in (1, 2)
        ),
        clusters=(Cluster("domain-c8", "prod", 2, VCENTER, "dc1", drs=True),),
        datastores=tuple(
            Datastore(f"datastore-{n}", name, "VMFS", 64 * GIB, 64 * GIB, VCENTER, "dc1", accessible=True)
            for n, name in enumerate(("ds", "ds2"))
        ),
        networks=tuple(
            Network(f"network-{n}", name, "7", "vSwitch0", VCENTER, "dc1", "standard")
            for n, name in enumerate(networks)
        ),
        vcenters=(VCenter(VCENTER, "vc", "8.0.2", "1", "8.0.2.0"),),
    )
    path = directory / "estate.json"
    path.write_text(dump_document(estate), "utf-8")
    return path
