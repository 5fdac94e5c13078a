"""halt and resume: a VM goes down for a remedy and comes back, whatever became of the remedy.

    forward   halt ─▶ fixes ─▶ resume       back   stop ─▶ fixes undone ─▶ start

A guest is asked, never forced: a remedy is worth no unclean stop. What ran when the run began runs when
it ends; what was off stays off.
"""

from __future__ import annotations

from migrate.run.history import History
from migrate.run.runbook import Step
from migrate.sites.ports import VMState
from migrate.steps.kind import Context, Result
from migrate.steps.look import looked, seen
from planner.errors import StepFailed
from planner.model import Power
from planner.units import show_duration

_PROBE_EVERY_S = 1.0


class Halt:
    """Shut a VM down in order, if an outage was agreed to."""

    def plan(self, step: Step) -> str:
        """Describe the stop."""
        if not step.params["outage"]:
            return "make sure that it is off; it is not stopped"
        return f"shut its guest down within {show_duration(step.params['stop_timeout_s'])}, never forced"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Stop it; raises StepFailed when it may not be stopped or its guest does not listen."""
        ctx.need(step.params["look"])
        found = _there(ctx, step)
        if found.power is Power.OFF:
            return {"ran": _by(found, f"{ctx.run}/{step.id}/do")}
        if found.power is not Power.ON:
            raise StepFailed(f"{step.title}: the VM is {found.power.value}", "power it on or off first")
        if not step.params["outage"]:
            raise StepFailed(
                f"{step.title}: it runs, and no outage was agreed to", "add --with-outage, or stop it first"
            )
        _shut_down(ctx, step, op)
        return {"ran": True}

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask whether it is off, and whether this step did it."""
        found = _there(ctx, step)
        return {"ran": _by(found, f"{ctx.run}/{step.id}/do")} if found.power is Power.OFF else None

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Start it again if it was this run that stopped it."""
        found = _there(ctx, step)
        back = ctx.history.undone.get(step.params["resume"])
        ran = back["ran"] if back is not None else _stopped_by_halt(ctx, step, found)
        if not ran or found.power is Power.ON:
            return {"started": False}
        return _start(ctx, step, op)


class Resume:
    """Start a VM that was stopped for a remedy, and wait until it answers."""

    def plan(self, step: Step) -> str:
        """Describe the start."""
        limit = show_duration(step.params["probe_timeout_s"])
        return f"power it on if it ran before, and wait until it answers, at most {limit}"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Start it if it was stopped here; raises StepFailed when it does not answer."""
        if not ctx.result(step.params["look"]):
            return {"started": False}  # nobody found it, so nobody stopped it
        found = _there(ctx, step)
        if found.power is Power.ON:
            return {"started": _by(found, f"{ctx.run}/{step.id}/do"), "health": _answer(ctx, step)}
        if not _stopped_by_halt(ctx, step, found):
            return {"started": False}
        return _start(ctx, step, op)

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Say that it did not happen unless it is on; a start that is asked for again is none."""
        found = ctx.source.observe(step.params["vm"])
        return self.act(ctx, step, op) if found is not None and found.power is Power.ON else None

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Stop it, if something has to be taken back for which it must be off.

        The result's ``ran`` says whether it has to be started at the end of the way back.
        """
        found = _there(ctx, step)
        if found.power is Power.ON:
            mine = any(to_take_back(ctx.history, fix) for fix in step.params["fixes"])
            if not mine or not _differs(ctx, step):
                return {"ran": False, "stopped": False}
            _shut_down(ctx, step, op)
            return {"ran": True, "stopped": True}
        if _by(found, f"{ctx.run}/{step.id}/undo"):  # before a crash
            return {"ran": True, "stopped": True}
        finished = step.id in ctx.history.results
        return {"ran": not finished and _stopped_by_halt(ctx, step, found), "stopped": False}


def _there(ctx: Context, step: Step) -> VMState:
    found = ctx.source.observe(step.params["vm"])
    if found is None:
        raise StepFailed(
            f"{step.title}: the VM is not at site {ctx.source.name}", "find out who removed it, then retry"
        )
    return found


def _by(found: VMState, prefix: str) -> bool:
    """Return whether the VM's last power operation is an attempt with that key."""
    return found.last_power_op.startswith(prefix)


def _stopped_by_halt(ctx: Context, step: Step, found: VMState) -> bool:
    """Return whether the VM was stopped for the remedy: by the site's word, or as the run asked for."""
    halt = step.params.get("halt", step.id)
    if _by(found, f"{ctx.run}/{halt}/do"):
        return True
    if halt in ctx.history.results:
        return bool(ctx.result(halt).get("ran"))
    # Asked to stop, and it went down after the time was over or by a person's hand.
    return ctx.history.tried(halt) and bool(ctx.result(step.params["look"]).get("ran"))


def to_take_back(history: History, fix: str) -> bool:
    """Return whether a step may have changed something that was not taken back yet."""
    if fix in history.undone:
        return False
    done = history.results.get(fix)
    return history.tried(fix) if done is None else bool(done["changed"])


def _differs(ctx: Context, step: Step) -> bool:
    """Return whether what a VM must be off for is another than when it was looked at."""
    before, now = looked(ctx, step), seen(ctx, step)
    return (before.hw_version, before.modes) != (now.hw_version, now.modes)


def _shut_down(ctx: Context, step: Step, op: str) -> None:
    timeout_s = step.params["stop_timeout_s"]
    if not ctx.source.shut_down(step.params["vm"], op, timeout_s):
        raise StepFailed(
            f"{step.title}: its guest did not shut down within {show_duration(timeout_s)}",
            "shut it down from inside, then run the verb again; nothing is forced",
        )


def _start(ctx: Context, step: Step, op: str) -> Result:
    ctx.source.power_on(step.params["vm"], op)
    return {"started": True, "health": _answer(ctx, step)}


def _answer(ctx: Context, step: Step) -> str:
    """Wait until the guest answers and return what it said; raises StepFailed when the time is over."""
    limit_s = step.params["probe_timeout_s"]
    begin = ctx.clock.now_s()
    while True:
        health = ctx.source.probe(step.params["vm"])
        if health.ok:
            return health.detail
        if ctx.clock.now_s() - begin >= limit_s:
            raise StepFailed(
                f"{step.title}: the VM does not answer: {health.detail}", "look into the VM, then retry"
            )
        ctx.clock.sleep(_PROBE_EVERY_S)
