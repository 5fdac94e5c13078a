"""The sender's part of dedupe: digests go ahead of the blocks, and what the receiver holds stays here.

    look ── OFFER ──▶ ... up to 8 blocks under way ... ◀── WANT ── pack ── DATA and HELD

Offers run ahead, so the time of the line costs nothing as long as eight blocks fill it. Where hardly
anything is found, only some blocks are offered, as probes: they are sent whole, and their answers, which
nobody waits for, tell when offers pay again. The receiver learns from DATA as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Final

from migrate.replication.blocks import Look
from migrate.replication.link import Link
from migrate.replication.wire import FLAG_PROBE, Frame, Kind, WireError
from migrate.replication.zeros import GRAIN
from planner.units import MIB

AHEAD: Final = 8  # blocks
PROBE: Final = 16  # of so many blocks one is a probe where hardly anything is found
SEEN_BYTES: Final = 64 * MIB  # what "hardly anything" is measured over
_WORTH: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Asked:
    """One OFFER that is to be answered: the run from ``offset`` of the disk."""

    offset: int
    length: int
    probe: bool

    def held(self, wanted: bytes) -> list[int]:
        """Return the offsets of the grains that are not wanted; raises WireError."""
        grains = -(-self.length // GRAIN)
        if len(wanted) != -(-grains // 8):
            raise WireError("the receiver answered an offer that was not made")
        return [
            self.offset + index * GRAIN for index in range(grains) if not wanted[index // 8] >> index % 8 & 1
        ]


class Offering:
    """The offers of one pass; of its blocks ``room()`` at most may wait for an answer."""

    def __init__(self, link: Link, room: Callable[[], int] = lambda: AHEAD) -> None:
        self._link = link
        self._room = room
        self._asked: deque[_Asked] = deque()
        self._answers: deque[list[int]] = deque()  # to offers that are waited for
        self._backed_off = False
        self._blocks = 0
        self._offered = self._hit = 0  # bytes, over the last stretch

    def heard(self, frame: Frame) -> None:
        """Take a WANT; raises WireError for one that answers nothing."""
        if not self._asked or self._asked[0].offset != frame.offset:
            raise WireError("the receiver answered an offer that was not made")
        asked = self._asked.popleft()
        held = asked.held(bytes(frame.body))
        if not asked.probe:
            self._answers.append(held)
        self._note(asked.length, len(held) * GRAIN)

    def decided(
        self, looks: Iterable[Look], hear: Callable[[], None]
    ) -> Generator[tuple[Look, frozenset[int]]]:
        """Yield each look with the offsets of its grains that the receiver holds; once.

        ``hear`` takes one answer of the receiver, of whatever kind, and is asked as often as it takes.
        """
        waiting: deque[tuple[Look, int]] = deque()
        ahead = 0
        for look in looks:
            answers = 0 if look.buffer is None else self._offer(look)
            waiting.append((look, answers))
            ahead += look.buffer is not None
            while ahead > min(AHEAD, self._room()) or (waiting and not waiting[0][1]):
                first, answers = waiting.popleft()
                ahead -= first.buffer is not None
                yield first, self._held(answers, hear)
        for look, answers in waiting:
            yield look, self._held(answers, hear)

    def _offer(self, look: Look) -> int:
        """Offer a block if that may be worth it; returns how many answers it has to wait for."""
        self._blocks += 1
        probe = self._backed_off
        if look.item.offset % GRAIN or (probe and self._blocks % PROBE):
            return 0
        answers = 0
        for start, end, zero, digests in look.runs:
            if not zero:
                offset = look.item.offset + start
                self._link.send(Kind.OFFER, digests, offset=offset, flags=FLAG_PROBE if probe else 0)
                self._asked.append(_Asked(offset, end - start, probe))
                answers += not probe
        return answers

    def _held(self, answers: int, hear: Callable[[], None]) -> frozenset[int]:
        """Return what that many next answers say is held."""
        held: set[int] = set()
        for _ in range(answers):
            while not self._answers:
                hear()
            held.update(self._answers.popleft())
        return frozenset(held)

    def _note(self, offered: int, hit: int) -> None:
        """Judge by the last stretch whether offering pays; enough hits of probes begin anew."""
        self._offered += offered
        self._hit += hit
        worth = self._hit >= SEEN_BYTES * _WORTH
        if self._offered >= SEEN_BYTES or (self._backed_off and worth):
            self._backed_off = not worth
            self._offered = self._hit = 0
