"""The property collector: pages, counted versions, updates in portions, what may not be read or seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vcenter.collected import finished, named, pages
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer

vim = pytest.importorskip("pyVmomi").vim


@pytest.mark.parametrize("own_limit", [False, True])
def test_collections_come_in_pages(vcenter: StartVCenter, own_limit: bool) -> None:
    peer = vcenter("-vm", "7", *(("-max-objects", "5") if own_limit else ()))
    service = peer.connect()
    peer.calls(reset=True)
    came = pages(service, vim.VirtualMachine, ["name"], None if own_limit else 5)
    assert [len(page) for page in came] == [5, 5, 4]
    assert len({item.obj._moId for page in came for item in page}) == 14
    counts = peer.calls()
    assert (counts["RetrievePropertiesEx"], counts["ContinueRetrievePropertiesEx"]) == (1, 2)


def test_a_page_is_handed_out_once(peer: VCenterPeer) -> None:
    from pyVmomi import vmodl

    query = vmodl.query.PropertyCollector
    content = peer.connect().content
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    specs = [query.ObjectSpec(obj=vm) for vm in view.view]
    spec = query.FilterSpec(
        objectSet=specs, propSet=[query.PropertySpec(type=vim.VirtualMachine, pathSet=["name"])]
    )
    collector = content.propertyCollector
    token = collector.RetrievePropertiesEx([spec], query.RetrieveOptions(maxObjects=1)).token
    collector.ContinueRetrievePropertiesEx(token)
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx(token)
    fresh = collector.RetrievePropertiesEx([spec], query.RetrieveOptions(maxObjects=1)).token
    collector.CancelRetrievePropertiesEx(fresh)
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx(fresh)


def test_properties_that_may_not_be_read(peer: VCenterPeer) -> None:
    service = peer.connect()
    names = sorted(named(service, vim.VirtualMachine))
    peer.rules([{"object": names[0], "missing": ["config"], "privilege": "VirtualMachine.Config.X"}])
    (page,) = pages(service, vim.VirtualMachine, ["name", "config.hardware", "runtime.powerState"])
    seen = {item.propSet[0].val: item for item in page}
    veiled = seen[names[0]]
    assert {item.name for item in veiled.propSet} == {"name", "runtime.powerState"}
    (missing,) = veiled.missingSet
    assert missing.path == "config.hardware"
    assert isinstance(missing.fault, vim.fault.NoPermission)
    assert missing.fault.privilegeId == "VirtualMachine.Config.X"
    assert not seen[names[1]].missingSet
    with pytest.raises(vim.fault.NoPermission):
        _ = veiled.obj.config
    peer.rules([])
    assert veiled.obj.config.name == names[0]


def test_an_object_nobody_sees(peer: VCenterPeer) -> None:
    service = peer.connect()
    names = set(named(service, vim.HostSystem))
    hidden = min(names)
    peer.rules([{"object": hidden, "hide": True}])
    assert set(named(service, vim.HostSystem)) == names - {hidden}


def watching(service: Any, machines: list[Any], path: str = "runtime.powerState") -> Any:
    """Return a collector of its own with a filter on one property of the VMs."""
    from pyVmomi import vmodl

    query = vmodl.query.PropertyCollector
    collector = service.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(
        query.FilterSpec(
            objectSet=[query.ObjectSpec(obj=vm) for vm in machines],
            propSet=[query.PropertySpec(type=vim.VirtualMachine, pathSet=[path])],
        ),
        False,
    )
    return collector


def test_updates_tell_what_changed(peer: VCenterPeer) -> None:
    from pyVmomi import vmodl

    wait = vmodl.query.PropertyCollector.WaitOptions
    service = peer.connect()
    machines = [item[""] for item in named(service, vim.VirtualMachine).values()]
    collector = watching(service, machines)
    first = collector.WaitForUpdatesEx("", wait(maxWaitSeconds=0))
    assert {item.kind for item in first.filterSet[0].objectSet} == {"enter"}
    assert collector.WaitForUpdatesEx(first.version, wait(maxWaitSeconds=0)) is None
    finished(machines[0].PowerOffVM_Task())
    update = collector.WaitForUpdatesEx(first.version, wait(maxWaitSeconds=20))
    (changed,) = update.filterSet[0].objectSet
    assert (changed.obj._moId, changed.kind) == (machines[0]._moId, "modify")
    assert changed.changeSet[-1].val == "poweredOff"
    assert update.version != first.version
    with pytest.raises(vmodl.query.InvalidCollectorVersion):
        collector.WaitForUpdatesEx(first.version, wait(maxWaitSeconds=0))
    # each session's usual collector counts for itself
    assert {peer.connect().content.propertyCollector.WaitForUpdates("").version for _ in range(2)} == {"1"}


def test_updates_come_in_portions(peer: VCenterPeer) -> None:
    from pyVmomi import vmodl

    options = vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=0, maxObjectUpdates=3)
    service = peer.connect()
    machines = [item[""] for item in named(service, vim.VirtualMachine).values()]
    peer.rules([{"object": machines[0]._moId, "missing": ["runtime"]}])
    collector = watching(service, machines)
    first = collector.WaitForUpdatesEx("", options)
    second = collector.WaitForUpdatesEx(first.version, options)
    told = [list(update.filterSet[0].objectSet) for update in (first, second)]
    assert ([len(objects) for objects in told], first.truncated, second.truncated) == ([3, 1], True, False)
    assert {item.obj._moId for objects in told for item in objects} == {vm._moId for vm in machines}
    refused = [item for objects in told for item in objects if item.missingSet]
    assert [item.obj._moId for item in refused] == [machines[0]._moId]


def test_a_property_that_does_not_exist(peer: VCenterPeer) -> None:
    from pyVmomi import vmodl

    service = peer.connect()
    for path in ("config.hardware.devices", "nonsense"):
        with pytest.raises(vmodl.query.InvalidProperty) as caught:
            pages(service, vim.VirtualMachine, ["name", path])
        assert caught.value.name == path
    assert pages(service, vim.Datastore, ["name", "info.vmfs.extent"])
