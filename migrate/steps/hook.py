"""hook: a program of the operator at a place of the runbook. It runs at most once for each attempt.

    forward           run it; its end is in the record, 0 is well
    with ``back``     nothing forward; on the way back, when the sources run again, run it or say it

After a crash the marks on the disk say how it ended, or that it never began; where they say neither, a
person decides. Nothing is undone: what takes a hook back is a hook at ``on-rollback``.
"""

from __future__ import annotations

from typing import Any

from migrate.programs.running import Ended
from migrate.run.history import Event
from migrate.run.runbook import Step
from migrate.steps.kind import Context, Result
from migrate.steps.outside import outside
from planner.errors import StepFailed
from planner.names import visible
from planner.units import show_duration

_MODELLED_S = 10.0  # of a program of which nobody said how long it takes
_AGAIN = "put it right and carry the wave on, which runs it again; or pass it over: wherry run skip"


class Hook:
    """Run a program once."""

    def plan(self, step: Step) -> str:
        """Describe what is run or said."""
        params = step.params
        if params["refused"]:
            return f"would fail: {visible(params['refused'])}"
        said = f"a person: {visible(params['says'])}" if params["says"] else f"run {_line(params['argv'])}"
        if not params["says"]:
            said += f", at most {show_duration(params['timeout_s'])}"
        return f"on the way back only: {said}" if params["back"] else said

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Run it; raises StepFailed when it ends with anything but 0. One for the way back waits."""
        return {"kept": True} if step.params["back"] else _run(ctx, step, op)

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask the marks; raises StepFailed when it ended badly, or nobody knows how."""
        if step.params["back"]:
            return {"kept": True}
        return _known(ctx, step, op)

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Do on the way back what is done there; an optional one that fails is noted."""
        if not step.params["back"]:
            return {}
        try:
            return self._back(ctx, step, op)
        except StepFailed as error:
            if not step.optional:
                raise
            return {"passed_over": error.message}

    def _back(self, ctx: Context, step: Step, op: str) -> Result:
        if step.params["says"]:
            return _said(ctx, step)
        for attempt in _unanswered(ctx, step):
            if (known := _known(ctx, step, ctx.op(step, attempt, "undo"))) is not None:
                return known
        return _run(ctx, step, op)


def _run(ctx: Context, step: Step, op: str) -> Result:
    params = step.params
    if params["refused"]:
        raise StepFailed(f"{step.title}: {visible(params['refused'])}", params["hint"])
    if (world := outside(ctx)) is None:
        ctx.clock.sleep(params["takes_s"] or _MODELLED_S)
        return {"modelled": True}
    try:
        ended = world.programs.run(op, params["argv"], params["environment"], params["timeout_s"])
    except StepFailed as error:
        raise _unknown(step, error) from error
    return _concluded(step, ended)


def _known(ctx: Context, step: Step, op: str) -> Result | None:
    if (world := outside(ctx)) is None:
        return None
    try:
        ended = world.programs.look(op, step.params["timeout_s"], ctx.clock.sleep)
    except StepFailed as error:
        raise _unknown(step, error) from error
    return None if ended is None else _concluded(step, ended)


def _concluded(step: Step, ended: Ended) -> Result:
    if not ended.ok:
        last = f": {visible(ended.last_line, 200)}" if ended.last_line else ""
        raise StepFailed(f"{step.title} {ended.why}{last}", _AGAIN)
    said: Result = {"argv": step.params["argv"], "code": ended.code, "seconds": ended.seconds}
    if ended.output:
        said["output"] = ended.output
    if ended.dropped_bytes:
        said["dropped_bytes"] = ended.dropped_bytes
    return said


def _unknown(step: Step, error: StepFailed) -> StepFailed:
    return StepFailed(f"{step.title}: {error.message}", error.hint)


def _said(ctx: Context, step: Step) -> Result:
    """Take a person's "again" for the word that it is done: the way back has no gates."""
    if outside(ctx) is None:
        ctx.clock.sleep(step.params["takes_s"] or _MODELLED_S)
        return {"modelled": True}
    if any(entry.step == step.id and entry.event is Event.RETRY for entry in ctx.history.entries):
        return {"says": step.params["says"], "said": True}
    raise StepFailed(
        f"{step.title} waits for a person: {visible(step.params['says'])}",
        "do it, then go on with the way back: that says it is done",
    )


def _unanswered(ctx: Context, step: Step) -> list[int]:
    """Return the attempts on the way back of which no end is recorded: their process died."""
    found: list[int] = []
    mine = [entry for entry in ctx.history.entries if entry.step == step.id]
    for entry in mine[:-1]:  # the last is the intent of this attempt
        if entry.event is Event.UNDO_INTENT:
            found.append(entry.attempt)
        elif entry.event in (Event.UNDO_FAILED, Event.RETRY):
            found.clear()
    return found


def _line(argv: list[Any]) -> str:
    return visible(" ".join(map(str, argv)), 80)
