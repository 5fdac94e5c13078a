"""Objects of the vSphere API by their names there, as pyvmomi sends them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def built(kind: str, **fields: Any) -> Any:
    """Return a data object of a kind, ``VirtualDisk``, with some of its fields set."""
    return kind_named(kind)(**fields)


def kind_named(kind: str) -> Any:
    """Return pyvmomi's type of a kind."""
    from pyVmomi import VmomiSupport

    support: Any = VmomiSupport
    return support.GetWsdlType("urn:vim25", kind)


def device_change(operation: str, device: Any, profiles: Iterable[Any] = ()) -> Any:
    """Return the change of a device: ``add`` or ``edit``. ``profiles`` are a disk's storage policies."""
    return built("VirtualDeviceConfigSpec", operation=operation, device=device, profile=list(profiles))


def option(key: str, value: str) -> Any:
    """Return one setting of a VM's ``extraConfig``."""
    return built("OptionValue", key=key, value=value)
