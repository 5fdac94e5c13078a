"""The further connections of a pass: each takes the next block as soon as it is free.

They carry and promise nothing of their own: the first connection opens the pass and commits it, after
these were answered. One that cannot be had is gone without; what one that broke left open is sent again
by others. What a receiver refuses on one of them is refused for the pass.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from migrate.replication.blocks import Block, BlockReader, Item
from migrate.replication.channel import Channel, ChannelClosed
from migrate.replication.lane import Lane
from migrate.replication.link import Link
from migrate.replication.turns import MakeTurns, Start, cut_off, in_thread
from migrate.replication.wire import Kind
from planner.errors import WherryError

STREAMS_MAX = 16
_TRIES = 4  # for each stream: one that breaks is replaced, but not for ever


@dataclass(frozen=True, slots=True)
class Streams:
    """How a pass gets more connections. ``wanted`` is how many it shall have in all, asked while it goes on.

    ``connect`` raises what goes wrong, and may be called from any thread. ``start`` begins a thread,
    ``turns`` is what threads wait with for each other.
    """

    connect: Callable[[], Channel]
    wanted: Callable[[], int]
    start: Start = in_thread
    turns: MakeTurns = threading.Condition


class Carriers:
    """The joiners of one pass, at work. ``greet`` opens a conversation over a channel.

    Used by the one thread that makes the blocks; each joiner is a thread of its own.
    """

    def __init__(self, streams: Streams, greet: Callable[[Channel], Lane], reader: BlockReader) -> None:
        self._streams = streams
        self._greet = greet
        self._reader = reader
        self._turns = streams.turns()
        self._blocks: deque[Block] = deque()  # for whoever is free, no more of them than joiners
        self._again: deque[Item] = deque()
        self._channels: list[Channel] = []
        self._links: list[Link] = []
        self._tried = self._living = 0
        self._refused = False
        self._ready = 0  # joiners that take blocks
        self._over = False
        self._failure: WherryError | None = None

    @property
    def wire_bytes(self) -> int:
        """What all of them sent, those among them that are gone."""
        return sum(link.sent_bytes for link in self._links)

    @property
    def count(self) -> int:
        """How many take blocks now."""
        return self._ready

    def invite(self, most: int) -> None:
        """Begin as many as are wanted and there is work for, unless the receiver has no place for them."""
        wanted = min(self._streams.wanted(), STREAMS_MAX, most) - 1
        while self._living < wanted and not self._refused and self._tried < _TRIES * wanted:
            self._tried += 1
            with self._turns:
                self._living += 1
            self._streams.start(f"wherry-stream-{self._tried}", self._carry)

    def give(self, block: Block) -> bool:
        """Give a block to whoever is free; False when all are busy. Raises what was refused."""
        with self._turns:
            self._check()
            if len(self._blocks) >= self._ready:
                return False
            self._blocks.append(block)
            self._turns.notify_all()
            return True

    def left_over(self) -> Item | None:
        """Return an item to send again, None when there is none; raises what was refused."""
        with self._turns:
            self._check()
            return self._again.popleft() if self._again else None

    def taken_back(self) -> Block | None:
        """Return a block that nobody has taken yet, None when there is none."""
        with self._turns:
            return self._blocks.popleft() if self._blocks else None

    def finish(self) -> None:
        """Let everybody say BYE, and return when each was answered or broke; raises what was refused."""
        with self._turns:
            self._over = True
            self._turns.notify_all()
            self._turns.wait_for(lambda: not self._ready)
            self._check()
        self.end()

    def end(self) -> None:
        """Cut off who is left and wait until no thread uses the blocks any more."""
        with self._turns:
            self._over = True
        cut_off(self._turns, self._channels)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _carry(self) -> None:
        try:
            channel = self._streams.connect()
        except WherryError:
            self._refused = True  # fewer streams then
            return
        with self._turns:
            self._channels.append(channel)
            late = self._over
        try:
            if not late:
                self._converse(channel)
        finally:
            channel.close()
            with self._turns:
                self._living -= 1
                self._channels.remove(channel)
                self._turns.notify_all()

    def _converse(self, channel: Channel) -> None:
        try:
            lane = self._greet(channel)
        except ChannelClosed:
            return
        except WherryError:
            self._refused = True  # the receiver has no place for it, or the pass is over
            return
        with self._turns:
            self._links.append(lane.link)
            self._ready += 1
        failure: WherryError | None = None
        done = False
        try:
            self._send_all(lane)
            done = True
        except WherryError as error:
            failure = lane.link.refused or (None if isinstance(error, ChannelClosed) else error)
        finally:
            with self._turns:
                self._ready -= 1
                self._failure = self._failure or failure
                if not done:
                    self._again += lane.open_items()
                self._turns.notify_all()

    def _send_all(self, lane: Lane) -> None:
        while (block := self._next()) is not None:
            try:
                lane.send(block.pieces, block.item)
            except ChannelClosed:
                _hear_refusal(lane)
                raise
            finally:
                self._reader.give_back(block)
            while lane.is_ahead:
                lane.acknowledged(lane.link.receive(Kind.ACK))
        lane.link.send(Kind.BYE)
        while (frame := lane.link.receive(Kind.ACK, Kind.BYE)).kind is not Kind.BYE:
            lane.acknowledged(frame)

    def _next(self) -> Block | None:
        with self._turns:
            self._turns.wait_for(lambda: bool(self._blocks) or self._over)
            return self._blocks.popleft() if self._blocks else None


def _hear_refusal(lane: Lane) -> None:
    """After a broken send, take in the receiver's own word for it if it left one."""
    try:
        while lane.link.refused is None:
            lane.link.receive(Kind.ACK)
    except WherryError:
        return
