"""Raw objects as a collector sends them, made by hand for what no simulator has."""

from __future__ import annotations

from typing import Any

from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.places import Places
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.surroundings import Surroundings


def raw(kind: str, key: str, missing: dict[str, str] | None = None, /, **values: Any) -> RawObject:
    """Return an object; ``__`` in a name stands for a dot."""
    return RawObject(
        Ref(kind, key), {name.replace("__", "."): value for name, value in values.items()}, missing or {}
    )


def vm(*devices: dict[str, Any], **values: Any) -> RawObject:
    """Return a machine with these devices."""
    said = {"name": "vm", "config__version": "vmx-19", "config__hardware__device": list(devices), **values}
    return raw("VirtualMachine", "vm-1", **said)


def device(kind: str, key: int, **values: Any) -> dict[str, Any]:
    """Return a device; its label is its kind."""
    return {
        "@": kind,
        "key": str(key),
        "deviceInfo": {"@": "Description", "label": kind, "summary": ""},
        **values,
    }


def around(**values: Any) -> Surroundings:
    """Return surroundings without anything in them."""
    return Surroundings("uuid", Places("uuid"), **values)
