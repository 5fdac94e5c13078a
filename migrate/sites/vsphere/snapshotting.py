"""Snapshots of groups: one of each VM, as near to each other in time as a vCenter takes them.

    take:  room? ─▸ nothing left to consolidate ─▸ all at once, quiesced where asked, else plain ─▸ change ids
    drop:  each VM's ─▸ its delta files are merged ─▸ gone

A group snapshot is known by the op that took it, which stands in the description of each VM's part: so it
is found again by any process, and nobody else's is ever touched. Its id is that op. A VM that shares
disks has none and is refused; physical mappings and independent disks are left out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from migrate.sites.consistency import Consistency, lowest
from migrate.sites.ports import ChangeId, Snapshot, VMSnapshot
from migrate.sites.removals import Lost
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.epochs import Epochs
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.quiescing import Quiescing
from migrate.sites.vsphere.reading import Machine
from migrate.sites.vsphere.refusing import Declined
from migrate.sites.vsphere.tasks import Act, Tasks
from migrate.sites.vsphere.trees import NAME, Taken, ours, stamped, standing, tree
from planner.errors import SiteRefused, WherryError
from planner.freezing import forbids_snapshots
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import flag, text

MOST = 28  # change tracking fails on more of them, see docs/change-tracking.md
_AT_ONCE = 16  # VMs of a group
_TRIES = 2  # of a quiesced snapshot, before a plain one is taken
_GUEST_FAILED = frozenset(
    {"ApplicationQuiesceFault", "FilesystemQuiesceFault", "QuiesceFault", "ToolsUnavailable", "SnapshotFault"}
)
_TREES = Kind("virtual machines", ("VirtualMachine",), {"VirtualMachine": ("snapshot",)})
_NAMED_TREES = Kind("virtual machines", (), {"VirtualMachine": ("name", "snapshot")})
_LEFT = Kind("virtual machines", (), {"VirtualMachine": ("runtime.consolidationNeeded",)})

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Part:
    """One VM's part of a group snapshot."""

    machine: Machine
    taken: Taken


