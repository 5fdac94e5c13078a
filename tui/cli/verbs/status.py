"""wherry status: where every wave stands."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.garbage import uncollected
from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, fields_of, is_dumb, line, table

if TYPE_CHECKING:
    from migrate.members import WaveMembers
    from migrate.needs import Need
    from migrate.status import ProjectStatus


@click.command(
    epilog="Examples: wherry status; wherry status W01; wherry status --watch; wherry status --json"
)
@click.argument("wave", required=False)
@click.option(
    "--watch", is_flag=True, help="Show it again when it changes, until interrupted; with --json a line each."
)
@click.option("--plain", is_flag=True, help="With --watch: append lines instead of clearing the screen.")
@project_option
@json_option
def command(wave: str | None, watch: bool, plain: bool, project_dir: Path, as_json: bool) -> None:
    """Show where every wave stands and what needs you, or where each VM and group of one WAVE stands."""
    from planner.errors import BadInput

    if wave is not None and watch:
        raise BadInput("one wave is not watched", "watch all of them: wherry status --watch")
    if watch:
        _watch(project_dir, plain, as_json)
    else:
        _look(project_dir, wave, as_json)


@uncollected()  # until the records of all runs are let go
def _look(project_dir: Path, wave: str | None, as_json: bool) -> None:
    from migrate.status import project_status

    with open_project(project_dir) as project:
        if wave is None:
            _tell(project_status(project), as_json)
            return
        from migrate.members import wave_members

        members = wave_members(project, wave)
        if as_json:
            data(members)
            return
        _show_members(members)
        for need in project_status(project).needs:
            if need.wave == members.wave:
                _show_need(need)


def _watch(project_dir: Path, plain: bool, as_json: bool) -> None:
    from migrate.status import project_status

    with open_project(project_dir) as project:
        shown: ProjectStatus | None = None
        try:
            while True:
                status = project_status(project)
                if status != shown:
                    shown = status
                    if as_json:
                        line(json.dumps(status, ensure_ascii=False, default=fields_of))
                    else:
                        if not plain and not is_dumb():
                            click.clear()
                        _show(status)
                time.sleep(1)
        except KeyboardInterrupt:
            return  # watching ends this way; nothing was interrupted


def _tell(status: ProjectStatus, as_json: bool) -> None:
    if as_json:
        data(status)
    else:
        _show(status)


def _show_members(members: WaveMembers) -> None:
    from planner.names import visible

    line(f"{members.wave}: {', '.join(members.flags) or 'nothing is the matter'}")
    far = {group.group: ", ".join((group.state, *group.flags)) for group in members.groups}
    table(
        ("group", "is", "vm", "state", "now"),
        (
            (
                visible(member.group),
                far[member.group],
                visible(member.name),
                ", ".join((member.state, *member.flags)),
                visible(member.now) or "–",
            )
            for member in members.members
        ),
    )


def _show(status: ProjectStatus) -> None:
    from planner.names import visible
    from planner.units import show_bytes

    stay = f", {status.excluded} excluded by the settings" if status.excluded else ""
    line(f"{visible(status.project)}: {status.vms} VMs, {show_bytes(status.size_bytes)}, "
         f"from {visible(status.inventory_source) or 'nowhere yet'}{stay}")  # fmt: skip
    if status.waves:
        table(
            ("wave", "title", "vms", "state", "steps", "window", "now"),
            (
                (
                    wave.name,
                    visible(wave.title, 48),
                    wave.vms,
                    ", ".join(dict.fromkeys((wave.state, *wave.flags)))
                    + (" ●" if wave.name in status.running else ""),
                    f"{wave.steps_done}/{wave.steps_total}" if wave.steps_total else "–",
                    wave.window or "–",
                    wave.gate or wave.current,
                )
                for wave in status.waves
            ),
        )
    for need in status.needs:
        _show_need(need)


def _show_need(need: Need) -> None:
    from planner.names import visible

    marks = {"blocker": "✖", "warning": "▲", "gate": "◆", "info": "·"}
    line(f"{marks[need.severity]} {visible(need.text)}")
    line(f"    → {visible(need.hint)}")
