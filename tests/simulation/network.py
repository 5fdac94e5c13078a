"""Connections that deliver what was sent late, in pieces, in part, or not at all.

Bytes arrive in order and whole or not at all, as TCP has it. What goes wrong is when: a connection may
be cut at any byte, or go silent in one direction or both while neither side is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from migrate.replication.channel import Buffer, ChannelClosed
from tests.simulation.schedule import Schedule

_IN_FLIGHT_MAX = 192 * 1024


class _Way:
    """One direction of a connection."""

    def __init__(self) -> None:
        self.flying = bytearray()
        self.arrived = bytearray()
        self.delivered = 0
        self.cut_at: int | None = None
        self.silent = False
        self.ended = False  # nothing more is sent
        self.gone = False  # the other side reads no more


class Connection:
    """Two ways between a sender and a receiver, and the faults of both."""

    def __init__(self, schedule: Schedule, timeout_s: float) -> None:
        self._schedule = schedule
        self.up, self.down = _Way(), _Way()
        self.near = End(schedule, self, sends=self.up, hears=self.down, timeout_s=timeout_s)
        self.far = End(schedule, self, sends=self.down, hears=self.up, timeout_s=timeout_s)
        schedule.movers.append(self._deliver)

    def cut_after(self, more_bytes: int, *, up: bool) -> None:
        """Break the connection when that many more bytes of one way arrived."""
        way = self.up if up else self.down
        way.cut_at = way.delivered + more_bytes

    def go_silent(self, *, up: bool, down: bool) -> None:
        """Deliver nothing more; nobody is told."""
        self.up.silent |= up
        self.down.silent |= down

    def break_off(self) -> None:
        """Lose what is under way and tell both sides, as a reset does."""
        for way in (self.up, self.down):
            way.flying.clear()
            way.ended = way.gone = True

    def forget(self) -> None:
        """Leave the schedule; both ends are over."""
        if self._deliver in self._schedule.movers:
            self._schedule.movers.remove(self._deliver)

    def _deliver(self) -> bool:
        rng = self._schedule.rng
        for way in (self.up, self.down) if rng.random() < 0.5 else (self.down, self.up):
            if not way.flying or way.silent:
                continue
            count = len(way.flying) if rng.random() < 0.7 else rng.randint(1, len(way.flying))
            if way.cut_at is not None and way.delivered + count >= way.cut_at:
                count = max(way.cut_at - way.delivered, 0)
                way.arrived += way.flying[:count]
                self._schedule.meet("cut")
                self.break_off()
                return True
            way.arrived += way.flying[:count]
            way.delivered += count
            del way.flying[:count]
            return True
        return False


class End:
    """A channel, as the product knows it."""

    def __init__(
        self, schedule: Schedule, connection: Connection, *, sends: _Way, hears: _Way, timeout_s: float
    ) -> None:
        self._schedule = schedule
        self._connection = connection
        self._out, self._in = sends, hears
        self._timeout_s = timeout_s

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send all parts in order; raises ChannelClosed."""
        left = memoryview(b"".join(bytes(part) for part in parts))
        out = self._out
        while left:
            self._wait(lambda: out.gone or out.ended or len(out.flying) < _IN_FLIGHT_MAX)
            if out.gone or out.ended:
                raise ChannelClosed("the peer closed the connection")
            room = _IN_FLIGHT_MAX - len(out.flying)
            out.flying += left[:room]
            left = left[room:]

    def recv_into(self, buffer: memoryview) -> None:
        """Fill the buffer; raises ChannelClosed."""
        way, size = self._in, len(buffer)

        def over() -> bool:
            return way.gone or (way.ended and not way.flying and not way.silent)

        self._wait(lambda: len(way.arrived) >= size or over())
        if len(way.arrived) < size:
            raise ChannelClosed("the peer closed the connection")
        buffer[:] = way.arrived[:size]
        del way.arrived[:size]

    def close(self) -> None:
        """Send what is under way, then the end; hear nothing more. Never waits."""
        self._out.ended = True
        if self._out.silent:
            return
        self._in.flying.clear()
        self._in.ended = self._in.gone = True

    def vanish(self) -> None:
        """The machine has no power: nobody answers any more, nobody is told."""
        self._connection.go_silent(up=True, down=True)

    def _wait(self, ready: Callable[[], bool]) -> None:
        if not self._schedule.wait(ready, self._timeout_s):
            raise ChannelClosed("the peer did not answer in time")
