"""wherry failback: a committed wave back to where it came from."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.acting import act, acting
from tui.cli.options import open_project
from tui.cli.output import data, line


@click.command(
    epilog="Examples: wherry failback W01; wherry failback W01 --estimate; "
    "wherry replicate W01 --reverse --live; wherry failback W01 --live"
)
@click.option("--estimate", "asked", is_flag=True, help="Only say what it would take.")
@acting
def command(wave: str, live: bool, confirm: str | None, project_dir: Path, as_json: bool, asked: bool) -> int:
    """After commit: copy back what the target wrote, stop there, take off the fence, start at the source.

    It stops at a commit gate of its own: 'wherry commit' fences the VMs at the target, 'wherry rollback'
    starts them there again. 'wherry replicate WAVE --reverse' copies back beforehand, while they run.
    """
    from migrate.run.execute import Purpose

    if asked:
        _estimate(wave, project_dir, as_json)
        return 0
    return act(Purpose.FAILBACK, wave, live, confirm, project_dir, as_json)


def _estimate(wave: str, project_dir: Path, as_json: bool) -> None:
    """Say what a failback would take; raises NotFound, Blocked for a wave that has none."""
    from datetime import UTC, datetime

    from migrate.homeward import way_home
    from migrate.run.returning import need_returning
    from planner.units import show_bytes, show_duration

    with open_project(project_dir) as project:
        name = need_returning(project, wave).wave.name
        found = way_home(project, name, datetime.now(UTC))
    assert found is not None, "there is a way home"
    if as_json:
        data({"wave": name, "estimate": found})
        return
    down, before = (
        " / ".join(show_duration(round(one)) for one in pair) for pair in (found.down_s, found.before_s)
    )
    took = f"; the way out took {show_duration(round(found.took_s))}" if found.took_s is not None else ""
    line(f"down      P50 / P95 {down} as planned{took}")
    if found.protected:
        line(f"before    P50 / P95 {before}: {show_bytes(found.round_bytes or 0)} as in the last round")
    else:
        line(f"before    P50 / P95 {before} at least: {show_bytes(found.size_bytes)} are compared")
    line(f"sources   {found.fenced} of {found.sources} fenced")
