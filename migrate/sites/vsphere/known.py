"""What a project knows of one vCenter: which objects its VMs are there, and where volumes lie or will lie.

    VMs whose inventory was read there     their managed objects, and the files and LUNs of their disks
    VMs that are to move there             where each disk is to land, as the plan says

What a run created stays where it was put although a later plan would put it elsewhere: the site remembers
that in ``places.json`` of its folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.disks.durable import replace_file
from migrate.sites.vsphere.ids import Ids
from planner.names import content_id
from planner.volumes import base_path, volumes

if TYPE_CHECKING:
    from migrate.sites.vsphere.connection import Connection
    from planner.model import Inventory
    from planner.plan import PlannedDisk
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Known:
    """``morefs``: VM id → object, of VMs that are at home there. ``lie`` and ``land``: volume → its places.

    Of a raw device a volume's places are the LUN's canonical name and the file that maps it, in this order.
    """

    morefs: dict[str, str]
    lie: dict[str, tuple[str, ...]]
    land: dict[str, tuple[str, ...]]


def known_at(project: Project, vcenter: str) -> Known:
    """Return what the newest inventory and the newest plan know of a vCenter (its instance UUID)."""
    from planner.store import inventories, plans

    morefs: dict[str, str] = {}
    lie: dict[str, tuple[str, ...]] = {}
    if inventories.find_summary(project) is not None:
        inventory = inventories.latest(project).inventory
        morefs = {vm.id: vm.moref for vm in inventory.vms if vm.vcenter == vcenter and vm.moref}
        lie = dict(_lying(inventory, morefs))
    stored = plans.find_latest(project)
    disks = (disk for wave in stored.plan.waves for disk in wave.disks) if stored else ()
    return Known(morefs, lie, {disk.volume: _landing(disk) for disk in disks if disk.volume not in lie})


def _lying(inventory: Inventory, morefs: dict[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for volume in volumes(inventory):
        first = volume.attachments[0]
        if first.vm.id in morefs:
            place = first.disk.lun if first.disk.backing.is_rdm else base_path(first.disk.path)
            if place:
                yield volume.id, (place,)


def landing_folder(volume: str) -> str:
    """Return the folder on its datastore in which a run makes a disk for a volume."""
    return f"wherry-{content_id('volume', volume)}"


def _landing(disk: PlannedDisk) -> tuple[str, ...]:
    folder = landing_folder(disk.volume)
    if disk.target.is_rdm:
        file = (f"[{disk.datastore}] {folder}/{disk.target_lun}.vmdk",) if disk.datastore else ()
        return (disk.target_lun, *file)
    return (f"[{disk.datastore}] {folder}/disk.vmdk",) if disk.datastore else ()


class KnownIds(Ids):
    """Ids that outlive the process: where a volume was put is remembered before it is made."""

    def __init__(self, connection: Connection, known: Known, memory: Path) -> None:
        super().__init__(connection, known.morefs)
        self._memory = memory
        self._remembered = _read(memory)
        self.tell: Callable[[str, tuple[str, ...]], None] = _nobody
        for volume, places in {**known.land, **known.lie, **self._remembered}.items():
            for place in places:
                super().learn(volume, place)

    def learn(self, volume: str, place: str) -> None:
        """Remember where a volume lies, durably, and ``tell`` of it what is new."""
        super().learn(volume, place)
        now = _read(self._memory)  # other processes of the project put volumes there too
        places = tuple(dict.fromkeys((*(one for one in now.get(volume, ()) if one != place), place)))
        if now.get(volume) != places:
            replace_file(self._memory, json.dumps({**now, volume: places}, indent=1).encode())
        self.tell(volume, places)


def _nobody(_volume: str, _places: tuple[str, ...]) -> None:
    pass


def _read(memory: Path) -> dict[str, tuple[str, ...]]:
    try:
        found = json.loads(memory.read_bytes())
    except FileNotFoundError:
        return {}
    return {str(volume): tuple(map(str, places)) for volume, places in found.items()}
