"""One reading of a live vCenter: everything the model has a place for, as one inventory.

    session ─▶ collector ─▶ platform (hosts, clusters, ...) ─▶ machines, page by page ─▶ Inventory

Either all of it is read or an error says why not; there is no inventory of half a vCenter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from planner.model import VM, Inventory
from planner.sources.vcenter.address import Login
from planner.sources.vcenter.collector import PAGE, Collector, Report, Unseen
from planner.sources.vcenter.machines import machine
from planner.sources.vcenter.paths import MACHINES
from planner.sources.vcenter.platform import Platform, map_platform, read_surroundings
from planner.sources.vcenter.session import Session

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
        platform = map_platform(session, raw, services, notes)
        vms = collector.read(MACHINES, lambda item: machine(item, platform.around))
        return assemble(login, platform, vms, collector.unseen, taken)


def assemble(
    login: Login, platform: Platform, vms: Sequence[VM], unseen: Unseen, taken: datetime
) -> Inventory:
    """Return the inventory of a platform and its machines."""
    return Inventory(
        source=login.address.source,
        taken_at=taken.astimezone(UTC).isoformat(timespec="seconds"),
        vms=tuple(vms),
        hosts=platform.hosts,
        clusters=platform.clusters,
        datastores=platform.datastores,
        networks=platform.networks,
        notes=(*platform.notes, *unseen.notes(), *platform.around.notes({vm.id for vm in vms})),
        gaps=platform.gaps,
        vcenters=(platform.vcenter,),
        luns=platform.luns,
        resource_pools=platform.pools,
        folders=platform.folders,
        licences=platform.licences,
    )
