"""The sender's part of a comparison: questions go ahead of the blocks, so that both disks are read at once.

    ASK_DIGESTS ──▶ ... up to 4 stretches under way ... ◀── DIGESTS ── read ── DATA, ZERO and KEEP

A question says whether others follow it whatever its answer, for then the receiver need not have that
before it takes in more. The last question leaves only when it is known whether it is the last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from migrate.disks.extent import Extent
from migrate.replication import wire
from migrate.replication.blocks import Item
from migrate.replication.link import Link
from migrate.replication.plan_pass import stretches, touches
from migrate.replication.wire import Frame, Kind, WireError
from migrate.replication.zeros import GRAIN

AHEAD: Final = 4  # stretches
assert AHEAD >= wire.HELD_BACK


class Asking:
    """The questions of one pass. ``only`` are the runs that are compared, None for all."""

    def __init__(self, link: Link, only: tuple[Extent, ...] | None) -> None:
        self._link = link
        self._only = only
        self._answers: deque[tuple[int, bytes]] = deque()

    def heard(self, frame: Frame) -> None:
        """Take DIGESTS; whether they answer anything is seen when they are used."""
        self._answers.append((frame.offset, bytes(frame.body)))

    def compared(self, plan: Iterable[Item], hear: Callable[[], None]) -> Iterator[Item]:
        """Yield each item of the plan with the receiver's digests of it; once.

        ``hear`` takes one answer of the receiver, of whatever kind, and is asked as often as it takes.
        """
        asked: deque[list[Item]] = deque()  # the last of them to be yet
        for stretch in stretches(plan):
            if self._only is not None and not touches(stretch, self._only):
                yield from self._rest(asked, hear)
                yield from (replace(item, read=False) for item in stretch)  # stays as it is there
                continue
            if asked:
                self._ask(asked[-1], wire.FLAG_MORE)
            asked.append(stretch)
            if len(asked) > AHEAD + 1:
                yield from self._answered(asked.popleft(), hear)
        yield from self._rest(asked, hear)

    def _rest(self, asked: deque[list[Item]], hear: Callable[[], None]) -> Iterator[Item]:
        if asked:
            self._ask(asked[-1], 0)
        while asked:
            yield from self._answered(asked.popleft(), hear)

    def _ask(self, stretch: list[Item], flags: int) -> None:
        start, last = stretch[0].offset, stretch[-1]
        length = last.offset + last.length - start
        self._link.send(Kind.ASK_DIGESTS, offset=start, length=length, flags=flags)

    def _answered(self, stretch: list[Item], hear: Callable[[], None]) -> Iterator[Item]:
        while not self._answers:
            hear()
        offset, body = self._answers.popleft()
        start = stretch[0].offset
        grains = -(-(stretch[-1].offset + stretch[-1].length - start) // GRAIN)
        if offset != start or len(body) != grains * wire.DIGEST_BYTES:
            raise WireError("the receiver answered for digests that were not asked for")
        for item in stretch:
            low = (item.offset - start) // GRAIN * wire.DIGEST_BYTES
            high = low + -(-item.length // GRAIN) * wire.DIGEST_BYTES
            yield Item(item.offset, item.length, item.read, item.gap, body[low:high])
