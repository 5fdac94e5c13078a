"""wherry run show, eta, course, retry, skip, overlook, pause, resume, abort: a run, and its levers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.acts.going_on import how_on, opened
from tui.cli.acting import acting
from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table
from tui.cli.verbs import run_course, run_eta, run_overlook
from tui.cli.words import Words

if TYPE_CHECKING:
    from migrate.run.history import History
    from migrate.run.runbook import Step


@click.group(
    cls=Words,
    epilog="Examples: wherry run show W01; wherry run retry W01; "
    "wherry run skip W01 g0/v1/probe --reason 'no tools in this guest' --live",
)
def command() -> None:
    """Levers: what failed is tried again or passed over, and a run goes on, waits or is dropped."""


@command.command("show", epilog="Example: wherry run show W01 --all")
@click.argument("wave")
@click.option("--all", "every", is_flag=True, help="All steps, not only those that are not done.")
@project_option
@json_option
def show(wave: str, every: bool, project_dir: Path, as_json: bool) -> None:
    """Show the steps of WAVE's run that are not done, what is in their way, and which may be skipped."""
    from datetime import UTC, datetime

    from migrate.run.history import Status
    from migrate.run.levers import passed_over, why_not
    from migrate.waiting import clause, overlooked, waiting, when

    with open_project(project_dir) as project:
        _, history = opened(project, wave)
    rest = {one.step: one for one in waiting(history)}
    now = datetime.now(UTC)
    rows = [
        {
            "id": step.id,
            "kind": step.kind,
            "title": step.title,
            "status": status.value,
            "said": passed_over(history, step.id)
            or str(history.failures.get(step.id, {}).get("message", "")),
            "held": clause(history.held[step.id]) if step.id in history.held else "",
            **(rest[step.id].moments() if step.id in rest else {"again_at": "", "gives_up_at": ""}),
            "may_be_skipped": not why_not(history, step),
        }
        for step in history.runbook.steps
        for status in (history.status[step.id],)
        if every or status not in (Status.DONE, Status.UNDONE)
    ]
    if as_json:
        data(rows)
        return
    table(
        ("step", "status", "skip", "what", "said"),
        (
            (
                row["id"],
                row["status"],
                "may" if row["may_be_skipped"] else "",
                row["title"],
                f"{row['said']}; {when(rest[row['id']], now)}" if row["id"] in rest else _said(row),
            )
            for row in rows
        ),
    )
    for said in overlooked(history):
        say(f"it goes on beside {said}")


@command.command("retry", epilog="Examples: wherry run retry W01; wherry run retry W01 g0/d1/final")
@click.argument("wave")
@click.argument("step", required=False)
@project_option
@json_option
def retry(wave: str, step: str | None, project_dir: Path, as_json: bool) -> None:
    """Ask for another try at STEP, or at all that failed; 'wherry run resume' goes on with it.

    What rests until it is tried again is tried at once; it has its whole patience again.
    """
    from planner.names import visible
    from planner.units import show_count
    from tui.acts import conducting

    with open_project(project_dir) as project:
        run, history = opened(project, wave)
        again = conducting.retry(project, run, history, step or "")
        command = how_on(project, run)
    if as_json:
        data({"wave": run.wave, "run": run.id, "retry": [one.id for one in again.steps]})
        return
    for one in again.steps:
        line(f"{run.wave}: {visible(one.title)} is tried again{' at once' if again.driven else ''}")
    if again.driven:
        say("next: wherry status --watch")
        return
    say(f"next: {command} goes on with {show_count(len(again.steps), 'step')}")


@command.command(
    "skip", epilog="Example: wherry run skip W01 g0/v1/probe --reason 'no tools in this guest' --live"
)
@click.argument("wave")
@click.argument("step")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the log and the report.")
@click.option("--live", is_flag=True, help="Really pass it over; without this it is only said.")
@click.option("--confirm", metavar="WAVE", help="The wave's name again, instead of typing it.")
@project_option
@json_option
def skip(
    wave: str, step: str, reason: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool
) -> None:
    """Pass STEP over: only probes, hooks, notes and the freeze before the stop, never data or its proof.

    A VM whose probe is passed over still has to run when commit is asked for; that it is well is your word.
    """
    from planner.names import visible
    from tui.acts import conducting
    from tui.cli.acting import confirm_live

    with open_project(project_dir) as project:
        run, history = opened(project, wave)
        one = conducting.skip(project, run, history, step, reason, live=False)
        if live:
            confirm_live(run.wave, confirm, "skip a step of")
            conducting.skip(project, run, history, step, reason, live=True)
        waits = _users(history, one)
    if as_json:
        data({"wave": run.wave, "run": run.id, "step": one.id, "live": live, "go_on": [s.id for s in waits]})
        return
    line(f"{run.wave}: {visible(one.title)} {'is' if live else 'would be'} passed over: {visible(reason)}")
    for user in waits:
        say(f"without it goes on: {visible(user.title)}")
    say(
        f"next: wherry run resume {run.wave} --live"
        if live
        else f"dry: nothing was done. To do it: wherry run skip {run.wave} {one.id} --reason ... --live"
    )


@command.command("pause", epilog="Example: wherry run pause W01")
@click.argument("wave")
@project_option
@json_option
@click.pass_context
def pause(ctx: click.Context, wave: str, project_dir: Path, as_json: bool) -> None:
    """Ask the process that drives WAVE to stop at the next edge, as 'wherry pause' does."""
    from tui.cli.verbs.pause import command as verb

    ctx.invoke(verb, wave=wave, project_dir=project_dir, as_json=as_json)


@command.command("resume", epilog="Examples: wherry run resume W01; wherry run resume W01 --live")
@acting
def resume(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool) -> int:
    """Go on with WAVE where it stands, the way it went: forward to its next gate, or back."""
    from tui.acts.going_on import way_on
    from tui.cli.acting import act

    with open_project(project_dir) as project:
        name, purpose = way_on(project, wave)
    return act(purpose, name, live, confirm, project_dir, as_json)


@command.command("abort", epilog="Examples: wherry run abort W01; wherry run abort W01 --live")
@acting
def abort(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool) -> int:
    """Drop a run before its cutover: its snapshots and replicas go, as with 'wherry abort'."""
    from migrate.run.execute import Purpose
    from tui.cli.acting import act

    return act(Purpose.ABORT, wave, live, confirm, project_dir, as_json)


command.add_command(run_overlook.command, "overlook")
command.add_command(run_eta.command, "eta")
command.add_command(run_course.command, "course")


def _said(row: dict[str, Any]) -> str:
    return "; ".join(said for said in (row["held"], row["said"]) if said)


def _users(history: History, step: Step) -> list[Step]:
    return [history.runbook.step(user) for user in history.runbook.dependents[step.id]]
