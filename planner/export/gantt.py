"""The plan's dates as a Mermaid Gantt chart: seeds, cutovers and freezes, all in UTC.

Waves without a window have no date and are named in a comment. Names are written as in the flowchart.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from planner.export.mermaid import quoted
from planner.export.printout import Printout
from planner.export.seeding import latest_seeds

_SHORTEST = timedelta(minutes=1)  # a bar that ends where it begins is not drawn


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def render(printout: Printout) -> bytes:
    """Return the chart's bytes."""
    seeds = latest_seeds(printout.plan)
    lines = [
        "gantt",
        f"  title Migration {quoted(printout.plan.project)} - times in UTC",
        "  dateFormat YYYY-MM-DD HH:mm",
        "  axisFormat %Y-%m-%d",
    ]
    undated = [wave.name for wave in printout.plan.waves if wave.window is None]
    if undated:
        lines.append(f"  %% without a window: {' '.join(undated)}")
    for at, freeze in enumerate(printout.settings.freezes if printout.settings else ()):
        if at == 0:
            lines.append("  section Freezes")
        title = quoted(freeze.why or "no reason given")
        lines.append(f"  Freeze {title} :crit, f{at}, {_at(freeze.start_utc)}, {_at(freeze.end_utc)}")
    for at, wave in enumerate(printout.plan.waves):
        if wave.window is None:
            continue
        seed, start = seeds[wave.name], wave.window.start_utc
        seeded = max(seed.end, seed.start + _SHORTEST)
        lines += [
            f"  section Wave {quoted(f'{wave.name} {wave.title}')}",
            f"  Seed of {quoted(wave.name)} :s{at}, {_at(seed.start)}, {_at(seeded)}",
            f"  Cutover of {quoted(wave.name)} :active, c{at}, {_at(start)}, {_at(wave.window.end_utc)}",
        ]
    return ("\n".join(lines) + "\n").encode("utf-8")
