"""wherry rollback: back to the source."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting
from tui.cli.options import open_project
from tui.cli.output import say


@click.command(epilog="Example: wherry rollback W01; wherry rollback W01 --live")
@acting
def command(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool) -> int:
    """Before commit: stop at the target, keep what it wrote as a checkpoint, start the sources again.

    How much the target wrote, and since when, is said before the wave's name is asked for.
    """
    from migrate.run.execute import Purpose

    _tell_loss(project_dir, wave)
    return act(Purpose.ROLLBACK, wave, live, confirm, project_dir, as_json)


def _tell_loss(project_dir: Path, wave: str) -> None:
    """Say what the target wrote since its VMs were started; nothing when none was, or it may not go back."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from migrate.gates.way_back import ask_target, going_back
    from migrate.run.execute import Purpose, intend
    from planner.errors import Blocked
    from tui.cli.way_back import cost

    with open_project(project_dir) as project:
        try:
            intended = intend(project, wave, Purpose.ROLLBACK)
        except Blocked:
            return  # the verb says so itself, once it knows that it was meant
        if intended.run is None:
            return
        back = going_back(project, intended.run, intended.history, datetime.now(UTC))
        if back.on_since:
            homeward = intended.home is not None
            written = ask_target(project, intended.history, homeward=homeward)
            say(cost(replace(back, written_bytes=written)))
