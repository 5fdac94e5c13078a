"""wherry site: where VMs leave and where they go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.login import login_options
from tui.cli.options import json_option, open_project, project_option
from tui.cli.output import data, say, table

if TYPE_CHECKING:
    from planner.settings_sites import Site


@click.group(
    epilog="Examples: wherry site add dc1 lab:lab/dc1 --role source; wherry site login dc2; wherry site list"
)
def command() -> None:
    """Name the source and the target site."""


@command.command("add", epilog="Example: wherry site add dc2 lab:lab/dc2 --role target")
@click.argument("name")
@click.argument("url", metavar="lab:DIR|simulated:|vcenter://USER@HOST")
@click.option("--role", type=click.Choice(["source", "target"]), required=True)
@project_option
@json_option
def add(name: str, url: str, role: str, project_dir: Path, as_json: bool) -> None:
    """Add a site, or replace the one of that name.

    Another vCenter in the place of one keeps how its disks are reached: mounts, VDDK, mover.
    """
    from migrate import audit
    from planner.effects import Effect
    from planner.errors import BadInput
    from planner.names import visible
    from planner.store import settings as settings_store

    with open_project(project_dir) as project:
        for other, site in settings_store.load(project).sites.items():
            if other != name and site.role == role:
                raise BadInput(
                    f"site {other} is the {role} already",
                    f"replace it: wherry site add {other} URL --role {role}",
                )
        body = settings_store.load(project).model_dump(mode="json")
        before = body["sites"].get(name, {})
        both = all(one.startswith("vcenter:") for one in (url, before.get("url", "")))
        body["sites"][name] = {**(before if both else {}), "url": url, "role": role}
        settings_store.save(project, settings_store.validate(body, "the site"), audit.person())
        audit.note(project, Effect.EDIT_PLAN, "site add", name, {"url": url, "role": role})
    if as_json:
        data({"name": name, "role": role, "url": url})
    else:
        say(visible(f"{role} site {name} is {url}"))


@command.command(
    "login", epilog="Examples: wherry site login dc2; wherry site login dc2 --password-fd 3 3< FILE"
)
@click.argument("name")
@click.option("--keyring", is_flag=True, help="Keep no password: the keyring has it, for the engine too.")
@login_options
@project_option
@json_option
def login(name: str, project_dir: Path, as_json: bool, keyring: bool, **options: Any) -> None:
    """Keep the login for acting on a vCenter, once it was tried.

    The engine and its movers run unattended and log in with it. The password lies in the project's folder, in
    a file that only you can read, or stays in the keyring. Anything else of the project never holds it.
    """
    from planner.names import visible
    from tui.cli.site_logins import keep_login

    with open_project(project_dir) as project:
        found = keep_login(project, name, keyring=keyring, **options)
    if as_json:
        data(found)
    else:
        say(visible(f"{found['name']} is {found['product']}; the login of {found['account']} is kept"))


@command.command("logout", epilog="Example: wherry site logout dc2")
@click.argument("name")
@project_option
@json_option
def logout(name: str, project_dir: Path, as_json: bool) -> None:
    """Remove the login that is kept of a vCenter.

    Sessions that are open end by themselves.
    """
    from tui.cli.site_logins import drop_login

    with open_project(project_dir) as project:
        there = drop_login(project, name)
    if as_json:
        data({"name": name, "removed": there})
    else:
        say("the login is removed" if there else "no login was kept")


@command.command(
    "receiver",
    epilog="Examples: wherry site receiver dc2 --at 10.0.0.5:7643 --keys dc1.pem; "
    "wherry site receiver dc2 --here",
)
@click.argument("name")
@click.option("--at", default="", metavar="ADDRESS:PORT", help="Where 'wherry receiver --site' listens.")
@click.option("--keys", type=click.Path(path_type=Path), help="Our bundle, role sender.")
@click.option("--here", is_flag=True, help="Back to one beside the engine, started when needed.")
@project_option
@json_option
def receiver(name: str, at: str, keys: Path | None, here: bool, project_dir: Path, as_json: bool) -> None:
    """Say that a site's receiver is on another machine.

    It is asked at once which site it serves. From then on the project's waves are sent to it, encrypted, and
    their journals are kept there. A copy of the keys lies in the site's folder, where only you can read it.
    """
    from planner.errors import BadInput
    from planner.names import visible
    from planner.units import show_bytes
    from tui.cli.site_receiving import have_receiver_here, name_receiver

    if here == bool(at) or bool(at) != (keys is not None):
        raise BadInput("it is not said where the receiver is", "give --at and --keys, or --here")
    with open_project(project_dir) as project:
        found = name_receiver(project, name, at, keys) if keys else None
        was_away = have_receiver_here(project, name) if here else False
    if as_json:
        data(found or {"name": name, "was_away": was_away})
    elif found:
        free = show_bytes(found["free_bytes"])
        say(visible(f"the receiver of {name} is at {at}, {free} free for its store"))
    else:
        say("the receiver is beside the engine again" if was_away else "the receiver was beside the engine")


@command.command("list", epilog="Example: wherry site list --json")
@project_option
@json_option
def list_sites(project_dir: Path, as_json: bool) -> None:
    """List the project's sites and the ways to their disks.

    Told is what is set up. Which way leads to each disk of a wave says wherry rehearse WAVE --depth dry.
    """
    from planner.store import settings as settings_store
    from tui.cli.site_receiving import address_of

    with open_project(project_dir) as project:
        sites = settings_store.load(project).sites
        receivers = {name: address_of(project, name, site.url) for name, site in sites.items()}
    if as_json:
        data({name: {**site.model_dump(), "receiver": receivers[name]} for name, site in sites.items()})
        return
    table(
        ("name", "role", "url", "receiver", "ways to its disks"),
        ((name, site.role, site.url, receivers[name] or "here", _ways(site)) for name, site in sites.items()),
    )


def _ways(site: Site) -> str:
    """Return what is set up to reach the disks of a vCenter; nothing of a lab."""
    from planner.names import visible

    if not site.url.startswith("vcenter:"):
        return ""
    set_up = {
        "local": ", ".join(sorted(site.mounts)),
        "hot-add": site.mover,
        "nbd": "VDDK" + (f", carrier {site.carrier}" if site.carrier else "") if site.vddk else "",
        "datastore-http": "always",
    }
    return "; ".join(f"{way}: {visible(by, 200)}" for way, by in set_up.items() if by)
