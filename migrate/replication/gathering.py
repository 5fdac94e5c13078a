"""The connections of one pass that is under way: who may join it, and that all are gone before it ends.

A joiner holds no lease: the first connection does, for all. So a joiner is held to the pass that lives,
by a ticket nobody else was given, and the first one leaves the volume after the last joiner.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from migrate.replication.channel import Channel
from migrate.replication.intake import Intake
from migrate.replication.link import Link
from migrate.replication.messages import Hello, Welcome
from migrate.replication.turns import MakeTurns, cut_off
from planner.errors import ProjectBusy, SiteRefused
from planner.names import visible

JOINERS_MAX = 15


class Gathering:
    """Who may join one pass: nobody, when its welcome gave no ticket."""

    def __init__(self, hello: Hello, welcome: Welcome, intake: Intake, turns: MakeTurns) -> None:
        self._hello = hello
        self._ticket = welcome.ticket
        self.intake = intake
        self.grain_key = bytes.fromhex(welcome.dedupe)
        self.ack_bytes = welcome.ack_bytes
        self._turns = turns()
        self._begun = self._ended = False
        self._channels: list[Channel] = []
        self.received_bytes = 0  # by joiners that left

    def begin(self) -> None:
        """Let joiners in, those that wait among them."""
        with self._turns:
            self._begun = True
            self._turns.notify_all()

    @contextmanager
    def joined(self, hello: Hello, channel: Channel, link: Link) -> Iterator[None]:
        """Be of the pass for the block; raises SiteRefused, ProjectBusy."""
        with self._turns:
            self._must_be_of_it(hello)
            self._turns.wait_for(lambda: self._begun or self._ended)
            if self._ended:
                raise over(hello)
            if len(self._channels) >= JOINERS_MAX:
                raise ProjectBusy("the pass has as many connections as one may have", "send it over those")
            self._channels.append(channel)
        try:
            yield
        finally:
            with self._turns:
                self._channels.remove(channel)
                self.received_bytes += link.received_bytes
                self._turns.notify_all()

    def _must_be_of_it(self, hello: Hello) -> None:
        mine = (self._hello.pass_id, self._hello.generation, self._hello.size_bytes)
        same = hmac.compare_digest(self._ticket.encode(), hello.ticket.encode())
        if not (self._ticket and same and mine == (hello.pass_id, hello.generation, hello.size_bytes)):
            raise over(hello)

    def end(self) -> None:
        """Let nobody in any more, cut off who is left, and wait until they are gone."""
        with self._turns:
            self._ended = True
        cut_off(self._turns, self._channels)


def over(hello: Hello) -> SiteRefused:
    """Return the refusal of a connection whose pass is not under way."""
    return SiteRefused(
        f"no pass of volume {visible(hello.volume)} is under way that this connection is of",
        "start the pass again, it resumes",
    )
