"""A shop of six VMs, two of which are a cluster that shares a disk, and LUNs with bytes behind them.

    node-1, node-2    a disk each, and one that both use, on controllers whose bus is shared
    app-1 .. web-2    a disk each, with change tracking
    mover             the VM that wherry runs in: what is attached to it is a device of its system

A file stands in for each LUN. What the mover's system would show as block devices are links to these, and to
the flat files of the datastores, made while a ``Shop`` is open as a system makes them.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyVmomi

from planner.model import (
    VM,
    Backing,
    BusSharing,
    Cluster,
    Controller,
    Datastore,
    Disk,
    Host,
    Inventory,
    Lun,
    Network,
    Nic,
    Power,
    VCenter,
)
from planner.sources.document import dump_document
from tests.vcenter.collected import finished
from tests.vcenter.peer import VCenterPeer
from tests.vcenter.staged import devices_of, disks_of, machines, mounts

vim: Any = pyVmomi.vim
MIB = 1 << 20
HERE, THERE = "7f0d3c1e-0000-4000-8000-0000000000a1", "7f0d3c1e-0000-4000-8000-0000000000a2"
LUN_HERE, LUN_THERE, LUN_BESIDE = (f"naa.6000000000000000000000000000aa0{number}" for number in (1, 2, 3))
NODES = ("node-1", "node-2")
SINGLE = ("app-1", "app-2", "web-1", "web-2")
SHARED_BYTES = 2 * MIB
LUN_THERE_BYTES = SHARED_BYTES + MIB  # larger than the disk that it takes
LUN_BESIDE_BYTES = MIB + 192 * 1024
_LOOK_S = 0.02
_POINTER = """# Disk DescriptorFile
version=1
CID=fffffffe
parentCID=ffffffff
createType="vmfsPassthroughRawDeviceMap"
RW {} VMFSRDM "{}-rdmp.vmdk"
ddb.uuid = "60 00 c2 90 00 00 00 00-00 00 00 00 00 00 00 01"
"""
_UUID = re.compile(r'^ddb\.uuid = "([^"]+)"', re.MULTILINE)
_SCSI: dict[str, Any] = {"controller_kind": Controller.PVSCSI, "mode": "persistent", "cbt": True}


def _own(name: str) -> Disk:
    path = f"[ds] {name}/{name}.vmdk"
    return Disk("2000", "Hard disk 1", MIB, path=path, controller="SCSI controller 0", bus=0, unit=0, **_SCSI)


def _beside(disk: Disk) -> Disk:
    """Return a disk as it hangs on a controller whose bus VMs of several hosts share."""
    return replace(
        disk,
        key="2016",
        label="Hard disk 2",
        controller="SCSI controller 1",
        bus=1,
        unit=0,
        bus_sharing=BusSharing.PHYSICAL,
        controller_kind=Controller.LSI_SAS,
        cbt=None,
    )


def shared(backing: Backing) -> Disk:
    """Return the disk of the cluster: on a LUN, or a VMDK."""
    disk = replace(_own("node-1"), size_bytes=SHARED_BYTES, backing=backing, path="[ds] node-1/shared.vmdk")
    return _beside(replace(disk, lun=LUN_HERE, format="rdm") if backing.is_rdm else disk)


def _vm(number: int, name: str, vcenter: str, *more: Disk) -> VM:
    return VM(
        *(f"52000000-0000-4000-8000-0000000000{number:02d}", name, vcenter, Power.ON),
        moref=f"vm-{number}",
        guest_os="Red Hat Enterprise Linux 9 (64-bit)",
        cpus=2,
        memory_bytes=MIB << 10,
        hw_version=17,
        cbt=not more,
        connection_state="connected",
        vmx_path=f"[ds] {name}/{name}.vmx",
        host=f"esx-{number % 2 + 1}",
        cluster="prod",
        datacenter="dc1",
        disks=(_own(name), *more),
        nics=(Nic("Network adapter 1", "net", f"00:50:56:9a:00:{number:02d}", "Vmxnet3", True),),
    )


def _document(folder: Path, vcenter: str, vms: tuple[VM, ...], *luns: Lun) -> Path:
    common = ("prod", "dc1", "7.0.3", 8, 64 << 30, vcenter)
    estate = Inventory(
        "test",
        "2026-01-01T00:00:00+00:00",
        vms,
        hosts=tuple(
            Host(f"host-{n}", f"esx-{n}", *common, maintenance=False, supported_hw_version=17) for n in (1, 2)
        ),
        clusters=(Cluster("domain-c8", "prod", 2, vcenter, "dc1", drs=True),),
        datastores=(
            Datastore("datastore-1", "ds", "VMFS", 64 << 30, 64 << 30, vcenter, "dc1", accessible=True),
        ),
        networks=(Network("network-1", "net", "7", "vSwitch0", vcenter, "dc1", "standard"),),
        vcenters=(VCenter(vcenter, "vc", "8.0.2", "1", "8.0.2.0"),),
        luns=tuple(
            replace(lun, vendor="NETAPP", model="LUN C-Mode", hosts=("host-1", "host-2"), vcenter=vcenter)
            for lun in luns
        ),
    )
    folder.mkdir()
    path = folder / "estate.json"
    path.write_text(dump_document(estate), "utf-8")
    return path


def _mover(vcenter: str) -> VM:
    own = _beside(replace(_own("mover"), path="[ds] mover/quorum.vmdk"))
    return _vm(90, "mover", vcenter, own)


def source(folder: Path, backing: Backing) -> Path:
    """Write the estate that the shop leaves; its cluster's disk is on a LUN or a VMDK."""
    vms = [_vm(number, name, HERE, shared(backing)) for number, name in enumerate(NODES, 10)]
    vms += [_vm(number, name, HERE) for number, name in enumerate(SINGLE, 20)]
    return _document(folder, HERE, (*vms, _mover(HERE)), Lun(LUN_HERE, size_bytes=SHARED_BYTES))


