"""What ``wherry site login`` and ``logout`` do: try a login, keep it, take it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from planner.sources.vcenter.address import Login
    from planner.store.project import Project


def keep_login(
    project: Project,
    name: str,
    *,
    keyring: bool,
    password_fd: int | None,
    trust: str | None,
    ca_file: Path | None,
) -> dict[str, Any]:
    """Log in to a site and keep how; return what answered. Raises NotFound, BadInput, Unreachable."""
    from migrate import audit
    from migrate.sites.vsphere.folder import VCenterFolder
    from planner.effects import Effect
    from planner.errors import BadInput
    from tui.cli.login import log_in, with_trust

    url = _url(project, name)
    if keyring and password_fd is not None:
        raise BadInput("a password for --password-fd is not in the keyring", "give one of the two")
    login = log_in(project, url, password_fd, trust, ca_file, keyring=keyring or None)
    login, seen = with_trust(project, login, _look)
    VCenterFolder.of(project.root, name).keep(name, url, login, keyring=keyring)
    account = login.address.account
    audit.note(project, Effect.EDIT_PLAN, "site login", name, {"account": account, "keyring": keyring})
    return {"name": name, "account": account, "password": "keyring" if keyring else "file", **seen}


def drop_login(project: Project, name: str) -> bool:
    """Remove what is kept of a login; return whether there was any. Raises NotFound, BadInput."""
    from migrate import audit
    from migrate.sites.vsphere.folder import VCenterFolder
    from planner.effects import Effect

    _url(project, name)
    there = VCenterFolder.of(project.root, name).forget()
    if there:
        audit.note(project, Effect.EDIT_PLAN, "site logout", name)
    return there


def _url(project: Project, name: str) -> str:
    from planner.errors import BadInput, NotFound
    from planner.names import visible
    from planner.sources.vcenter.address import is_address
    from planner.store import settings

    site = settings.load(project).sites.get(name)
    if site is None:
        raise NotFound(f"the project has no site {visible(name, 80)}", "see 'wherry site list'")
    if not is_address(site.url):
        raise BadInput(
            f"site {visible(name, 80)} is no vCenter, and needs no login", "see 'wherry site list'"
        )
    return site.url


def _look(login: Login) -> dict[str, Any]:
    from planner.sources.vcenter.session import Session

    with Session(login) as session:
        about = session.content.about
        return {
            "vcenter": str(about.instanceUuid),
            "product": str(about.fullName),
            "certificate_sha256": session.certificate.thumbprint,
        }
