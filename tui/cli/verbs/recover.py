"""wherry recover: go on with a project whose host is lost."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say


@click.command(
    epilog="Examples: wherry recover --backup-to /mnt/safe/project.backup; "
    "wherry recover --from /mnt/safe/project.backup --project move --live --confirm move"
)
@click.option("--backup-to", metavar="FILE", type=click.Path(path_type=Path), help="Write a backup instead.")
@click.option("--from", "backup", metavar="FILE", type=click.Path(path_type=Path),
              help="The backup that the project is made from.")  # fmt: skip
@click.option("--live", is_flag=True, help="Really do it; without this it is only said.")
@click.option("--confirm", metavar="PROJECT", help="The project's name, instead of typing it.")
@project_option
@json_option
def command(
    backup_to: Path | None,
    backup: Path | None,
    live: bool,
    confirm: str | None,
    project_dir: Path,
    as_json: bool,
) -> int:
    """Rebuild the runs of a project from what they left at both sites, when its host is lost.

    Every act of a run is stamped where it was done. What the stamps prove is recorded; a run that had
    stopped its sources and started nothing goes back. Make sure first that the lost host is off and
    stays off.
    """
    from dataclasses import asdict

    from migrate.run import recovery
    from planner.names import visible
    from tui.cli.acting import confirm_live

    if backup_to is not None:
        with open_project(project_dir) as project:
            size_bytes = recovery.back_up(project, backup_to)
        if as_json:
            data({"backup": str(backup_to), "bytes": size_bytes})
        else:
            line(f"the project is backed up in {visible(str(backup_to))}")
        return 0
    if not live:
        say("dry: nothing was done. This makes the project from the backup, asks both sites what its runs")
        say("did, and records it. The lost host must be off, and stay off. To do it: add --live")
        return 0
    if backup is not None:
        recovery.restore(project_dir, backup)
    with open_project(project_dir) as project:
        confirm_live(visible(project.name), confirm, "recover")
        found = recovery.recover(project)
    if as_json:
        data([{**asdict(one), "mode": one.mode.value} for one in found])
        return 0
    for one in found:
        way = "it goes on from there" if one.mode.value == "forward" else "it goes back"
        line(f"{one.wave}: {len(one.found)} steps are proven by what is at the sites; {way}")
    line("no run was under way" if not found else "see 'wherry status' for what each of them waits for")
    return 0
