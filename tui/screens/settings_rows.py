"""The tables of Settings: the columns of each kind of block, and its rows from what the study says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from planner.names import visible
from planner.sized import AtLeast, size_of
from tui.text import size_cell
from tui.widgets.column import Column

Row = tuple[Any, ...]  # the key, what the study says of it, cells

BLOCK_COLUMNS = (
    Column(1, "block", 16, flex=True, keep=9),
    Column(2, "set", 4, lambda number: str(number or ""), right=True, keep=5, kind="number"),
)
_WORDS = {"rdm-physical": "RDM physical", "rdm-virtual": "RDM virtual", "vmdk": "VMDK"}


def _dash(text: Any) -> str:
    return visible(str(text)) if text else "–"


def _size(size: Any) -> str:
    return size_cell(size) if size or isinstance(size, AtLeast) else "–"


def backing_words(backing: str) -> str:
    """Return a backing as people read it."""
    return _WORDS.get(backing, visible(backing))


def _warned(text: str) -> str:
    return "warn" if text else ""


_NETWORKS = (
    Column(2, "network", 16, flex=True, keep=9),
    Column(3, "goes to", 18, _dash, keep=8),
    Column(4, "VMs", 5, lambda number: str(number), right=True, keep=6, kind="number"),
    Column(5, "data", 9, _size, right=True, keep=3, kind="size"),
    Column(6, "VLAN", 8, _dash, keep=2),
    Column(7, "note", 30, visible, _warned, keep=5),
)
_DATASTORES = (
    Column(2, "datastore", 16, flex=True, keep=9),
    Column(3, "goes to", 18, _dash, keep=8),
    Column(4, "VMs", 6, lambda number: f"{number:,}", right=True, keep=6, kind="number"),
    Column(5, "data", 9, _size, right=True, keep=5, kind="size"),
    Column(6, "room there", 14, _dash, keep=3),
    Column(7, "note", 24, visible, _warned, keep=4),
)
_FOLDERS = (
    Column(2, "folder", 18, flex=True, keep=9),
    Column(3, "goes to", 20, _dash, keep=8),
    Column(4, "VMs", 6, lambda number: f"{number:,}", right=True, keep=6, kind="number"),
    Column(5, "data", 9, _size, right=True, keep=3, kind="size"),
    Column(6, "decided by", 14, _dash, keep=2),
    Column(7, "note", 24, visible, _warned, keep=5),
)
_POOLS = (replace(_FOLDERS[0], title="pool"), *_FOLDERS[1:])
_POLICIES = (replace(_FOLDERS[0], title="storage policy"), *_FOLDERS[1:4], replace(_FOLDERS[5], field=6))
_DISKS = (
    Column(2, "disk", 18, flex=True, keep=9),
    Column(3, "now", 12, _dash, keep=6),
    Column(4, "becomes", 12, lambda text: visible(text) or "undecided", keep=8),
    Column(5, "size", 9, _size, right=True, keep=5, kind="size"),
    Column(6, "said by", 9, keep=4),
    Column(8, "travels", 7, keep=7),
    Column(7, "LUN", 20, _dash, keep=2),
)
_SHAPES = {
    "values": (
        Column(2, "entry", 18, keep=9),
        Column(3, "value", 14, _dash, flex=True, keep=8),
        Column(4, "default", 14, _dash, keep=3),
        Column(6, "plan uses", 26, visible, keep=5),
        Column(5, "set by", 30, visible, keep=1),
    ),
    "lists": (Column(2, "what", 22, keep=9), Column(3, "more", 20, visible, flex=True, keep=8)),
    "names": (Column(2, "name", 22, keep=9), Column(3, "stands for", 20, visible, flex=True, keep=8)),
    "windows": (
        Column(2, "begins", 33, keep=9),
        Column(3, "lasts", 5, keep=7),
        Column(4, "comes back", 18, keep=5),
        Column(5, "odd", 22, visible, _warned, flex=True, keep=6),
    ),
    "networks": _NETWORKS,
    "datastores": _DATASTORES,
    "folders": _FOLDERS,
    "pools": _POOLS,
    "storage_policies": _POLICIES,
    "disks": _DISKS,
}
SHAPES: Mapping[str, tuple[Column, ...]] = _SHAPES


def entry_rows(block: Mapping[str, Any], used: Mapping[str, str]) -> tuple[Row, ...]:
    """Return the rows of a block that needs nothing but the settings."""
    return tuple(
        (row["key"], row, *row["cells"], used.get(row["name"], "") if block["shape"] == "values" else "")
        for row in block["rows"]
    )


def data_of(one: Mapping[str, Any]) -> int:
    """Return the bytes of what is mapped, the least they are where not all disks are known."""
    return size_of(one["size_bytes"], one["sized"])


def network_rows(networks: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    """Return networks as rows."""
    return tuple(
        (one["name"], one, one["name"], one["to"], one["vms"], data_of(one), one["vlan"], one["wrong"])
        for one in networks
    )


def landing_rows(shape: str, landings: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    """Return datastores, folders, pools or storage policies as rows."""
    beside = {"datastores": ("room",), "storage_policies": ()}.get(shape, ("by",))
    return tuple(
        (
            *(one["name"], one, one["name"], one["goes"], one["vms"], data_of(one)),
            *(one[name] for name in beside),
            one["wrong"],
        )
        for one in landings
    )


def disk_rows(disks: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    """Return disks as rows, those that a person or nobody decided first."""
    rows = []
    for one in disks:
        decision, word = one["decision"], one["word"]
        rows.append(
            (
                one["volume"],
                one,
                one["name"],
                backing_words(one["source"]),
                backing_words(decision["target"]) if decision else "",
                one["size_bytes"],
                "a person" if word or one["send"] else "the rule",
                decision["lun"] if decision else (word or {}).get("lun", ""),
                one["send"]["send"] if one["send"] else "always",
            )
        )
    return tuple(sorted(rows, key=lambda row: (bool(row[4]), row[6] != "a person", -row[5])))
