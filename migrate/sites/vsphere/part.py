"""A part of the vSphere site: what all parts hold."""

from __future__ import annotations

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.tagging import Tagging
from migrate.sites.vsphere.tasks import Act, Tasks


class Part:
    """Reads by ``connection``, changes through ``act``, finds VMs and volumes by ``ids``."""

    def __init__(self, connection: Connection, tasks: Tasks, ids: Ids) -> None:
        self.connection = connection
        self.tagging = Tagging(connection)
        self.tasks = tasks
        self.ids = ids

    def act(self, call: str, subject: str, op: str) -> Act:
        """Note a changing call of a step, by its name in ``ports``, and return what it acts through."""
        return self.tasks.act(call, subject, op)
