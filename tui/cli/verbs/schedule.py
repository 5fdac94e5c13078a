"""wherry schedule add, list, remove, from-plan: waves that begin by calendar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, line, say, table
from tui.cli.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrate.schedule.calendar import Appointment
    from migrate.schedule.making import Proposed

_LIVE = click.option("--live", is_flag=True, help="Really make it; without this it is only said.")


@click.group(
    cls=Words,
    epilog="Examples: wherry schedule add W01 '2026-12-05 22:00' --zone Europe/Berlin --live; "
    "wherry schedule from-plan; wherry schedule list",
)
def command() -> None:
    """The calendar: an appointment is your word, given ahead, that a wave begins at a time."""


@command.command(
    "add",
    epilog="Examples: wherry schedule add W01 window --live; "
    "wherry schedule add W01 '2026-12-05 22:00' --zone Europe/Berlin --live",
)
@click.argument("wave")
@click.argument("when")
@click.option(
    "--purpose",
    type=click.Choice(("cutover", "replicate")),
    default="cutover",
    show_default=True,
    help="What begins then.",
)
@click.option("--zone", default="", metavar="NAME", help="The zone of WHEN; default: the window's, else UTC.")
@click.option("--ticket", default="", metavar="NUMBER", help="The change ticket, if the go gate asks.")
@click.option("--reason", default="", metavar="TEXT", help="Why it may be in a freeze or outside the window.")
@_LIVE
@click.option("--confirm", metavar="WAVE", help="The wave's name again, instead of typing it.")
@project_option
@json_option
def add(
    wave: str,
    when: str,
    purpose: str,
    zone: str,
    ticket: str,
    reason: str,
    live: bool,
    confirm: str | None,
    project_dir: Path,
    as_json: bool,
) -> None:
    """Have WAVE begin at WHEN: a time, or 'window' for the start of its window.

    It is your approval of go, for exactly the plan as it is now. The engine waits for it; after a
    restart of the machine it is for you, or a systemd unit, to start it.
    """
    from migrate.gates.words import check_text
    from migrate.schedule.calendar import Appointed
    from migrate.schedule.making import make, propose
    from tui.cli.acting import confirm_live
    from tui.cli.ordering import wake

    check_text(ticket.strip(), reason.strip())
    with open_project(project_dir) as project:
        proposed = propose(
            project, wave, when, Appointed(purpose), _now(), zone=zone, ticket=ticket, reason=reason
        )
        if not live:
            _tell(_documents([proposed]), [], as_json)
            say(f"dry: nothing was stored. To store it: wherry schedule add {proposed.wave.name} ... --live")
            return
        confirm_live(proposed.wave.name, confirm, "schedule")
        made = make(project, proposed, ticket, reason)
        wake(project)
    _tell([_document(made)], [], as_json)


@command.command("list", epilog="Example: wherry schedule list --all")
@click.option("--all", "every", is_flag=True, help="Those that are over too, and why.")
@project_option
@json_option
def listed(every: bool, project_dir: Path, as_json: bool) -> None:
    """Show the appointments to come, and which of them no longer hold."""
    from migrate.gates.due import Cause, next_due
    from migrate.schedule import calendar

    with open_project(project_dir) as project:
        found = calendar.every(project) if every else calendar.standing(project)
        void = {
            due.number: due.why
            for due in next_due(project, _now())
            if due.cause is Cause.APPOINTMENT and not due.purpose
        }
    rows = [{**_document(item), "void": void.get(item.id, "")} for item in found]
    _tell(rows, [], as_json)
    if not rows and not as_json:
        say("nothing is scheduled")


@command.command("remove", epilog="Example: wherry schedule remove 3")
@click.argument("number", type=click.IntRange(1))
@project_option
@json_option
def remove(number: int, project_dir: Path, as_json: bool) -> None:
    """Take an appointment back."""
    from migrate.audit import person
    from migrate.schedule import calendar

    with open_project(project_dir) as project:
        gone = calendar.end(project, number, f"taken back by {person()}")
    if as_json:
        data(_document(gone))
    else:
        line(f"appointment {gone.id} for {gone.purpose.value} of {gone.wave} is taken back")


@command.command("from-plan", epilog="Example: wherry schedule from-plan --live --confirm dc1-exit")
@_LIVE
@click.option("--confirm", metavar="PROJECT", help="The project's name, instead of typing it.")
@project_option
@json_option
def from_plan(live: bool, confirm: str | None, project_dir: Path, as_json: bool) -> None:
    """Have every approved wave of the plan cut over when its window opens."""
    from migrate.schedule import making
    from planner.names import visible
    from tui.cli.acting import confirm_live
    from tui.cli.ordering import wake

    with open_project(project_dir) as project:
        proposed, left = making.from_plan(project, _now())
        if not live or not proposed:
            _tell(_documents(proposed), left, as_json)
            say("dry: nothing was stored. To store it: wherry schedule from-plan --live" if proposed else
                "no wave is left to be scheduled")  # fmt: skip
            return
        if confirm is None:
            _tell(_documents(proposed), left, False)
        confirm_live(visible(project.name), confirm, "schedule")
        made = [making.make(project, item) for item in proposed]
        wake(project)
    _tell([_document(item) for item in made], left, as_json)


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _document(item: Appointment) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(item), "purpose": item.purpose.value}


def _documents(proposed: Sequence[Proposed]) -> list[dict[str, Any]]:
    return [
        {
            "wave": item.wave.name,
            "purpose": item.purpose.value,
            "due": item.at.isoformat().replace("+00:00", "Z"),
            "against": item.against,
        }
        for item in proposed
    ]


def _tell(rows: list[dict[str, Any]], left: list[str], as_json: bool) -> None:
    if as_json:
        data({"appointments": rows, "left": left})
        return
    table(
        ("no", "wave", "what", "at", "by", "note"),
        (
            (
                row.get("id", ""),
                row["wave"],
                row["purpose"],
                f"{row['due'][:16].replace('T', ' ')} UTC",
                row.get("who", ""),
                row.get("ended_why") or row.get("void") or row.get("against", ""),
            )
            for row in rows
        ),
    )
    for reason in left:
        say(f"left out: {reason}")
