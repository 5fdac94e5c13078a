"""wherry commit: the point of no return."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting


@click.command(epilog="Example: wherry commit W01; wherry commit W01 --live")
@click.option("--ticket", default="", help="The change ticket, where the gate asks for one.")
@acting
def command(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool, ticket: str) -> int:
    """End the commit window: rename the sources and disconnect their NICs. There is no rollback after it."""
    from migrate.run.execute import Purpose

    return act(Purpose.COMMIT, wave, live, confirm, project_dir, as_json, ticket=ticket)
