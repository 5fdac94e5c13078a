"""What time alone brings: gates by the clock, ends of commit windows, appointments, each as an order.

Worked out anew when the project has changed or something has come; in between only a clock is read. What
did not work is tried again after a minute, then later and later; what needs a person is sounded once.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrate.gates.due import Cause, Due, next_due, sound
from migrate.notices.notice import of_alarm
from migrate.run import controls, orders
from migrate.run import store as runs
from migrate.run.waves import standing_waves
from migrate.schedule import calendar
from planner.errors import NotFound
from planner.store import plans

if TYPE_CHECKING:
    from migrate.notices.notice import Notice
    from planner.store.project import Project

_LOG = logging.getLogger(__name__)
_LEAST_S = 2.0  # between two looks at a project that changes all the time
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(minutes=15)


class Times:
    """The calendar of one engine."""

    def __init__(
        self,
        project: Project,
        tell: Callable[[Notice], None] = lambda notice: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tell = tell
        self._project = project
        self._clock = clock
        self._next: datetime | None = None
        self._looked_at = float("-inf")
        self._stale = True
        self._tried: dict[tuple[str, int, str], tuple[datetime, timedelta]] = {}
        self.waits = False
        self.ordered = False

    def look(self, changed: bool) -> None:
        """Do what has come.

        ``ordered`` then says whether that was an order, ``waits`` whether anything waits for time or a
        person.
        """
        self.ordered = False
        self._stale = self._stale or changed
        now = self._clock()
        come = self._next is not None and self._next <= now
        if not (self._stale or come) or time.monotonic() - self._looked_at < _LEAST_S:
            return
        self._looked_at, self._stale = time.monotonic(), False
        due = next_due(self._project, now)
        for one in due:
            if one.at <= now:
                self._do(one, now)
        self._next = min((self._at(one) for one in due if self._at(one) > now), default=None)
        self.waits = bool(due) or self._unfinished()

    def _at(self, due: Due) -> datetime:
        tried = self._tried.get(_key(due))
        return due.at if tried is None else max(due.at, tried[0])

    def _do(self, due: Due, now: datetime) -> None:
        key = _key(due)
        if self._at(due) > now or self._is_taken(due):
            return
        if not due.purpose:
            _LOG.warning("%s: %s", due.wave, due.why)
            sound(self._project, due)
            self._tell(of_alarm(self._project.name, due.wave, due.why))
            return
        _, wait = self._tried.get(key, (now, _FIRST_WAIT / 2))
        wait = min(wait * 2, _LONGEST_WAIT)
        self._tried[key] = now + wait, wait
        _LOG.info("%s: %s, so %s", due.wave, due.why, due.purpose)
        who, options = self._in_whose_name(due)
        orders.place(self._project, due.wave, due.purpose, options, who)
        if due.cause is Cause.CYCLE:
            orders.forget_cycles(self._project, due.wave)
        self.ordered = True

    def _is_taken(self, due: Due) -> bool:
        """Return whether the wave has an open order; a cycle is asked to make way for anything else."""
        mine = [order for order in orders.waiting(self._project) if order.wave == due.wave]
        for order in mine:
            makes_way = order.options.get("cycle") and due.cause not in (Cause.CYCLE, Cause.BREACH)
            if makes_way and controls.asked_by(self._project, due.wave) is None:
                controls.ask_to_pause(self._project, due.wave)
        return bool(mine) and due.cause is not Cause.BREACH

    def _in_whose_name(self, due: Due) -> tuple[str, dict[str, Any]]:
        """Return who orders it, and with what options: an appointment's person, else nobody who speaks."""
        if due.cause is not Cause.APPOINTMENT:
            cycle = {"cycle": True} if due.cause is Cause.CYCLE else {}
            return f"time: {due.why}", {"uid": os.getuid(), "speaks": False, **cycle}
        entry = calendar.get(self._project, due.number)
        calendar.end(self._project, due.number, "begun")
        return entry.who, {"uid": entry.uid, "ticket": entry.ticket}

    def _unfinished(self) -> bool:
        """Return whether a run is under way that waits for somebody."""
        try:
            newest = plans.head(self._project).version
        except NotFound:
            return False
        return any(
            row.history is not None and runs.outcome(row.history) is None
            for row in standing_waves(self._project, newest)
        )


def _key(due: Due) -> tuple[str, int, str]:
    """Return what tells one thing that time brings from another: a run has several gates."""
    return due.cause.value, due.number, due.why
