"""wherry plan diff: two stored plans side by side."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data


@click.command("diff", epilog="Examples: wherry plan diff 3 5; wherry plan diff 3; wherry plan diff")
@click.argument("before", type=click.IntRange(1), metavar="[A]", required=False)
@click.argument("after", type=click.IntRange(1), metavar="[B]", required=False)
@project_option
@json_option
def command(before: int | None, after: int | None, project_dir: Path, as_json: bool) -> None:
    """Show what is different in plan B seen from plan A: waves, windows, VMs, remaps, tasks, score.

    Plans are named by number. B is the newest unless said, A the one before B.
    """
    from planner.compare import compare
    from planner.errors import NotFound
    from tui.acts.editing import plan_named
    from tui.cli.plan_differences import show

    with open_project(project_dir) as project:
        last, new = plan_named(project, after)
        if before is None and last == 1:
            raise NotFound("plan 1 is the first: there is none before it", "make another: wherry plan")
        first, old = plan_named(project, before if before is not None else last - 1)
        found = compare(old, new)
        names = {vm.id: vm.name for plan in (old, new) for wave in plan.waves for vm in wave.vms}
    if as_json:
        data({"before": first, "after": last, "same": found.same, **found.as_dict()})
    else:
        show(found, f"plan {first}", f"plan {last}", names)


COMMANDS = (command,)
