"""Which object of the vCenter a plan's VM is, and which file or LUN a plan's volume.

    VM      "vm-42"       where its inventory was read: the object of that id (moref)
                          elsewhere: the one that wherry made and stamped, extraConfig wherry.vm = "vm-42"
    volume  "vm-42/2000"  ↔  its place: "[datastore] folder/file.vmdk" of the base disk, or a LUN's name

A vCenter has morefs of its own: one that a plan knows from elsewhere means nothing there. What wherry
makes carries the op that made it (wherry.op), and which of its disks are which volumes (wherry.volume.N).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.sites.vsphere.connection import Connection
from planner.errors import NotFound, SiteRefused
from planner.names import visible
from planner.sources.vcenter.answers import Value
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref

VM_KEY = "wherry.vm"
OP_KEY = "wherry.op"
VOLUME_KEY = "wherry.volume."

_VIM = "{urn:vim25}"


def wherry_settings(element: Any) -> Value:
    """Return wherry's own entries of an ``extraConfig`` element, by key."""
    return {
        key: option.findtext(_VIM + "value") or ""
        for option in element
        if (key := option.findtext(_VIM + "key") or "").startswith("wherry.")
    }


_STAMPED = Kind(
    "virtual machines",
    ("VirtualMachine",),
    {"VirtualMachine": ("config.extraConfig",)},
    {"config.extraConfig": wherry_settings},
)


@dataclass(frozen=True, slots=True)
class Held:
    """A disk of a VM that wherry made: where it lies, which volume it is, and its key in the plan."""

    place: str
    volume: str
    key: str


def stamps(vm: str, op: str, disks: Iterable[Held] = ()) -> dict[str, str]:
    """Return the extraConfig entries for a VM that wherry makes."""
    held = {
        f"{VOLUME_KEY}{number}": json.dumps([disk.place, disk.volume, disk.key])
        for number, disk in enumerate(disks)
    }
    return {VM_KEY: vm, OP_KEY: op, **held}


def held_disks(settings: object) -> tuple[Held, ...]:
    """Return the disks that a VM's stamps tell of; what cannot be read is left out."""
    found = []
    for key, value in settings.items() if isinstance(settings, dict) else ():
        if key.startswith(VOLUME_KEY):
            try:
                place, volume, disk = json.loads(value)
            except ValueError:
                continue
            found.append(Held(str(place), str(volume), str(disk)))
    return tuple(found)


class Ids:
    """Ids of one site. For several threads.

    ``morefs``: plan's VM id → moref, of the VMs whose inventory was read from this vCenter. ``places``:
    plan's volume id → place, as far as it is known.
    """

    def __init__(
        self, connection: Connection, morefs: Mapping[str, str], places: Mapping[str, str] | None = None
    ) -> None:
        self._connection = connection
        self._morefs = dict(morefs)
        self._named = {moref: vm for vm, moref in self._morefs.items()}
        self._lock = threading.Lock()
        self._made: dict[str, Ref] = {}
        self._places = dict(places or {})
        self._known: dict[str, tuple[str, ...]] = {volume: (place,) for volume, place in self._places.items()}
        self._volumes = {place: volume for volume, place in self._places.items()}

    def find(self, vm: str) -> Ref | None:
        """Return a VM's object, None when it is certainly not there.

        One that the plan knows by its moref is not looked up: reading it tells whether it is there.
        Raises SiteRefused when two say they are it, Unreachable.
        """
        if vm in self._morefs:
            return Ref("VirtualMachine", self._morefs[vm])
        known = self._made.get(vm)
        if known is not None:
            item = self._connection.one(_STAMPED, known)
            if item is not None and _vm_of(item) == vm:
                return known
        found = self._connection.find(_STAMPED, lambda item: item.ref if _vm_of(item) == vm else None)
        if len(found) > 1:
            raise SiteRefused(
                f"{len(found)} VMs at {self._connection.shown} say they are {visible(vm, 80)}",
                f"look at {', '.join(one.id for one in found[:3])}: remove {VM_KEY} from what is a clone",
            )
        with self._lock:
            if found:
                self._made[vm] = found[0]
            else:
                self._made.pop(vm, None)
        return found[0] if found else None

    def at_home(self, vm: str) -> bool:
        """Whether a VM's inventory was read from this vCenter."""
        return vm in self._morefs

    def need(self, vm: str) -> Ref:
        """Return a VM's object; raises NotFound."""
        found = self.find(vm)
        if found is None:
            raise NotFound(
                f"VM {visible(vm, 80)} is not at {self._connection.shown}", "look whether it was removed"
            )
        return found

    def known(self, vm: str) -> Ref | None:
        """Return a VM's object as far as it is known without asking the vCenter."""
        moref = self._morefs.get(vm)
        return Ref("VirtualMachine", moref) if moref else self._made.get(vm)

    def made(self, vm: str, target: Ref) -> None:
        """Remember an object that was made for a VM just now."""
        with self._lock:
            self._made[vm] = target

    def plan_id(self, target: Ref) -> str:
        """Return the plan's id of a VM whose inventory was read from this vCenter, else empty."""
        return self._named.get(target.id, "")

    def name_of(self, target: Ref) -> str:
        """Return the plan's id of a VM's object, its moref when the plan has none for it."""
        if target.id in self._named:
            return self._named[target.id]
        with self._lock:
            made = next((vm for vm, one in self._made.items() if one == target), None)
        if made is None:
            item = self._connection.one(_STAMPED, target)
            made = _vm_of(item) if item else ""
        return made or target.id

    def place(self, volume: str) -> str:
        """Return where a volume lies, the id itself when that is not known here."""
        return self._places.get(volume, volume)

    def volume(self, place: str) -> str:
        """Return the volume that lies at a place, the place itself when the plan knows none there."""
        return self._volumes.get(place, place)

    def places(self, volume: str) -> tuple[str, ...]:
        """Return all places of a volume, the newest last; none where it is not known here."""
        return self._known.get(volume, ())

    def learn(self, volume: str, place: str) -> None:
        """Remember where a volume lies."""
        with self._lock:
            before = self._known.get(volume, ())
            self._known[volume] = (*(one for one in before if one != place), place)
            self._places[volume] = place
            self._volumes[place] = volume


def _vm_of(item: RawObject) -> str:
    settings = item.values.get("config.extraConfig")
    return str(settings.get(VM_KEY, "")) if isinstance(settings, dict) else ""
