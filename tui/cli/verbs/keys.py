"""wherry keys: the project's authority, and the bundles it gives to sites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, say, table
from tui.cli.words import Words

if TYPE_CHECKING:
    from datetime import datetime

    from migrate.keys.authority import Issued
    from migrate.keys.names import Holder

FOLDER = "keys"


@click.group(
    cls=Words,
    epilog="Examples: wherry keys init; wherry keys issue dc2.pem --site dc2 --role receiver",
)
def command() -> None:
    """Certificates for senders and receivers on a network, issued by this project alone."""


@command.command(epilog="Example: wherry keys init")
@project_option
@json_option
def init(project_dir: Path, as_json: bool) -> None:
    """Make the project's authority, once; its key stays in the project's keys folder."""
    from migrate import audit
    from migrate.keys import authority
    from planner.effects import Effect

    with open_project(project_dir) as project:
        authority.create(project.root / FOLDER, project.id)
        audit.note(project, Effect.EDIT_PLAN, "keys init", project.name)
    if as_json:
        data({"made": True})
    else:
        say("the project has its own authority now, keep its keys folder in a backup")


@command.command(
    epilog="Examples: wherry keys issue dc2.pem --site dc2 --role receiver; "
    "wherry keys issue dc1.pem --site dc1 --role sender --groups crm,erp --days 30"
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--site", required=True, help="The site that gets it.")
@click.option("--role", required=True, type=click.Choice(["sender", "receiver"]), help="What it may be.")
@click.option("--groups", default="", metavar="G1,G2", help="Only volumes of these groups; else all.")
@click.option("--days", type=click.IntRange(1, 825), default=90, show_default=True,
              help="How long it is valid.")  # fmt: skip
@project_option
@json_option
def issue(file: Path, site: str, role: str, groups: str, days: int, project_dir: Path, as_json: bool) -> None:
    """Write a private key with its certificate to FILE, to be carried to the site."""
    from migrate import audit
    from migrate.keys import authority
    from migrate.keys.names import Holder, Role
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.names import visible

    named = tuple(dict.fromkeys(part.strip() for part in groups.split(",") if part.strip()))
    if groups and not named:
        raise BadInput("--groups names no group", "name one, or leave the option out for all groups")
    if not site.strip():
        raise BadInput("the site has no name", "name the site that gets the keys")
    with open_project(project_dir) as project:
        holder = Holder(project.id, site.strip(), Role(role), named)
        given = authority.issue(project.root / FOLDER, holder, days, file)
        audit.note(project, Effect.EDIT_PLAN, "keys issue", site, _detail(given))
    if as_json:
        data({**_told(given), "written": str(file)})
        return
    say(visible(f"keys for {holder.role} at {holder.site} written to {file}, valid for {days} days"))
    say("whoever has this file can speak for that site: carry it safely")


@command.command("list", epilog="Example: wherry keys list --json")
@project_option
@json_option
def list_issued(project_dir: Path, as_json: bool) -> None:
    """List who holds certificates, until when, and which are revoked."""
    from datetime import UTC, datetime

    from migrate.keys import authority

    with open_project(project_dir) as project:
        found = authority.issued(project.root / FOLDER)
    if as_json:
        data([_told(one) for one in found])
        return
    now = datetime.now(UTC)
    table(("serial", "role", "site", "groups", "valid until", "state"),
          [(one.serial, one.holder.role, one.holder.site, ", ".join(one.holder.groups) or "all",
            _time(one.not_after), _state(one, now)) for one in found])  # fmt: skip


@command.command(epilog="Example: wherry keys revoke 3FA9C2")
@click.argument("serial")
@project_option
@json_option
def revoke(serial: str, project_dir: Path, as_json: bool) -> None:
    """Put a certificate on the signed list keys/revoked.pem, to be carried to the receivers."""
    from migrate import audit
    from migrate.keys import authority
    from planner.effects import Effect

    with open_project(project_dir) as project:
        ended = authority.revoke(project.root / FOLDER, serial)
        audit.note(project, Effect.EDIT_PLAN, "keys revoke", ended.holder.site, _detail(ended))
    if as_json:
        data(_told(ended))
    else:
        say(f"revoked: the {ended.holder}; bring keys/revoked.pem to the sites that rely on it")


@command.command(epilog="Example: wherry keys check dc2.pem")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> None:
    """Say whose keys FILE holds and until when; needs no project, so it works at the site."""
    from migrate.keys.bundle import read_bundle

    found = read_bundle(file)
    if as_json:
        data(_holder(found.serial, found.holder, found.not_after))
    else:
        table(("what", "found"),
              [("serial", found.serial), ("project", found.holder.project), ("site", found.holder.site),
               ("role", found.holder.role), ("groups", ", ".join(found.holder.groups) or "all"),
               ("valid until", _time(found.not_after))])  # fmt: skip


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _state(one: Issued, now: datetime) -> str:
    if one.revoked_at is not None:
        return f"revoked {_time(one.revoked_at)}"
    return "valid" if now <= one.not_after else "expired"


def _holder(serial: str, holder: Holder, not_after: datetime) -> dict[str, Any]:
    return {
        "serial": serial,
        "project": holder.project,
        "site": holder.site,
        "role": holder.role.value,
        "groups": list(holder.groups),
        "not_after": not_after.isoformat(),
    }


def _told(one: Issued) -> dict[str, Any]:
    ended = one.revoked_at.isoformat() if one.revoked_at else None
    return {**_holder(one.serial, one.holder, one.not_after), "revoked_at": ended}


def _detail(one: Issued) -> dict[str, Any]:
    told = _told(one)
    return {key: told[key] for key in ("serial", "role", "groups", "not_after")}
