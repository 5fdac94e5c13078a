"""What migration may take of the line at any time: a rate for each hour of the week, in a zone.

Pure. Within a quarter of an hour of UTC the rate is constant, whatever clocks in the zone do: zones
lie quarters apart, and their clocks are changed on quarters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from planner.waves.calendar import shares_by_hour

if TYPE_CHECKING:
    from planner.settings import Link

QUARTER_S = 900.0
HOURS = 168  # of a week


@dataclass(frozen=True, slots=True)
class Line:
    """Bytes a second of each hour of a week, Monday 0:00 first, as clocks of ``zone`` show them."""

    bytes_s: tuple[float, ...]
    zone: ZoneInfo

    def rate_bytes_s(self, at_s: float) -> float:
        """Return what may be sent a second at a time (seconds since 1970)."""
        local = datetime.fromtimestamp(at_s // QUARTER_S * QUARTER_S, self.zone)
        return self.bytes_s[24 * local.weekday() + local.hour]


@dataclass(frozen=True, slots=True)
class Policy:
    """How the line is shared now. Without a ``line`` nothing is held back; weights are by volume, else 1."""

    line: Line | None = None
    weights: Mapping[str, float] = field(default_factory=dict)


def line_of(link: Link) -> Line:
    """Return the line as the settings say: the share of each hour, less what is kept free."""
    full = link.rate_mbit * 1e6 / 8
    kept = link.reserve_mbit * 1e6 / 8
    return Line(tuple(max(full * share - kept, 0.0) for share in shares_by_hour(link)), ZoneInfo(link.zone))
