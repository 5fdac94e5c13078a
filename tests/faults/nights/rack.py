"""A simulated site whose disks hold bytes, whose guests write, and which does one change after another.

``mirror`` is what the guests of the site have written, by volume: nobody else may change those bytes. A
site that receives has none until a VM starts there, on exactly what its twin held when it stopped.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from migrate.rehearsals.faults import CHANGING, READING
from migrate.sites.ports import ChangeId, Consistency, Extent, NewDisk, Snapshot
from migrate.sites.simulated import SimulatedSite
from planner.errors import NotFound
from planner.model import Backing, Power
from tests.faults.endstate import ONCE
from tests.faults.nights.links import Links, NightClock
from tests.migrate.replication.model import MemoryDisk
from tests.simulation.schedule import Process
from tests.simulation.storage import SimulatedDisk

GRAIN = 64 * 1024
_SECTOR = 512
_WAY = re.compile(r"/(do|undo)\d+$")


class Rack(SimulatedSite):
    """One site. ``started`` is called before a VM runs, ``receives`` says that replicas are written here."""

    def __init__(self, name: str, links: Links, seed: int, *, receives: bool) -> None:
        super().__init__(name, NightClock(links.schedule), random.Random(seed))
        self.links = links
        self.receives = receives
        self.process = Process()  # of the site; it lives on
        self.disks: dict[str, SimulatedDisk] = {}
        self.mirror: dict[str, bytearray] = {}
        self.asked: Counter[tuple[str, str, str]] = Counter()  # destructive calls that were done
        self.started: Callable[[Rack, str], None] = lambda _rack, _vm: None
        self.busy = False
        self._counter: Counter[str] = Counter()
        self._changes: defaultdict[str, list[tuple[int, Extent]]] = defaultdict(list)
        self._frozen: dict[tuple[str, str], bytes] = {}
        self._records = 0

    def put(self, volume: str, content: bytes) -> None:
        """Put a disk into the site."""
        self.disks[volume] = SimulatedDisk(self.links.schedule, content)

    def touched(self, volume: str, offset: int, length: int) -> None:
        """Note in the change map that somebody wrote."""
        self._counter[volume] += 1
        first = offset // GRAIN * GRAIN
        size = self.disks[volume].size_bytes
        area = Extent(first, min(-(-(offset + length) // GRAIN) * GRAIN, size) - first)
        self._changes[volume].append((self._counter[volume], area))

    def differing(self, volumes: Iterable[str]) -> list[str]:
        """Return the volumes which hold other bytes than their guests wrote."""
        return [one for one in volumes if one in self.mirror and self.disks[one].seen != self.mirror[one]]

    def repeated(self) -> Iterator[str]:
        """Yield the destructive calls that were done more than once for one subject and way."""
        for (call, subject, way), times in self.asked.items():
            if times > 1:
                yield f"{self.name} did {call} of {subject} {times} times ({way})"

    def count(self, name: str, args: tuple[Any, ...]) -> None:
        """Count a call that was done."""
        asked = next((found for arg in args if isinstance(arg, str) and (found := _WAY.search(arg))), None)
        if name not in ONCE or asked is None:
            return
        subject = str(getattr(args[0], "id", getattr(args[0], "volume", args[0])))
        if name == "take_snapshot":  # of the same VMs, once in every round
            subject = asked.string.removesuffix(asked[0])
        self.asked[name, subject, asked[1]] += 1

    def _takes(self, call: str) -> None:
        super()._takes(call)
        for vm in self.vms.values():
            if vm.power is Power.ON:
                for disk in vm.disks:
                    self._write(vm.id, disk.volume)

    def _write(self, vm: str, volume: str) -> None:
        """Have a guest write a record somewhere, durably."""
        disk = self.disks[volume]
        self._records += 1
        data = f"{self.name} {vm} {self._records}".encode().ljust(_SECTOR, b".")
        at = self.rng.randrange(disk.size_bytes // _SECTOR) * _SECTOR
        disk.changes += 1
        disk.pending.append((at, data))
        for offset, written in disk.pending:
            disk.durable[offset : offset + len(written)] = written
        disk.pending.clear()
        disk.seen[at : at + _SECTOR] = data
        if volume in self.mirror:
            self.mirror[volume][at : at + _SECTOR] = data
        self.touched(volume, at, _SECTOR)

    def _set(self, vm: str, power: Power, op: str) -> None:
        if power is Power.ON and vm in self.vms:
            self.started(self, vm)
        super()._set(vm, power, op)

    def take_snapshot(self, vms: tuple[str, ...], op: str) -> Snapshot:
        """Freeze the content of all disks at one instant."""
        self._takes("take_snapshot")
        self._stunned(vms)
        volumes = [
            disk.volume
            for vm in vms
            for disk in self.vms[vm].disks
            if disk.backing is not Backing.RDM_PHYSICAL
        ]
        changes = {volume: ChangeId(self.name, self._counter[volume]) for volume in volumes}
        taken = Snapshot(f"snapshot-{op}", Consistency.CRASH, changes, op)
        self.snapshots[taken.id] = taken
        self._frozen |= {(taken.id, volume): bytes(self.disks[volume].seen) for volume in volumes}
        return taken

    def drop_snapshot(self, snapshot: str, op: str) -> None:
        """Forget what was frozen."""
        super().drop_snapshot(snapshot, op)
        self._frozen = {key: held for key, held in self._frozen.items() if key[0] != snapshot}

    def changed_areas(self, volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        """Return the blocks that were written since; None of another site's numbers."""
        if since.epoch != self.name:
            return None
        found = {area for number, area in self._changes[volume] if number > since.counter}
        return tuple(sorted(found, key=lambda area: area.offset))

    def change_id(self, volume: str) -> ChangeId | None:
        """Return the change id now; a physical RDM has none."""
        shape = self.volumes.get(volume)
        if shape is None or shape.backing is Backing.RDM_PHYSICAL:
            return None
        return ChangeId(self.name, self._counter[volume])

    def create_disk(self, disk: NewDisk, op: str) -> None:
        """Make a disk of zeros; one that is there stays as it is."""
        super().create_disk(disk, op)
        if disk.volume not in self.disks:
            self.put(disk.volume, bytes(disk.size_bytes))

    def delete_disk(self, volume: str, op: str) -> None:
        """Remove a disk."""
        super().delete_disk(volume, op)
        self.disks.pop(volume, None)

    def delete_vm(self, vm: str, op: str) -> None:
        """Unregister a VM; what its guest wrote counts no more."""
        self._abandon(vm)
        super().delete_vm(vm, op)

    def connect_nics(self, vm: str, connected: bool, op: str) -> None:
        """Plug or unplug a VM; what a guest wrote that is fenced off again counts no more."""
        super().connect_nics(vm, connected, op)
        if not connected:
            self._abandon(vm)

    def _abandon(self, vm: str) -> None:
        if self.receives and vm in self.vms:
            for disk in self.vms[vm].disks:
                self.mirror.pop(disk.volume, None)

    def open_read(self, volume: str, snapshot: str | None = None) -> MemoryDisk:
        """Return what a disk holds now, or held in a snapshot; raises NotFound as a site does."""
        if snapshot is None:
            return MemoryDisk(bytes(self.disks[volume].seen))
        if (held := self._frozen.get((snapshot, volume))) is None:
            raise NotFound(f"snapshot {snapshot} does not exist any more", "take a new one")
        return MemoryDisk(held)

    def open_write(self, volume: str) -> SimulatedDisk:
        """Return the disk, of which a local one forgets what is not on its medium."""
        disk = self.disks[volume]
        if disk.local:
            disk.forget()
        return disk


class Reached:
    """A site as the engine reaches it. What was asked for is done, also when who asked is dead by then."""

    def __init__(self, rack: Rack, *, far: bool) -> None:
        self._rack, self._far = rack, far

    def __getattr__(self, name: str) -> Any:
        rack, found = self._rack, getattr(self._rack, name)
        if name not in CHANGING | READING:
            return found

        def serve(args: tuple[Any, ...], more: dict[str, Any]) -> Any:
            rack.links.schedule.wait(lambda: not rack.busy)
            rack.busy = True
            try:
                result = found(*args, **more)
            finally:
                rack.busy = False
            if result is not False:  # a guest that did not shut down in time still runs
                rack.count(name, args)
            return result

        def call(*args: Any, **more: Any) -> Any:
            said = f"{name} at {rack.name}"
            return rack.links.ask(rack.process, said, lambda: serve(args, more), far=self._far)

        return call
