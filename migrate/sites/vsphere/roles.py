"""The roles that wherry acts with, and which of their privileges an account lacks on which object.

    source, target, … .role   a line each: privilege, on what, what for ── ROLES ──▸ lacking(objects)

The vCenter itself is asked, for the session that would act, object by object: a role that is given too low,
or is not passed on to what lies below, is found before the night and not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from migrate.sites.ports import NewVM
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.landing import Ground
from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.policies import profiles, wanted_policies
from planner.names import visible
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import text

_BATCH = 100  # objects a question
_STORES = Kind("virtual machines", (), {"VirtualMachine": ("datastore",)})
_PARENTS = Kind("virtual machines", (), {"VirtualMachine": ("parent",)})
_NAMES = Kind("objects", (), {"ManagedEntity": ("name",)})


class Side(StrEnum):
    """Whose role it is; the file of each lies beside this one."""

    SOURCE = "source"
    TARGET = "target"
    RULES = "rules"  # besides, where DRS rules are built again
    CARRIER = "carrier"  # besides, where replicas are written over NBD


class On(StrEnum):
    """On what a privilege is needed."""

    ROOT = "root"
    VM = "vm"
    DATASTORE = "datastore"
    NETWORK = "network"
    POOL = "pool"
    FOLDER = "folder"
    CLUSTER = "cluster"
    HOST = "host"  # no role has anything on one: only bubbles of rehearsals need that


@dataclass(frozen=True, slots=True)
class Privilege:
    """One privilege of a role, by the API's name."""

    id: str
    on: On
    why: str


@dataclass(frozen=True, slots=True)
class Lack:
    """A privilege that the account does not have on an object."""

    privilege: str
    kind: On
    object: str
    why: str

    @property
    def says(self) -> str:
        """The lack as a sentence."""
        where = "the root folder" if self.kind is On.ROOT else f"{self.kind.value} {visible(self.object, 80)}"
        return f"the account lacks {self.privilege} on {where}: it is for {self.why}"


def role_file(side: Side) -> Path:
    """Return the file of a role."""
    return Path(__file__).with_name(f"{side.value}.role")


@cache
def role(side: Side) -> tuple[Privilege, ...]:
    """Return the privileges of a role."""
    lines = role_file(side).read_text("utf-8").splitlines()
    said = (line.split(None, 2) for line in lines if line.strip() and not line.startswith("#"))
    return tuple(Privilege(id, On(on), why) for id, on, why in said)


class Authorised(Part):
    """Asks what the account may do."""

    def lacking_at_source(self, vms: Iterable[str]) -> tuple[Lack, ...]:
        """Return what the account lacks to move these VMs away; raises Declined, Unreachable."""
        targets = [found for vm in vms if (found := self.ids.find(vm)) is not None]
        stores, roots = self._datastores(targets), self._roots(targets)
        return self._lacking(Side.SOURCE, {On.VM: targets, On.DATASTORE: stores, On.FOLDER: roots})

    def lacking_at_target(self, vms: Iterable[NewVM], *, rules: bool = False) -> tuple[Lack, ...]:
        """Return what the account lacks to build these VMs where they say they land.

        Their datastores are those that they name: disks may not be there yet. Raises SiteRefused for a
        place or a storage policy that is not there, Declined, Unreachable.
        """
        ground = Ground(self.connection)
        objects: dict[On, dict[Ref, None]] = {on: {} for on in On}
        named: set[str] = set()
        for vm in vms:
            named |= wanted_policies(vm)
            landing = ground.landing_of(vm)
            objects[On.FOLDER][landing.folder] = None
            objects[On.POOL][landing.pool] = None
            objects[On.CLUSTER][landing.cluster] = None
            objects[On.DATASTORE] |= dict.fromkeys(landing.stores)
            objects[On.NETWORK] |= dict.fromkeys(landing.plugs)
        profiles(self.connection, named)
        ruled = self._lacking(Side.RULES, objects) if rules else ()
        return (*self._lacking(Side.TARGET, objects), *ruled)

    def lacking_on_carriers(self, carriers: Iterable[Ref]) -> tuple[Lack, ...]:
        """Return what the account lacks on the VMs that replicas hang on; raises Declined, Unreachable."""
        return self._lacking(Side.CARRIER, {On.VM: tuple(carriers)})

    def _datastores(self, vms: Iterable[Ref]) -> list[Ref]:
        found: dict[Ref, None] = {}
        for item in self.connection.read(_STORES, vms):
            listed = item.values.get("datastore", ())
            ids = [listed] if isinstance(listed, str) else listed
            found |= dict.fromkeys(Ref("Datastore", str(one)) for one in ids)
        return list(found)

    def _roots(self, vms: Iterable[Ref]) -> list[Ref]:
        """Return the roots of the VM folders of the datacenters that VMs are in; those in vApps say none."""
        parents = {text(item.values.get("parent")) for item in self.connection.read(_PARENTS, vms)} - {""}
        ground = Ground(self.connection) if parents else None
        return list(dict.fromkeys(ground.vm_root(one) for one in sorted(parents))) if ground else []

    def _lacking(self, side: Side, objects: Mapping[On, Iterable[Ref]]) -> tuple[Lack, ...]:
        root = Ref("Folder", self.connection.session.content.rootFolder._GetMoId())
        wanted: dict[On, list[Privilege]] = {}
        for privilege in role(side):
            wanted.setdefault(privilege.on, []).append(privilege)
        lacks: list[Lack] = []
        for on, privileges in wanted.items():
            asked = [root] if on is On.ROOT else list(objects.get(on, ()))
            found = list(denied(self.connection, privileges, asked))
            names = _names(self.connection, (target for target, _ in found))
            lacks += (Lack(one.id, on, names.get(target.id, target.id), one.why) for target, one in found)
        return tuple(lacks)


def denied(
    connection: Connection, privileges: Iterable[Privilege], objects: list[Ref]
) -> Iterator[tuple[Ref, Privilege]]:
    """Yield each object with a privilege that the account lacks on it; raises Declined, Unreachable."""
    by_id = {one.id: one for one in privileges}
    for at in range(0, len(objects), _BATCH):
        batch = {one.id: one for one in objects[at : at + _BATCH]}
        for answer in _asked(connection, batch.values(), by_id):
            for held in answer.privAvailability:
                if not held.isGranted:
                    yield batch[answer.entity._moId], by_id[held.privId]


def _asked(connection: Connection, objects: Iterable[Ref], privileges: Iterable[str]) -> list[Any]:
    entities = [connection.managed(one) for one in objects]
    wanted = list(privileges)

    def act(content: Any) -> list[Any]:
        key = content.sessionManager.currentSession.key
        found: list[Any] = content.authorizationManager.HasPrivilegeOnEntities(entities, key, wanted)
        return found

    return connection.ask("the privileges of the account cannot be asked for", act)


def _names(connection: Connection, objects: Iterable[Ref]) -> dict[str, str]:
    items = connection.read(_NAMES, dict.fromkeys(objects))
    return {item.ref.id: entity_name(text(item.values.get("name"))) for item in items}
