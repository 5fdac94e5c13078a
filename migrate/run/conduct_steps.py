"""A wave's conduct as steps: the probes after each start, the hooks and human steps of each place.

Step ids count, names stand in titles only: g0/v1/probe is what the site itself says of a VM, g0/v1/probe/2
the third thing that is asked; hook/3 is the fourth hook, hook/3/g0/v1 the same for one VM.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.probes.question import Question, question
from migrate.programs.fill import CannotFill, Filling
from migrate.run.group_steps import GroupSteps
from migrate.run.runbook import HUMAN, Phase, Step
from planner.conduct import Place, ProbeKind
from planner.conduct_planned import PlannedHook
from planner.effects import Effect
from planner.names import visible
from planner.plan import Wave

_ITS_OWN = frozenset({ProbeKind.POWER, ProbeKind.TOOLS})  # what a site says of a VM
_PHASES = {Place.BEFORE_COMMIT: Phase.COMMIT, Place.AFTER_COMMIT: Phase.COMMIT}


def filling_of(wave: Wave, vm: str = "") -> Filling:
    """Return what is filled in for a VM of a wave, or for the wave alone."""
    if not vm:
        return Filling(wave.name)
    return Filling(wave.name, wave.vm(vm).name, wave.conduct.addresses.get(vm, ""), vm)


def probe_steps(wave: Wave, group: GroupSteps, vm: str, start: str) -> list[Step]:
    """Return the probes of a VM: first what the site says of it, then, once that is well, all others.

    Without a probe of kind power or tools, the tools in the guest are asked.
    """
    rules = wave.conduct.probes_of(vm)
    own = next((rule for rule in rules if rule.kind in _ITS_OWN), None)
    filling = filling_of(wave, vm)
    first = f"{group.vm_id(vm)}/probe"
    limit_s = wave.policies.probe_timeout_s
    steps = [_probe(group, vm, "probe", "", (start,), limit_s)]
    if own is not None:
        asked, limit_s = question(own, filling), own.timeout_s or limit_s
        steps = [_probe(group, vm, "probe", own.name, (start,), limit_s, asked, own.optional)]
    for number, rule in enumerate(rules):
        if rule is not own:
            limit_s = rule.timeout_s or wave.policies.probe_timeout_s
            asked = question(rule, filling)
            steps.append(
                _probe(group, vm, f"probe/{number}", rule.name, (first,), limit_s, asked, rule.optional)
            )
    return steps


def _probe(
    group: GroupSteps,
    vm: str,
    tail: str,
    name: str,
    needs: tuple[str, ...],
    timeout_s: float,
    asked: Question | None = None,
    optional: bool = False,
) -> Step:
    return group.vm_step(
        vm,
        tail,
        "probe",
        "probe" + (f" {visible(name)}" if name else ""),
        Effect.LIVE if asked and asked.kind == ProbeKind.COMMAND else Effect.VIEW,
        needs=needs,
        params={
            "vm": vm,
            "name": name,
            "timeout_s": timeout_s,
            **({"ask": asked.as_json()} if asked else {}),
        },
        optional=optional,
    )


def hook_steps(
    wave: Wave, holder: Mapping[str, GroupSteps], place: Place, needs: tuple[str, ...]
) -> tuple[list[Step], tuple[str, ...]]:
    """Return the hooks of a place, one after the other, and what comes after that place has to need.

    One that is done for several VMs is done for all of them before the next.
    """
    steps: list[Step] = []
    for number, hook in enumerate(wave.conduct.hooks):
        if hook.place is not place:
            continue
        mine = [
            _hook(wave, hook, f"hook/{number}", wave.name, filling_of(wave), needs)
            if not vm
            else _hook(wave, hook, f"hook/{number}/{holder[vm].vm_id(vm)}", vm, filling_of(wave, vm), needs)
            for vm in hook.vms or ("",)
        ]
        steps += mine
        needs = tuple(step.id for step in mine)
    return steps, needs


def _hook(
    wave: Wave, hook: PlannedHook, step_id: str, subject: str, filling: Filling, needs: tuple[str, ...]
) -> Step:
    back = hook.place is Place.ON_ROLLBACK
    human = bool(hook.says) and not back
    return Step(
        id=step_id,
        kind=HUMAN if human else "hook",
        title=f"{filling.subject}: {visible(hook.name)}",
        subject=subject,
        phase=_PHASES.get(hook.place, Phase.CUTOVER),
        effect=Effect.LIVE,
        needs=needs,
        params=_human(hook) if human else {"back": back, **_program(hook, filling)},
        undoable=back,
        retried=False,  # a person decides whether it runs again
        optional=hook.optional,
    )


def _human(hook: PlannedHook) -> dict[str, Any]:
    return {"says": hook.says, "takes_s": hook.takes_s}


def _program(hook: PlannedHook, filling: Filling) -> dict[str, Any]:
    refused = hint = ""
    argv: list[str] = list(hook.argv)
    environment = dict(hook.environment)
    try:
        argv = filling.argv(hook.argv)
        environment = {name: filling.text(value) for name, value in hook.environment.items()}
    except CannotFill as error:
        refused, hint = str(error), error.hint
    return {
        "argv": argv,
        "environment": environment,
        "says": hook.says,
        "timeout_s": hook.timeout_s,
        "takes_s": hook.takes_s,
        "refused": refused,
        "hint": hint,
    }
