"""wherry status: where every wave stands."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, is_dumb, line, table

if TYPE_CHECKING:
    from migrate.status import ProjectStatus


@click.command(epilog="Examples: wherry status; wherry status --watch; wherry status --json")
@click.option(
    "--watch", is_flag=True, help="Show it again when it changes, until interrupted; with --json a line each."
)
@click.option("--plain", is_flag=True, help="With --watch: append lines instead of clearing the screen.")
@project_option
@json_option
def command(watch: bool, plain: bool, project_dir: Path, as_json: bool) -> None:
    """Show where every wave stands and what needs you."""
    from migrate.status import project_status

    with open_project(project_dir) as project:
        shown: ProjectStatus | None = None
        while True:
            status = project_status(project)
            if status != shown:
                shown = status
                if as_json and watch:
                    line(json.dumps(asdict(status), ensure_ascii=False))
                elif as_json:
                    data(asdict(status))
                else:
                    if watch and not plain and not is_dumb():
                        click.clear()
                    _show(status)
            if not watch:
                return
            try:
                time.sleep(1)
            except KeyboardInterrupt:
                return  # watching ends this way; nothing was interrupted


def _show(status: ProjectStatus) -> None:
    from planner.names import visible
    from planner.units import show_bytes

    line(f"{visible(status.project)}: {status.vms} VMs, {show_bytes(status.size_bytes)}, "
         f"from {visible(status.inventory_source) or 'nowhere yet'}")  # fmt: skip
    if status.waves:
        table(
            ("wave", "title", "vms", "state", "steps", "window", "now"),
            (
                (
                    wave.name,
                    visible(wave.title, 48),
                    wave.vms,
                    wave.state + (" ●" if wave.name in status.running else ""),
                    f"{wave.steps_done}/{wave.steps_total}" if wave.steps_total else "–",
                    wave.window or "–",
                    wave.gate or wave.current,
                )
                for wave in status.waves
            ),
        )
    marks = {"blocker": "✖", "warning": "▲", "gate": "◆", "info": "·"}
    for need in status.needs:
        line(f"{marks[need.severity]} {visible(need.text)}")
        line(f"    → {visible(need.hint)}")
