"""A vCenter opened by its folder, with what the project knows of it: the same in every process."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from migrate.sites.vsphere.calls import CallLog
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.folder import VCenterFolder
from migrate.sites.vsphere.known import KnownIds, known_at
from migrate.sites.vsphere.seats import Form, Laying
from migrate.sites.vsphere.site import VsphereSite
from migrate.sites.vsphere.tasks import Tasks
from migrate.sites.vsphere.transports.ways import Reach, ways_to

_FORMS = {"thin": Form.THIN, "thick": Form.THICK, "eager": Form.EAGER}


def enter(folder: VCenterFolder) -> VsphereSite:
    """Log in to the vCenter of a folder; raises Blocked without a login, BadInput, Unreachable."""
    from planner.sources.vcenter.session import Session
    from planner.store import settings
    from planner.store.project import Project

    kept, login = folder.need_kept(), folder.login()
    session = Session(login)
    try:
        connection = Connection(session)
        with Project.open(folder.project) as project:
            known = known_at(project, connection.identity)
            wanted = settings.load(project)
        ids = KnownIds(connection, known, folder.state / "places.json")
        ids.tell = partial(_tell, folder.where)
        tasks = Tasks(connection, CallLog(folder.state / "ops.log"))
        site = VsphereSite(kept.name, connection, tasks, ids, where=folder.where)
        here = wanted.sites.get(kept.name)
        if here is not None:
            site.transports = ways_to(connection, tasks, Reach.of(here), folder.state)
            site.laying = Laying(_usual(wanted.datastores.values()), _FORMS[here.disks])
        return site
    except BaseException:
        session.close()
        raise


def _tell(where: str, volume: str, places: tuple[str, ...]) -> None:
    """Tell the site's receiver of a volume, where that is on another machine; raises Unreachable."""
    from migrate.daemons.away import find_away
    from migrate.daemons.reaching import asks_of

    if find_away(where) is not None:
        asks_of(where).ask("places", {"places": {volume: list(places)}})


def _usual(datastores: Iterable[str]) -> str:
    """Return the datastore that everything lands on, empty where there are several: then the plan says it."""
    named = set(datastores)
    return named.pop() if len(named) == 1 else ""
