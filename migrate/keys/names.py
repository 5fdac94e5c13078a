"""What a certificate says of its holder: project, site, role, and the groups it is limited to.

Written as URIs in the subject alternative name. ssl accepts every certificate of the project's
authority; only these names decide who may do what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from planner.errors import BadInput, SiteRefused
from planner.names import visible

_HOLDER = re.compile(r"wherry://([^/]+)/site/([^/]+)/role/([^/]+)")
_GROUP = re.compile(r"wherry://([^/]+)/group/([^/]+)")


class Role(StrEnum):
    """What the holder does on the wire."""

    SENDER = "sender"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a certificate was given to. No ``groups`` means every group of the project."""

    project: str
    site: str
    role: Role
    groups: tuple[str, ...] = ()

    def uris(self) -> tuple[str, ...]:
        """Return the names to write into the certificate."""
        project = quote(self.project, safe="")
        return (
            f"wherry://{project}/site/{quote(self.site, safe='')}/role/{self.role}",
            *(f"wherry://{project}/group/{quote(group, safe='')}" for group in self.groups),
        )

    def __str__(self) -> str:
        """Return the holder in words that are safe on any screen."""
        return f"{self.role} of site {visible(self.site, 80)}, project {visible(self.project, 80)}"


def holder_of(uris: Iterable[str]) -> Holder:
    """Return who the names of a certificate stand for; raises BadInput on any name that is not ours."""
    found: list[tuple[str, str, str]] = []
    groups: list[tuple[str, str]] = []
    for uri in uris:
        if match := _HOLDER.fullmatch(uri):
            found.append((unquote(match[1]), unquote(match[2]), match[3]))
        elif match := _GROUP.fullmatch(uri):
            groups.append((unquote(match[1]), unquote(match[2])))
        else:
            # A name we cannot read may be a limit: left out, it would widen what the holder may do.
            raise BadInput("the certificate carries a name that is not understood", "issue it anew")
    if len(found) != 1 or found[0][2] not in tuple(Role):
        raise BadInput("the certificate does not say whose it is", "issue it with 'wherry keys issue'")
    project, site, role = found[0]
    if any(owner != project for owner, _group in groups):
        raise BadInput("the certificate names groups of another project", "issue it anew")
    return Holder(project, site, Role(role), tuple(group for _owner, group in groups))


def must_be(peer: Holder, *, project: str, role: Role, site: str | None = None) -> None:
    """Raise SiteRefused unless the peer is of this project and role, and of ``site`` when one is given."""
    if peer.project != project:
        raise SiteRefused(f"the peer is the {peer}, not of this project", "use keys issued by this project")
    if peer.role is not role:
        raise SiteRefused(f"the peer is the {peer}, not a {role}", f"give it keys with role {role}")
    if site is not None and peer.site != site:
        raise SiteRefused(
            f"the peer is the {peer}, not of site {visible(site, 80)}", "check the address and the site"
        )
