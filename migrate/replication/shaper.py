"""Who may send how much and when: one token bucket for a line, shared fairly by weight.

Pure: the caller brings the time. Tokens come in at the line's rate of the hour and never pile up
beyond a burst, so that in any stretch of time no more leaves than the calendar allows plus one burst.
Whoever asks gets a tag (start-time fair queueing); the lowest is served first. So flows that always
have something to send share the line as their weights say, and nobody starves.
"""

from __future__ import annotations

from dataclasses import dataclass

from migrate.replication.line import QUARTER_S, Line
from planner.units import KIB, MIB

_BURST_S = 0.05
_BURST_LEAST, _BURST_MOST = 64 * KIB, 16 * MIB
_PIECE_LEAST = 16 * KIB
_LOOKS_BACK_S = 4 * QUARTER_S  # what came in before that has long filled the bucket


def burst_bytes(rate_bytes_s: float) -> float:
    """Return how many tokens may pile up at a rate: those of 50 ms, from 64 KiB to 16 MiB."""
    if not rate_bytes_s:
        return 0.0
    return min(max(rate_bytes_s * _BURST_S, _BURST_LEAST), _BURST_MOST)


@dataclass(slots=True, eq=False)
class Flow:
    """One that sends. ``asked_bytes`` is what it waits for, 0 when it has what it asked for."""

    name: str
    weight: float
    asked_bytes: int = 0
    tag: float = 0.0
    finish: float = 0.0


class Shaper:
    """The bucket and those who wait at it."""

    def __init__(self, line: Line | None, now_s: float) -> None:
        self._line = line
        self._at_s = now_s
        self._tokens = 0.0
        self._virtual = 0.0
        self._waiting: list[Flow] = []
        self._quarter: tuple[float, float] = (-1.0, 0.0)  # where the rate was looked up, and the rate

    def set_line(self, line: Line | None, now_s: float) -> None:
        """Let another calendar count from now on."""
        self._accrue(now_s)
        self._line = line
        self._quarter = (-1.0, 0.0)
        if line is not None:
            self._tokens = min(self._tokens, burst_bytes(self.rate_bytes_s(now_s)))

    def rate_bytes_s(self, at_s: float) -> float:
        """Return what may be sent a second; infinite where nothing is held back."""
        if self._line is None:
            return float("inf")
        quarter = at_s // QUARTER_S
        if quarter != self._quarter[0]:
            self._quarter = quarter, self._line.rate_bytes_s(at_s)
        return self._quarter[1]

    def piece_bytes(self, now_s: float) -> int | None:
        """Return how much to ask for at once, so that turns are short; None: as much as you like."""
        if self._line is None:
            return None
        return int(min(max(burst_bytes(self.rate_bytes_s(now_s)) / 4, _PIECE_LEAST), MIB))

    def ask(self, flow: Flow, size_bytes: int) -> None:
        """Put a flow into the queue."""
        flow.asked_bytes = size_bytes
        flow.tag = max(self._virtual, flow.finish)
        flow.finish = flow.tag + size_bytes / flow.weight
        self._waiting.append(flow)

    def withdraw(self, flow: Flow) -> None:
        """Take a flow out of the queue, if it is in it."""
        if flow in self._waiting:
            self._waiting.remove(flow)
        flow.asked_bytes = 0

    def force(self, flow: Flow, now_s: float) -> None:
        """Serve a flow at once, on credit: what comes after it waits until that is paid back."""
        self._accrue(now_s)
        self._serve(flow)

    def poll(self, now_s: float) -> bool:
        """Serve whom the tokens serve; return whether anybody was."""
        self._accrue(now_s)
        served = False
        while self._waiting:
            flow = self._next()
            if self._line is not None and self._tokens < self._needed(flow, now_s):
                break
            self._serve(flow)
            served = True
        return served

    def wait_s(self, now_s: float) -> float:
        """Return after how many seconds it is worth to poll again; 0 when nobody waits."""
        if not self._waiting or self._line is None:
            return 0.0
        ends = (now_s // QUARTER_S + 1) * QUARTER_S - now_s
        rate = self.rate_bytes_s(now_s)
        lacking = self._needed(self._next(), now_s) - self._tokens
        return min(max(lacking, 0.0) / rate, ends) if rate else ends

    def _next(self) -> Flow:
        return min(self._waiting, key=lambda flow: flow.tag)

    def _needed(self, flow: Flow, now_s: float) -> float:
        """Return the tokens a flow must find: what it asked for, but never more than there can be."""
        rate = self.rate_bytes_s(now_s)
        if not rate:
            return float("inf")
        return min(flow.asked_bytes, burst_bytes(rate))

    def _serve(self, flow: Flow) -> None:
        self._virtual = max(self._virtual, flow.tag)
        if self._line is not None:
            self._tokens -= flow.asked_bytes
        self.withdraw(flow)

    def _accrue(self, now_s: float) -> None:
        """Let tokens come in, quarter by quarter; a clock that was put back brings none."""
        at = max(self._at_s, now_s - _LOOKS_BACK_S)
        self._at_s = now_s
        if self._line is None:
            return
        while at < now_s:
            ends = min((at // QUARTER_S + 1) * QUARTER_S, now_s)
            rate = self.rate_bytes_s(at)
            self._tokens = min(self._tokens + rate * (ends - at), burst_bytes(rate))
            at = ends
