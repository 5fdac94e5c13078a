"""The live driver: performs what ``next_actions`` says, one action at a time, and records it.

It decides nothing. Around every act stand four boundaries (before and after the intent, after the
act, after its outcome) at which the process may die; the ``boundary`` parameter is called at each.
What may go on beside others (``beside``) does, as far as there is room for it; all else is one act after
another. What failed and is not due yet rests, in slices that a pause or a person's retry ends, and the others
go on.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

from migrate.clock import SimulatedClock
from migrate.run.actions import Action, Ask, Decide, Do, Finish, Outcome, Skip, Undo, Wait, next_actions
from migrate.run.beside import BESIDE, TRANSFERS
from migrate.run.crew import Crew, Ended
from migrate.run.growing import Growing
from migrate.run.history import Entry, Event, is_lost
from migrate.run.holding import Holding
from migrate.run.patience import Patience, Spent, Tried
from migrate.run.record import Record
from migrate.run.room_watch import RoomWatch
from migrate.run.runbook import DROP, Step
from migrate.run.watch import Watch
from migrate.steps.kind import Context, StepKind
from planner.errors import NoSpace, Paused, StepFailed, Unreachable, WherryError

_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_SLICE_S = 0.25  # of a rest, after which somebody may have ended it
_ROOM_S = 86_400.0  # so long what takes a datastore's last room is tried to be removed
_LOOK_PAUSES = 5.0  # between two looks at what holds a step up, in first pauses of the patience

Evidence = dict[str, Any]
Opens = Callable[[Step], Evidence | None]


@dataclass(frozen=True, slots=True)
class Told:
    """Something worth saying while a run goes on."""

    step: Step
    event: Event
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why the driver came back: a gate, a decision, the end, or a pause. Exactly one is set."""

    gate: Step | None = None
    decide: Step | None = None
    outcome: Outcome | None = None
    paused: bool = False


