"""The second question of a comparison: of grains that differ, which 4 KiB do.

    compare ── ASK_FINE ──▶ ... up to 8 blocks that wait ... ◀── FINE ── settle ── DATA and KEEP

Blocks of which something differs are kept until the answer is there, a few of them in one question; the
others pass. Where hardly anything is spared, as on a disk that is all new, only some are asked about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Final

from migrate.replication.blocks import Block, Compared
from migrate.replication.link import Link
from migrate.replication.wire import DIGEST_BYTES, FINE, FINE_GRAINS, Frame, Kind, WireError
from migrate.replication.zeros import GRAIN
from planner.units import MIB

AHEAD: Final = 8  # blocks that are kept
BATCH: Final = 4  # of them in one question
_LINE: Final = 64  # blocks behind one that waits; those that are not kept take no room
SEEN_BYTES: Final = 16 * MIB  # what "hardly anything" is measured over
PROBE: Final = 16  # of so many blocks one is asked about then
_WORTH: Final = 0.1


@dataclass(slots=True, eq=False)
class _Waiting:
    """A block in its turn; ``grains`` of it are asked about, ``theirs`` is what was told of them."""

    block: Compared
    grains: int = 0
    theirs: bytes | None = None


class Refining:
    """The second questions of one pass over a disk of ``size_bytes``; ``room()`` blocks at most wait."""

    def __init__(self, link: Link, size_bytes: int, room: Callable[[], int] = lambda: AHEAD) -> None:
        self._link = link
        self._room = room
        self._size_bytes = size_bytes
        self._batch: list[_Waiting] = []  # to be asked
        self._asked: deque[list[_Waiting]] = deque()
        self._pays = True
        self._blocks = 0
        self._looked = self._spared = 0  # bytes, over the last stretch

    def heard(self, frame: Frame) -> None:
        """Take FINE; raises WireError for one that answers nothing."""
        if not self._asked:
            raise WireError("the receiver answered a second question that was not asked")
        batch, body = self._asked.popleft(), bytes(frame.body)
        parts = [self._told_bytes(waiting.block.doubtful) for waiting in batch]
        if (frame.offset, len(body)) != (batch[0].block.doubtful[0], sum(parts)):
            raise WireError("the receiver answered a second question that was not asked")
        at = 0
        for waiting, length in zip(batch, parts, strict=True):
            waiting.theirs = body[at : at + length]
            at += length

    def saw(self, block: Block) -> None:
        """Judge by what was spared whether asking pays."""
        self._looked += block.refined_bytes
        self._spared += block.spared_bytes
        if self._looked >= (SEEN_BYTES if self._pays else SEEN_BYTES // PROBE):
            self._pays = self._spared >= self._looked * _WORTH
            self._looked = self._spared = 0

    def decided(
        self, blocks: Iterable[Compared], hear: Callable[[], None]
    ) -> Generator[tuple[Compared, bytes]]:
        """Yield each block with the receiver's digests of its doubtful grains, empty when not asked for.

        ``hear`` takes one answer of the receiver, of whatever kind, and is asked as often as it takes.
        """
        line: deque[_Waiting] = deque()
        kept = 0
        for block in blocks:
            line.append(waiting := _Waiting(block))
            kept += block.buffer is not None
            if self._batch and block.item.offset + block.item.length > self._reach():
                self._ask()
            if self._is_worth(block):
                waiting.grains = len(block.doubtful)
                self._batch.append(waiting)
                if len(self._batch) >= BATCH:
                    self._ask()
            while line and (not line[0].grains or kept > min(AHEAD, self._room()) or len(line) > _LINE):
                kept -= line[0].block.buffer is not None
                yield self._answered(line.popleft(), hear)
        while line:
            yield self._answered(line.popleft(), hear)

    def _is_worth(self, block: Compared) -> bool:
        if not block.doubtful:
            return False
        self._blocks += 1
        return self._pays or not self._blocks % PROBE

    def _reach(self) -> int:
        return self._batch[0].block.doubtful[0] + FINE_GRAINS * GRAIN

    def _ask(self) -> None:
        batch, self._batch = self._batch, []
        first = batch[0].block.doubtful[0]
        bits = 0
        for waiting in batch:
            for offset in waiting.block.doubtful:
                bits |= 1 << (offset - first) // GRAIN
        self._link.send(Kind.ASK_FINE, bits.to_bytes(-(-bits.bit_length() // 8), "little"), offset=first)
        self._asked.append(batch)

    def _answered(self, waiting: _Waiting, hear: Callable[[], None]) -> tuple[Compared, bytes]:
        if waiting in self._batch:
            self._ask()
        while waiting.grains and waiting.theirs is None:
            hear()
        return waiting.block, waiting.theirs or b""

    def _told_bytes(self, grains: Iterable[int]) -> int:
        ends = (min(offset + GRAIN, self._size_bytes) - offset for offset in grains)
        return sum(-(-length // FINE) for length in ends) * DIGEST_BYTES
