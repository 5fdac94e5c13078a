"""wherry waive: accept findings until a day, with a reason and an owner."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table

if TYPE_CHECKING:
    from planner.checks.waivers import Subject, Waiver
    from planner.store.project import Project


@click.command(
    epilog="Examples: wherry waive disks.size.large files-01 --reason 'seeded by disk' --owner 'Anna Berg' "
    "--until 2027-03-31; wherry waive names.label --where app:crm --reason known --owner ops --until "
    "2027-01-31; wherry waive --list; wherry waive --withdraw 3 --reason 'was moved'"
)
@click.argument("check_id", required=False, metavar="[CHECK]")
@click.argument("names", nargs=-1, metavar="[VM...]")
@click.option("--where", metavar="FILTER", help="All VMs that match now and have the finding.")
@click.option("--reason", help="Why it is accepted, or withdrawn.")
@click.option("--owner", help="Who answers for it.")
@click.option("--until", metavar="DATE", help="Its last day, as 2027-03-31.")
@click.option("--list", "as_list", is_flag=True, help="List all waivers, those that ended too.")
@click.option(
    "--withdraw", type=int, metavar="ID", help="Take a waiver back; it is kept, and counts no more."
)
@project_option
@json_option
def command(
    check_id: str | None,
    names: tuple[str, ...],
    where: str | None,
    reason: str | None,
    owner: str | None,
    until: str | None,
    as_list: bool,
    withdraw: int | None,
    project_dir: Path,
    as_json: bool,
) -> None:
    """Accept the findings of CHECK on these VMs, hosts, datastores, ... by name or id.

    An accepted finding is shown with its waiver and blocks nothing. After its last day it counts again.
    """
    with open_project(project_dir) as project:
        if as_list:
            _list(project, as_json)
        elif withdraw is not None:
            _withdraw(project, withdraw, reason, as_json)
        else:
            _give(project, check_id, names, where, reason, owner, until, as_json)


def _told(waiver: Waiver, day: date) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(waiver), "state": waiver.state(day)}


def _list(project: Project, as_json: bool) -> None:
    from planner.readiness import today
    from planner.store.waivers import all_waivers
    from planner.units import show_count

    day = today()
    found = all_waivers(project)
    if as_json:
        data([_told(waiver, day) for waiver in found])
        return
    table(
        ("id", "check", "for", "until", "state", "owner", "reason"),
        (
            (
                waiver.id,
                waiver.check,
                _objects(waiver.subjects),
                waiver.until.isoformat(),
                waiver.state(day),
                waiver.owner,
                waiver.reason,
            )
            for waiver in found
        ),
    )
    in_force = sum(waiver.holds(day) for waiver in found)
    say(f"{in_force} of {show_count(len(found), 'waiver')} in force")


def _objects(subjects: tuple[Subject, ...]) -> str:
    from planner.names import visible

    return visible(subjects[0].name, 40) if len(subjects) == 1 else f"{len(subjects)} objects"


def _withdraw(project: Project, number: int, reason: str | None, as_json: bool) -> None:
    from planner.readiness import today
    from tui.acts.waiving import withdraw

    waiver = withdraw(project, number, reason)
    if as_json:
        data(_told(waiver, today()))
    else:
        line(f"waiver {number} of {waiver.check} is withdrawn: its findings count again")


def _give(
    project: Project,
    check_id: str | None,
    names: tuple[str, ...],
    where: str | None,
    reason: str | None,
    owner: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    from planner.readiness import today
    from planner.units import show_count
    from tui.acts.waiving import waive

    waiver = waive(project, check_id, names, where, reason=reason, owner=owner, until=until)
    if as_json:
        data(_told(waiver, today()))
    else:
        count = len(waiver.subjects)
        many = _objects(waiver.subjects) if count == 1 else show_count(count, "object")
        line(f"waiver {waiver.id}: {check_id} is accepted for {many} until {waiver.until.isoformat()}")
