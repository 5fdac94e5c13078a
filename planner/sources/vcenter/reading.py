"""One reading of a live vCenter: everything the model has a place for, as one inventory.

    session ─▶ collector ─▶ platform (hosts, clusters, ...) ─▶ machines, page by page ─▶ Inventory

Either all of it is read or an error says why not; there is no inventory of half a vCenter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from planner.model import VM, Cluster, Datastore, Folder, Host, Inventory, Network, ResourcePool
from planner.sources.vcenter.address import Login
from planner.sources.vcenter.collector import PAGE, Collector, Report, Unseen
from planner.sources.vcenter.machines import machine
from planner.sources.vcenter.paths import MACHINES
from planner.sources.vcenter.platform import Platform, map_platform, read_surroundings
from planner.sources.vcenter.session import Session

Noun = TypeVar("Noun", VM, Host, Cluster, Datastore, Network, ResourcePool, Folder)
Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


def read_vcenter(
    login: Login, *, report: Report | None = None, page: int = PAGE, clock: Clock = _now
) -> Inventory:
    """Read a vCenter; ids are its object ids (morefs), ``vcenter`` is its instance UUID.

    ``report`` is told (kind, how many so far) after every page of at most ``page`` objects. Raises
    BadInput (login, certificate, rights), Unreachable; nothing is stored anywhere.
    """
    with Session(login) as session:
        collector = Collector(session, page=page, report=report)
        taken = clock()
        services = collector.services()
        raw, notes = read_surroundings(collector)
        platform = map_platform(collector, raw, services, notes)
        vms = collector.read(MACHINES, lambda item: machine(item, platform.around))
        return assemble(login, platform, vms, collector.unseen, taken)


def assemble(
    login: Login, platform: Platform, vms: Sequence[VM], unseen: Unseen, taken: datetime
) -> Inventory:
    """Return the inventory of a platform and its machines, everything ordered by id."""
    return Inventory(
        source=login.address.source,
        taken_at=taken.astimezone(UTC).isoformat(timespec="seconds"),
        vms=_ordered(vms),
        hosts=_ordered(platform.hosts),
        clusters=_ordered(platform.clusters),
        datastores=_ordered(platform.datastores),
        networks=_ordered(platform.networks),
        notes=(*platform.notes, *unseen.notes(), *platform.around.notes({vm.id for vm in vms})),
        gaps=platform.gaps,
        vcenters=(platform.vcenter,),
        luns=tuple(sorted(platform.luns, key=lambda lun: lun.name)),
        resource_pools=_ordered(platform.pools),
        folders=_ordered(platform.folders),
        licences=platform.licences,
    )


def _ordered(items: Iterable[Noun]) -> tuple[Noun, ...]:
    """Return nouns by id, ``vm-9`` before ``vm-10``: a vCenter lists them as it likes."""
    return tuple(sorted(items, key=lambda item: (len(item.id), item.id)))
