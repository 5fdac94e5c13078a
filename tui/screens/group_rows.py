"""Checkpoints of a group as rows of a table: kind, what changed, how it packs, what is known to be good."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from migrate.group_record import is_proven
from planner.names import visible
from planner.units import show_bytes
from tui.drawings.changes import Change
from tui.widgets.column import Column

_TONES = {"✔": "good", "✖": "bad", "▲": "warn"}
_INSTANT = re.compile(r"\b\d{4}-(\d\d-\d\d)T(\d\d:\d\d)[\d:.]*Z")  # as in the table's own column
_SHORT = (": findings", ": partial", ": failed")  # as a rehearsal notes that not all was well
Row = tuple[Any, ...]


def _packs(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _tone(text: str) -> str:
    return _TONES.get(text[:1], "")


COLUMNS = (
    Column(1, "no", 7, right=True, keep=9, kind="number"),
    Column(2, "taken (utc)", 11, keep=8, name="taken"),
    Column(3, "kind", 9, keep=6),
    Column(4, "consistent", 11, keep=3),
    Column(5, "changed", 9, show_bytes, right=True, keep=7, kind="size"),
    Column(6, "packs to", 8, _packs, right=True, keep=4, name="packs", kind="", sorts=6),
    Column(7, "pin", 6, lambda pinned: "pinned" if pinned else "", keep=7, kind=""),
    Column(8, "verified", 17, lambda text: visible(text), _tone, keep=7, flex=True),
    Column(9, "name", 12, lambda text: visible(text) or "–", keep=2),
)


def moment(point: Mapping[str, Any]) -> datetime:
    """Return what instant a checkpoint stands for."""
    return datetime.fromtimestamp(point["at_ms"] / 1000, UTC)


def kind(point: Mapping[str, Any]) -> str:
    """Return what made a checkpoint: a person who gave it a name, a round, or neither of both."""
    return "named" if point["name"] else "round" if point["cycle"] else "automatic"


def verified(point: Mapping[str, Any], proven: AbstractSet[str]) -> str:
    """Return what is known to be good, or bad, of a checkpoint: the newest that was noted comes first."""
    if point.get("unusual"):
        return f"▲ unusual: {point['unusual']}"
    if point["results"]:
        noted = _INSTANT.sub(r"\1 \2", str(point["results"][-1]))
        return f"{'▲ ' if noted.endswith(_SHORT) else ''}{noted}"
    if is_proven(str(point["cycle"]), proven):
        return "✔ compared, equal"
    return "· not looked at"


def checkpoint_rows(points: Sequence[Mapping[str, Any]], proven: AbstractSet[str]) -> tuple[Row, ...]:
    """Return the rows of checkpoints, the newest first."""
    return tuple(
        (
            str(point["record"]),
            point["record"],
            f"{moment(point):%m-%d %H:%M}",
            kind(point),
            str(point["consistency"]),
            point["written_bytes"],
            point["packed_bytes"] / point["written_bytes"] if point["written_bytes"] else None,
            point["pinned"],
            verified(point, proven),
            point["name"],
        )
        for point in reversed(points)
    )


def changes(points: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Return what changed from each checkpoint to the next; of the first nobody knows since when."""
    return [
        Change(
            before["at_ms"] / 1000,
            point["at_ms"] / 1000,
            int(point["written_bytes"]),
            int(point["packed_bytes"]),
        )
        for before, point in pairwise(points)
    ]
