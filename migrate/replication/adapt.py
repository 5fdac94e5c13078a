"""Which zstd level a pass uses: the one at which packing just keeps up with the line.

Fed with the sender's waits, asked for a level; no clock and no I/O of its own. Packed blocks that lie
ready mean that the line binds: one level up. A sender that waits for blocks means that packing binds:
one level down, three where it hardly does anything else. The level that was too slow is left alone for a
while, twice as long each time it disappoints. So a level comes to rest while nothing changes, but for a
try every few minutes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

LEVELS: Final[tuple[int, ...]] = (0, -5, -4, -3, -2, -1, *range(1, 13))

_WINDOW_S = 0.25
_WINDOW_BLOCKS = 8
_DRY_S, _DRY_BLOCKS = 0.1, 4  # a line that runs dry is a loss already: the window ends early
_UNDER_WAY = 6  # blocks that were packed before a change of level and come after it
_READY = 0.15  # share of the time spent waiting for blocks, up to which the line binds
_STARVED = 0.40  # from here on packing does
_IDLE, _STRIDE = 0.60, 3  # from here on the line runs dry: so many levels down at once
_PROVEN = 32  # windows after which a level that was tried holds: failing sooner says nothing of those below
_HOLD, _LONGEST_HOLD = 8, 1024  # windows for which a level that was too slow is left alone
_GRACE = 24  # windows that a new level has to fill what lies between packer and line
_LEAST_PACKED = 0.1  # of the data; where less can be packed, another level changes nothing


class Binds(StrEnum):
    """What a pass waits for most."""

    LINK = "link"
    PROCESSOR = "processor"
    SOURCE = "source disk"
    NOTHING = "nothing"  # both keep up with each other, or too little was seen


class Adaptation:
    """The level of one pass. With ``adapts`` False it stays, and only says what binds.

    A ``level`` that is not one of ``LEVELS`` begins at the nearest below it. Who waits for answers waits
    for the line, or where both ends are ``near``, on one machine, for the other's work.
    """

    def __init__(self, level: int, *, adapts: bool, near: bool = False) -> None:
        self._near = near
        self._fixed = None if adapts else level
        self._at = max((at for at, one in enumerate(LEVELS) if one <= level and one), default=0)
        if level == 0:
            self._at = 0
        self._hold = [_HOLD] * len(LEVELS)
        self._again = [0] * len(LEVELS)  # the window from which on a level may be tried
        self._windows = self._since = 0  # in all, and since the level changed
        self._tries = False  # the level is one that was gone up to
        self._line_bytes_s = 0.0  # what left when the line bound
        self._skip = 0
        self.binds = Binds.NOTHING
        self._begin()

    @property
    def level(self) -> int:
        """The level for the next block."""
        return LEVELS[self._at] if self._fixed is None else self._fixed

    def saw(
        self,
        *,
        link_s: float,
        packing_s: float,
        answers_s: float = 0.0,
        read_s: float = 0.0,
        pack_s: float = 0.0,
        data_bytes: int = 0,
        packed_bytes: int = 0,
        wire_bytes: int = 0,
    ) -> None:
        """Take in one block: waits of the sender, work of the readers, data, what packs, what it became."""
        if self._skip:
            self._skip -= 1
            return
        self._blocks += 1
        self._link_s += link_s if self._near else link_s + answers_s
        self._packing_s += packing_s
        self._read_s += read_s
        self._pack_s += pack_s
        self._data += data_bytes
        self._packed += packed_bytes
        self._wire += wire_bytes
        waited_s = self._link_s + self._packing_s
        dry = self._blocks >= _DRY_BLOCKS and self._packing_s >= max(_DRY_S, _IDLE * waited_s)
        if dry or (self._blocks >= _WINDOW_BLOCKS and waited_s >= _WINDOW_S):
            self._close()

    def _begin(self) -> None:
        self._blocks = self._data = self._packed = self._wire = 0
        self._link_s = self._packing_s = self._read_s = self._pack_s = 0.0

    def _close(self) -> None:
        spent_s = self._link_s + self._packing_s
        starved = self._packing_s / spent_s
        wire_bytes_s = self._wire / spent_s
        if starved <= _READY:
            self.binds = Binds.LINK
            self._line_bytes_s = wire_bytes_s
        elif starved < _STARVED:
            self.binds = Binds.NOTHING
        else:
            self.binds = Binds.SOURCE if self._read_s > self._pack_s else Binds.PROCESSOR
        # what the fast levels find nothing in may well pack better at the usual ones
        packs = self.level < 1 or self._packed >= _LEAST_PACKED * self._data > 0
        self._begin()
        self._windows += 1
        self._since += 1
        if self._fixed is not None:
            return
        at = self._at
        # faster than the line was, right after a change: buffers are filling, the line will bind
        filling = self._since <= _GRACE and wire_bytes_s > self._line_bytes_s > 0
        if self.binds is Binds.PROCESSOR and at and not filling:
            self._again[at] = self._windows + self._hold[at]
            self._hold[at] = min(2 * self._hold[at], _LONGEST_HOLD)
            dry = starved >= _IDLE and not (self._tries and self._since <= _PROVEN)
            self._at = max(at - (_STRIDE if dry else 1), 0)
        elif self.binds is Binds.LINK and packs and at + 1 < len(LEVELS):
            self._at += self._windows >= self._again[at + 1]
        if self._at != at:
            self._skip, self._since, self._tries = _UNDER_WAY, 0, self._at > at
