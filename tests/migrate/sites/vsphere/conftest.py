"""vCenters that are acted on, and the parts of a site there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from migrate.sites.vsphere.calls import CallLog
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.tasks import Tasks
from planner.sources.vcenter.session import Session
from tests.planner.sources.vcenter.logins import login_of
from tests.vcenter.collected import named
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer


def short(seconds: float) -> None:
    """Wait, but never long."""
    time.sleep(min(seconds, 0.02))


@dataclass(frozen=True, slots=True)
class Wired:
    """A connection to a peer with what parts are made of: ``SomePart(*wired.of(morefs))``."""

    peer: VCenterPeer
    connection: Connection
    tasks: Tasks

    def of(self, *vms: str) -> tuple[Connection, Tasks, Ids]:
        """Return what a part is made of, at a vCenter whose own VMs are known by their morefs."""
        return self.connection, self.tasks, Ids(self.connection, {vm: vm for vm in vms})

    def machines(self, *paths: str) -> dict[str, dict[str, Any]]:
        """Return the VMs as the tests' own plain reader sees them, by name."""
        from pyVmomi import vim

        return named(self.peer.connect(), vim.VirtualMachine, *paths)


Wire = Callable[[VCenterPeer], Wired]


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Connect to peers; waits are short, and nobody is waited for longer than 15 s."""
    opened: list[Connection] = []

    def connect(peer: VCenterPeer) -> Wired:
        connection = Connection(Session(login_of(peer)), patience_s=15.0, sleep=short)
        opened.append(connection)
        return Wired(peer, connection, Tasks(connection, CallLog()))

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def wired(vcenter: StartVCenter, wire: Wire) -> Wired:
    """Connect to a vCenter of two VMs, both powered on."""
    return wire(vcenter("-vm", "1"))
