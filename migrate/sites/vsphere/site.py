"""A vCenter as a site: the parts put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from migrate.sites.ports import Capability, NewVM
from migrate.sites.vsphere.bubble import Bubbling
from migrate.sites.vsphere.calls import CallLog
from migrate.sites.vsphere.configuring import Configuring
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.customising import Customising
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.listing import Listing
from migrate.sites.vsphere.machines import Building
from migrate.sites.vsphere.observing import Observing
from migrate.sites.vsphere.placed import Placed
from migrate.sites.vsphere.powers import Powering
from migrate.sites.vsphere.probing import Probing
from migrate.sites.vsphere.reaching import Reaching
from migrate.sites.vsphere.roles import Authorised
from migrate.sites.vsphere.ruling import Ruling
from migrate.sites.vsphere.seen import Showing
from migrate.sites.vsphere.snapshotting import Snapshotting
from migrate.sites.vsphere.tasks import Tasks
from migrate.sites.vsphere.tracking import Tracking
from migrate.sites.vsphere.watching import Watching
from planner.sources.vcenter.address import Login
from planner.sources.vcenter.session import Session

CAPABILITIES = frozenset(
    {
        *(Capability.POWER, Capability.QUIESCE, Capability.SNAPSHOT, Capability.CHANGE_TRACKING),
        *(Capability.READ_DISKS, Capability.WRITE_DISKS, Capability.CREATE_VM, Capability.LUNS),
        *(Capability.PROBE, Capability.CONFIGURE, Capability.CONSOLIDATE, Capability.CUSTOMISE),
        *(Capability.FOLDERS, Capability.RULES),
    }
)


class VsphereSite(
    Showing,  # first: it hears of the acts of all others
    Observing,
    Listing,
    Authorised,
    Powering,
    Snapshotting,
    Tracking,
    Watching,
    Building,
    Ruling,
    Configuring,
    Customising,
    Probing,
    Reaching,
    Placed,
    Bubbling,
):
    """One vCenter. For several threads."""

    def __init__(self, name: str, connection: Connection, tasks: Tasks, ids: Ids, *, where: str = "") -> None:
        super().__init__(connection, tasks, ids)
        self._name = name
        self._where = where
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
    def where(self) -> str:
        """What another process opens this site by."""
        return self._where

    @property
    def holds_disks(self) -> bool:
        """Some ways to a disk need the session."""
        return True

    @property
    def identity(self) -> str:
        """The vCenter's instance UUID."""
        return self._identity

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the parts can do; a group is never frozen at one instant."""
        return CAPABILITIES

    def lacking(
        self, leaving: Iterable[str] = (), arriving: Iterable[NewVM] = (), *, rules: bool = False
    ) -> tuple[str, ...]:
        """Return what the account may not do of what moving these VMs takes, each a sentence.

        ``rules``: DRS rules are built where they arrive.
        Raises SiteRefused for a place that is not there, Declined, Unreachable.
        """
        away, here = tuple(leaving), tuple(arriving)
        lacks = (
            *(self.lacking_at_source(away) if away else ()),
            *(self.lacking_at_target(here, rules=rules) if here else ()),
            *(self.lacking_on_carriers(self.carriers) if here else ()),
        )
        return tuple(dict.fromkeys(lack.says for lack in lacks))

    def close(self) -> None:
        """Log out."""
        self.connection.close()
        self.tasks.log.close()
