"""Logging in to a vCenter from the command line: whose password, and whose certificate.

The password comes from a file descriptor, the keyring or the terminal. A certificate that no authority
vouches for is shown and pinned only after a person typed yes, or named its thumbprint.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tui.cli.options import Command
from tui.cli.output import say

if TYPE_CHECKING:
    from planner.sources.vcenter.address import Login
    from planner.sources.vcenter.tls import UntrustedCertificate
    from planner.store.project import Project

Result = TypeVar("Result")


def login_options(function: Command) -> Command:
    """Add --password-fd, --trust and --ca-file, passed on by these names."""
    options: list[Callable[[Command], Command]] = [
        click.option(
            "--password-fd", type=int, metavar="N", help="vCenter: read the password from file descriptor N."
        ),
        click.option(
            "--trust", metavar="SHA256", help="vCenter: accept only the certificate with this thumbprint."
        ),
        click.option(
            "--ca-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="vCenter: certificates (PEM) of the authority to trust instead of the system's.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def log_in(
    project: Project,
    spec: str,
    password_fd: int | None,
    trust: str | None,
    ca_file: Path | None,
    *,
    keyring: bool | None = None,
) -> Login:
    """Return the login for a vCenter's address; raises BadInput. ``keyring`` is as of ``find_password``.

    A thumbprint that is named is remembered by the project, as one that was said yes to.
    """
    from planner.sources.vcenter.address import Login, parse_address
    from planner.sources.vcenter.credentials import find_password
    from planner.sources.vcenter.tls import parse_thumbprint
    from planner.store.trust import pin_of

    address = parse_address(spec)
    pin = parse_thumbprint(trust) if trust else None
    if pin is None and ca_file is None:
        pin = pin_of(project, address.endpoint)
    return Login(address, find_password(address, fd=password_fd, keyring=keyring), pin, ca_file)


def with_trust(project: Project, login: Login, act: Callable[[Login], Result]) -> tuple[Login, Result]:
    """Do something with a login; where its certificate is not trusted ask once, pin it and try again."""
    from dataclasses import replace

    from planner.sources.vcenter.tls import UntrustedCertificate

    try:
        result = act(login)
    except UntrustedCertificate as error:
        if not _agreed(error, pinned=login.trust is not None):
            raise
        login = replace(login, trust=error.thumbprint, ca_file=None)
        result = act(login)
    remember(project, login)
    return login, result


def remember(project: Project, login: Login) -> None:
    """Note the pin of a login that worked, and who gave it, unless it is known."""
    from migrate import audit
    from planner.effects import Effect
    from planner.store import trust

    endpoint = login.address.endpoint
    if login.trust is None or trust.pin_of(project, endpoint) == login.trust:
        return
    trust.pin(project, endpoint, login.trust, audit.person())
    audit.note(project, Effect.EDIT_PLAN, "trust", endpoint, {"sha256": login.trust})


def _agreed(error: UntrustedCertificate, pinned: bool) -> bool:
    """Ask for the word; nobody is asked without a terminal, nor where a program listens."""
    from planner.names import visible
    from tui.cli import events

    if not (error.thumbprint and sys.stdin.isatty()) or events.are_told():
        return False
    say(f"{visible(error.message)}")
    if pinned:
        say("this is NOT the certificate that was trusted before: find out why before you say yes")
    else:
        say("compare it with what the vCenter itself says (its console, or a colleague beside it)")
    answer: Any = click.prompt("Trust exactly this certificate from now on? Type yes", err=True, default="no")
    return str(answer).strip().lower() == "yes"
