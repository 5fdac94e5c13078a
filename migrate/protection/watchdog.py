"""The process that holds guests, and lets them go whatever becomes of the one that asked for it.

It is armed before anything is frozen and does the freezing itself, so that whoever makes the checkpoint
can neither freeze after it was given up nor keep a guest frozen by dying, standing still or being frozen
along. It lets go when it is asked to, when the limit is reached, when the other process is gone, and when
it is told to end. It writes nothing to any disk before all are let go: that write might wait for itself.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from migrate.protection.holding import THAW_S, Holding
from migrate.protection.members import Members
from migrate.protection.stopping import Stop, await_any
from migrate.protection.telling import BEAT, BEAT_S, FREEZE, RELEASE, TELL_S, Lines, Order, Told
from planner.names import visible
from planner.units import show_duration

# Parts of the limit after which those who are not there yet are left behind; the rest is for the
# checkpoint itself, and for looking whether all were still held.
_PREPARE, _FREEZE = 0.4, 0.6
_STRAGGLER_S = 1.0
_FOREVER = float("inf")


class Watchdog:
    """One attempt at a checkpoint. ``ended`` can be read when this process is told to end."""

    def __init__(
        self, end: socket.socket, order: Order, ended: int, log: Callable[[Order, Told], None]
    ) -> None:
        self._end = end
        self._lines = Lines(end)
        self._order = order
        self._policy = order.policy
        self._ended = ended
        self._log = log
        self._asker = os.pidfd_open(order.process)
        self._members = Members(self._policy, order.checkpoint)
        self._never = Stop()
        self._fired = ""
        self._beat_at = 0.0

    def run(self) -> None:
        """Do what is asked for, and everything to let go; then log what came of it."""
        try:
            self._serve()
        except Exception as error:  # noqa: BLE001 whatever it was, those that are held come first
            self._fired = f"the watchdog met a fault: {type(error).__name__}"
        self._let_go()

    def _serve(self) -> None:
        if not self._tell({"armed": os.getpid()}) or not self._await_word(FREEZE):
            return
        self._hold()
        if not self._fired and self._tell(Told("", self._members.found).dump()) and self._await_word(RELEASE):
            self._step(lambda one, stop: one.look(self._due, stop), 1.0)

    @property
    def _due(self) -> float:
        """The moment at which all have to be let go."""
        held_at = self._members.held_at
        return _FOREVER if held_at is None else held_at + self._policy.freeze_limit_s

    def _hold(self) -> None:
        self._step(lambda one, stop: one.prepare(stop), _PREPARE)
        if self._fired or (self._policy.required and not self._members.reach_it):
            return
        agents_until = time.monotonic() + _FREEZE * self._policy.freeze_limit_s
        self._step(lambda one, stop: one.freeze(agents_until, stop), _FREEZE)

    def _step(self, step: Callable[[Holding, Stop], None], share: float) -> None:
        """Take all members through a step; who is not done after this part of the limit stays behind."""
        stop = Stop()
        self._members.begin(lambda one: step(one, stop))
        said = False
        while not self._members.are_done:
            held_at = self._members.held_at
            part = _FOREVER if held_at is None or said else held_at + share * self._policy.freeze_limit_s
            if why := self._wait(min(part, self._due), self._members.moved):
                self._fired = why
                break
            self._members.quiet()
            if time.monotonic() >= part:
                stop.say()
                said = True
        if self._fired:
            stop.say()
            self._members.join(_STRAGGLER_S)
        if self._members.are_done:
            stop.close()

    def _await_word(self, word: str) -> bool:
        """Wait until the other process says a word; False when all have to be let go before that."""
        self._fired = self._wait(self._due, self._end.fileno())
        if self._fired:
            return False
        if (said := self._lines.hear()) != word:
            self._fired = "the checkpoint was given up" if said else _GONE
        return not self._fired

    def _wait(self, until: float, fd: int) -> str:
        """Wait for a descriptor; return why all have to be let go now, empty when nothing says so."""
        poll = select.poll()
        for each in {fd, self._end.fileno(), self._asker, self._ended}:
            poll.register(each, select.POLLIN)
        ready: dict[int, int] = {}
        while not ready and time.monotonic() < until:
            ready = dict(poll.poll(self._beat(until) * 1000))
        if time.monotonic() >= self._due:
            return f"they were held for {show_duration(self._policy.freeze_limit_s)}, which is the limit"
        if self._ended in ready:
            return "the watchdog was told to end"
        events = ready.get(self._end.fileno(), 0)
        if self._asker in ready or (events and self._lines.is_over):
            return _GONE
        if events and fd != self._end.fileno():
            return "the checkpoint was given up"
        return ""

    def _beat(self, until: float) -> float:
        """Show that we do not stand still, and return how long to wait before the next time."""
        now = time.monotonic()
        if now >= self._beat_at + BEAT_S:
            self._lines.say(BEAT, 0.05)
            self._beat_at = now
        return max(0.0, min(until - now, self._beat_at + BEAT_S - now))

    def _let_go(self) -> None:
        if self._fired:
            self._members.lose(f"it was let go before the checkpoint was made: {self._fired}")
        self._members.begin(lambda one: one.release(self._never))
        hooks_s = self._policy.hook_limit_s if any(one.after for one in self._policy.acting()) else 0.0
        until = time.monotonic() + TELL_S + hooks_s
        while not self._members.are_done and time.monotonic() < until:
            await_any([self._members.moved], self._beat(until))
            self._members.quiet()
        self._tell(Told(self._fired, self._members.found).dump())
        self._members.join(THAW_S + hooks_s)
        self._log(self._order, Told(self._fired, self._members.found))

    def _tell(self, plain: dict[str, Any]) -> bool:
        """Tell the other process, unless it is gone or too slow: then all have to be let go."""
        if not self._lines.say(plain, min(1.0, self._due - time.monotonic())):
            self._fired = self._fired or _GONE
        return not self._fired


_GONE = "the process that asked for it was gone, or did not listen"


def record(order: Order, told: Told) -> str:
    """Return the line of the log that says what was done, harmless to print."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    parts = []
    for one in told.members:
        held = f"held for {one.held_s:.3f} s" if one.held_s else "not held"
        words = [f"{visible(one.name, 60)} {one.consistency}, {held}"]
        words += [one.why] if one.why else []
        words += [f"NOT LET GO FOR CERTAIN: {one.complaint}"] if one.complaint else []
        parts.append(", ".join(words))
    how = f"let go because {told.fired}" if told.fired else "let go when asked"
    return f"{now} {visible(order.policy.group, 60)} {order.checkpoint} {how}: {'; '.join(parts)}\n"


def main() -> None:
    """Serve the one at the other end of the socket whose descriptor is the first argument."""
    end = socket.socket(fileno=int(sys.argv[1]))
    end.set_inheritable(False)
    ended = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    # A handler, not SIG_IGN: hooks would inherit that. Ctrl-C is for whoever asked, and closes the pair.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    signal.signal(signal.SIGTERM, lambda _number, _frame: os.eventfd_write(ended, 1))
    plain = Lines(end).hear()
    if plain is None:
        return
    order = Order.load(plain)
    try:
        watchdog = Watchdog(end, order, ended, _say)
    except ProcessLookupError:
        return  # who asked is gone, and nothing is frozen
    watchdog.run()


def _say(order: Order, told: Told) -> None:
    with suppress(OSError):
        sys.stderr.write(record(order, told))
        sys.stderr.flush()


if __name__ == "__main__":
    main()
