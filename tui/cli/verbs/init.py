"""wherry init: make a project."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option
from tui.cli.output import data, say


@click.command(epilog="Example: wherry init dc1-exit && cd dc1-exit && wherry discover export.xlsx")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--name", default="", help="Name to show; default: the directory's.")
@json_option
def command(directory: Path, name: str, as_json: bool) -> None:
    """Make a project in DIRECTORY (default: the current one). A project is one directory."""
    from migrate import audit
    from planner.effects import Effect
    from planner.names import visible
    from planner.store.project import Project

    given, directory = directory, directory.resolve()
    with Project.create(directory, name) as project:
        audit.note(project, Effect.EDIT_PLAN, "init", project.name)
        if as_json:
            data({"project": project.name, "directory": str(directory)})
            return
        say(f"project {visible(project.name)} made in {visible(str(directory))}")
        there = "" if directory == Path.cwd() else f"cd {visible(str(given))}, then "
        say(f"next: {there}wherry discover FILE.xlsx, or 'wherry discover lab' for a sample")
