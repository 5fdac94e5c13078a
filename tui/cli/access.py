"""``wherry discover --check``: may this account read that vCenter, and what would stay unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.cli.discovering import Wish
from tui.cli.output import data, line, say

if TYPE_CHECKING:
    from planner.sources.vcenter.address import Login
    from planner.store.project import Project


def check_access(project: Project, wish: Wish, as_json: bool) -> int:
    """Log in to each vCenter, read nothing, say what the account lacks; 3 when something is needed."""
    from planner.errors import BadInput, Blocked
    from planner.sources.vcenter.address import is_address
    from tui.cli.login import log_in, with_trust

    if not all(map(is_address, wish.sources)):
        raise BadInput(
            "--check is for live vCenters", "write it like: wherry discover vcenter://USER@HOST --check"
        )
    found = []
    for spec in wish.sources:
        login = log_in(project, spec, wish.password_fd, wish.trust, wish.ca_file)
        found.append(with_trust(project, login, _look)[1])
    if as_json:
        data(found)
    else:
        for seen in found:
            _show(seen)
    return Blocked.exit_code if any(not seen["readable"] for seen in found) else 0


def _look(login: Login) -> dict[str, Any]:
    from planner.sources.vcenter.privileges import missing_privileges
    from planner.sources.vcenter.session import Session

    with Session(login) as session:
        lacking = missing_privileges(session)
        about = session.content.about
        return {
            "vcenter": about.instanceUuid,
            "name": about.fullName,
            "endpoint": login.address.endpoint,
            "account": login.address.user,
            "certificate_sha256": session.certificate.thumbprint,
            "certificate_expires": session.certificate.expires,
            "readable": not any(item.needed for item in lacking or ()),
            "lacking": None
            if lacking is None
            else [{"privilege": item.id, "for": item.why} for item in lacking],
        }


def _show(seen: dict[str, Any]) -> None:
    from planner.names import visible

    name, vcenter = visible(str(seen["name"])), visible(str(seen["vcenter"]))
    line(f"{name} at {visible(seen['endpoint'])}, vCenter {vcenter}")
    until = seen["certificate_expires"] or "unknown"
    line(f"  certificate SHA-256 {seen['certificate_sha256']}, until {until}")
    if seen["lacking"] is None:
        line("  the vCenter does not say which privileges the account has")
    for item in seen["lacking"] or ():
        line(f"  {visible(seen['account'])} lacks {item['privilege']}: {item['for']}")
    if seen["lacking"] == []:
        line(f"  {visible(seen['account'])} may read everything")
    say("nothing was read; docs/vcenter.md lists the role")
