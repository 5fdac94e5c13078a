"""What all waves come to together: bytes in the records, and how fast they go over the line now."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.transfers.ports import Moving
    from tui.live.document import Live


@dataclass(frozen=True, slots=True)
class Sums:
    """All waves together. Bytes are those of whole passes in the records: read, sent, left out at the target.

    ``moving`` counts disks under way.
    """

    moving: int
    data_bytes: int
    wire_total_bytes: int
    deduped_bytes: int


def sums(live: Live) -> Sums:
    """Return what all waves came to together."""
    every = [wave.copies for wave in live.waves if wave.copies is not None]
    return Sums(
        sum(one.done_bytes < one.total_bytes for wave in live.waves for one in wave.moving.values()),
        sum(one.data_bytes for one in every),
        sum(one.wire_bytes for one in every),
        sum(one.deduped_bytes for one in every),
    )


class Sent:
    """How fast bytes go over the line, seen from outside: a rate for each second, the newest last."""

    def __init__(self, kept: int = 60) -> None:
        self.rates: deque[float] = deque(maxlen=kept)
        self._at: float | None = None
        self._moving: dict[str, Mapping[str, Moving]] = {}  # by wave
        self._grown = 0

    def saw(self, live: Live, now_s: float) -> None:
        """Take in what moves; a disk that begins anew counts from there."""
        for wave in live.waves:
            before = self._moving.get(wave.name, {})
            if wave.moving is not before:
                for volume, one in wave.moving.items():
                    was = before.get(volume)
                    if was is not None and one.wire_bytes > was.wire_bytes:
                        self._grown += one.wire_bytes - was.wire_bytes
        self._moving = {wave.name: wave.moving for wave in live.waves}
        if self._at is None:
            self._at, self._grown = now_s, 0
        elif (spent := now_s - self._at) >= 1.0:
            self.rates.append(self._grown / spent)
            self._at, self._grown = now_s, 0
