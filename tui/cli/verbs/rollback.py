"""wherry rollback: back to the source."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting


@click.command(epilog="Example: wherry rollback W01; wherry rollback W01 --live")
@acting
def command(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool) -> int:
    """Before commit: stop at the target, keep what it wrote as a checkpoint, start the sources again."""
    from migrate.run.execute import Purpose

    return act(Purpose.ROLLBACK, wave, live, confirm, project_dir, as_json)
