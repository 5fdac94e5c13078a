"""wherry remedy: the tasks before a wave, and those that wherry can do itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.fixes import FIXES
from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line
from tui.cli.remedies import conclude, show_dry, show_rehearsal

if TYPE_CHECKING:
    from planner.plan import Wave
    from planner.store.project import Project


@click.command(
    epilog="Examples: wherry remedy W01; wherry remedy W01 --live; wherry remedy W01 --live --with-outage; "
    "wherry remedy W01 --undo --live; wherry remedy W01 --done 3f9a1c20 --note 'by the DBA'"
)
@click.argument("wave")
@click.option("--live", is_flag=True, help="Really do it; without this it is only said.")
@click.option("--confirm", metavar="WAVE", help="The wave's name again, instead of typing it.")
@click.option("--only", type=click.Choice(FIXES), help="Do fixes of this kind only.")
@click.option("--with-outage", is_flag=True, help="VMs may be shut down and started again for it.")
@click.option("--undo", is_flag=True, help="Take back what was done, the last first.")
@click.option("--rehearse", is_flag=True, help="Do it many times on the simulated twin.")
@click.option("--done", metavar="TASK", help="Tick off a task that a person did.")
@click.option("--note", default="", help="What to remember with a tick.")
@project_option
@json_option
def command(
    wave: str,
    live: bool,
    confirm: str | None,
    only: str | None,
    with_outage: bool,
    undo: bool,
    rehearse: bool,
    done: str | None,
    note: str,
    project_dir: Path,
    as_json: bool,
) -> int:
    """List what is to be done before WAVE is seeded, and do what wherry can do itself.

    Tasks come from findings. Each has an owner, an effort and a date. Nothing is forced: a guest that
    does not shut down stays up, and its task stays open. The engine does it; Ctrl-C only stops following,
    'wherry pause' stops the work. Discover again after a live run at a vCenter.
    """
    from migrate.run.waves import find_wave

    _check_options(live, bool(only or with_outage), undo, rehearse, done, note)
    with open_project(project_dir) as project:
        planned = find_wave(project, wave).wave
        if done is not None:
            return _tick(project, planned, done, note, as_json)
        if rehearse:
            return _rehearse(project, planned, only or "", with_outage, as_json)
        if not live:
            show_dry(project, planned, only or "", with_outage, undo, as_json)
            return 0
        from tui.cli.acting import confirm_live

        confirm_live(planned.name, confirm, "undo the remedies of" if undo else "remedy")
        return _live(project, planned, only or "", with_outage, undo, as_json)


def _check_options(live: bool, chosen: bool, undo: bool, rehearse: bool, done: str | None, note: str) -> None:
    """Raise BadInput when two ways are asked for at once."""
    from planner.errors import BadInput

    ways = [name for name, asked in (("--undo", undo), ("--rehearse", rehearse), ("--done", done)) if asked]
    if len(ways) > 1:
        raise BadInput(f"{' and '.join(ways)} do not go together", "use one of them")
    if (rehearse or done) and live:
        raise BadInput(f"{ways[0]} touches no site, so --live does not go with it", "leave one of them out")
    if done and chosen:
        raise BadInput("--only and --with-outage choose what wherry does", "leave them out with --done")
    if note and not done:
        raise BadInput("--note goes with --done only", "name the task: --done TASK")


def _tick(project: Project, wave: Wave, wanted: str, note: str, as_json: bool) -> int:
    from dataclasses import asdict

    from tui.acts.ticking import tick

    made, what = tick(project, wave, wanted, note)
    if as_json:
        data(asdict(made))
    else:
        line(f"{wave.name}: {what}, ticked off by {made.who}")
    return 0


def _live(project: Project, wave: Wave, only: str, with_outage: bool, undo: bool, as_json: bool) -> int:
    from migrate.run.remedy_orders import Wished
    from tui.cli.acting import onlooker
    from tui.cli.ordering import carry_remedies
    from tui.cli.progress import Bar

    with Bar() as bar:
        carried = carry_remedies(project, wave.name, Wished(only, with_outage, undo), onlooker(bar))
    return conclude(project, wave, carried, undo, as_json)


def _rehearse(project: Project, wave: Wave, only: str, with_outage: bool, as_json: bool) -> int:
    from dataclasses import asdict

    from migrate import audit
    from migrate.remedy_rehearsal import rehearse_remedies
    from migrate.run.remedy import compose_remedies, fixable
    from planner.effects import Effect
    from planner.errors import Blocked
    from planner.store import settings as settings_store

    settings = settings_store.load(project)
    tasks = fixable(wave, only, with_outage)
    if not tasks:
        raise Blocked(
            f"{wave.name} has no task that wherry could rehearse",
            f"see 'wherry remedy {wave.name}', or add --with-outage",
        )
    runbook = compose_remedies(wave, tasks, settings.remedies, with_outage)
    report = rehearse_remedies(wave, runbook, settings.link, runs=100, seed=1)
    audit.note(project, Effect.DRY_RUN, "remedy rehearse", wave.name, {"runs": report.runs})
    if as_json:
        data(asdict(report))
    else:
        show_rehearsal(report)
    return 0
