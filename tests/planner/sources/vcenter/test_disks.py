"""Every kind of backing, and what a disk hangs on."""

from __future__ import annotations

from typing import Any

import pytest

from planner.model import Backing, BusSharing, Controller, Disk, Lun
from planner.sources.vcenter.disks import CONTROLLERS, disks
from planner.sources.vcenter.luns import LunNames
from planner.sources.vcenter.values import many
from tests.planner.sources.vcenter.raw import around, device, vm

NAA = "naa.600a098038304437415d4b6a59684a31"
UUID = "02000000006000600a098038304437415d4b6a59684a314c554e20432d"


def backing(kind: str, **values: Any) -> dict[str, Any]:
    return {"@": f"VirtualDisk{kind}BackingInfo", **values}


def read(
    *devices: dict[str, Any], luns: tuple[Lun, ...] = (), **values: Any
) -> tuple[tuple[Disk, ...], list[str]]:
    item, where = vm(*devices, **values), around(luns=LunNames.of(luns))
    found = disks(item, many(item.values["config.hardware.device"]), where)
    return found, where.oddities.get("vm-1", [])


def disk(held: dict[str, Any], **values: Any) -> dict[str, Any]:
    said = {"backing": held, "capacityInKB": "1024", "controllerKey": "1000", "unitNumber": "0", **values}
    return device("VirtualDisk", 2000, **said)


@pytest.mark.parametrize(
    ("kind", "form", "thin"),
    [
        ("FlatVer1", "flat", None),
        ("FlatVer2", "flat", None),
        ("SparseVer1", "sparse", True),
        ("SparseVer2", "sparse", True),
        ("SeSparse", "sesparse", True),
        ("LocalPMem", "pmem", None),
    ],
)
def test_files(kind: str, form: str, thin: bool | None) -> None:
    ((found,), odd) = read(disk(backing(kind, fileName="[ds] vm/vm-000003.vmdk", diskMode="persistent")))
    assert (found.backing, found.format, found.thin) == (Backing.VMDK, form, thin)
    assert (found.path, found.lun, found.parent, found.size_bytes) == ("[ds] vm/vm.vmdk", "", "", 1024 * 1024)
    assert odd == []


@pytest.mark.parametrize(
    ("kind", "mode", "meant"),
    [
        ("RawDiskMappingVer1", "physicalMode", Backing.RDM_PHYSICAL),
        ("RawDiskMappingVer1", "virtualMode", Backing.RDM_VIRTUAL),
        ("RawDiskMappingVer1", "", Backing.RDM_PHYSICAL),
        ("RawDiskVer2", "", Backing.RDM_PHYSICAL),
        ("PartitionedRawDiskVer2", "", Backing.RDM_PHYSICAL),
    ],
)
def test_raw_devices(kind: str, mode: str, meant: Backing) -> None:
    held = backing(
        kind, fileName="[ds] vm/vm_1.vmdk", compatibilityMode=mode, lunUuid=UUID, deviceName=f"vml.{UUID}"
    )
    ((found,), _) = read(disk(held), luns=(Lun(NAA, UUID),))
    assert (found.backing, found.format, found.lun) == (meant, "rdm", NAA)
    assert (found.thin, found.used_bytes) == (None, None)


def test_a_backing_nobody_knows_is_told() -> None:
    ((found,), odd) = read(disk({"@": "VirtualDiskQuantumBackingInfo\x1b", "fileName": "[ds] a.vmdk"}))
    assert (found.backing, found.format, found.parent) == (Backing.VMDK, "", None)
    assert odd == ["disks are backed by VirtualDiskQuantumBackingInfo␛, which wherry does not know"]


@pytest.mark.parametrize("said", [{"capacityInKB": ""}, {"capacityInKB": "-5"}, {"capacityInKB": "x"}])
def test_a_disk_without_a_capacity_is_told(said: dict[str, str]) -> None:
    ((found,), odd) = read(disk(backing("FlatVer2"), **said))
    assert found.size_bytes == 0
    assert odd == ["disks show no capacity: they count as 0 bytes"]


