"""One connection of a pass at the receiver: its frames in, its acknowledgements out.

While two stretches at most are being flushed the next is being written; an acknowledgement leaves when a
flush that began after its last frame is durable, and recorded. They are numbered by connection.
"""

from __future__ import annotations

from collections import deque

from migrate.replication import wire
from migrate.replication.holdings import Holdings
from migrate.replication.intake import Intake
from migrate.replication.link import Link
from migrate.replication.messages import Ack
from migrate.replication.wire import Frame, Kind, WireError

_FLUSHES_AHEAD = 2  # a disk that is slow for a moment holds nobody up


class Inflow:
    """The frames of one connection, for the intake of its pass.

    ``holdings`` are for a sender that compares, which only the first connection does; ``overlap``
    leaves acknowledgements to be sent between later frames.
    """

    def __init__(
        self, link: Link, intake: Intake, ack_bytes: int, *, overlap: bool, holdings: Holdings | None = None
    ) -> None:
        self._link = link
        self._intake = intake
        self._ack_bytes = ack_bytes
        self._overlap = overlap
        self._holdings = holdings
        self._weight = 0
        self._acks = 0
        self._due: deque[int] = deque()  # the flushes that acknowledgements wait for, the next one first

    def take_all(self) -> bool:
        """Take the frames of a first connection until COMMIT; returns whether only a part shall stay."""
        allowed = [Kind.DATA, Kind.ZERO, Kind.KEEP, Kind.ASK_DIGESTS, Kind.COMMIT]
        if self._intake.offers is not None:
            allowed += [Kind.OFFER, Kind.HELD]
        if self._holdings is not None:
            allowed.append(Kind.ASK_FINE)
        while (frame := self._link.receive(*allowed)).kind is not Kind.COMMIT:
            self._take(frame)
        return bool(frame.flags & wire.FLAG_PART)

    def carry(self) -> None:
        """Take the frames of a connection that joined until its BYE, and answer that."""
        while (frame := self._link.receive(Kind.DATA, Kind.ZERO, Kind.KEEP, Kind.BYE)).kind is not Kind.BYE:
            self._take(frame)
        self._acknowledge_due()

    def finish(self, *, partly: bool, wire_bytes: int) -> None:
        """Answer COMMIT: everything is durable; ``partly`` when that is not all of the volume."""
        self._acknowledge_due()
        if partly:
            self._intake.wait(self._intake.ask())
        else:
            self._intake.finish(wire_bytes)
        self._acknowledge(complete=not partly)

    def _take(self, frame: Frame) -> None:
        if frame.offset + frame.length > self._intake.size_bytes:
            raise WireError(f"a frame lies outside the {self._intake.size_bytes} bytes of the volume")
        if frame.kind is Kind.ASK_DIGESTS:
            self._answer(frame)
            return
        if frame.kind is Kind.ASK_FINE and self._holdings is not None:
            told = self._holdings.finely(frame.offset, bytes(frame.body))
            self._link.send(Kind.FINE, told, offset=frame.offset)
            return
        if frame.kind is Kind.OFFER:
            wanted = self._intake.answer(frame)
            self._link.send(Kind.WANT, wanted, offset=frame.offset)
            return
        self._intake.take(frame, self)
        self._weight += wire.weight(frame.kind, frame.length)
        if self._weight >= self._ack_bytes:
            self._weight = 0
            self._end_stretch()
        else:
            self._intake.relieve()
            self._acknowledge_due(_FLUSHES_AHEAD)

    def _end_stretch(self) -> None:
        self._due.append(self._intake.ask())
        self._acknowledge_due(_FLUSHES_AHEAD if self._overlap else 0)

    def _acknowledge_due(self, ahead: int = 0) -> None:
        """Acknowledge what is durable, and wait until no more than ``ahead`` are left."""
        while self._due and (len(self._due) > ahead or self._intake.has_ended(self._due[0])):
            self._intake.wait(self._due.popleft())
            self._acknowledge()

    def _acknowledge(self, *, complete: bool = False) -> None:
        self._acks += 1
        self._link.send(Kind.ACK, Ack(number=self._acks, complete=complete).dump())

    def _answer(self, frame: Frame) -> None:
        if self._holdings is None:
            raise WireError("a peer asked for digests in a pass that compares nothing")
        self._holdings.ask(frame.offset, frame.length)
        held_back = wire.HELD_BACK if frame.flags & wire.FLAG_MORE else 0
        for offset, digests in self._holdings.told(held_back):
            self._link.send(Kind.DIGESTS, digests, offset=offset)
