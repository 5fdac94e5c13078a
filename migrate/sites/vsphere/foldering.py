"""Folders of VMs: those that are missing are made, once, and VMs that moved away are put aside into one.

A VM that is put aside remembers in a mark of its own which folder it was in, and goes back there.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from migrate.sites.vsphere.built import built, option
from migrate.sites.vsphere.describing import Describing, escaped, name_of, stamp_of
from migrate.sites.vsphere.landing import Ground
from migrate.sites.vsphere.tasks import Act
from planner.errors import NotFound
from planner.names import visible
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import many, text

_FROM = "wherry.folder"
_FOLDER = Kind("folders", (), {"Folder": ("name", "childEntity")})
_PLACED = Kind("virtual machines", (), {"VirtualMachine": ("parent",)})


class Foldering(Describing):
    """The folders of a vCenter's VMs."""

    def put_aside(self, vm: str, folder: str, op: str) -> str:
        """Move a VM into a folder below its datacenter; return why it stays, empty when it does not."""
        act, target = self.act("put_aside", vm, op), self.ids.need(vm)
        parent = self._parent(target)
        if not parent:
            return "it is part of a vApp"
        there, missing = Ground(self.connection).folder_beside(parent, folder)
        if not missing and there.id == parent:
            return ""
        self._remember(act, target, parent)
        self._move(act, target, self.make_folders(act, there, missing))
        return ""

    def put_back(self, vm: str, op: str) -> str:
        """Move a VM back to where it was put aside from; return why it stays, empty when it does not."""
        act, target = self.act("put_back", vm, op), self.ids.need(vm)
        before = stamp_of(self._seen(vm), _FROM)
        if not before:
            return ""
        if self.connection.one(_FOLDER, Ref("Folder", before)) is None:
            return "the folder that it was in is gone"
        self._move(act, target, Ref("Folder", before))
        self._remember(act, target, "")
        return ""

    def make_folders(self, act: Act, folder: Ref, missing: Iterable[str]) -> Ref:
        """Return the folder below ``folder``, made where it is missing; raises Declined, Unreachable."""
        for name in missing:
            ask = partial(self._child, folder, name)
            act.run(folder, "CreateFolder", escaped(name), done=ask)
            if (made := ask()) is None:
                raise NotFound(f"folder {visible(name, 80)} is gone again", "look who removes folders there")
            folder = Ref("Folder", made)
        return folder

    def _child(self, folder: Ref, name: str) -> str | None:
        item = self.connection.one(_FOLDER, folder)
        ids = many(item.values.get("childEntity")) if item else []
        children = self.connection.read(_FOLDER, [Ref("Folder", str(one)) for one in ids])
        return next((one.ref.id for one in children if name_of(one) == name), None)

    def _parent(self, target: Ref) -> str:
        item = self.connection.one(_PLACED, target)
        return text(item.values.get("parent")) if item else ""

    def _move(self, act: Act, target: Ref, folder: Ref) -> None:
        act.run(
            *(folder, "MoveIntoFolder_Task", [self.connection.managed(target)]),
            done=lambda: True if self._parent(target) == folder.id else None,
        )

    def _remember(self, act: Act, target: Ref, folder: str) -> None:
        def done() -> bool | None:
            item = self._look(target)
            return True if item is not None and stamp_of(item, _FROM) == folder else None

        spec = built("VirtualMachineConfigSpec", extraConfig=[option(_FROM, folder)])
        act.run(target, "ReconfigVM_Task", spec, done=done)
