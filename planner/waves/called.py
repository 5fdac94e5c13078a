"""What people call groups on a desk: by a VM's id, by the name of a group or VM, by an application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

from planner.errors import BadInput, NotFound
from planner.model import VM, MoveGroup
from planner.names import visible


class Called:
    """The names of groups. ``group_of`` is the group of each VM by id. Nobody changes it."""

    def __init__(self, groups: Sequence[MoveGroup], vms: Mapping[str, VM]) -> None:
        self._vms = vms
        self.group_of = {vm: group for group in groups for vm in group.vms}
        self._names: dict[str, list[MoveGroup]] = {}
        self._applications: dict[str, list[MoveGroup]] = {}
        for group in groups:
            for name in self._names_of(group):
                self._names.setdefault(name, []).append(group)
            for application in self._applications_of(group):
                self._applications.setdefault(application, []).append(group)

    def _names_of(self, group: MoveGroup) -> set[str]:
        return {group.name.casefold(), *(self._vms[vm].name.casefold() for vm in group.vms)}

    def _applications_of(self, group: MoveGroup) -> set[str]:
        return {self._vms[vm].application.strip().casefold() for vm in group.vms} - {""}

    def merged(self, groups: Sequence[MoveGroup], gone: Sequence[MoveGroup], whole: MoveGroup) -> Called:
        """Return the names of ``groups``: those of before, ``gone`` merged into ``whole``."""
        found = copy(self)
        found.group_of = {**self.group_of, **dict.fromkeys(whole.vms, whole)}
        found._names, found._applications = dict(self._names), dict(self._applications)
        place = {group.name: at for at, group in enumerate(groups)}
        for known, keys_of in (
            (found._names, self._names_of),
            (found._applications, self._applications_of),
        ):
            now = keys_of(whole)
            for key in {key for group in gone for key in keys_of(group)}:
                left = [group for group in known.pop(key) if group not in gone]
                if mine := [*left, whole] if key in now else left:
                    known[key] = sorted(mine, key=lambda group: place[group.name])
        return found

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
