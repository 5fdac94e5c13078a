"""wherry cutover: stop at the source, run at the target."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting


@click.command(epilog="Example: wherry cutover W01; wherry cutover W01 --live")
@click.option("--ticket", default="", help="The change ticket, where the gate asks for one.")
@acting
def command(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool, ticket: str) -> int:
    """Quiesce, stop, send the last changes, compare every byte, build and start at the target.

    What is missing before (seed, deltas) is done first. It stops at the commit gate: until commit
    the sources are only powered off, and rollback goes back to them.
    """
    from migrate.run.execute import Purpose

    return act(Purpose.CUTOVER, wave, live, confirm, project_dir, as_json, ticket=ticket)
