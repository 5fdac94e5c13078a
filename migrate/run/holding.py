"""Steps whose turn has come and that somebody else holds up: they are looked at again until they may begin.

What each waits for is an entry of the record, once: people read there why nothing goes on, and since when.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from migrate.clock import SimulatedClock
from migrate.run.actions import Action, Do
from migrate.run.history import Event
from migrate.run.runbook import Step
from migrate.steps.kind import Context, Holds, Result, StepKind
from planner.errors import WherryError
from planner.store.project import utc_now

_LOOKERS = 16
Note = Callable[[Step, Event, int, Result], None]


class Holding:
    """What holds up the steps of one run; each is looked at every ``look_s`` seconds at most."""

    def __init__(self, ctx: Context, kinds: Mapping[str, StepKind], note: Note, look_s: float) -> None:
        self._ctx = ctx
        self._kinds = kinds
        self._note = note
        self._look_s = look_s
        self._looked: dict[str, tuple[float, Result | None]] = {}
        self.rests_s: list[float] = []

    @property
    def any(self) -> bool:
        """True when a step of the last ``sift`` waits; ``rests_s`` are the seconds to the next looks."""
        return bool(self.rests_s)

    def look_anew(self) -> None:
        """Look at once at what was found to be in the way: less may be."""
        self._looked.clear()

    def sift(self, actions: list[Action]) -> list[Action]:
        """Return the actions without steps that have to wait."""
        due = [
            one for one in actions if isinstance(one, Do) and isinstance(self._kinds[one.step.kind], Holds)
        ]
        self._look_at([one for one in due if self._is_due(one.step)])
        held = {one.step.id for one in due if self._looked[one.step.id][1] is not None}
        until_s = self._look_s - self._ctx.clock.now_s()
        self.rests_s = [max(self._looked[step][0] + until_s, 0.001) for step in held]
        return [one for one in actions if not (isinstance(one, Do) and one.step.id in held)]

    def _is_due(self, step: Step) -> bool:
        looked_s, _ = self._looked.get(step.id, (float("-inf"), None))
        return self._ctx.clock.now_s() - looked_s >= self._look_s

    def _look_at(self, actions: list[Do]) -> None:
        """Look at several steps at the same time, where looking takes any, and say what was found."""
        now_s = self._ctx.clock.now_s()
        if len(actions) > 1 and not isinstance(self._ctx.clock, SimulatedClock):
            with ThreadPoolExecutor(min(_LOOKERS, len(actions)), "wherry-look") as pool:
                found = list(pool.map(self._look, actions))
        else:
            found = [self._look(action) for action in actions]
        for action, what in zip(actions, found, strict=True):
            self._looked[action.step.id] = now_s, what
            if what is not None:
                self._say(action, what)

    def _look(self, action: Do) -> Result | None:
        kind = self._kinds[action.step.kind]
        assert isinstance(kind, Holds), "others are not looked at"
        try:
            return kind.held(self._ctx, action.step)
        except (WherryError, OSError):
            return None  # acting runs into the same, and says it

    def _say(self, action: Do, found: Result) -> None:
        known = self._ctx.history.held.get(action.step.id, {})
        if any(known.get(key) != value for key, value in found.items()):
            since = known.get("since") or utc_now()
            self._note(action.step, Event.HELD, action.attempt, {**found, "since": since})
