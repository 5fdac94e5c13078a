"""Words of wherry deps that are said of several VMs at once: what they belong to, and that they stay one."""

from __future__ import annotations

from pathlib import Path

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say


@click.command(
    "name",
    epilog="Example: wherry deps name billing bill-app-01 bill-db-01",
)
@click.argument("application")
@click.argument("vms", nargs=-1, required=True, metavar="VM...")
@project_option
@json_option
def name_application(application: str, vms: tuple[str, ...], project_dir: Path, as_json: bool) -> None:
    """Say that the VMs belong to APPLICATION: it counts over what lists and the source say."""
    from planner.names import visible
    from planner.units import show_count
    from tui.acts.applications import name_vms
    from tui.cli.imported import change_summary

    with open_project(project_dir) as project:
        taken = name_vms(project, vms, application)
    head = taken.imports[0]
    if as_json:
        data({"application": application, "import": head.id, "vms": head.rows, **change_summary(taken)})
        return
    line(f"import {head.id}: {visible(head.name)}, {show_count(head.rows, 'VM')}")
    say(f"take it back with: wherry flows withdraw {head.id}")


@click.command("together", epilog="Example: wherry deps together crm-app-01 crm-db-01 --why 'needs 1 ms'")
@click.argument("vms", nargs=-1, required=True, metavar="VM...")
@click.option("--why", required=True, help="For the record.")
@project_option
@json_option
def move_together(vms: tuple[str, ...], why: str, project_dir: Path, as_json: bool) -> None:
    """Say that the VMs move together: one tie for each group of them that does not yet."""
    from tui.acts.deciding import join
    from tui.cli.ties import tell

    with open_project(project_dir) as project:
        found = join(project, vms, why=why)
    tell(found.stored, found.said, {"ties": found.count, "vms": list(found.vms)}, as_json)
