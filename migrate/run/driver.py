"""The live driver: performs what ``next_actions`` says, one action at a time, and records it.

It decides nothing. Around every act stand four boundaries (before and after the intent, after the
act, after its outcome) at which the process may die; the ``boundary`` parameter is called at each.
Transfers may go on at the same time, as the crew's limits allow, and probes and hooks beside everything
else; all else is one act after another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from migrate.clock import SimulatedClock
from migrate.run.actions import Action, Ask, Decide, Do, Finish, Outcome, Skip, Undo, Wait, next_actions
from migrate.run.crew import Crew, Ended
from migrate.run.history import Entry, Event
from migrate.run.holding import Holding
from migrate.run.record import Record
from migrate.run.runbook import Step
from migrate.steps.kind import Context, StepKind
from planner.errors import NoSpace, Paused, StepFailed, Unreachable, WherryError

_LONGEST_PAUSE_S = 30.0
_LOOK_PAUSES = 5.0  # between two looks at what holds a step up, in pauses of the driver

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
        pause_s: float = 1.0,
        crew: Crew | None = None,
    ) -> None:
        self._ctx = ctx
        self._kinds = kinds
        self._record = record
        self._tell = tell
        self._boundary = boundary
        self._paused = paused
        self._pause_s = pause_s
        self._crew = crew or Crew()
        self._holding = Holding(ctx, kinds, self._note, _LOOK_PAUSES * pause_s)

    def drive(self, opens: Opens) -> Stopped:
        """Go on as far as possible. ``opens`` says of a gate with what evidence it is open, None = shut.

        Raises Unreachable when the outcome of a step cannot be asked; the record then still says
        "started", and the next drive asks again.
        """
        try:
            return self._drive(opens)
        finally:
            self._crew.halt()

    def _drive(self, opens: Opens) -> Stopped:
        while not self._paused():
            history = self._ctx.history
            actions = self._holding.sift(next_actions(history.runbook, history, self._crew.at_work))
            transfers = [one for one in actions if isinstance(one, Do) and one.step.kind == "transfer"]
            chosen = self._crew.choose(transfers)
            if not isinstance(self._ctx.clock, SimulatedClock):  # on which nobody can wait beside another
                chosen += self._crew.aside([one for one in actions if isinstance(one, Do)])
            if chosen:
                for one in chosen:
                    self._begin(one)
                continue
            busy = bool(self._crew.at_work) or (bool(transfers) and self._crew.held_up())
            if busy:
                actions = [one for one in actions if one not in transfers]
            action, evidence = self._pick(actions, opens) if actions else (None, None)
            idle = evidence is None and isinstance(action, Wait | Decide | Finish)
            held = self._holding.any and evidence is None and isinstance(action, Wait)
            if action is None or (busy and idle) or held:
                self._await_crew()
                continue
            match action:
                case Do():
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
            self._await_crew()
        return Stopped(paused=True)

    def _await_crew(self) -> None:
        """Take the end of an act; when none of ours is at work, wait a moment for what others do."""
        if self._crew.at_work:
            if (ended := self._crew.finish(self._ctx.report, looks=self._holding.any)) is not None:
                self._end(ended)
        elif self._holding.any:
            self._holding.rest(self._paused)
        else:
            self._crew.wait()

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

    def _fail(self, step: Step, event: Event, attempt: int, problem: WherryError | OSError) -> None:
        error = problem if isinstance(problem, WherryError) else _as_wherry(step, problem)
        self._note(step, event, attempt, error.as_json())
        tries = self._ctx.history.tries.get(step.id, 1)
        if error.retryable and tries < step.attempts:
            self._ctx.clock.sleep(min(self._pause_s * 2 ** (tries - 1), _LONGEST_PAUSE_S))

    def _do(self, action: Do) -> None:
        op = self._intend(action)
        try:
            result = self._kinds[action.step.kind].act(self._ctx, action.step, op)
        except (WherryError, OSError) as error:
            self._end(Ended(action, error=error))
        else:
            self._end(Ended(action, result))

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
        if isinstance(error, Unreachable):
            self._ask(Ask(step, attempt), unanswered=error)  # it may have happened
        elif isinstance(error, Paused):
            self._note(step, Event.NOT_DONE, attempt, {})
        elif isinstance(error, WherryError | OSError):
            self._fail(step, Event.FAILED, attempt, error)
        elif error is not None:
            raise error
        else:
            self._boundary(f"{step.id} after act")
            self._note(step, Event.DONE, attempt, ended.result or {})
            self._boundary(f"{step.id} after outcome")

    def _ask(self, action: Ask, unanswered: Unreachable | None = None) -> None:
        """Record what the world says. ``unanswered`` is why the act itself did not say it."""
        step, attempt = action.step, action.attempt
        try:
            result = self._kinds[step.kind].verify(self._ctx, step, self._ctx.op(step, attempt))
        except Unreachable:
            raise
        except WherryError as error:
            self._fail(step, Event.FAILED, attempt, error)
            return
        if result is not None:
            self._note(step, Event.DONE, attempt, {**result, "asked": True})
        elif unanswered is not None:
            self._fail(step, Event.FAILED, attempt, unanswered)
        else:
            self._note(step, Event.NOT_DONE, attempt, {})

    def _undo(self, action: Undo) -> None:
        step, attempt = action.step, action.attempt
        self._boundary(f"{step.id} before undo intent")
        self._note(step, Event.UNDO_INTENT, attempt, {})
        self._boundary(f"{step.id} after undo intent")
        try:
            result = self._kinds[step.kind].undo(self._ctx, step, self._ctx.op(step, attempt, "undo"))
        except Unreachable:
            raise
        except (WherryError, OSError) as error:
            self._fail(step, Event.UNDO_FAILED, attempt, error)
            return
        self._boundary(f"{step.id} after undo")
        self._note(step, Event.UNDONE, attempt, result)
        self._boundary(f"{step.id} after undo outcome")


def _as_wherry(step: Step, error: OSError) -> WherryError:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(f"{step.title}: no space is left on a disk", "free space, then run the verb again")
    return StepFailed(f"{step.title}: {error.strerror or error}", "look at the site, then retry")
