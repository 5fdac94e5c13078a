"""One connection of a pass at the sender: its frames out, its acknowledgements in, each numbered by itself.

A lane knows which items are not durable yet, so that another may send them when it breaks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from migrate.replication import wire
from migrate.replication.blocks import Item, Piece
from migrate.replication.channel import Buffer
from migrate.replication.link import Link
from migrate.replication.messages import Ack
from migrate.replication.wire import Frame, WireError

_ACKS_AHEAD = 3  # unacknowledged stretches under way; the receiver flushes two beside the next


class Lane:
    """The connection behind a link that was greeted; ``ack_bytes`` are what its receiver acknowledges."""

    def __init__(self, link: Link, ack_bytes: int) -> None:
        self.link = link
        self._ack_bytes = ack_bytes
        self._weight = 0  # since the last stretch ended
        self._due = self._acknowledged = 0
        self._sent: list[Item] = []  # wholly within the stretches that ended, or the one that did not
        self._stretches: deque[list[Item]] = deque()
        self.completed = False

    def send(self, pieces: Iterable[Piece], item: Item | None = None) -> None:
        """Send pieces; with ``item``, remember it as long as it is not durable. Raises ChannelClosed."""
        parts: list[Buffer] = []
        for piece in pieces:
            parts += self.link.pack(
                piece.kind,
                offset=piece.offset,
                length=piece.length,
                body=piece.body,
                flags=piece.flags,
                digest=piece.digest,
            )
            self._weight += wire.weight(piece.kind, piece.length)
            if self._weight >= self._ack_bytes:
                self._weight = 0
                self._due += 1
                self._stretches.append(self._sent)
                self._sent = []
        if item is not None:
            self._sent.append(item)
        self.link.send_parts(parts)

    def expect_last(self) -> None:
        """COMMIT was sent: one more acknowledgement is to come."""
        self._due += 1
        self._stretches.append(self._sent)
        self._sent = []

    def acknowledged(self, frame: Frame) -> None:
        """Take an acknowledgement; raises WireError when it is not the next."""
        ack = Ack.load(frame.body)
        self._acknowledged += 1
        self.completed = ack.complete
        if ack.number != self._acknowledged or ack.number > self._due:
            raise WireError("the receiver acknowledged what was not sent yet")
        self._stretches.popleft()

    @property
    def is_ahead(self) -> bool:
        """True when the receiver has to be heard before more is sent."""
        return self._due - self._acknowledged > _ACKS_AHEAD

    @property
    def is_settled(self) -> bool:
        """True when nothing is waited for."""
        return self._acknowledged >= self._due

    def open_items(self) -> list[Item]:
        """Return what may not have arrived, in the order it was sent."""
        return [item for stretch in (*self._stretches, self._sent) for item in stretch]
