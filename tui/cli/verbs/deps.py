"""wherry deps: move groups and why they hold together."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, table


@click.command(epilog="Examples: wherry deps; wherry deps crm-db-01")
@click.argument("vm", required=False)
@project_option
@json_option
def command(vm: str | None, project_dir: Path, as_json: bool) -> None:
    """List the move groups, or show the reason chain of the group that VM is in."""
    from dataclasses import asdict
    from difflib import get_close_matches

    from planner.errors import NotFound
    from planner.groups import move_groups
    from planner.names import visible
    from planner.store import inventories
    from planner.store import settings as settings_store

    with open_project(project_dir) as project:
        inventory = inventories.latest(project).inventory
        groups = move_groups(inventory, settings_store.load(project))
    names = {item.id: item.name for item in inventory.vms}
    if vm is not None:
        wanted = {item.id for item in inventory.vms if vm == item.id or vm.casefold() == item.name.casefold()}
        if not wanted:
            near = get_close_matches(vm, [item.name for item in inventory.vms], 1)
            hint = f"did you mean {near[0]}?" if near else "see 'wherry inventory'"
            raise NotFound(f"VM {vm!r} is not in the inventory", hint)
        groups = tuple(group for group in groups if wanted & set(group.vms))
        if not groups:
            raise NotFound(
                f"VM {vm!r} is in no move group: templates, placeholders and excluded VMs stay",
                "see 'exclude' in 'wherry settings show'",
            )
    if as_json:
        data([asdict(group) for group in groups])
        return
    if vm is None:
        table(
            ("group", "vms", "members"),
            ((group.name, len(group.vms), ", ".join(names[item] for item in group.vms)) for group in groups),
        )
        return
    for group in groups:
        line(f"{visible(group.name)}: {', '.join(visible(names[item]) for item in group.vms)}")
        for reason in group.reasons:
            line(f"  {visible(names[reason.a])} and {visible(names[reason.b])}: {visible(reason.why)}")
