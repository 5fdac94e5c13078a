"""Storage policies by name: a vCenter is told of one by its id, which its policy service knows.

A policy that was said and is not there is refused: a disk without it would lie on the datastore's default,
maybe unencrypted or without its mirror, and nobody would see that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from migrate.sites.ports import NewVM
from migrate.sites.vsphere.built import built
from migrate.sites.vsphere.connection import Connection
from planner.errors import SiteRefused
from planner.names import visible
from planner.sources.vcenter.policies import known, policy_service

NO_PROFILES: Mapping[str, list[Any]] = {"": []}


def wanted_policies(vm: NewVM) -> frozenset[str]:
    """Return the names of the policies that a VM and its disks are to have."""
    return frozenset(filter(None, (vm.policy, *(disk.policy for disk in vm.disks))))


def profiles(connection: Connection, names: Iterable[str]) -> Mapping[str, list[Any]]:
    """Return what a spec says of each of these policies, nothing of the empty name.

    Raises SiteRefused with those that are not there, Declined where the account may not ask, Unreachable.
    """
    wanted = frozenset(filter(None, names))
    if not wanted:
        return NO_PROFILES
    ids = _ids(connection)
    if missing := sorted(wanted - ids.keys()):
        said = ", ".join(visible(name, 80) for name in missing)
        raise SiteRefused(
            f"storage policy {said} is not at {connection.shown}", "map it to a policy that is there"
        )
    return {
        **NO_PROFILES,
        **{name: [built("VirtualMachineDefinedProfileSpec", profileId=ids[name])] for name in wanted},
    }


def _ids(connection: Connection) -> dict[str, str]:
    """Return the ids of all policies by name; raises as ``profiles``."""
    failed = f"the storage policies of {connection.shown} cannot be read"

    def act(_: object) -> dict[str, str]:
        found = known(*policy_service(connection.session))
        return {str(one.name): str(one.profileId.uniqueId) for one in found}

    try:
        return connection.ask(failed, act)
    except (AttributeError, KeyError, TypeError) as error:  # pyvmomi, of an answer it cannot read
        raise SiteRefused(
            f"{failed}: its policy service answers in a form that is not understood",
            "look whether the account holds StorageProfile.View there",
        ) from error
