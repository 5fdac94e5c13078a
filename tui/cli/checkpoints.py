"""Checkpoints of a group as people read them: a table in which one sees where data went bad."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from planner.names import visible
from planner.units import show_bytes, show_count, show_duration
from tui.cli.output import line, table

_MARKS: Final = {"good": "·", "warning": "▲", "bad": "✖"}
_BAR: Final = 8


def moment(point: Mapping[str, Any]) -> datetime:
    """Return what instant a checkpoint stands for."""
    return datetime.fromtimestamp(point["at_ms"] / 1000, UTC)


def show(group: Mapping[str, Any], now: datetime) -> None:
    """Print a group: how it is kept, and its checkpoints."""
    name = visible(group["group"], 200) + (" at the source" if group.get("side") == "source" else "")
    if group["error"]:
        line(f"{name}: {_MARKS['bad']} {visible(group['error']['message'], 500)}")
        if group["error"]["hint"]:
            line(f"    → {visible(group['error']['hint'], 500)}")
        return
    points = group["checkpoints"]
    reach = f", back to {moment(points[0]):%Y-%m-%d %H:%M:%S} UTC" if points else ""
    disks = show_count(len(group["volumes"]), "disk")
    line(f"{name}: {show_count(len(points), 'checkpoint')} of {disks}{reach}")
    if group["health"]:
        _show_health(group["health"])
    if group["trouble"]:
        line(f"▲ how it is kept cannot be told: {visible(group['trouble'], 300)}")
    if group["unrest"]:
        line(f"▲ no checkpoint can be made just now: {visible(group['unrest'], 300)}")
    if points:
        _show_points(points, now)


def _show_health(health: Mapping[str, Any]) -> None:
    limit = f" of {show_bytes(health['limit_bytes'])}" if health["limit_bytes"] else ""
    line(
        f"{_MARKS[health['grade']]} history {show_duration(health['history_s'])} of "
        f"{show_duration(health['wanted_s'])}, journal {show_bytes(health['size_bytes'])}{limit}"
    )
    for said in health["said"]:
        line(f"    {visible(said, 500)}")


def _show_points(points: list[Mapping[str, Any]], now: datetime) -> None:
    from tui.text import bar

    most = max(point["written_bytes"] for point in points)
    table(
        ("number", "time (utc)", "age", "consistent", "changed", "", "packs to", "pin", "name, results"),
        [
            (
                point["record"],
                f"{moment(point):%Y-%m-%d %H:%M:%S}",
                show_duration(max((now - moment(point)).total_seconds(), 0)),
                point["consistency"],
                show_bytes(point["written_bytes"]),
                bar(point["written_bytes"], most, _BAR),
                f"{point['packed_bytes'] / point['written_bytes']:.0%}" if point["written_bytes"] else "–",
                "pinned" if point["pinned"] else "",
                _said(point),
            )
            for point in points
        ],
    )


def _said(point: Mapping[str, Any]) -> str:
    odd = [f"▲ unusual: {point['unusual']}"] if point["unusual"] else []
    names = [point["name"]] if point["name"] else []
    equal = ["✔ compared, equal"] if point.get("proven") else []
    return "; ".join(visible(text, 300) for text in (*odd, *names, *equal, *point["results"]))
