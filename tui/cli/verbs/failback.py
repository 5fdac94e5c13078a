"""wherry failback: a committed wave back to where it came from."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting


@click.command(
    epilog="Examples: wherry failback W01; wherry replicate W01 --reverse --live; wherry failback W01 --live"
)
@acting
def command(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool) -> int:
    """After commit: copy back what the target wrote, stop there, take off the fence, start at the source.

    It stops at a commit gate of its own: 'wherry commit' fences the VMs at the target, 'wherry rollback'
    starts them there again. 'wherry replicate WAVE --reverse' copies back beforehand, while they run.
    """
    from migrate.run.execute import Purpose

    return act(Purpose.FAILBACK, wave, live, confirm, project_dir, as_json)
