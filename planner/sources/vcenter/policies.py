"""Storage policies of machines and disks, from the policy service beside the vCenter's own.

Two calls for each policy say what it is attached to. Where the account may not ask, or the service is
not there, policies are unknown and the rest of the reading goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from planner.errors import BadInput, Unreachable
from planner.names import visible
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.tls import UntrustedCertificate

_PATH, _VERSION = "/pbm", "pbm.version.version1"
_BATCH = 100  # policies a call


class Profiles(Protocol):
    """What is asked of the policy service."""

    def PbmQueryProfile(self, resourceType: Any, profileCategory: str) -> list[Any]:
        """Return the ids of all policies."""

    def PbmRetrieveContent(self, profileIds: list[Any]) -> list[Any]:
        """Return policies with their names."""

    def PbmQueryAssociatedEntity(self, profile: Any, entityType: str) -> list[Any]:
        """Return what a policy is attached to, of one type."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Names of policies: of machines' homes by VM id, of disks by ``VM id:disk key``."""

    homes: Mapping[str, str]
    disks: Mapping[str, str]


class NoPolicies(Exception):
    """Policies cannot be read here; the text says why, as the end of a sentence.

    It ``passes`` when it may be otherwise soon.
    """

    def __init__(self, why: str, passes: bool = False) -> None:
        super().__init__(why)
        self.passes = passes


def read_policies(session: Session) -> Policies:
    """Return the policies in use; raises NoPolicies, UntrustedCertificate."""
    try:
        return session.ask(lambda _: attached(*policy_service(session)))
    except UntrustedCertificate:
        raise
    except (BadInput, Unreachable) as error:
        raise NoPolicies(visible(error.message, 160), isinstance(error, Unreachable)) from error
    except (AttributeError, KeyError, TypeError) as error:  # pyvmomi, of an answer it cannot read
        raise NoPolicies("the policy service answers in a form that is not understood") from error


def policy_service(session: Session) -> tuple[Profiles, Any]:
    """Return a vCenter's policy service, and what it calls policies of storage; raises as a call does."""
    from pyVmomi import pbm

    service: Any = pbm.ServiceInstance
    kind: Any = pbm.profile.ResourceType
    content = service("ServiceInstance", session.beside(_PATH, _VERSION)).RetrieveContent()
    return content.profileManager, kind(resourceType="STORAGE")


def known(profiles: Profiles, storage: Any) -> Iterator[Any]:
    """Yield the policies that a service knows, each with ``profileId`` and ``name``."""
    ids = list(profiles.PbmQueryProfile(resourceType=storage, profileCategory="REQUIREMENT") or ())
    for begin in range(0, len(ids), _BATCH):
        yield from profiles.PbmRetrieveContent(profileIds=ids[begin : begin + _BATCH])


def attached(profiles: Profiles, storage: Any) -> Policies:
    """Return the policies that a service knows, with what they are attached to."""
    homes: dict[str, str] = {}
    disks: dict[str, str] = {}
    for policy in known(profiles, storage):
        for kind, found in (("virtualMachine", homes), ("virtualDiskId", disks)):
            for entity in profiles.PbmQueryAssociatedEntity(profile=policy.profileId, entityType=kind) or ():
                if entity.objectType == kind:
                    found[str(entity.key)] = str(policy.name)
    return Policies(homes, disks)
