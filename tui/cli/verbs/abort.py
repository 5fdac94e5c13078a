"""wherry abort: drop a run before its cutover."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting


@click.command(epilog="Example: wherry abort W01; wherry abort W01 --live")
@acting
def command(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool) -> int:
    """Remove the snapshots and replicas of a run that was not cut over yet."""
    from migrate.run.execute import Purpose

    return act(Purpose.ABORT, wave, live, confirm, project_dir, as_json)
