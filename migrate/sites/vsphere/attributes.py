"""Custom attributes of a vCenter's VMs: read by name, defined once, set to a value."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from migrate.sites.vsphere.built import kind_named
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.tasks import Act
from planner.errors import NameTaken
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import many, text

_VM = Kind("virtual machines", (), {"VirtualMachine": ("customValue",)})
_FIELDS = Kind("custom attributes", (), {"CustomFieldsManager": ("field",)})
_OF_VMS = ("", "VirtualMachine")
OWN = "wherry "  # how the names of those begin that wherry shows where VMs stand by


class Attributes:
    """The custom attributes of one vCenter."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def _manager(self) -> Ref:
        return Ref("CustomFieldsManager", self._connection.session.content.customFieldsManager._GetMoId())

    def _keys(self) -> dict[str, int]:
        """Return the keys of the attributes that VMs can have, by name."""
        item = self._connection.one(_FIELDS, self._manager)
        fields = many(item.values.get("field")) if item else []
        return {
            text(one, "name"): int(text(one, "key"))
            for one in fields
            if text(one, "managedObjectType") in _OF_VMS
        }

    def values(self, vm: Ref) -> tuple[tuple[str, str], ...]:
        """Return (name, value) of the attributes of a VM that have a value, sorted."""
        item = self._connection.one(_VM, vm)
        entries = many(item.values.get("customValue")) if item else []
        if not entries:
            return ()
        names = {key: name for name, key in self._keys().items()}
        found = {names.get(int(text(one, "key")), ""): text(one, "value") for one in entries}
        return tuple(sorted((name, value) for name, value in found.items() if name and value))

    def write(self, act: Act, vm: Ref, wanted: Iterable[tuple[str, str]]) -> None:
        """Set attributes of a VM, those that are not so yet; one that nobody knows is defined for VMs."""
        there = dict(self.values(vm))
        missing = [(name, value) for name, value in wanted if there.get(name, "") != value]
        keys = self._keys() if missing else {}
        for name, value in missing:
            key = keys.get(name)
            if key is None:
                key = keys[name] = self._define(act, name)
            act.run(
                self._manager,
                "SetField",
                *(self._connection.managed(vm), key, value),
                done=partial(self._holds, vm, name, value),
            )

    def _holds(self, vm: Ref, name: str, value: str) -> bool | None:
        return True if dict(self.values(vm)).get(name, "") == value else None

    def _define(self, act: Act, name: str) -> int:
        with suppress(NameTaken):  # somebody was faster
            act.run(
                self._manager,
                "AddCustomFieldDef",
                *(name, kind_named("VirtualMachine")),
                done=lambda: self._keys().get(name),
            )
        return self._keys()[name]
