"""The peers that most tests here start: a plain one for each test, the estate of everything once a module."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vcenter.collected import named
from tests.vcenter.estate import written
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer


@pytest.fixture
def peer(vcenter: StartVCenter) -> VCenterPeer:
    """Return a vCenter of four VMs."""
    return vcenter("-vm", "2")


@pytest.fixture(scope="module")
def estate(module_vcenter: StartVCenter, tmp_path_factory: pytest.TempPathFactory) -> VCenterPeer:
    """Return a vCenter that holds one of everything."""
    return module_vcenter("-estate", str(written(tmp_path_factory.mktemp("estate"))))


@pytest.fixture(scope="module")
def service(estate: VCenterPeer) -> Any:
    """Return a session at the estate's vCenter."""
    return estate.connect()


@pytest.fixture(scope="module")
def machines(service: Any) -> dict[str, dict[str, Any]]:
    """Return the estate's VMs with their properties."""
    from pyVmomi import vim

    paths = ("config", "runtime", "guest", "summary", "snapshot", "layoutEx", "parent", "resourcePool")
    more = ("network", "datastore", "customValue", "availableField", "permission", "parentVApp")
    return named(service, vim.VirtualMachine, *paths, *more)


@pytest.fixture(scope="module")
def db(machines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the VM that has one of everything."""
    return machines["db-01"]
