"""The VMs registered at a lab site: one .vmx each, in the folder named by the VM's content id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from migrate.disks.durable import remove_file, replace_file, sync_directory
from migrate.sites.lab.vmx import MAX_BYTES, Machine, read_vmx, write_vmx
from migrate.sites.lab.volumes import Volumes
from planner.errors import NotFound
from planner.names import content_id, visible


class MachineRegistry:
    """All registered VMs. The caller serialises calls."""

    def __init__(self, vms: Path, volumes: Volumes) -> None:
        """Read the .vmx files under ``vms``; raises Corrupt."""
        self._vms, self._volumes = vms, volumes
        self._all: dict[str, Machine] = {}
        for path in sorted(vms.glob("*/*.vmx")):
            with path.open("rb") as file:
                machine = read_vmx(file.read(MAX_BYTES).decode("utf-8", "surrogatepass"))
            self._all[machine.spec.id] = machine

    def get(self, vm: str) -> Machine | None:
        """Return a VM or None."""
        return self._all.get(vm)

    def need(self, vm: str) -> Machine:
        """Return a VM; raises NotFound."""
        found = self._all.get(vm)
        if found is None:
            raise NotFound(f"VM {visible(vm)} is not registered at the site", "check its id")
        return found

    def __iter__(self) -> Iterator[Machine]:
        return iter(tuple(self._all.values()))

    def users(self, volume: str) -> tuple[str, ...]:
        """Return the ids of the VMs that have a volume attached."""
        return tuple(
            vm
            for vm, machine in self._all.items()
            if any(disk.volume == volume for disk in machine.spec.disks)
        )

    def save(self, machine: Machine) -> None:
        """Register a VM, or replace what is registered, durably. Its volumes exist."""
        folder = self._path(machine.spec.id).parent
        folder.mkdir(exist_ok=True)
        files = {}
        for disk in machine.spec.disks:
            volume = self._volumes.get(disk.volume)
            if volume is None:
                raise NotFound(f"volume {visible(disk.volume)} does not exist at the site", "create it first")
            home = volume.descriptor.parent
            files[disk.volume] = ("" if home == folder else f"../{home.name}/") + volume.descriptor.name
        text = write_vmx(machine, files)
        replace_file(self._path(machine.spec.id), text.encode("utf-8", "surrogatepass"))
        sync_directory(self._vms)
        self._all[machine.spec.id] = machine

    def change(self, vm: str, **fields: Any) -> None:
        """Register a VM anew with some fields of its machine changed; raises NotFound."""
        self.save(replace(self.need(vm), **fields))

    def remove(self, vm: str) -> None:
        """Unregister a VM; its volumes stay."""
        if self._all.pop(vm, None) is not None:
            path = self._path(vm)
            remove_file(path)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()

    def _path(self, vm: str) -> Path:
        stem = content_id(vm)
        return self._vms / stem / f"{stem}.vmx"