class Driver:
    """Drives one run until a gate nobody opened, a decision or its end."""

    def __init__(
        self,
        ctx: Context,
        kinds: Mapping[str, StepKind],
        record: Record,
        *,
        tell: Callable[[Told], None] = lambda told: None,
        boundary: Callable[[str], None] = lambda point: None,
        paused: Callable[[], bool] = lambda: False,
        hurried: Callable[[], str] = lambda: "",
        overlooked: Callable[[], list[Evidence]] = list,
        patience: Callable[[], Patience] = Patience,
        crew: Crew | None = None,
        room: RoomWatch | None = None,
    ) -> None:
        self._ctx = ctx
        self._kinds = kinds
        self._record = record
        self._tell = tell
        self._boundary = boundary
        self._paused = paused
        self._hurried = hurried
        self._overlooked = overlooked
        self._patience = patience
        self._rests: dict[str, tuple[float, float]] = {}  # step → due, and when that is by our own clock
        self._crew = crew or Crew()
        # On a simulated clock nobody can wait beside another; transfers are let, for they tell their time.
        self._beside = TRANSFERS if isinstance(ctx.clock, SimulatedClock) else BESIDE
        self._growing = Growing(ctx, self._note)
        self._room = room
        self._holding = Holding(ctx, kinds, self._note, _LOOK_PAUSES * patience().first_s)

    def drive(self, opens: Opens) -> Stopped:
        """Go on as far as possible. ``opens`` says of a gate with what evidence it is open, None = shut."""
        try:
            return self._drive(opens)
        finally:
            self._crew.halt()

    def _drive(self, opens: Opens) -> Stopped:
        while not self._paused():
            self._growing.look()
            self._give_up()
            history = self._ctx.history
            actions = next_actions(history.runbook, history, self._crew.at_work)
            left_s = [(one, self._rest_s(one)) for one in actions]
            rests_s = [rest_s for _, rest_s in left_s if rest_s > 0]
            if rests_s and (who := self._hurried()):
                self._retry(actions, who)
                continue
            if self._holding.any and self._overlook():
                self._holding.look_anew()
            actions = self._holding.sift([one for one, rest_s in left_s if rest_s <= 0])
            beside = [one for one in actions if isinstance(one, Do) and one.step.kind in self._beside]
            if could := self._crew.could_begin(beside, history.runbook):
                placed = self._holding.placed(could, self._crew.taken())
                for one in self._crew.choose(placed, history.runbook, self._holding.claims):
                    self._begin(one)
                continue
            busy = bool(self._crew.at_work) or (bool(beside) and self._crew.held_up())
            if busy:
                actions = [one for one in actions if one not in beside]
            action, evidence = self._pick(actions, opens) if actions else (None, None)
            idle = evidence is None and isinstance(action, Wait | Decide | Finish)
            held = self._holding.any and evidence is None and isinstance(action, Wait)
            if action is None or ((busy or rests_s) and idle) or held:
                self._await(min([*rests_s, *self._holding.rests_s], default=None))
                continue
            match action:
                case Do():
                    if self._holding.placed([action], self._crew.taken()):
                        self._do(action)
                case Ask():
                    self._ask(action)
                case Undo():
                    self._undo(action)
                case Skip(step, why):
                    self._boundary(f"{step.id} before skip")
                    self._note(step, Event.SKIPPED, self._ctx.history.attempts[step.id], why)
                case Wait(step) if evidence is not None:
                    self._boundary(f"{step.id} before approval")
                    self._note(step, Event.APPROVED, 1, evidence)
                case Wait(step):
                    return Stopped(gate=step)
                case Decide(step):
                    return Stopped(decide=step)
                case Finish(outcome):
                    return Stopped(outcome=outcome)
                case _:
                    assert_never(action)
        while self._crew.at_work:  # they were stopped too
            self._await(None)
        return Stopped(paused=True)

    def _await(self, rest_s: float | None) -> None:
        """Take the end of an act, or rest for a slice; else wait a moment for the acts of others."""
        slice_s = None if rest_s is None else min(rest_s, _SLICE_S)
        if self._crew.at_work:
            looks_s = (self._growing.rest_s, self._room.rest_s if self._room else None)
            within_s = min((one for one in (slice_s, *looks_s) if one is not None), default=None)
            if (ended := self._crew.finish(self._ctx.report, within_s)) is not None:
                self._end(ended)
        elif slice_s is not None:
            self._ctx.clock.sleep(slice_s)
        else:
            self._crew.wait()

    def _give_up(self) -> None:
        """Note which snapshots are given up: what reads them stops, and they are removed."""
        for step, detail in self._room.take() if self._room is not None else ():
            self._boundary(f"{step.id} before giving up")
            self._note(step, Event.GIVEN_UP, self._ctx.history.attempts[step.id], detail)
            self._holding.look_anew()  # before it is taken anew
            self._boundary(f"{step.id} after giving up")

    def _retry(self, actions: list[Action], who: str) -> None:
        """Note that a person wants what rests tried at once, with its whole patience."""
        for action in actions:
            if isinstance(action, Do | Ask | Undo) and self._rest_s(action) > 0:
                attempt = self._ctx.history.attempts[action.step.id]
                self._note(action.step, Event.RETRY, attempt, {"who": who})

    def _overlook(self) -> bool:
        """Note what people had the run overlook since; return whether there was any."""
        known = self._ctx.history.overlooked
        new = [one for one in self._overlooked() if one["request"] not in known]
        for detail in new:
            self._record.append(Entry("", Event.OVERLOOKED, detail=detail))
        return bool(new)

    def _rest_s(self, action: Action) -> float:
        """Return how long it is until an act is due; a clock that was set back makes it no longer."""
        if not isinstance(action, Do | Ask | Undo) or not action.due_s:
            return 0.0
        clock, step = self._ctx.clock, action.step.id
        if self._rests.get(step, (0.0, 0.0))[0] != action.due_s:
            left_s = min(action.due_s - clock.epoch_s(), self._ctx.history.spent[step].pause_s)
            self._rests[step] = action.due_s, clock.now_s() + left_s
        return self._rests[step][1] - clock.now_s()

    def _pick(self, actions: list[Action], opens: Opens) -> tuple[Action, Evidence | None]:
        """Take the first action that goes on by itself, a gate's with the evidence that it is open.

        A failed step does not hold up the others.
        """
        for action in actions:
            if isinstance(action, Do | Ask | Undo | Skip):
                return action, None
            if isinstance(action, Wait) and (evidence := opens(action.step)) is not None:
                return action, evidence
        return next((action for action in actions if isinstance(action, Decide)), actions[0]), None

    def _note(self, step: Step, event: Event, attempt: int, detail: dict[str, Any]) -> None:
        self._record.append(Entry(step.id, event, attempt, detail))
        self._tell(Told(step, event, detail))

    def _fail(
        self, action: Do | Ask | Undo, event: Event, problem: WherryError | OSError, tried: Tried
    ) -> None:
        """Record that it failed, and whether and when it is tried again."""
        step = action.step
        error = problem if isinstance(problem, WherryError) else _as_wherry(step, problem)
        now_s = self._ctx.clock.epoch_s()
        spent = Spent(now_s)
        gives_room = step.kind == DROP and self._gives_room(step.params["snapshot"])
        if step.retried and (error.retryable or gives_room):  # what refuses that now may not later
            patience = self._patience()
            if gives_room:
                patience = replace(patience, others_s=max(_ROOM_S, patience.others_s))
            spent = patience.spend(step.kind, self._ctx.history.spent.get(step.id), now_s, tried)
        self._note(step, event, action.attempt, {**error.as_json(), **spent.as_json()})

    def _gives_room(self, snapshot: str) -> bool:
        history = self._ctx.history
        return history.gives_up(snapshot) and not is_lost(history.given_up[snapshot])

    def _do(self, action: Do) -> None:
        op = self._intend(action)
        watch = self._watch()
        try:
            result = self._kinds[action.step.kind].act(replace(self._ctx, report=watch), action.step, op)
        except (WherryError, OSError) as error:
            self._end(Ended(action, error=error, tried=watch.seen()))
        else:
            self._end(Ended(action, result))

    def _watch(self) -> Watch:
        return Watch(self._ctx.report, self._ctx.clock.now_s)

    def _begin(self, action: Do) -> None:
        """Have the crew do it."""
        op = self._intend(action)
        self._crew.begin(self._ctx, self._kinds[action.step.kind], action, op)

    def _intend(self, action: Do) -> str:
        """Record that an attempt begins and return its key."""
        step, attempt = action.step, action.attempt
        op = self._ctx.op(step, attempt)
        self._boundary(f"{step.id} before intent")
        self._note(step, Event.INTENT, attempt, {})
        self._boundary(f"{step.id} after intent")
        return op

    def _end(self, ended: Ended) -> None:
        """Record how an act ended."""
        action, error = ended.action, ended.error
        step, attempt = action.step, action.attempt
        if isinstance(error, WherryError | OSError) and self._room and self._room.explains(step, error):
            self._give_up()
            error = self._room.too_often(step) or Paused("its snapshot is gone", "it is made anew")
        if isinstance(error, OSError):
            error = _as_wherry(step, error)
        if isinstance(error, Unreachable):
            self._ask(Ask(step, attempt), error, ended.tried)  # it may have happened
        elif isinstance(error, Paused):
            self._note(step, Event.NOT_DONE, attempt, {})
        elif isinstance(error, WherryError):
            self._fail(action, Event.FAILED, error, ended.tried)
        elif error is not None:
            raise error
        else:
            self._boundary(f"{step.id} after act")
            self._note(step, Event.DONE, attempt, ended.result or {})
            self._boundary(f"{step.id} after outcome")

    def _ask(self, action: Ask, unanswered: Unreachable | None = None, tried: Tried | None = None) -> None:
        """Record what the world says. ``unanswered`` is why the act itself did not say it."""
        step, attempt, watch = action.step, action.attempt, self._watch()
        try:
            result = self._kinds[step.kind].verify(self._ctx, step, self._ctx.op(step, attempt))
        except Unreachable as error:
            self._fail(action, Event.UNKNOWN, error, tried or watch.seen())
            return
        except WherryError as error:
            self._fail(action, Event.FAILED, error, tried or watch.seen())
            return
        if result is not None:
            self._note(step, Event.DONE, attempt, {**result, "asked": True})
        elif unanswered is not None:
            self._fail(action, Event.FAILED, unanswered, tried or watch.seen())
        else:
            self._note(step, Event.NOT_DONE, attempt, {})

    def _undo(self, action: Undo) -> None:
        step, attempt = action.step, action.attempt
        self._boundary(f"{step.id} before undo intent")
        self._note(step, Event.UNDO_INTENT, attempt, {})
        self._boundary(f"{step.id} after undo intent")
        watch = self._watch()
        try:
            ctx = replace(self._ctx, report=watch)
            result = self._kinds[step.kind].undo(ctx, step, ctx.op(step, attempt, "undo"))
        except Paused:  # begun and not over, as after a death: it is asked for again
            return
        except (WherryError, OSError) as error:  # it may have happened, and is then harmless to do again
            self._fail(action, Event.UNDO_FAILED, error, watch.seen())
            return
        self._boundary(f"{step.id} after undo")
        self._note(step, Event.UNDONE, attempt, result)
        self._boundary(f"{step.id} after undo outcome")


def _as_wherry(step: Step, error: OSError) -> WherryError:
    if isinstance(error, ConnectionError | TimeoutError) or error.errno in _NO_WAY:
        return Unreachable(f"{step.title}: {error.strerror or error}", "look at the line, then retry")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(f"{step.title}: no space is left on a disk", "free space, then run the verb again")
    return StepFailed(f"{step.title}: {error.strerror or error}", "look at the site, then retry")
