"""Connections that come when they should not, and receivers that are wrong about those that join: mutants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from migrate.replication.channel import Channel
from migrate.replication.gathering import Gathering
from migrate.replication.intake import Intake
from migrate.replication.messages import Hello
from migrate.replication.passes import PassSpec
from migrate.replication.receiver import Receiver
from migrate.replication.sender import greet
from migrate.replication.wire import Kind
from tests.migrate.replication.model import KIB


@dataclass(frozen=True)
class Ticket:
    """What a receiver once gave to the first connection of a pass, and what that pass is to bring."""

    spec: PassSpec
    ticket: str
    grain_key: bytes
    content: bytes


def barge_in(channel: Channel, held: Ticket, nonce: str) -> None:
    """Join with a ticket of whatever age and send all of the content that it was for."""
    spec = held.spec
    hello = Hello(
        purpose="join",
        volume=spec.volume,
        size_bytes=spec.size_bytes,
        nonce=nonce,
        generation=spec.generation,
        pass_id=spec.pass_id,
        ticket=held.ticket,
    )
    link, _welcome = greet(channel, hello)
    link.grain_key = held.grain_key
    for at in range(0, spec.size_bytes, 64 * KIB):
        body = held.content[at : at + 64 * KIB]
        digest = None if not held.grain_key else _over_grains(body, held.grain_key)
        link.send_parts(link.pack(Kind.DATA, offset=at, body=body, digest=digest))
    link.send(Kind.BYE)
    while link.receive(Kind.ACK, Kind.BYE).kind is not Kind.BYE:
        pass


def _over_grains(body: bytes, key: bytes) -> bytes:
    from migrate.replication.wire import body_digest, grain_digests

    return body_digest(grain_digests(memoryview(body), key))


class _ByAnothersFlush(Intake):
    """Takes a flush that is under way for one of what is written meanwhile."""

    def _next(self) -> int:
        return self._begun if self._busy else super()._next()


class EarlyWord(Receiver):
    """Acknowledges on the flush of another connection that began before the writes."""

    takes: ClassVar[type[Intake]] = _ByAnothersFlush


class _LetsIn(Gathering):
    """Takes any ticket."""

    def _must_be_of_it(self, hello: Hello) -> None:
        return


class Hospitable(Receiver):
    """Lets connections join without looking whose pass is under way."""

    gathers: ClassVar[type[Gathering]] = _LetsIn


class _Leaves(Gathering):
    """Ends without those who joined."""

    def end(self) -> None:
        with self._turns:
            self._ended = True
            self._turns.notify_all()


class Forgetful(Receiver):
    """Lets go of a volume while joiners still write it."""

    gathers: ClassVar[type[Gathering]] = _Leaves
