"""A vCenter as a site: the parts put together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migrate.sites.ports import Capability
from migrate.sites.vsphere.calls import CallLog
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.observing import Observing
from migrate.sites.vsphere.powers import Powering
from migrate.sites.vsphere.snapshotting import Snapshotting
from migrate.sites.vsphere.tasks import Tasks
from migrate.sites.vsphere.tracking import Tracking
from migrate.sites.vsphere.watching import Watching
from planner.sources.vcenter.address import Login
from planner.sources.vcenter.session import Session

CAPABILITIES = frozenset(
    {Capability.POWER, Capability.QUIESCE, Capability.SNAPSHOT, Capability.CHANGE_TRACKING}
)


class VsphereSite(Observing, Powering, Snapshotting, Tracking, Watching):
    """One vCenter. For several threads."""

    def __init__(self, name: str, connection: Connection, tasks: Tasks, ids: Ids) -> None:
        super().__init__(connection, tasks, ids)
        self._name = name
        self._identity = connection.identity

    @classmethod
    def connect(
        cls,
        name: str,
        login: Login,
        morefs: Mapping[str, str],
        places: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> VsphereSite:
        """Log in; ``morefs`` and ``places`` are those of ``Ids``, ``log`` keeps the changing calls.

        Raises BadInput, Unreachable.
        """
        connection = Connection(Session(login))
        return cls(name, connection, Tasks(connection, CallLog(log)), Ids(connection, morefs, places))

    @property
    def name(self) -> str:
        """Name of the site."""
        return self._name

    @property
    def identity(self) -> str:
        """The vCenter's instance UUID."""
        return self._identity

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the parts can do; a group is never frozen at one instant."""
        return CAPABILITIES

    def close(self) -> None:
        """Log out."""
        self.connection.close()
        self.tasks.log.close()
