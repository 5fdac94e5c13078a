"""The sender's part of dedupe: digests go ahead of the blocks, and what the receiver holds stays here.

    look ── OFFER ──▶ ... up to 8 blocks under way ... ◀── WANT ── pack ── DATA and HELD

Offers run ahead, so the time of the line costs nothing as long as eight blocks fill it. Where hardly
anything is found, only some blocks are offered: the receiver learns from DATA as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Final

from migrate.replication.blocks import Look
from migrate.replication.link import Link
from migrate.replication.wire import DIGEST_BYTES, Frame, Kind, WireError
from migrate.replication.zeros import GRAIN
from planner.units import MIB

AHEAD: Final = 8  # blocks
PROBE: Final = 16  # of so many blocks one is offered where hardly anything is found
SEEN_BYTES: Final = 64 * MIB  # what "hardly anything" is measured over
_WORTH: Final = 0.02


class Offering:
    """The offers of one pass. ``hear`` takes one answer of the receiver, of whatever kind."""

    def __init__(self, link: Link, hear: Callable[[], None]) -> None:
        self._link = link
        self._hear = hear
        self._answers: deque[tuple[int, bytes]] = deque()
        self._backed_off = False
        self._blocks = 0
        self._offered = self._hit = 0  # bytes, over the last stretch

    def heard(self, frame: Frame) -> None:
        """Take a WANT."""
        self._answers.append((frame.offset, bytes(frame.body)))

    def decided(self, looks: Iterable[Look]) -> Generator[tuple[Look, frozenset[int]]]:
        """Yield each look with the offsets of its grains that the receiver holds; once."""
        waiting: deque[tuple[Look, bool]] = deque()
        ahead = 0
        try:
            for look in looks:
                offered = look.buffer is not None and self._offer(look)
                waiting.append((look, offered))
                ahead += look.buffer is not None
                while ahead > AHEAD or (waiting and not waiting[0][1]):
                    first, was_offered = waiting.popleft()
                    ahead -= first.buffer is not None
                    yield first, self._held(first) if was_offered else frozenset()
            for look, offered in waiting:
                yield look, self._held(look) if offered else frozenset()
        finally:
            # Whoever hears has us and we have him: a circle would keep the buffers of a pass that is over
            # until Python looks for circles, which it hardly ever does in a run of many disks.
            del self._hear

    def _offer(self, look: Look) -> bool:
        """Offer a block unless that is not worth it; tell whether there is an answer to come."""
        self._blocks += 1
        if look.item.offset % GRAIN or (self._backed_off and self._blocks % PROBE):
            return False
        offered = False
        for start, _end, zero, digests in look.runs:
            if not zero:
                self._link.send(Kind.OFFER, digests, offset=look.item.offset + start)
                offered = True
        return offered

    def _held(self, look: Look) -> frozenset[int]:
        held: set[int] = set()
        for start, end, zero, digests in look.runs:
            if zero:
                continue
            while not self._answers:
                self._hear()
            offset, wanted = self._answers.popleft()
            grains = len(digests) // DIGEST_BYTES
            if offset != look.item.offset + start or len(wanted) != -(-grains // 8):
                raise WireError("the receiver answered an offer that was not made")
            found = [
                offset + index * GRAIN for index in range(grains) if not wanted[index // 8] >> index % 8 & 1
            ]
            held.update(found)
            self._note(end - start, len(found) * GRAIN)
        return frozenset(held)

    def _note(self, offered: int, hit: int) -> None:
        """Judge by the last stretch whether offering pays; one hit of a probe begins anew."""
        self._offered += offered
        self._hit += hit
        if self._backed_off and hit:
            self._backed_off = False
            self._offered = self._hit = 0
        elif self._offered >= SEEN_BYTES:
            self._backed_off = self._hit < self._offered * _WORTH
            self._offered = self._hit = 0
