"""VMDK descriptors as ESXi writes them: one flat VMFS extent or one raw device mapping.

A descriptor names exactly one extent, in its own folder: a descriptor that names a path, several
extents or a type without a flat extent is refused, never half understood.
"""

from __future__ import annotations

from dataclasses import dataclass

from migrate.disks.layout import (
    MAX_BYTES,
    NO_PARENT,
    Holds,
    Layout,
    Span,
    geometry,
    parse_layout,
    refused,
    write_layout,
)
from planner.model import Backing

__all__ = ["MAX_BYTES", "Descriptor", "extent_name", "geometry", "parse_descriptor", "write_descriptor"]

_TYPES = {
    Backing.VMDK: ("vmfs", Holds.VMFS),
    Backing.RDM_PHYSICAL: ("vmfsPassthroughRawDeviceMap", Holds.RDM),
    Backing.RDM_VIRTUAL: ("vmfsRawDeviceMap", Holds.RDM),
}
_BACKINGS = {name: backing for backing, (name, _) in _TYPES.items()}


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One disk's descriptor. ``extent`` is the plain name of the file beside it; ``cid`` 32 bits."""

    backing: Backing
    size_bytes: int
    extent: str
    cid: int
    parent_cid: int = NO_PARENT
    database: tuple[tuple[str, str], ...] = ()  # ddb.* and other keys beyond those above


def extent_name(stem: str, backing: Backing) -> str:
    """Return ESXi's name of the extent file: ``x-flat.vmdk``, ``x-rdmp.vmdk`` or ``x-rdm.vmdk``."""
    suffix = {Backing.VMDK: "flat", Backing.RDM_PHYSICAL: "rdmp", Backing.RDM_VIRTUAL: "rdm"}
    return f"{stem}-{suffix[backing]}.vmdk"


def write_descriptor(disk: Descriptor) -> str:
    """Return the text of a descriptor file."""
    kind, holds = _TYPES[disk.backing]
    span = Span(disk.size_bytes, holds, disk.extent)
    return write_layout(Layout(kind, (span,), disk.cid, disk.parent_cid, disk.database))


def parse_descriptor(text: str, name: str = "the descriptor") -> Descriptor:
    """Return the disk a descriptor file describes; raises Corrupt. ``name`` is for messages."""
    layout = parse_layout(text, name)
    if layout.kind not in _BACKINGS:
        raise refused(name, f"its type {layout.kind!r} has no flat extent of a datastore")
    (span,) = layout.spans
    backing = _BACKINGS[layout.kind]
    return Descriptor(backing, span.size_bytes, span.file, layout.cid, layout.parent_cid, layout.keys)
