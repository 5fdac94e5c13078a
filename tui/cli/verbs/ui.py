"""wherry ui: the terminal application."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tui.cli.options import project_option
from tui.cli.output import is_dumb


@click.command(epilog="Example: wherry ui --project dc1-exit --read-only")
@click.option("--read-only", is_flag=True, help="Offer nothing that changes anything.")
@project_option
def command(read_only: bool, project_dir: Path) -> None:
    """Open the terminal application on a project. Closing it never stops a run."""
    from planner.errors import BadInput
    from planner.store.project import Project
    from tui.app import WherryApp

    Project.open(project_dir).close()  # says so at once when there is no project
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("wherry ui has no terminal to draw on", "use 'wherry status', with --json in scripts")
    if is_dumb():
        raise BadInput(
            "this terminal cannot be drawn on (TERM=dumb)", "use 'wherry status --watch' or set TERM"
        )
    WherryApp(project_dir, read_only=read_only).run()
