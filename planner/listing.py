"""What tables list of a VM, so that a row is painted without building the VM."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.model import VM

COLUMNS = (
    "id", "name", "cluster", "power", "guest_os", "cpus", "memory_bytes", "disk_bytes", "application",
)  # fmt: skip


def listed(vm: VM) -> tuple[str | int, ...]:
    """Return what tables list of a VM, in the order of ``COLUMNS``."""
    return (
        vm.id,
        vm.name,
        vm.cluster,
        vm.power.value,
        vm.guest_os,
        vm.cpus,
        vm.memory_bytes,
        vm.disk_bytes,
        vm.application,
    )
