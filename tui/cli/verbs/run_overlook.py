"""wherry run overlook: have a run go on beside the snapshots of others that its VMs have now."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tui.cli.acting import confirm_live
from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table


@click.command(
    epilog="Examples: wherry run overlook W01; "
    "wherry run overlook W01 --reason 'a checkpoint of the database people stays' --live"
)
@click.argument("wave")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stands in the log and the report.")
@click.option("--live", is_flag=True, help="Really go on beside them; without this they are only shown.")
@click.option("--confirm", metavar="WAVE", help="The wave's name again, instead of typing it.")
@project_option
@json_option
def command(
    wave: str, reason: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool
) -> None:
    """Overlook the snapshots of others that VMs of WAVE have now: its rounds and its cutover go on.

    Only those that stand there now are overlooked, by their ids, until the run ends. A new one is waited for
    again.
    """
    from migrate.gates.seeing import under_way
    from migrate.run import overlooking
    from migrate.run import store as runs
    from planner.names import visible

    with open_project(project_dir) as project:
        run, history = under_way(project, wave)
        found = overlooking.foreign_now(project, run, history)
        if live:
            overlooking.check(run, history, found, reason)
            confirm_live(run.wave, confirm, "overlook foreign snapshots of")
            found = overlooking.overlook(project, run, history, found, reason)
        driven = runs.is_held(project, run.wave)
    if as_json:
        rows = [asdict(one) for one in found]
        data({"wave": run.wave, "run": run.id, "live": live, "reason": reason.strip(), "snapshots": rows})
        return
    if not found:
        line(f"no VM of {run.wave} has a snapshot of somebody else")
        return
    table(
        ("VM", "id", "snapshot", "overlooked"),
        ((one.vm_name, visible(one.snapshot), one.name, _word(one.overlooked, live)) for one in found),
    )
    if not live:
        say(f"dry: nothing was done. To do it: wherry run overlook {run.wave} --reason ... --live")
    elif driven:
        say("next: wherry status --watch")
    else:
        say(f"next: wherry run resume {run.wave} --live")


def _word(overlooked: bool, live: bool) -> str:
    return "already" if overlooked else "now" if live else "would be"
