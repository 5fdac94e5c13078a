"""Runs of several ways to do the same, gathered into rows: medians, and the ratios that are asked for."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.wire.timed import Took

Way = Callable[[], Took]


class Sheet:
    """Every way's runs; ways take turns, and each run begins with another one."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._ways: dict[str, Way] = {}
        self._missing: dict[str, str] = {}
        self._runs: dict[str, list[Took]] = {}

    def add(self, name: str, way: Way, missing: str = "") -> None:
        """Add a way; one that misses a tool is reported as not run."""
        if missing:
            self._missing[name] = missing
        else:
            self._ways[name] = way

    def run(self, runs: int) -> None:
        """Run every way that many times."""
        for number in range(runs):
            order = list(self._ways)
            for name in order[number % len(order) :] + order[: number % len(order)]:
                took = self._ways[name]()
                self._runs.setdefault(name, []).append(took)
                print(f"{self._title}: {name}: {took.wall_s:.2f} s", file=sys.stderr, flush=True)

    def median(self, name: str, part: str = "wall_s") -> float | None:
        """Return a way's median of one part of its figures, None when it was not run."""
        runs = self._runs.get(name)
        return statistics.median(getattr(took, part) for took in runs) if runs else None

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each way."""
        found: list[dict[str, Any]] = []
        for name, runs in self._runs.items():
            middle = Took(
                self.median(name) or 0.0,
                self.median(name, "cpu_s") or 0.0,
                max(took.sender_mib for took in runs),
                max(took.receiver_mib for took in runs),
                int(self.median(name, "wire_bytes") or 0),
            )
            walls = [round(took.wall_s, 2) for took in runs]
            found.append({"what": f"{self._title}: {name}", **row(middle), "runs_s": walls})
        return found + [
            {"what": f"{self._title}: {name}", "value": None, "unit": f"not run: {tool} is not installed"}
            for name, tool in self._missing.items()
        ]


def row(took: Took) -> dict[str, Any]:
    """Return the figures of one way as the page shows them; bytes that nobody counted are left out."""
    return {
        "value": round(took.wall_s, 2),
        "unit": "s",
        "cpu_s": round(took.cpu_s, 2),
        "wire_mb": round(took.wire_bytes / 1e6, 1) if took.wire_bytes else "",
        "sender_mib": round(took.sender_mib),
        "receiver_mib": round(took.receiver_mib),
    }


def ratio(what: str, mine: float | None, theirs: float | None, goal: str) -> dict[str, Any]:
    """Return a row that divides two figures."""
    value = round(mine / theirs, 3) if mine and theirs else None
    return {"what": what, "value": value, "unit": f"aim: {goal}" if value else "not run"}
