"""The line's throttle for all transfers of a process, and the channel that goes through it.

Blocking, thin: who may send when is decided in ``shaper``. The policy is asked for again twice a
second by whoever waits or sends, so a change of settings counts within a second, for those who wait
too. A transfer that was stopped waits no longer: its last blocks leave on credit.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from migrate.replication.channel import Buffer, Channel, ChannelClosed
from migrate.replication.line import Policy
from migrate.replication.shaper import Flow, Shaper

_LOOK_S = 0.5
_STOP_S = 0.1  # how often a waiter asks whether it was stopped
_LEAST_WAIT_S = 0.0005


class Throttle:
    """One line, shared by many channels. ``policy`` says how, whenever it is asked."""

    def __init__(
        self, policy: Callable[[], Policy] = Policy, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._changed = threading.Condition()
        self._flows: set[Flow] = set()
        self._now = policy()
        self._looked_s = clock()
        self._shaper = Shaper(self._now.line, self._looked_s)

    def through(
        self, channel: Channel, name: str, stop: Callable[[], bool] = lambda: False
    ) -> ThrottledChannel:
        """Return the channel behind this throttle.

        Its weight is the policy's for ``name``, shared by all channels of that name: a disk that
        travels over several connections gets no more of the line than over one.
        """
        flow = Flow(name, 1.0)
        with self._changed:
            self._flows.add(flow)
            self._weigh()
        return ThrottledChannel(self, flow, channel, stop)

    def piece_bytes(self) -> int | None:
        """Return how much to take at once; None where nothing is held back."""
        with self._changed:
            self._look()
            return self._shaper.piece_bytes(self._clock())

    def take(self, flow: Flow, size_bytes: int, stop: Callable[[], bool]) -> None:
        """Return when the flow may send that much; raises ChannelClosed when it left meanwhile."""
        with self._changed:
            self._look()
            self._shaper.ask(flow, size_bytes)
            while True:
                if flow not in self._flows:
                    self._shaper.withdraw(flow)
                    raise ChannelClosed("the connection was closed", "start it again, the pass resumes")
                if self._shaper.poll(self._clock()):
                    self._changed.notify_all()
                if not flow.asked_bytes:
                    return
                if stop():
                    self._shaper.force(flow, self._clock())
                    return
                wait_s = self._shaper.wait_s(self._clock())
                self._changed.wait(min(max(wait_s, _LEAST_WAIT_S), _STOP_S))
                self._look()

    def leave(self, flow: Flow) -> None:
        """Forget a flow and wake whoever waits for it."""
        with self._changed:
            self._flows.discard(flow)
            self._weigh()
            self._changed.notify_all()

    def wake(self) -> None:
        """Have everybody who waits look at once whether it was stopped."""
        with self._changed:
            self._changed.notify_all()

    def _look(self) -> None:
        """Take in the policy as it is now, if it was not looked at for a while."""
        now_s = self._clock()
        if 0 <= now_s - self._looked_s < _LOOK_S:
            return
        self._looked_s = now_s
        policy = self._policy()
        if policy.line != self._now.line:
            self._shaper.set_line(policy.line, now_s)
        self._now = policy
        self._weigh()

    def _weigh(self) -> None:
        """Give each flow its part of the weight of its name."""
        sharing = Counter(flow.name for flow in self._flows)
        for flow in self._flows:
            flow.weight = self._now.weights.get(flow.name, 1.0) / sharing[flow.name]


class ThrottledChannel:
    """A channel whose sends wait for their turn on the line. What is received is not held back."""

    def __init__(self, throttle: Throttle, flow: Flow, inner: Channel, stop: Callable[[], bool]) -> None:
        self._throttle = throttle
        self._flow = flow
        self._inner = inner
        self._stop = stop

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send all parts in order, piece by piece as the line allows; raises ChannelClosed."""
        left = parts
        while left:
            piece, left = _split(left, self._throttle.piece_bytes())
            self._throttle.take(self._flow, sum(map(len, piece)), self._stop)
            self._inner.send(piece)

    def recv_into(self, buffer: memoryview) -> None:
        """Fill the buffer; raises ChannelClosed."""
        self._inner.recv_into(buffer)

    def close(self) -> None:
        """Close the channel; a thread that waits for its turn is woken."""
        self._throttle.leave(self._flow)
        self._inner.close()


def _split(parts: Sequence[Buffer], most: int | None) -> tuple[list[Buffer], list[Buffer]]:
    """Return the first ``most`` bytes of the parts and the rest, nothing copied."""
    if most is None:
        return list(parts), []
    first: list[Buffer] = []
    room = most
    for at, part in enumerate(parts):
        if len(part) > room:
            view = memoryview(part)
            if room:
                first.append(view[:room])
            return first, [view[room:], *parts[at + 1 :]]
        first.append(part)
        room -= len(part)
    return first, []
