"""The first read of an image, from its opening on, where it falls through every record to the replica."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.journal.asking import ask
from benchmarks.journal.making import Made
from planner.units import show_bytes

_AIM_MS = 100


def rows(made: Made) -> list[dict[str, Any]]:
    """Return the rows of one journal: every checkpoint, caches cold, and index files lost."""
    found = ask("first", made.folder)
    warm = found["warm_ms"]
    title = f"first read, disk of {show_bytes(made.size_bytes)}, {made.records:,} records"
    return [
        {
            "what": f"{title}: median of {len(warm)} checkpoints",
            "value": round(statistics.median(warm), 1),
            "unit": f"ms, aim: under {_AIM_MS}",
            "worst": round(max(warm), 1),
        },
        {
            "what": f"{title}: journal not in the page cache",
            "value": round(found["cold_ms"], 1),
            "unit": "ms",
        },
        {"what": f"{title}: index files lost", "value": round(found["lost_ms"], 1), "unit": "ms"},
    ]
