"""Steps whose turn has come and that somebody else holds up: they are looked at again until they may begin.

What each waits for is an entry of the record, once: people read there why nothing goes on, and since when.
Several are looked at at the same time, for looking takes the time of a site.

    held      what somebody else does at the site, looked at as soon as the turn has come
    places    what reading a disk takes there, looked at when nothing else is in the way of a step
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from migrate.claims import Claim, Standing, taken_by
from migrate.clock import SimulatedClock
from migrate.run.actions import Action, Do
from migrate.run.history import Event
from migrate.run.runbook import Step
from migrate.steps.kind import Context, Holds, Result, StepKind, Takes
from planner.errors import WherryError
from planner.store.project import utc_now

_LOOKERS = 16
Note = Callable[[Step, Event, int, Result], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Look:
    """When a step was looked at, and what it waited for then."""

    at_s: float
    found: Result | None


class Holding:
    """What holds up the steps of one run; each is looked at every ``look_s`` seconds at most.

    ``claims`` is what steps take at their site, by step, as it was when they were ``placed``.
    """

    def __init__(self, ctx: Context, kinds: Mapping[str, StepKind], note: Note, look_s: float) -> None:
        self._ctx = ctx
        self._kinds = kinds
        self._note = note
        self._look_s = look_s
        self._looked: dict[str, _Look] = {}
        self._full: dict[str, _Look] = {}  # steps without a place
        self.claims: dict[str, tuple[Claim, ...]] = {}
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
        steps = [one for one in actions if isinstance(one, Do)]
        holds = [one for one in steps if isinstance(self._kinds[one.step.kind], Holds)]
        due = [one for one in holds if self._is_old(self._looked.get(one.step.id))]
        now_s = self._ctx.clock.now_s()
        for action, found in zip(due, self._all(self._held, due), strict=True):
            self._looked[action.step.id] = _Look(now_s, found)
            self._say(action, found)
        looks = {one.step.id: self._looked[one.step.id] for one in holds}
        fulls = {one.step.id: self._full.get(one.step.id) for one in steps}
        looks |= {step: look for step, look in fulls.items() if look is not None and not self._is_old(look)}
        held = {step: look for step, look in looks.items() if look.found is not None}
        until_s = self._look_s - self._ctx.clock.now_s()
        self.rests_s = [max(look.at_s + until_s, 0.001) for look in held.values()]
        return [one for one in actions if not (isinstance(one, Do) and one.step.id in held)]

    def placed(self, actions: list[Do], taken: Counter[tuple[str, str]]) -> list[Do]:
        """Return those for which there is a place at the site; ``claims`` says what they take there.

        ``taken`` is what this process has begun, whose disks may not be open yet. The others are told, and
        ``sift`` leaves them out until the next look.
        """
        now_s, placed = self._ctx.clock.now_s(), []
        takers = [one for one in actions if isinstance(self._kinds[one.step.kind], Takes)]
        standings = dict(zip((one.step.id for one in takers), self._all(self._takes, takers), strict=True))
        for action in actions:
            found = standings.get(action.step.id, ())
            full = (one for one in found if not one.is_open(taken[one.claim.place]))
            if (missing := next(full, None)) is None:
                self.claims[action.step.id] = claims = tuple(one.claim for one in found)
                taken += taken_by(claims)
                placed.append(action)
            else:
                why = {"why": missing.says}
                self._full[action.step.id] = _Look(now_s, why)
                self._say(action, why)
        return placed

    def _is_old(self, look: _Look | None) -> bool:
        return look is None or self._ctx.clock.now_s() - look.at_s >= self._look_s

    def _all(self, look: Callable[[Do], T], actions: Sequence[Do]) -> list[T]:
        """Return what a look finds at each step, several at a time where looking takes any."""
        if len(actions) < 2 or isinstance(self._ctx.clock, SimulatedClock):
            return [look(action) for action in actions]
        with ThreadPoolExecutor(min(_LOOKERS, len(actions)), "wherry-look") as pool:
            return list(pool.map(look, actions))

    def _held(self, action: Do) -> Result | None:
        kind = self._kinds[action.step.kind]
        assert isinstance(kind, Holds), "others are not looked at"
        try:
            return kind.held(self._ctx, action.step)
        except (WherryError, OSError):
            return None  # acting runs into the same, and says it

    def _takes(self, action: Do) -> tuple[Standing, ...]:
        kind = self._kinds[action.step.kind]
        try:
            return kind.takes(self._ctx, action.step) if isinstance(kind, Takes) else ()
        except (WherryError, OSError):
            return ()  # the same

    def _say(self, action: Do, found: Result | None) -> None:
        known = self._ctx.history.held.get(action.step.id, {})
        if found is not None and any(known.get(key) != value for key, value in found.items()):
            since = known.get("since") or utc_now()
            self._note(action.step, Event.HELD, action.attempt, {**found, "since": since})
