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
    from planner.readiness import Situation
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
    from migrate import audit
    from planner.effects import Effect
    from planner.readiness import today
    from planner.store.waivers import withdraw

    why = _said(reason, "--reason", "why the waiver is taken back")
    waiver = withdraw(project, number, audit.person(), why)
    audit.note(project, Effect.EDIT_PLAN, "waive --withdraw", f"waiver {number}", {"why": why})
    if as_json:
        data(_told(waiver, today()))
    else:
        line(f"waiver {number} of {waiver.check} is withdrawn: its findings count again")


def _said(value: str | None, option: str, what: str) -> str:
    from planner.errors import BadInput

    if not value or not value.strip():
        raise BadInput(f"a waiver needs {option}", f"say {what}")
    return value.strip()


def _last_day(text: str) -> date:
    from planner.errors import BadInput
    from planner.names import visible
    from planner.readiness import today

    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{visible(text, 40)!r} is not a date", "write it like 2027-03-31") from error
    if day < today():
        raise BadInput(f"{day.isoformat()} is over", "give the last day on which it is accepted")
    return day


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
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.readiness import situation, today
    from planner.store.waivers import give
    from planner.units import show_count

    if not check_id:
        raise BadInput("waive needs the id of a check", "see 'wherry check' for findings and their checks")
    if names and where:
        raise BadInput("names and --where were both given", "give one of them")
    why = _said(reason, "--reason", "why the finding is accepted")
    who_answers = _said(owner, "--owner", "who answers for it")
    day = _last_day(_said(until, "--until", "until which day, like 2027-03-31"))
    at = situation(project)
    subjects = _chosen(at, check_id, names, where)
    waiver = give(
        project,
        check=check_id,
        subjects=subjects,
        reason=why,
        owner=who_answers,
        until=day,
        who=audit.person(),
        where=where or "",
    )
    audit.note(
        project,
        Effect.EDIT_PLAN,
        "waive",
        check_id,
        {"waiver": waiver.id, "subjects": [item.id for item in subjects], "owner": who_answers,
         "until": day.isoformat(), "reason": why},
    )  # fmt: skip
    if as_json:
        data(_told(waiver, today()))
    else:
        many = _objects(subjects) if len(subjects) == 1 else show_count(len(subjects), "object")
        line(f"waiver {waiver.id}: {check_id} is accepted for {many} until {day.isoformat()}")


def _chosen(at: Situation, check_id: str, names: tuple[str, ...], where: str | None) -> tuple[Subject, ...]:
    from planner.checks.check import About
    from planner.checks.waivers import chosen
    from planner.errors import BadInput
    from planner.fields import Seen
    from planner.model import Finding
    from planner.query import parse
    from planner.readiness import judge, today

    check = at.check(check_id)
    whole = check.about is About.ESTATE
    if where is not None and check.about is not About.VM:
        raise BadInput(f"{check_id} is not about VMs but about {check.about.value}s", "name them")
    if not names and where is None and not whole:
        raise BadInput("waive needs names or a filter", "name VMs, or choose them by --where FILTER")
    findings = judge(at, today()).findings
    if where is None:
        return chosen(check_id, findings, names, (lambda found: True) if whole else None)
    wanted = parse(where)
    seen = Seen.of(at.inventory)
    matching = {vm.id for vm in at.inventory.vms if wanted.matches(vm, seen)}

    def is_wanted(found: Finding) -> bool:
        return found.subject_kind == About.VM.value and found.subject in matching

    return chosen(check_id, findings, names, is_wanted)