def test_the_chain_behind_a_snapshot() -> None:
    base = backing("FlatVer2", fileName="[ds] golden/golden.vmdk")
    middle = backing("FlatVer2", fileName="[ds] golden/golden-000001.vmdk", parent=base)
    ((found,), _) = read(disk(backing("FlatVer2", fileName="[ds] clone/clone.vmdk", parent=middle)))
    assert (found.path, found.parent) == ("[ds] clone/clone.vmdk", "[ds] golden/golden-000001.vmdk")


@pytest.mark.parametrize(("kind", "meant"), CONTROLLERS.items())
def test_controllers(kind: str, meant: Controller) -> None:
    shared = {"sharedBus": "virtualSharing"} if "SCSI" in kind or "Logic" in kind else {}
    ((found,), _) = read(
        device(kind, 1000, busNumber="2", **shared), disk(backing("FlatVer2"), unitNumber="5")
    )
    assert (found.controller_kind, found.controller, found.bus, found.unit) == (meant, kind, 2, 5)
    assert found.bus_sharing is (BusSharing.VIRTUAL if shared else BusSharing.NONE)


def test_a_controller_nobody_shows_leaves_sharing_unknown() -> None:
    ((found,), _) = read(disk(backing("FlatVer2")))
    assert (found.controller_kind, found.bus, found.bus_sharing) == (None, None, None)


@pytest.mark.parametrize(
    ("tracked", "settings", "meant"),
    [
        ("true", {"scsi0:0.ctkenabled": "TRUE"}, True),
        ("true", {"scsi0:0.ctkenabled": "false"}, False),
        ("true", {"scsi0:1.ctkenabled": "true"}, None),
        ("true", {}, None),
        ("false", {"scsi0:0.ctkenabled": "TRUE"}, False),
        (None, None, None),
    ],
)
def test_change_tracking(tracked: str | None, settings: dict[str, str] | None, meant: bool | None) -> None:
    said: dict[str, Any] = {}
    if tracked is not None:
        said["config__changeTrackingEnabled"] = tracked
    if settings is not None:
        said["config__extraConfig"] = settings
    controller = device("ParaVirtualSCSIController", 1000, busNumber="0", sharedBus="noSharing")
    ((found,), _) = read(controller, disk(backing("FlatVer2")), **said)
    assert found.cbt is meant


def test_what_its_files_hold() -> None:
    layout = {"key": "2000", "chain": [{"fileKey": ["1", "2"]}, {"fileKey": "3"}]}
    sizes = {"1": "10", "2": "200", "3": "3000", "4": "40000"}
    ((found,), _) = read(disk(backing("FlatVer2")), layoutEx__disk=[layout], layoutEx__file=sizes)
    assert found.used_bytes == 3210
    ((found,), _) = read(disk(backing("FlatVer2")), layoutEx__disk=[layout], layoutEx__file={"1": "10"})
    assert found.used_bytes is None  # half a sum is none


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (UUID, NAA),
        (UUID.upper(), NAA),
        ("0200ff0000600a098038304437415d4b6a59684a314c554e20432d", NAA),  # another LUN number
        ("02000000006000600a098038304437415d4b6a59684a99", "02000000006000600a098038304437415d4b6a59684a99"),
        ("0100000000aabbccdd11223344ffffff", "eui.aabbccdd11223344"),
        ("", ""),
    ],
)
def test_names_of_luns(said: str, meant: str) -> None:
    names = LunNames.of((Lun(NAA, UUID), Lun("eui.aabbccdd11223344"), Lun("mpx.vmhba0:C0:T0:L0", "00")))
    assert names.canonical(said) == meant
    assert names.canonical("", f"/vmfs/devices/disks/{NAA}") == NAA, "as it is asked to be mapped"
    assert names.canonical("", "vml.") == "", "a device without a name is no LUN that two VMs share"
    assert names.canonical("", f"vml.{said}" if said else "") == (
        meant if said != meant or not said else f"vml.{said}"
    )
