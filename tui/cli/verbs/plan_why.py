"""wherry plan why: why a VM moves in its wave, and not in an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line

if TYPE_CHECKING:
    from planner.waves.explain import Why

_SHOWN = 12  # earlier waves that are told one by one


@click.command("why", epilog="Examples: wherry plan why crm-db-01; wherry plan why crm-db-01 --json")
@click.argument("vm", metavar="VM|GROUP")
@project_option
@json_option
def command(vm: str, project_dir: Path, as_json: bool) -> None:
    """Say why VM moves in its wave: each earlier wave is tried, and what breaks there is named.

    Then what the nearest other waves would cost.
    """
    from tui.acts.editing import lay_out
    from tui.acts.explaining import explained

    with open_project(project_dir) as project:
        opened = lay_out(project)
        found = opened.desk.why(vm)
        label = opened.stored.plan.wave(found.wave).window
        begins = f" of {label.start_utc:%Y-%m-%d %H:%M} UTC" if label else ""
    if as_json:
        data(explained(found))
    else:
        _show(found, begins)


def _show(found: Why, begins: str) -> None:
    from planner.names import visible
    from planner.units import show_count
    from tui.acts.editing import spoken

    many = show_count(len(found.group.vms), "VM")
    line(f"{visible(found.group.name)} ({many}) moves in {found.wave}{begins}")
    if found.with_it:
        line(f"  with its application: {', '.join(visible(name) for name in found.with_it[:_SHOWN])}")
    for said in found.held:
        line(f"  {said}")
    if not found.tried:
        line("  there is no earlier wave")
    for one in found.tried[-_SHOWN:]:
        line(
            f"  not {one.wave}: {'; '.join(one.why)}"
            if one.why
            else f"  {one.wave} would do: {spoken(one.delta)}"
        )
    if len(found.tried) > _SHOWN:
        line(f"  and {len(found.tried) - _SHOWN} waves before these: see --json")
    if found.tried and found.earlier is None:
        line("  no earlier wave would do")
    if found.later is not None:
        line(f"  the next later wave that would do is {found.later.wave}: {spoken(found.later.delta)}")


COMMANDS = (command,)
