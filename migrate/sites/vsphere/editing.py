"""Devices of a VM, each sent back whole as the vCenter has it but for what is edited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from migrate.sites.vsphere.built import device_change
from migrate.sites.vsphere.connection import Connection
from planner.sources.vcenter.soap import Ref


def edited(connection: Connection, vm: Ref, keys: Iterable[str], edit: Callable[[Any], None]) -> list[Any]:
    """Return the changes of the devices with these keys, each as ``edit`` leaves it; raises Declined."""
    machine = connection.managed(vm)
    devices = connection.ask(f"cannot read the devices of {vm.id}", lambda _: machine.config.hardware.device)
    wanted, changes = set(keys), []
    for device in devices:
        if str(device.key) in wanted:
            edit(device)
            changes.append(device_change("edit", device))
    return changes
