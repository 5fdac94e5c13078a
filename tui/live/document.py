"""What the live places show at one moment: the engine, and one document for each wave.

They are values: a part that did not change stays the same object from one look to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.copies import Copies
    from migrate.transfers.ports import Moving
    from migrate.wave_status import WaveStatus


class EngineState(Enum):
    """How it stands with the process that carries out orders."""

    IDLE = "nothing is ordered"
    WORKING = "at work"
    STARTING = "starting"
    STOPPED = "stopped"  # by a person
    NONE = "not at work"  # orders wait, and nobody has begun them
    DEAD = "dead"  # in the middle of an order
    HIDDEN = "another login's"


@dataclass(frozen=True, slots=True)
class EngineNow:
    """The engine. ``orders`` counts those that are not ended.

    ``died_at`` is when this reader last saw one die, ISO 8601 in UTC, empty for never.
    """

    state: EngineState = EngineState.IDLE
    pid: int | None = None
    orders: int = 0
    died_at: str = ""


@dataclass(frozen=True, slots=True)
class OrderNow:
    """The order of a wave that is not ended: the verb, who gave it, whether it is a cycle of the engine."""

    id: int
    purpose: str
    who: str
    at: str
    cycle: bool = False


@dataclass(frozen=True, slots=True)
class WaveNow:
    """One wave. ``status`` is what ``wherry status --json`` says of it; ``run`` is None before its first run.

    ``driven`` says that a process drives it. ``moving`` is the progress of its disks under way, by volume,
    ``quiet_s`` the whole seconds for which nobody said anything of them, 0 below three. ``copies``
    are there once there is a run.
    """

    status: WaveStatus
    run: int | None = None
    driven: bool = False
    order: OrderNow | None = None
    moving: Mapping[str, Moving] = field(default_factory=dict)
    quiet_s: int = 0
    copies: Copies | None = None

    @property
    def name(self) -> str:
        """The wave's name: untrusted text."""
        return self.status.name

    @property
    def lefts(self) -> dict[str, tuple[float, float]]:
        """How long disks under way say they take, P50 and P95 in seconds, by volume."""
        return {
            volume: (one.left.p50_s, one.left.p95_s)
            for volume, one in self.moving.items()
            if one.left is not None and one.done_bytes < one.total_bytes and self.driven and not self.quiet_s
        }


@dataclass(frozen=True, slots=True)
class Live:
    """Everything at one moment. ``error`` is why nothing newer can be read, empty while it can."""

    engine: EngineNow = field(default_factory=EngineNow)
    waves: tuple[WaveNow, ...] = ()
    error: str = ""
    hint: str = ""
    complete: bool = False  # it was read at least once

    def wave(self, name: str) -> WaveNow | None:
        """Return the document of a wave, None when there is none."""
        return next((wave for wave in self.waves if wave.name == name), None)
