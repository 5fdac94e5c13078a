"""wherry ui: the terminal application."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import project_option


@click.command(epilog="Example: wherry ui --project dc1-exit --read-only")
@click.option("--read-only", is_flag=True, help="Offer nothing that changes anything.")
@project_option
def command(read_only: bool, project_dir: Path) -> None:
    """Open the terminal application on a project. Closing it never stops a run."""
    from planner.store.project import Project
    from tui.app import WherryApp

    Project.open(project_dir).close()  # says so at once when there is no project
    WherryApp(project_dir, read_only=read_only).run()
