"""A wave's probes asked now, once each, beside any run: what its runbook asks, and what came back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrate.gates.seeing import under_way
from migrate.probes.asking import ASK_S, Answer
from migrate.probes.question import Question, load_question
from migrate.run.compose import compose
from migrate.run.runbook import Step
from migrate.run.store import RunKind
from migrate.steps.outside import Outside
from migrate.steps.probe import ask_once
from planner.conduct import ProbeKind
from planner.errors import BadInput, NotFound, WherryError
from planner.names import visible
from planner.store import plans

if TYPE_CHECKING:
    from migrate.sites.ports import FullSite
    from planner.plan import Wave
    from planner.store.project import Project

_OF_THE_SITE = frozenset({ProbeKind.POWER, ProbeKind.TOOLS})


@dataclass(frozen=True, slots=True)
class Asked:
    """One probe of one VM. ``answer`` is None until it was asked; ``role`` is that of the site it runs at."""

    vm: str
    name: str
    step: Step
    question: Question
    answer: Answer | None = None
    role: str = "target"


def probes_of(wave: Wave, vm: str = "") -> list[Asked]:
    """Return what a wave's VMs are asked, or the one of that name, case ignored; raises NotFound."""
    wanted = {one.id: one.name for one in wave.vms if not vm or one.name.casefold() == vm.casefold()}
    if not wanted:
        raise NotFound(f"{visible(vm)} is not in {wave.name}", f"see 'wherry probe list {wave.name}'")
    return [
        Asked(wanted[step.subject], step.params["name"], step, _question(step))
        for step in compose(wave).steps
        if step.kind == "probe" and step.subject in wanted
    ]


def probe_of_step(project: Project, wave: str, step_id: str) -> Asked:
    """Return the probe of a step of the run under way, home too; raises NotFound, BadInput, Blocked."""
    run, history = under_way(project, wave)
    step = history.runbook.step(step_id)
    if step.kind != "probe":
        raise BadInput(f"{visible(step.title)} is no probe", f"see 'wherry probe list {run.wave}'")
    vm = plans.wave(project, run.plan, run.wave).vm(step.subject).name
    role = "source" if run.kind is RunKind.FAILBACK else "target"
    return Asked(vm, step.params["name"], step, _question(step), role=role)


def _question(step: Step) -> Question:
    return load_question(asked) if (asked := step.params.get("ask")) else Question(ProbeKind.TOOLS)


def ask_now(project: Project, probes: list[Asked]) -> Iterator[Asked]:
    """Ask each probe once and yield it with its answer; whoever cannot be asked has not answered well."""
    from migrate.sites.opening import open_site
    from planner.store import settings

    world = Outside(project.root)
    with ExitStack() as open_sites:
        sites: dict[str, FullSite] = {}
        for one in probes:
            try:
                if one.question.refused:
                    raise NotFound(visible(one.question.refused))
                if one.question.kind in _OF_THE_SITE:
                    if one.role not in sites:
                        opened = open_site(settings.load(project), one.role, project.root)
                        sites[one.role] = open_sites.enter_context(closing(opened))
                    health = ask_once(one.question, one.step.params["vm"], sites[one.role], world, ASK_S)
                    answer = Answer(health.ok, health.detail)
                else:
                    answer = world.ask(one.question, min(ASK_S, one.step.params["timeout_s"]))
            except WherryError as error:
                answer = Answer(False, error.message)
            yield replace(one, answer=answer)
