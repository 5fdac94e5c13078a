"""wherry doctor: is this machine and this project all right."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, project_option
from tui.cli.output import data, say, table


@click.command(epilog="Example: wherry doctor --project dc1-exit")
@project_option
@json_option
def command(project_dir: Path, as_json: bool) -> int:
    """Look at what wherry needs on this machine and at the project; exit with 1 when something is wrong."""
    from dataclasses import asdict

    from migrate.health import examine

    found = examine(project_dir)
    wrong = sum(not item.ok for item in found)
    if as_json:
        data([asdict(item) for item in found])
    else:
        table(
            ("", "what", "finding", "hint"),
            (("✔" if item.ok else "✖", item.what, item.said, "" if item.ok else item.hint) for item in found),
        )
        say("all is well" if not wrong else f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong")
    return 1 if wrong else 0
