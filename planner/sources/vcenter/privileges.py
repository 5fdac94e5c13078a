"""The rights we read with: the read-only role of docs/vcenter.md, and which of them an account lacks."""

from __future__ import annotations

from dataclasses import dataclass

from planner.errors import BadInput
from planner.sources.vcenter.session import Session


@dataclass(frozen=True, slots=True)
class Privilege:
    """A privilege on the root folder, and what it is for."""

    id: str
    why: str
    needed: bool = False  # without it nothing can be read


ROLE = (
    Privilege("System.View", "seeing what there is", needed=True),
    Privilege("System.Read", "reading machines, hosts, networks, datastores and write rates", needed=True),
    Privilege("Global.Licenses", "licences"),
    Privilege("StorageProfile.View", "storage policies"),
)


def missing_privileges(session: Session) -> tuple[Privilege, ...] | None:
    """Return what the account lacks on the root folder, None when the vCenter does not say.

    Raises Unreachable.
    """
    wanted = [privilege.id for privilege in ROLE]
    try:
        answers = session.ask(
            lambda content: content.authorizationManager.HasPrivilegeOnEntity(
                entity=content.rootFolder,
                sessionId=content.sessionManager.currentSession.key,
                privId=wanted,
            )
        )
    except BadInput:
        return None  # an account that may not even ask
    return tuple(privilege for privilege, held in zip(ROLE, answers, strict=True) if not held)
