"""wherry plan what-if: a plan made beside the plan, on other settings or another target."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.interrupts import first_interrupt
from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.plan import Plan
    from planner.readiness import Situation
    from planner.store.plans import StoredPlan
    from planner.store.project import Project
    from planner.whatif import Change, Supposed


@click.command(
    "what-if",
    epilog="Examples: wherry plan what-if --link 400Mbit/s; wherry plan what-if --drop-host esx-07; "
    "wherry plan what-if --add-freeze 2026-12-18 2027-01-04 --exit-date 2027-03-31",
)
@click.option("--link", metavar="RATE", help="The line has this rate: 400Mbit/s.")
@click.option("--drop-host", "hosts", multiple=True, metavar="NAME", help="The target is without this host.")
@click.option("--add-freeze", "freezes", multiple=True, nargs=2, metavar="START END",
              help="Nothing cuts over in between; an END without a time is the whole day.")  # fmt: skip
@click.option("--exclude-app", "apps", multiple=True, metavar="NAME", help="This application stays.")
@click.option("--caps-vms", type=click.IntRange(1), help="VMs a wave takes at the most.")
@click.option("--caps-tib", type=click.FloatRange(0, min_open=True), help="TiB a wave takes at the most.")
@click.option("--exit-date", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="The source must be empty by then.")  # fmt: skip
@click.option("--effort", type=click.Choice(("quick", "normal", "thorough")),
              help="How long to look for better waves; default: as long as for the plan.")  # fmt: skip
@click.option("--keep", is_flag=True, help="Make it the plan: its settings are stored, and so is it.")
@project_option
@json_option
def command(
    link: str | None,
    hosts: tuple[str, ...],
    freezes: tuple[tuple[str, str], ...],
    apps: tuple[str, ...],
    caps_vms: int | None,
    caps_tib: float | None,
    exit_date: datetime | None,
    effort: str | None,
    keep: bool,
    project_dir: Path,
    as_json: bool,
) -> None:
    """Plan on other settings beside the newest plan, and show the difference. Nothing is stored.

    Options may be repeated and combined. Ctrl-C ends the search and shows the best so far.
    """
    from planner.compare import compare
    from planner.readiness import situation
    from planner.store import plans
    from planner.units import parse_rate
    from planner.whatif import Change, suppose
    from tui.cli.plan_differences import names_of, show

    change = Change(
        link_mbit=parse_rate(link) / 1e6 if link is not None else None,
        drop_hosts=hosts,
        freezes=freezes,
        exclude_apps=apps,
        caps_vms=caps_vms,
        caps_tib=caps_tib,
        exit_date=exit_date.date() if exit_date else None,
    )
    _check(change, keep)
    with open_project(project_dir) as project, first_interrupt() as stopped:
        stored = plans.latest(project)
        at = situation(project)
        supposed = suppose(change, at.inventory, at.settings, at.target)
        plan = _made(project, stored, at, supposed, effort, stopped.is_set)
        found = compare(stored.plan, plan)
        version = _keep(project, supposed, plan) if keep else None
    if as_json:
        data(
            {
                "plan": stored.version,
                "kept_as": version,
                "score": plan.score.model_dump(),
                "supposed": list(supposed.notes),
                "difference": found.as_dict(),
            }
        )
        return
    for note in supposed.notes:
        line(f"  note: {note}")
    show(found, f"plan {stored.version}", "what if", names_of(at.inventory))
    say(
        f"stored as plan {version}, its settings too"
        if version
        else "nothing was stored; --keep makes it the plan"
    )


def _check(change: Change, keep: bool) -> None:
    from planner.errors import BadInput

    if change.nothing:
        raise BadInput("nothing is supposed to be different", "say what: wherry plan what-if --help")
    if keep and change.drop_hosts:
        raise BadInput(
            "a plan without a host of the target cannot be kept while the target has it",
            "take the host out and discover the target again",
        )


def _made(
    project: Project,
    stored: StoredPlan,
    at: Situation,
    supposed: Supposed,
    effort: str | None,
    stopped: Callable[[], bool],
) -> Plan:
    from dataclasses import replace

    from migrate.run.waves import under_way
    from planner.planning import make_plan
    from planner.store import edits
    from planner.store.project import utc_now
    from planner.waves.arrange import Draw
    from planner.waves.solve import EFFORTS
    from tui.acts.editing import inputs_of
    from tui.cli.progress import Bar, tell_best

    then = replace(at, settings=supposed.settings, target=supposed.target)
    frozen = under_way(project, stored)
    known = edits.in_force(project)
    seed = stored.plan.seed if stored.plan.seed is not None else 1
    # Looking longer than the plan did would find what the change has no part in.
    effort = effort or (stored.plan.effort if stored.plan.effort in EFFORTS else "normal")

    with Bar(in_bytes=False) as bar:
        bar.begin("checking VMs")
        inputs = inputs_of(project, then, bar.report)
        bar.begin("looking for waves as they would be")
        plan = make_plan(
            **inputs,
            project=project.name,
            inventory_fingerprint=at.fingerprint,
            created_at=utc_now(),
            last=stored.plan,
            frozen=frozen,
            edits=known,
            draw=Draw(
                seed,
                effort,
                report=lambda best, step, of: bar.report(step, of),
                found=tell_best,
                stop=stopped,
            ),
        )
        bar.end()
    if stopped():
        say("stopped: this is the best plan until then")
    return plan


def _keep(project: Project, supposed: Supposed, plan: Plan) -> int:
    """Store the settings and the plan; return its version."""
    from migrate import audit
    from planner.effects import Effect
    from planner.store import plans
    from planner.store import settings as settings_store

    settings_store.save(project, supposed.settings, audit.person())
    kept = plans.save(project, plan, audit.person())
    audit.note(
        project,
        Effect.EDIT_PLAN,
        "plan what-if",
        f"plan {kept.version}",
        {"fingerprint": plan.fingerprint, "settings": supposed.settings.fingerprint},
    )
    return kept.version


COMMANDS = (command,)
