"""What a VMDK's descriptor says: its type, its extents in order, its other keys.

Every type of several parts is understood here; ``vmdk`` narrows this to what a lab's disks are. A
descriptor of a stranger may name no file outside its folder, not too many, none twice over the same
bytes, and sizes that add up; else it is refused, never half understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from migrate.disks.quoting import parse_assignment, quoted, unescaped
from planner.errors import Corrupt
from planner.names import visible
from planner.units import SECTOR

MAX_BYTES = 64 * 1024
SPANS_MAX = 1024
SIZE_MAX = 1 << 62
NO_PARENT = 0xFFFFFFFF
_EXTENT = re.compile(
    r'\s*(RW|RDONLY|NOACCESS)\s+(\d{1,19})\s+([A-Z]+)(?:\s+"([^"]*)"(?:\s+(\d{1,19}))?)?(?:\s+.*)?'
)
_NAME = re.compile(r"[^/\\\x00]{1,255}")


class Holds(StrEnum):
    """How an extent holds its bytes."""

    FLAT = "FLAT"
    VMFS = "VMFS"
    RDM = "VMFSRDM"
    SPARSE = "SPARSE"
    ZERO = "ZERO"

    @property
    def is_flat(self) -> bool:
        """Whether byte N of the extent is byte N of its file."""
        return self in {Holds.FLAT, Holds.VMFS}


# What each type of a disk may be made of; one part only where the type says so.
TYPES: Mapping[str, frozenset[Holds]] = {
    "monolithicFlat": frozenset({Holds.FLAT}),
    "twoGbMaxExtentFlat": frozenset({Holds.FLAT, Holds.ZERO}),
    "vmfs": frozenset({Holds.VMFS}),
    "vmfsRDM": frozenset({Holds.RDM}),
    "vmfsRawDeviceMap": frozenset({Holds.RDM}),
    "vmfsPassthroughRawDeviceMap": frozenset({Holds.RDM}),
    "monolithicSparse": frozenset({Holds.SPARSE}),
    "streamOptimized": frozenset({Holds.SPARSE}),
    "twoGbMaxExtentSparse": frozenset({Holds.SPARSE, Holds.ZERO}),
}
_SEVERAL = {"twoGbMaxExtentFlat", "twoGbMaxExtentSparse"}


@dataclass(frozen=True, slots=True)
class Span:
    """One extent: ``file`` is the plain name of a file beside the descriptor, "" for zeros."""

    size_bytes: int
    holds: Holds
    file: str = ""
    skip_bytes: int = 0  # where in the file it begins
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """A disk made of spans, one behind the other."""

    kind: str
    spans: tuple[Span, ...]
    cid: int = 0xFFFFFFFE
    parent_cid: int = NO_PARENT
    keys: tuple[tuple[str, str], ...] = ()  # in the order of the file

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return sum(span.size_bytes for span in self.spans)


def geometry(size_bytes: int) -> tuple[int, int, int]:
    """Return (cylinders, heads, sectors) as VMware chooses them for SCSI disks of that size."""
    if size_bytes < 1024**3:
        heads, sectors = 64, 32
    elif size_bytes < 2 * 1024**3:
        heads, sectors = 128, 32
    else:
        heads, sectors = 255, 63
    return max(size_bytes // (heads * sectors * SECTOR), 1), heads, sectors


def write_layout(layout: Layout) -> str:
    """Return the text of a descriptor file."""
    cylinders, heads, sectors = geometry(layout.size_bytes)
    ddb = {
        "ddb.adapterType": "lsilogic",
        "ddb.geometry.cylinders": str(cylinders),
        "ddb.geometry.heads": str(heads),
        "ddb.geometry.sectors": str(sectors),
        "ddb.virtualHWVersion": "19",
        **dict(layout.keys),
    }
    lines = [
        "# Disk DescriptorFile",
        "version=1",
        'encoding="UTF-8"',
        f"CID={layout.cid:08x}",
        f"parentCID={layout.parent_cid:08x}",
        f'createType="{layout.kind}"',
        "",
        "# Extent description",
        *map(_span_line, layout.spans),
        "",
        "# The Disk Data Base",
        "#DDB",
        "",
        *(f"{key} = {quoted(value)}" for key, value in ddb.items()),
    ]
    return "\n".join(lines) + "\n"


def _span_line(span: Span) -> str:
    line = f"{'RW' if span.writable else 'RDONLY'} {span.size_bytes // SECTOR} {span.holds}"
    if span.holds is Holds.ZERO:
        return line
    skip = f" {span.skip_bytes // SECTOR}" if span.holds is Holds.FLAT else ""
    return f"{line} {quoted(span.file)}{skip}"


def parse_layout(text: str, name: str = "the descriptor") -> Layout:
    """Return what a descriptor file says; raises Corrupt. ``name`` is for messages."""
    if len(text) > MAX_BYTES:
        raise refused(name, "it is longer than any descriptor")
    keys: dict[str, str] = {}
    spans: list[Span] = []
    for line in text.splitlines():
        if not line.strip(" \t\0") or line.lstrip().startswith("#"):
            continue
        extent = _EXTENT.fullmatch(line)
        try:
            found = None if extent else parse_assignment(line)
        except ValueError as error:
            raise refused(name, "a value is no text") from error
        if extent:
            spans.append(_span(name, extent))
        elif found:
            keys[found[0]] = found[1]
        else:
            raise refused(name, "it has a line that is neither a value nor an extent")
    return _checked(name, keys, spans)


def _span(name: str, match: re.Match[str]) -> Span:
    access, sectors, holds, file, skip = match.groups()
    if holds not in {known.value for known in Holds}:
        raise refused(name, f"an extent is of type {visible(holds, 40)}")
    size, begin = int(sectors) * SECTOR, int(skip or 0) * SECTOR
    if not 0 < size <= SIZE_MAX or begin > SIZE_MAX:
        raise refused(name, "an extent has a size that no disk has")
    if access == "NOACCESS":
        raise refused(name, "an extent may not be read")
    if holds == Holds.ZERO:
        return Span(size, Holds.ZERO)
    try:
        file = unescaped(file or "")
    except ValueError as error:
        raise refused(name, "the name of an extent is no text") from error
    if not _NAME.fullmatch(file) or file in {".", ".."}:
        raise refused(name, "its extent is not a file beside it")
    return Span(size, Holds(holds), file, begin, access == "RW")


def _checked(name: str, keys: dict[str, str], spans: list[Span]) -> Layout:
    kind = keys.pop("createType", "")
    if kind not in TYPES:
        raise refused(name, f"its type {visible(kind, 40)!r} is not one that can be read")
    if not spans or len(spans) > (SPANS_MAX if kind in _SEVERAL else 1):
        raise refused(name, f"it has {len(spans)} extents, which a {kind} has not")
    if any(span.holds not in TYPES[kind] for span in spans):
        wanted = " or ".join(sorted(TYPES[kind]))
        raise refused(name, f"it has an extent of another type than {wanted}")
    used: dict[str, list[tuple[int, int]]] = {}
    for span in spans:
        if span.file:
            used.setdefault(span.file, []).append((span.skip_bytes, span.skip_bytes + span.size_bytes))
    for runs in used.values():
        runs.sort()
        if any(low[1] > high[0] for low, high in pairwise(runs)):
            raise refused(name, "two of its extents are the same bytes of a file")
    try:
        cid, parent = int(keys.pop("CID", "fffffffe"), 16), int(keys.pop("parentCID", "ffffffff"), 16)
    except ValueError as error:
        raise refused(name, "its CID is not a hexadecimal number") from error
    rest = tuple((key, value) for key, value in keys.items() if key not in {"version", "encoding"})
    layout = Layout(kind, tuple(spans), cid, parent, rest)
    if layout.size_bytes > SIZE_MAX:
        raise refused(name, "its extents are more than any disk holds")
    return layout


def refused(name: str, why: str) -> Corrupt:
    """Return the error that a descriptor is not usable."""
    return Corrupt(f"{name} is not a usable VMDK descriptor: {why}", "export the disk again as a flat VMDK")