def target(folder: Path) -> Path:
    """Write the estate that it reaches, with a free LUN for the cluster's disk, and one for another."""
    luns = (Lun(LUN_THERE, size_bytes=LUN_THERE_BYTES), Lun(LUN_BESIDE, size_bytes=LUN_BESIDE_BYTES))
    return _document(folder, THERE, (_mover(THERE),), *luns)


def _disks(machine: Any) -> list[Any]:
    """Return a VM's disks by key: a VM that was made has them in another order."""
    return sorted(disks_of(machine), key=lambda disk: int(disk.key))


class Shop:
    """The VMs of a peer with their bytes; ``devices`` is where ``dev`` of its mover's system is."""

    def __init__(self, peer: VCenterPeer, root: Path) -> None:
        self.peer = peer
        self.devices = root
        self._by_id = root / "dev/disk/by-id"
        self._by_id.mkdir(parents=True)
        self._luns: dict[str, Path] = {}
        self._stores = [Path(path) for path in mounts(peer).values()]
        self._ended = threading.Event()
        self._kernel = threading.Thread(target=self._appear)

    def __enter__(self) -> Shop:
        self._kernel.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._kernel.join()

    def _appear(self) -> None:
        """Give each disk of the datastores the device that it would be."""
        while not self._ended.wait(_LOOK_S):
            for store in self._stores:
                with suppress(FileNotFoundError):  # a VM is removed just now: the others at the next look
                    self._see(store)

    def _see(self, store: Path) -> None:
        for file in store.glob("*/*.vmdk"):
            flat = file.with_name(file.name.replace(".vmdk", "-flat.vmdk"))
            if flat.exists() and (said := _UUID.search(file.read_text(errors="replace"))):
                self._link(re.sub("[ -]", "", said[1]), self._luns.get(file.stem, flat))

    def _link(self, digits: str, file: Path) -> None:
        link = self._by_id / f"wwn-0x{digits}"
        if not link.is_symlink():
            link.symlink_to(file)

    def lun(self, name: str, size_bytes: int) -> None:
        """Put a file behind a LUN."""
        self._luns[name] = file = self.devices / name
        file.write_bytes(os.urandom(size_bytes))
        self._link(name.removeprefix("naa."), file)

    def lay(self) -> None:
        """Describe each disk as vSphere does, and fill it with bytes that no two runs share."""
        for machine in machines(self.peer).values():
            changes: list[Any] = []
            for disk in disks_of(machine):
                if hasattr(disk.backing, "lunUuid"):
                    pointer = self._path(disk)
                    pointer.write_text(_POINTER.format(disk.capacityInBytes // 512, pointer.stem), "ascii")
                    pointer.with_name(f"{pointer.stem}-flat.vmdk").touch()  # the simulator asks for it
                else:
                    changes.append(vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk))
            finished(machine.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=changes)))
            for change in changes:
                self._file(change.device).write_bytes(os.urandom(change.device.capacityInBytes))

    def _path(self, disk: Any) -> Path:
        """Return the file of a disk's descriptor."""
        path = str(disk.backing.fileName).partition("] ")[2]
        return Path(str(disk.backing.datastore.summary.url)) / path

    def _file(self, disk: Any) -> Path:
        """Return the file that holds a disk's bytes."""
        backing = disk.backing
        if hasattr(backing, "lunUuid"):
            named = f"{backing.lunUuid} {backing.deviceName}"
            return next(file for name, file in self._luns.items() if name.removeprefix("naa.") in named)
        file = self._path(disk)
        return file.with_name(f"{file.stem}-flat.vmdk")

    def write(self, name: str, disk: int, data: bytes, offset: int) -> None:
        """Write to a disk of a VM, as its guest does."""
        with self._file(_disks(machines(self.peer)[name])[disk]).open("r+b") as body:
            body.seek(offset)
            body.write(data)

    def content(self, *names: str) -> dict[str, bytes]:
        """Return the bytes of all disks of VMs, by ``VM/number``; of a LUN as many as the disk had."""
        found = {}
        for name, machine in machines(self.peer).items():
            for number, disk in enumerate(_disks(machine) if name in names else ()):
                size = (MIB, SHARED_BYTES)[number]
                found[f"{name}/{number}"] = self._file(disk).read_bytes()[:size]
        return found

    def kinds(self, *names: str) -> dict[str, tuple[str, str]]:
        """Return what the second disk of VMs is, and how the bus that it hangs on is shared."""
        found = {}
        for name in names:
            machine = machines(self.peer)[name]
            disk = _disks(machine)[1]
            buses = {one.key: one for one in devices_of(machine, vim.vm.device.VirtualSCSIController)}
            kind = getattr(disk.backing, "compatibilityMode", "vmdk")
            found[name] = (str(kind), str(buses[disk.controllerKey].sharedBus))
        return found
