"""wherry serve: the terminal application in a browser on this machine, read-only."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import open_project, project_option
from tui.cli.output import line, say

PORT = 8019


@click.command(epilog="Examples: wherry serve; wherry serve --project dc1-exit --port 9000")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True,
              help="Of 127.0.0.1; 0 takes a free one.")  # fmt: skip
@project_option
def command(port: int, project_dir: Path) -> None:
    """Show a project in a browser on this machine. Nothing can be changed there.

    It is reached from this machine alone, by the address that is printed. Ctrl-C ends it.
    """
    from importlib.util import find_spec

    from planner.errors import BadInput

    with open_project(project_dir) as project:
        root, name = project.root, project.name
    if find_spec("textual_serve") is None:
        raise BadInput(
            "wherry serve needs a library that is not installed: textual-serve",
            "install wherry[serve], or use 'wherry ui --read-only' in a terminal",
        )
    from tui.serving.server import serve

    def ready(url: str) -> None:
        line(url)
        say("open it in a browser on this machine; Ctrl-C ends it")

    serve(root, name, port, ready)
    say("ended")
