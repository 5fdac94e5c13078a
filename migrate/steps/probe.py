"""probe: wait until what runs in the guest answers: its tools, a port, a page, a program's word.

Runbooks of before there were several kinds ask for the tools. The record holds what was asked, what came
back and how long that took.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from migrate.run.runbook import Step
from migrate.sites.ports import FullSite, Health
from migrate.steps.kind import Context, Repeatable, Result
from migrate.steps.outside import Outside, outside
from planner.conduct import ProbeKind
from planner.errors import Paused, StepFailed
from planner.model import Power
from planner.names import visible
from planner.units import show_duration

if TYPE_CHECKING:
    from migrate.probes.question import Question

_MODELLED_S = {ProbeKind.TCP: 0.1, ProbeKind.HTTP: 0.5, ProbeKind.TLS: 0.2, ProbeKind.COMMAND: 3.0}


class Probe(Repeatable):
    """Ask again and again until it is well, or the time is over."""

    def plan(self, step: Step) -> str:
        """Describe the probe."""
        limit = f"at most {show_duration(step.params['timeout_s'])}"
        if not (asked := step.params.get("ask")):
            return f"probe until it answers, {limit}"
        from migrate.probes.question import load_question

        question = load_question(asked)
        if question.refused:
            return f"would fail: {visible(question.refused)}"
        return f"{question.words}, {limit}" + (", holds nobody up" if step.optional else "")

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Ask; raises StepFailed when the time is over or it cannot be asked, Paused when the run stops."""
        from migrate.probes.asking import ASK_S
        from migrate.probes.question import Question, load_question

        asked = step.params.get("ask")
        question = load_question(asked) if asked else Question(ProbeKind.TOOLS)
        if question.refused:
            raise StepFailed(f"{step.title}: {visible(question.refused)}", question.hint)
        limit_s, begin, times = step.params["timeout_s"], ctx.clock.now_s(), 0
        while True:
            left_s = limit_s - (ctx.clock.now_s() - begin)
            health = _ask(ctx, step, question, min(ASK_S, max(left_s, question.every_s)))
            times += 1
            waited_s = ctx.clock.now_s() - begin
            if health.ok:
                said = {"detail": health.detail, "waited_s": round(waited_s, 3)}
                return {**said, "question": question.words, "times": times} if asked else said
            if waited_s >= limit_s:
                raise StepFailed(
                    f"{step.title} failed: {visible(health.detail)}", "look into the VM, or roll back"
                )
            if ctx.halted():
                raise Paused(f"{step.title} was stopped", "run the verb again; it is asked anew")
            ctx.clock.sleep(question.every_s)


def ask_once(question: Question, vm: str, target: FullSite, world: Outside, limit_s: float) -> Health:
    """Ask a question of a VM once, of its site or over the network; raises what a site raises."""
    match question.kind:
        case ProbeKind.TOOLS:
            return target.probe(vm)
        case ProbeKind.POWER:
            found = target.observe(vm)
            runs = found is not None and found.power is Power.ON
            return Health(runs, "it runs" if runs else f"it does not run at site {target.name}")
    answer = world.ask(question, limit_s)
    return Health(answer.ok, answer.detail)


def _ask(ctx: Context, step: Step, question: Question, limit_s: float) -> Health:
    modelled_s = _MODELLED_S.get(ProbeKind(question.kind))
    if modelled_s is None:  # the site's own word needs nothing besides it
        return ask_once(question, step.params["vm"], ctx.target, Outside(Path()), limit_s)
    if (world := outside(ctx)) is None:
        ctx.clock.sleep(modelled_s)
        return Health(True, "modelled answer")
    return ask_once(question, step.params["vm"], ctx.target, world, limit_s)
