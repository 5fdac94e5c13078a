"""VMDK descriptors as ESXi writes them: flat VMFS extents and raw device mappings.

A descriptor names exactly one extent, in its own folder: a descriptor that names a path, several
extents or a type without a flat extent is refused, never half understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from migrate.disks.quoting import parse_assignment, quoted
from planner.errors import Corrupt
from planner.model import Backing
from planner.units import SECTOR

_TYPES = {
    Backing.VMDK: ("vmfs", "VMFS"),
    Backing.RDM_PHYSICAL: ("vmfsPassthroughRawDeviceMap", "VMFSRDM"),
    Backing.RDM_VIRTUAL: ("vmfsRawDeviceMap", "VMFSRDM"),
}
_BACKINGS = {name: (backing, extent) for backing, (name, extent) in _TYPES.items()}
_EXTENT = re.compile(r'\s*(RW|RDONLY|NOACCESS)\s+(\d+)\s+(\w+)\s+"([^"]*)"(?:\s+(\d+))?\s*')
_NO_PARENT = 0xFFFFFFFF
MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One disk's descriptor. ``extent`` is the plain name of the file beside it; ``cid`` 32 bits."""

    backing: Backing
    size_bytes: int
    extent: str
    cid: int
    parent_cid: int = _NO_PARENT
    database: tuple[tuple[str, str], ...] = ()  # ddb.* and other keys beyond those above


def extent_name(stem: str, backing: Backing) -> str:
    """Return ESXi's name of the extent file: ``x-flat.vmdk``, ``x-rdmp.vmdk`` or ``x-rdm.vmdk``."""
    suffix = {Backing.VMDK: "flat", Backing.RDM_PHYSICAL: "rdmp", Backing.RDM_VIRTUAL: "rdm"}
    return f"{stem}-{suffix[backing]}.vmdk"


def geometry(size_bytes: int) -> tuple[int, int, int]:
    """Return (cylinders, heads, sectors) as VMware chooses them for SCSI disks of that size."""
    if size_bytes < 1024**3:
        heads, sectors = 64, 32
    elif size_bytes < 2 * 1024**3:
        heads, sectors = 128, 32
    else:
        heads, sectors = 255, 63
    return max(size_bytes // (heads * sectors * SECTOR), 1), heads, sectors


def write_descriptor(disk: Descriptor) -> str:
    """Return the text of a descriptor file."""
    kind, extent = _TYPES[disk.backing]
    cylinders, heads, sectors = geometry(disk.size_bytes)
    ddb = {
        "ddb.adapterType": "lsilogic",
        "ddb.geometry.cylinders": str(cylinders),
        "ddb.geometry.heads": str(heads),
        "ddb.geometry.sectors": str(sectors),
        "ddb.virtualHWVersion": "19",
        **dict(disk.database),
    }
    lines = [
        "# Disk DescriptorFile",
        "version=1",
        'encoding="UTF-8"',
        f"CID={disk.cid:08x}",
        f"parentCID={disk.parent_cid:08x}",
        f'createType="{kind}"',
        "",
        "# Extent description",
        f"RW {disk.size_bytes // SECTOR} {extent} {quoted(disk.extent)}",
        "",
        "# The Disk Data Base",
        "#DDB",
        "",
        *(f"{key} = {quoted(value)}" for key, value in ddb.items()),
    ]
    return "\n".join(lines) + "\n"


def parse_descriptor(text: str, name: str = "the descriptor") -> Descriptor:
    """Return the disk a descriptor file describes; raises Corrupt. ``name`` is for messages."""
    keys: dict[str, str] = {}
    extents: list[tuple[int, str, str]] = []
    for line in text[:MAX_BYTES].splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        extent = _EXTENT.fullmatch(line)
        try:
            found = None if extent else parse_assignment(line)
        except ValueError as error:
            raise _bad(name, "a value is no text") from error
        if extent:
            extents.append((int(extent[2]), extent[3], extent[4]))
        elif found:
            keys[found[0]] = found[1]
        else:
            raise _bad(name, "it has a line that is neither a value nor an extent")
    kind = keys.pop("createType", "")
    if kind not in _BACKINGS:
        raise _bad(name, f"its type {kind!r} has no flat extent")
    backing, wanted = _BACKINGS[kind]
    if len(extents) != 1 or extents[0][1] != wanted or extents[0][0] == 0:
        raise _bad(name, f"it does not have exactly one extent of type {wanted}")
    sectors, _, file = extents[0]
    if not re.fullmatch(r"[^/\\\x00]+", file) or file in {".", ".."}:
        raise _bad(name, "its extent is not a file beside it")
    try:
        cid, parent = int(keys.pop("CID", "fffffffe"), 16), int(keys.pop("parentCID", "ffffffff"), 16)
    except ValueError as error:
        raise _bad(name, "its CID is not a hexadecimal number") from error
    rest = tuple((key, value) for key, value in keys.items() if key not in {"version", "encoding"})
    return Descriptor(backing, sectors * SECTOR, file, cid, parent, rest)


def _bad(name: str, why: str) -> Corrupt:
    return Corrupt(f"{name} is not a usable VMDK descriptor: {why}", "export the disk again as a flat VMDK")
