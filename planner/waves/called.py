"""What people call groups on a desk: by a VM's id, by the name of a group or VM, by an application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.errors import BadInput, NotFound
from planner.model import VM, MoveGroup
from planner.names import visible


class Called:
    """The names of groups. ``group_of`` is the group of each VM by id. Nobody changes it."""

    def __init__(self, groups: Sequence[MoveGroup], vms: Mapping[str, VM]) -> None:
        self.group_of = {vm: group for group in groups for vm in group.vms}
        self._names: dict[str, list[MoveGroup]] = {}
        self._applications: dict[str, list[MoveGroup]] = {}
        for group in groups:
            for name in {group.name.casefold(), *(vms[vm].name.casefold() for vm in group.vms)}:
                self._names.setdefault(name, []).append(group)
            for application in {vms[vm].application.strip().casefold() for vm in group.vms} - {""}:
                self._applications.setdefault(application, []).append(group)

    def application(self, what: str) -> tuple[MoveGroup, ...]:
        """Return the groups of an application, none when nothing is called so."""
        return tuple(self._applications.get(what.strip().casefold(), ()))

    def groups(self, what: str) -> tuple[MoveGroup, ...]:
        """Return the groups a person means: by a VM's id, a group's or VM's name, else by an application.

        Raises NotFound, and BadInput when several groups have a VM or themselves are called that.
        """
        if what in self.group_of:
            return (self.group_of[what],)
        found = self._names.get(what.strip().casefold(), [])
        exact = [group for group in found if group.name == what] or found
        if len(exact) == 1:
            return (exact[0],)
        if found:
            raise BadInput(f"{visible(what)} means {len(found)} move groups", "name the VM by its id")
        if mine := self.application(what):
            return mine
        raise NotFound(
            f"{visible(what)} is no VM, move group or application of this plan",
            "see 'wherry plan show' and 'wherry inventory' for names; what stays has no wave",
        )
