"""One connection of a pass at the receiver: its frames in, its acknowledgements out.

While one stretch is being flushed the next is being written; its acknowledgement leaves when a flush
that began after its last frame is durable, and recorded. Acknowledgements are numbered by connection.
"""

from __future__ import annotations

from migrate.replication import wire
from migrate.replication.holdings import Holdings
from migrate.replication.intake import Intake
from migrate.replication.link import Link
from migrate.replication.messages import Ack
from migrate.replication.wire import Frame, Kind, WireError


class Inflow:
    """The frames of one connection, for the intake of its pass.

    ``holdings`` are for a sender that compares, which only the first connection does; ``overlap``
    leaves an acknowledgement to be sent when the next stretch ends.
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
        self._due = 0  # the flush that the next acknowledgement waits for, 0 for none

    def take_all(self) -> bool:
        """Take the frames of a first connection until COMMIT; returns whether only a part shall stay."""
        allowed = [Kind.DATA, Kind.ZERO, Kind.KEEP, Kind.ASK_DIGESTS, Kind.COMMIT]
        if self._intake.offers is not None:
            allowed += [Kind.OFFER, Kind.HELD]
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

    def _end_stretch(self) -> None:
        self._acknowledge_due()
        self._due = self._intake.ask()
        if not self._overlap:
            self._acknowledge_due()

    def _acknowledge_due(self) -> None:
        if self._due:
            self._intake.wait(self._due)
            self._due = 0
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
