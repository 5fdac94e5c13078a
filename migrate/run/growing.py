"""Snapshots that passes read from: how old they get, and whether the room that they grow into runs short.

What is written meanwhile lies beside the disks, on the same datastores. That is told once when it begins and
once when it is over, as entries of the step that took the snapshot. A site that has nothing to run out, as a
lab, is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from migrate.clock import SimulatedClock
from migrate.run.history import Event, Status
from migrate.run.runbook import Step
from migrate.sites.ports import Watched
from migrate.steps.kind import Context, Result
from planner.errors import WherryError
from planner.names import visible
from planner.units import show_duration

OLD_S = 24 * 3600.0
_LOOK_S = 60.0
Note = Callable[[Step, Event, int, Result], None]


class Growing:
    """Looks after the open snapshots of one run, once a minute. For the driver's own thread."""

    def __init__(self, ctx: Context, note: Note, *, look_s: float = _LOOK_S, old_s: float = OLD_S) -> None:
        self._ctx = ctx
        self._note = note
        self._look_s = look_s
        self._old_s = old_s
        self._looked_s = float("-inf")
        self._site: Watched | None = None
        if isinstance(ctx.source, Watched) and not isinstance(ctx.clock, SimulatedClock):
            self._site = ctx.source

    @property
    def rest_s(self) -> float | None:
        """Seconds to the next look, None when there is nothing to look at."""
        if self._site is None or next(self._open(), None) is None:
            return None
        return max(self._looked_s + self._look_s - self._ctx.clock.now_s(), 0.001)

    def look(self) -> None:
        """Look at all open snapshots, when it is time, and tell what has changed."""
        now_s = self._ctx.clock.now_s()
        if (site := self._site) is None or now_s - self._looked_s < self._look_s:
            return
        self._looked_s = now_s
        for step in list(self._open()):
            try:
                why = "; ".join(self._found(site, step))
            except (WherryError, OSError):
                continue  # it says nothing now
            known = self._ctx.history.watched.get(step.id, {}).get("why", "")
            if why != known:
                self._note(step, Event.WATCHED, self._ctx.history.attempts[step.id], {"why": why})

    def _open(self) -> Iterator[Step]:
        """Yield the steps whose snapshots are there: taken, and not removed yet."""
        history = self._ctx.history
        for step in history.runbook.steps:
            if step.kind == "snapshot" and history.status[step.id] is Status.DONE:
                users = (history.runbook.step(user) for user in history.runbook.dependents[step.id])
                if any(history.status[user.id] not in (Status.DONE, Status.SKIPPED) for user in users):
                    yield step

    def _found(self, site: Watched, step: Step) -> Iterator[str]:
        taken_s = self._ctx.result(step.id).get("at_s")
        if taken_s is not None and self._ctx.clock.epoch_s() - float(taken_s) >= self._old_s:
            yield f"it is over {show_duration(self._old_s)} old"
        short = {why for vm in step.params["vms"] if (why := site.snapshot_waits(vm))}
        for why in sorted(short):
            yield f"it grows, and there is too little {visible(why, 120)}"
