"""Disks of a simulated vCenter with real bytes: its flat files lie in plain directories."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.disks.ports import ReadableDisk
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.transports.ports import Place
from tests.migrate.sites.vsphere.conftest import Wired

KIB, MIB = 1024, 1024**2


@dataclass(frozen=True, slots=True)
class RealDisk:
    """The first disk of a VM, full of bytes that no two runs share."""

    vm: str
    key: str
    host: str
    file: DatastorePath
    flat: Path
    mount: Path
    body: bytes
    uuid: str

    @property
    def volume(self) -> str:
        """What a plan calls it at the vCenter that its inventory was read from."""
        return f"{self.vm}/{self.key}"

    def place(self, **more: Any) -> Place:
        """Return it as a transport sees it, of a VM that is off."""
        fields: dict[str, Any] = {
            "file": self.file,
            "size_bytes": len(self.body),
            "datacenter": "DC0",
            "vm": self.vm,
            "host": self.host,
            "uuid": self.uuid,
            "datastore_kind": "VMFS",
        }
        return Place(**{**fields, **more})


def real_disk(wired: Wired, size_bytes: int = MIB) -> RealDisk:
    """Fill the first disk of the first VM."""
    from pyVmomi import vim

    name = min(wired.machines())
    machine = wired.machines()[name][""]
    kind: Any = vim.vm.device.VirtualDisk
    disk = next(one for one in machine.config.hardware.device if isinstance(one, kind))
    file = DatastorePath.parse(disk.backing.fileName)
    mount = Path(disk.backing.datastore.summary.url)
    flat = mount / file.flat.path
    body = os.urandom(size_bytes)
    flat.write_bytes(body)
    assert disk.capacityInBytes == size_bytes
    return RealDisk(
        machine._moId,
        str(disk.key),
        machine.runtime.host._moId,
        file,
        flat,
        mount,
        body,
        disk.backing.uuid,
    )


def power_off(wired: Wired, vm: str) -> None:
    """Stop a VM by the tests' own client."""
    from tests.vcenter.collected import finished

    machine = next(one[""] for one in wired.machines().values() if one[""]._moId == vm)
    finished(machine.PowerOffVM_Task())


def content(disk: ReadableDisk, offset: int = 0, length: int | None = None) -> bytes:
    """Return bytes of a disk."""
    buffer = bytearray(b"\xa5" * (disk.size_bytes - offset if length is None else length))
    disk.read_into(memoryview(buffer), offset)
    return bytes(buffer)
