"""What a VM has that wherry does not build again: each in words, so that nothing is lost unsaid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_INHERITS = ("", "inherit")


def left_behind(config: Any) -> tuple[str, ...]:
    """Return what a ``VirtualMachineConfigInfo`` holds beside a definition; devices are told elsewhere."""
    return (*_of_vm(config), *_of_disks(config.hardware.device))


def _of_vm(config: Any) -> Iterator[str]:
    said = {
        "processor affinity": config.cpuAffinity and config.cpuAffinity.affinitySet,
        "memory affinity": config.memoryAffinity and config.memoryAffinity.affinitySet,
        "encryption": getattr(config, "keyId", None),
        "N-port ids": config.npivNodeWorldWideName or config.npivPortWorldWideName,
        "vApp properties": config.vAppConfig,
        "protection by fault tolerance": config.ftInfo,
        "protected memory of SGX": getattr(config, "sgxInfo", None),
        "encrypted memory of SEV": getattr(config, "sevEnabled", None),
    }
    yield from (what for what, held in said.items() if held)
    if config.managedBy and config.managedBy.extensionKey:
        yield f"management by {config.managedBy.extensionKey}"
    if str(config.swapPlacement or "") not in _INHERITS:
        yield f"swap file in {config.swapPlacement}"


def _of_disks(devices: Any) -> Iterator[str]:
    for device in devices:
        backing = device.backing
        label = device.deviceInfo.label if device.deviceInfo else device.key
        if getattr(device, "iofilter", None):
            yield f"I/O filters of {label}"
        if getattr(backing, "keyId", None):
            yield f"encryption of {label}"
