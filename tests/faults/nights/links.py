"""The clock of a night, the link between its sites, and calls that another process answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from migrate.clock import SimulatedClock
from migrate.replication.channel import ChannelClosed
from planner.errors import Unreachable, WherryError
from tests.simulation.network import Connection
from tests.simulation.schedule import Process, Schedule

TIMEOUT_S = 60.0  # of a connection whose other end says nothing
CONNECT_S = 10.0  # until a call over a link that is down gives up


class NightClock(SimulatedClock):
    """The clock of a schedule, as sites and steps know it: who moves it on gives the baton away."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    @property  # type: ignore[override]
    def at_s(self) -> float:
        """Seconds; setting it waits until then, and what is over already stays so."""
        return self._schedule.now

    @at_s.setter
    def at_s(self, value: float) -> None:
        if value > self._schedule.now:
            self._schedule.sleep(value - self._schedule.now)


@dataclass
class Answer:
    """What a process says to one question, once it does."""

    done: bool = False
    result: Any = None
    error: WherryError | None = None

    def fill(self, work: Callable[[], Any]) -> None:
        """Do the work and keep what comes of it."""
        try:
            self.result = work()
        except WherryError as error:
            self.error = error
        self.done = True

    def take(self) -> Any:
        """Return the result, or raise what was answered instead."""
        if self.error is not None:
            raise self.error
        return self.result


class Links:
    """The link between both sites. It is cut for a time, and what is under way on it is lost."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self._cuts = 0
        self._down_until_s = 0.0
        self._connections: list[Connection] = []

    @property
    def is_down(self) -> bool:
        """Whether nothing gets through now."""
        return self.schedule.now < self._down_until_s

    def cut(self, seconds: float) -> None:
        """Lose what is under way, and let nothing through for so long."""
        self._cuts += 1
        self._down_until_s = self.schedule.now + seconds
        for connection in self._connections:
            connection.break_off()
        self.schedule.spawn(Process(), "the link is mended", lambda: self.schedule.sleep(seconds))

    def connect(self) -> Connection:
        """Return a connection over the link; raises ChannelClosed while it is down."""
        if self.is_down:
            raise ChannelClosed("no route to host")
        for old in list(self._connections):
            if all(way.ended and not way.flying for way in (old.up, old.down)):
                old.forget()
                self._connections.remove(old)
        self._connections.append(Connection(self.schedule, TIMEOUT_S))
        return self._connections[-1]

    def ask(self, process: Process, name: str, work: Callable[[], Any], *, far: bool) -> Any:
        """Have a process do some work and return what it answers.

        Whoever asks may die meanwhile: the work goes on. Raises Unreachable when no answer comes.
        """
        if far and self.is_down:
            self.schedule.sleep(CONNECT_S)
            raise Unreachable(f"{name}: no route to host", "wait until the link is back")
        answer, cuts = Answer(), self._cuts
        self.schedule.spawn(process, name, lambda: answer.fill(work))
        self.schedule.wait(lambda: answer.done or process.dead or (far and self._cuts != cuts))
        if far and self._cuts != cuts:
            raise Unreachable(f"{name}: the link was cut before the answer came", "ask again")
        if not answer.done:
            raise Unreachable(f"{name}: who was asked died", "ask again")
        return answer.take()
