"""wherry replicate: copy a wave's disks and keep them up to date."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting


@click.command(epilog="Example: wherry replicate W01; wherry replicate W01 --live")
@acting
def command(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool) -> int:
    """Seed the wave's disks, run deltas and prove a checkpoint; again: one more round.

    It stops at the cutover gate. An interrupted run goes on where it was.
    """
    from migrate.run.execute import Purpose

    return act(Purpose.REPLICATE, wave, live, confirm, project_dir, as_json)
