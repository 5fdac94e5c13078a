"""Changed areas, asked of vSphere page by page, and believed only where nothing speaks against them.

``None`` means "compare digests", and is the answer whenever: the epochs differ, the counter did not grow,
the VM runs and has no snapshot of ours, vSphere declines, an answer makes no sense, or it names the whole
disk. What is believed is still compared before a commit: no answer of change tracking proves anything.
"""

from __future__ import annotations

from typing import Any

from migrate.sites.ports import ChangeId, Extent
from migrate.sites.vsphere.epochs import Epochs
from migrate.sites.vsphere.reading import Attached, Machine
from migrate.sites.vsphere.refusing import Declined
from migrate.sites.vsphere.trees import Taken, tree
from planner.model import Power
from planner.sources.vcenter.soap import Ref

_MOST_PAGES = 100_000  # of 2,000 areas: more than a disk of 64 TiB has blocks of 64 KiB


class Tracking(Epochs):
    """Asks what changed."""

    def changed_areas(self, volume: str, since: ChangeId) -> tuple[Extent, ...] | None:
        """Return areas written after ``since`` until our newest snapshot, or now when the VM is off.

        None when that cannot be trusted. Raises Unreachable.
        """
        found = self.holder(volume)
        if found is None:
            return None
        machine, one = found
        taken = newest(machine)
        if taken is not None:
            now = self.changes_of(machine, taken).get(one.volume)
        else:
            now = self.change_now(machine, one) if machine.power is Power.OFF else None
        if now is None or now.epoch != since.epoch:
            return None
        # Two snapshots never have one counter; a VM that is off keeps the one it had.
        if now.counter < since.counter or (taken is not None and now.counter == since.counter):
            return None
        identity = since.epoch.partition("|")[0]
        try:
            return self._pages(machine, one, taken.ref if taken else None, f"{identity}/{since.counter}")
        except Declined:
            return None

    def change_id(self, volume: str) -> ChangeId | None:
        """Return the change id of a volume whose VM is off; None when it runs, or is not tracked."""
        found = self.holder(volume)
        if found is None or found[0].power is not Power.OFF:
            return None
        return self.change_now(*found)

    def _pages(
        self, machine: Machine, one: Attached, snapshot: Ref | None, since: str
    ) -> tuple[Extent, ...] | None:
        size = one.disk.size_bytes
        areas: list[Extent] = []
        at = 0
        for _ in range(_MOST_PAGES):
            if at >= size:
                break
            info = self._ask(machine, one, snapshot, at, since)
            end = int(info.startOffset) + int(info.length)
            if info.startOffset > at or end <= at:
                return None
            for area in info.changedArea or ():
                start, length = int(area.start), int(area.length)
                if start < 0 or length <= 0 or start + length > size:
                    return None
                if areas and areas[-1].offset <= start <= areas[-1].end:
                    joined = max(areas[-1].end, start + length) - areas[-1].offset
                    areas[-1] = Extent(areas[-1].offset, joined)
                elif areas and start < areas[-1].end:
                    return None
                else:
                    areas.append(Extent(start, length))
            at = end
        else:
            return None
        if sum(area.length for area in areas) >= size:
            return None
        return tuple(areas)

    def _ask(self, machine: Machine, one: Attached, snapshot: Ref | None, at: int, since: str) -> Any:
        def call(_: Any) -> Any:
            within = self.connection.managed(snapshot) if snapshot else None
            vm = self.connection.managed(machine.ref)
            return vm.QueryChangedDiskAreas(within, int(one.disk.key), at, since)

        return self.connection.ask(f"changed areas of VM {machine.shown} cannot be had", call)


def newest(machine: Machine) -> Taken | None:
    """Return our newest snapshot of a VM, the one that is read now."""
    ours = [one for one in tree(machine.item.values.get("snapshot")) if one.op]
    return max(ours, key=lambda one: (one.created, len(one.under)), default=None)
