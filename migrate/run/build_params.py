"""What a step is told of the VM that it builds at the target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from planner.plan import PlannedDisk, PlannedVM


def build_params(vm: PlannedVM, disks: Iterable[PlannedDisk]) -> dict[str, Any]:
    """Return the VM as plain JSON data, with its disks of ``disks`` where they hang."""
    return {
        "vm": vm.id,
        "name": vm.name,
        "cpus": vm.cpus,
        "memory_bytes": vm.memory_bytes,
        "firmware": vm.firmware,
        "guest_os": vm.guest_os,
        **({"datastore": vm.datastore} if vm.datastore else {}),
        **({"folder": vm.folder} if vm.folder else {}),
        **({"pool": vm.pool} if vm.pool else {}),
        **({"policy": vm.policy} if vm.policy else {}),
        "disks": [
            {
                "key": item.disk,
                "volume": disk.volume,
                "bus": item.bus,
                "unit": item.unit,
                "bus_sharing": item.bus_sharing.value,
                "multi_writer": item.multi_writer,
                **({"policy": disk.policy} if disk.policy else {}),
            }
            for disk in disks
            for item in disk.attachments
            if item.vm == vm.id
        ],
        "nics": [
            {"label": nic.label, "network": nic.target, "mac": nic.mac, "adapter": nic.adapter}
            for nic in vm.nics
        ],
    }