class Snapshotting(Quiescing, Epochs):
    """Takes, finds and removes snapshots."""

    def __init__(self, connection: Connection, tasks: Tasks, ids: Ids) -> None:
        super().__init__(connection, tasks, ids)
        self._of_op: dict[str, tuple[Ref, ...]] = {}

    def take_snapshot(self, vms: tuple[str, ...], op: str) -> Snapshot:
        """Take a snapshot of each VM; raises NotFound, Declined, NoSpace, SiteRefused, Unreachable.

        When one of them cannot be taken, those of the others are removed before the error goes on.
        """
        act = self.act("take_snapshot", " ".join(vms), op)
        machines = _each(vms, self.need_machine)
        _each(machines, self._must_be_alone)
        _each(machines, lambda machine: self._must_have_room(act, machine))
        self._of_op[op] = tuple(machine.ref for machine in machines)
        try:
            _each(machines, lambda machine: self._take(act, machine))
        except Exception:
            with contextlib.suppress(WherryError):  # what stays is found by its op
                self._drop(act, op, [machine.ref for machine in machines])
            raise
        return self._group(op, self._parts(op)) or Snapshot(op, Consistency.CRASH, {}, op)

    def find_snapshot(self, op: str) -> Snapshot | None:
        """Return the snapshot made under ``op`` that still exists; raises Unreachable."""
        return self._group(op, self._parts(op))

    def list_snapshots(self) -> tuple[Snapshot, ...]:
        """Return all snapshots that wherry took at this vCenter; raises Unreachable."""
        found: dict[str, list[Part]] = {}
        for item in self.connection.find(_TREES, _with_ours):
            for op, taken in ours(item.values.get("snapshot")).items():
                found.setdefault(op, []).append(self._part(item, taken))
        groups = (self._group(op, parts) for op, parts in found.items())
        return tuple(group for group in groups if group is not None)

    def snapshots_of(self, vm: str) -> tuple[VMSnapshot, ...]:
        """Return everybody's snapshots of a VM, none for one that is not registered."""
        target = self.ids.find(vm)
        item = self.connection.one(_TREES, target) if target else None
        taken = tree(item.values.get("snapshot")) if item else ()
        return tuple(VMSnapshot(one.id, one.name, one.op) for one in taken)

    def drop_snapshot(self, snapshot: str, op: str) -> None:
        """Remove a group snapshot and see its files merged; one that is gone already is not an error.

        Raises Declined, SiteRefused when files stay that belong to no snapshot, Unreachable.
        """
        act = self.act("drop_snapshot", snapshot, op)
        # One of an earlier try whose answer was lost may have come late: nobody else knows of it.
        step = snapshot.rpartition("/")[0]
        found: dict[str, list[Ref]] = {}
        for item in self._items(snapshot):
            ops = dict.fromkeys(taken.op for taken in tree(item.values.get("snapshot")))  # each once a VM
            for taken_by in ops:
                if taken_by == snapshot or (step and taken_by.rpartition("/")[0] == step):
                    found.setdefault(taken_by, []).append(item.ref)
        for taken_by, targets in found.items():
            self._drop(act, taken_by, targets)

    def lost_from(self, snapshot: str, vms: tuple[str, ...], parts: Collection[str]) -> tuple[Lost, ...]:
        """Return those of the VMs whose part of a group snapshot is lost; raises Unreachable."""
        targets = [target for vm in vms if (target := self.ids.find(vm)) is not None]
        found = []
        for item in self.connection.read(_NAMED_TREES, targets) if targets else ():
            info = item.values.get("snapshot")
            known = parts or [one.id for op, one in ours(info).items() if op == snapshot]
            if (how := standing(info, known)) is not None:
                found.append(Lost(entity_name(text(item.values.get("name"))), how))
        return tuple(found)

    def part_of(self, snapshot: str, vm: str) -> Ref | None:
        """Return a VM's own snapshot in a group snapshot, None when it has none."""
        return next((part.taken.ref for part in self._parts(snapshot, [vm])), None)

    # taking

    def _must_be_alone(self, machine: Machine) -> None:
        if any(forbids_snapshots(one.disk) for one in self.attached(machine)):
            raise SiteRefused(
                f"VM {machine.shown} shares disks, so no snapshot of it can be taken",
                "discover again, plan anew and approve the wave: its disks are copied without snapshots",
            )

    def _must_have_room(self, act: Act, machine: Machine) -> None:
        count = len(tree(machine.item.values.get("snapshot")))
        if count >= MOST:
            raise SiteRefused(
                f"VM {machine.shown} has {count} snapshots, change tracking fails beyond {MOST}",
                "remove snapshots that nobody needs, then retry",
            )
        if flag(machine.item.values.get("runtime.consolidationNeeded")):
            self._consolidate(act, machine.ref, machine.shown)

    def _take(self, act: Act, machine: Machine) -> None:
        """Take one VM's part, quiesced where it was asked for and works, else plain."""
        for _ in range(_TRIES if self.to_quiesce(machine) else 0):
            try:
                self._create(act, machine, quiesce=True)
                return
            except Declined as refusal:
                if refusal.kind not in _GUEST_FAILED:
                    raise
        self._create(act, machine, quiesce=False)

    def _create(self, act: Act, machine: Machine, *, quiesce: bool) -> None:
        def done() -> str | None:
            item = self.connection.one(_TREES, machine.ref)
            taken = tree(item.values.get("snapshot")) if item else ()
            return next((one.id for one in taken if one.op == act.op), None)

        act.run(machine.ref, "CreateSnapshot_Task", NAME, stamped(act.op), False, quiesce, done=done)

    # finding

    def _parts(self, op: str, vms: Iterable[str] | None = None) -> list[Part]:
        """Return the parts of a group snapshot, of all VMs there are or of some."""
        targets = [target for vm in vms if (target := self.ids.find(vm)) is not None] if vms else []
        items = self.connection.read(_TREES, targets) if vms else self._items(op)
        found = ((item, ours(item.values.get("snapshot")).get(op)) for item in items)
        mine = [(item, taken) for item, taken in found if taken is not None]
        return _each(mine, lambda one: self._part(*one))

    def _items(self, op: str) -> list[RawObject]:
        """Return the VMs of a group snapshot; of one that this process did not take all that have ours."""
        known = self._of_op.get(op)
        if known is not None:
            return self.connection.read(_TREES, known)
        return self.connection.find(_TREES, _with_ours)

    def _part(self, item: RawObject, taken: Taken) -> Part:
        return Part(self.need_machine(self.ids.name_of(item.ref)), taken)

    def _group(self, op: str, parts: list[Part]) -> Snapshot | None:
        if not parts:
            return None
        changes: dict[str, ChangeId] = {}
        for found in _each(parts, lambda part: self.changes_of(part.machine, part.taken)):
            changes |= found
        label = lowest(self.worth(part.machine, part.taken.quiesced) for part in parts)
        held = {one.volume: part.taken.id for part in parts for one in self.attached(part.machine)}
        return Snapshot(op, label, changes, op, held)

    # removing

    def _drop(self, act: Act, op: str, targets: list[Ref]) -> None:
        _each(targets, lambda target: self._remove(act, op, target))

    def _remove(self, act: Act, op: str, target: Ref) -> None:
        def left() -> list[Taken]:
            item = self.connection.one(_TREES, target)
            return [one for one in tree(item.values.get("snapshot")) if one.op == op] if item else []

        for taken in left():  # two, when an answer was lost and the call came through late

            def gone(this: str = taken.id) -> bool | None:
                return None if any(one.id == this for one in left()) else True

            act.run(taken.ref, "RemoveSnapshot_Task", False, True, done=gone)
        item = self.connection.one(_LEFT, target)
        if item is not None and flag(item.values.get("runtime.consolidationNeeded")):
            self._consolidate(act, target, target.id)

    def _consolidate(self, act: Act, target: Ref, shown: str) -> None:
        """Merge what belongs to no snapshot; raises SiteRefused when that does not work."""

        def merged() -> bool | None:
            item = self.connection.one(_LEFT, target)
            return None if item and flag(item.values.get("runtime.consolidationNeeded")) else True

        act.run(target, "ConsolidateVMDisks_Task", done=merged)
        if not merged():
            raise SiteRefused(
                f"VM {shown} keeps delta files that belong to no snapshot",
                "look what holds its disks open, a backup proxy for one, then retry",
            )


def _with_ours(item: RawObject) -> RawObject | None:
    return item if ours(item.values.get("snapshot")) else None


def _each(things: Sequence[T], act: Callable[[T], S]) -> list[S]:
    """Return what an act makes of each thing, several at a time; the first error is raised at the end."""
    if not things:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE, len(things)), "snapshots") as pool:
        made: list[Any] = [pool.submit(act, thing) for thing in things]
    return [one.result() for one in made]
