"""wherry pause: ask a run to stop at the next edge."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, say


@click.command(epilog="Example: wherry pause W01")
@click.argument("wave")
@project_option
@json_option
def command(wave: str, project_dir: Path, as_json: bool) -> None:
    """Ask the process that drives WAVE to stop between two steps, or two blocks of a transfer.

    What is done stays done; the verb that was running goes on from there when it is given again.
    """
    from tui.acts import steering

    with open_project(project_dir) as project:
        name, waits = steering.pause(project, wave)
    if as_json:
        data({"wave": name, "asked": "pause"})
    else:
        going_on = f"wherry run resume {name} --live"
        said = f"is not brought up to date any more until '{going_on}'" if waits else "stops at the next edge"
        say(f"{name} {said}; watch it with 'wherry status --watch'")
