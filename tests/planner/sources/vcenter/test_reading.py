"""One of everything, read back: what the estate's document says is what the inventory says."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from planner.model import Backing, BusSharing, Controller, DeviceKind, Inventory, Power, RuleKind
from planner.sources.vcenter.reading import read_vcenter
from tests.planner.sources.vcenter.logins import login_of
from tests.vcenter.estate import GIB, LUN_UUID, SHARED_LUN, STORE_LUN, VCENTER, everything, written
from tests.vcenter.fixtures import StartVCenter

KINDS = (
    "vms",
    "hosts",
    "clusters",
    "datastores",
    "networks",
    "luns",
    "resource_pools",
    "folders",
    "licences",
)
SAID = everything()


@pytest.fixture(scope="module")
def read(module_vcenter: StartVCenter, tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    return read_vcenter(login_of(module_vcenter("-estate", str(written(tmp_path_factory.mktemp("estate"))))))


def by_name(inventory: Inventory, kind: str) -> dict[str, Any]:
    return {item.name.replace("\x1b", "\ufffd"): item for item in getattr(inventory, kind)}


def contradictions(path: str, said: Any, found: Any) -> list[str]:
    """Return where ``found`` says something else than ``said``; what was not said contradicts nothing."""
    if isinstance(said, str):
        said = said.replace("\x1b", "\ufffd")  # as the simulator writes what XML cannot hold
    if said == found or said is None or said in ("", (), 0):
        return []
    if is_dataclass(said) and type(said) is type(found):
        return [
            line
            for item in fields(said)
            for line in contradictions(
                f"{path}.{item.name}", getattr(said, item.name), getattr(found, item.name)
            )
        ]
    if isinstance(said, tuple) and isinstance(found, tuple) and len(said) == len(found):
        pairs = enumerate(zip(said, found, strict=True))
        return [line for at, (a, b) in pairs for line in contradictions(f"{path}[{at}]", a, b)]
    return [f"{path}: {said!r} became {found!r}"]


# What a reading has by other names, or more of: each with the reason.
DIFFERENT = {
    "id": "a reading names objects by their moref",
    "members": "ids of VMs",
    "vms": "ids of VMs",
    "churn_bytes_day": "takes more than one look",
    "used_bytes": "the descriptor's 512 bytes",
    "key": "keys of controllers' units, and masked licence keys",
    "detail": "devices without a backing have none",
    "nics": "an SR-IOV adapter is an adapter too",
    "tags": "in order of their categories",
    "resource_pool": "a machine of a vApp is in the pool that the vApp is",
    "power": "a template is powered off",
    "host_group": "an order rule names no group of hosts",
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_was_said_is_contradicted(read: Inventory, kind: str) -> None:
    said, found = by_name(SAID, kind), by_name(read, kind)
    assert said.keys() <= found.keys()
    lines = [
        line
        for name, item in said.items()
        for line in contradictions(name, item, found[name])
        if line.partition(":")[0].rpartition(".")[2].partition("[")[0] not in DIFFERENT
    ]
    assert lines == []


def test_the_comparison_sees_a_contradiction() -> None:
    """Negative control."""
    vm = SAID.vms[0]
    wrong = replace(vm, compute=replace(vm.compute, vbs=False), cpus=3)
    assert len(contradictions("db-01", vm, wrong)) == 2


def test_who_it_is(read: Inventory) -> None:
    (vcenter,) = read.vcenters
    assert vcenter.id == VCENTER
    assert (vcenter.version, vcenter.build, vcenter.api_version) == ("8.0.2", "22385739", "8.0.2.0")
    assert vcenter.extensions == ("com.example.owner", "com.vmware.vcDr")
    assert vcenter.scheduled_tasks == 3
    assert vcenter.certificate_expires > "2020"
    assert read.source.startswith("vcenter:admin@127.0.0.1:")
    assert {item.vcenter for kind in KINDS for item in getattr(read, kind)} == {VCENTER}
    assert read.gaps == ()


def test_a_registered_replicator_leaves_its_vms_unknown(read: Inventory) -> None:
    """Site Recovery Manager is registered, and with replication by arrays nothing stands on a VM."""
    said = {vm.name: vm.management.replication for vm in read.vms}
    assert said.pop("db-01") == "vsphere-replication"
    assert "" not in said.values()


def test_disks(read: Inventory) -> None:
    flat, raw, sata, nvme = by_name(read, "vms")["db-01"].disks
    assert (flat.format, flat.parent, flat.cbt, flat.encrypted) == (
        "flat",
        "[san-01] db-01/db-01-base.vmdk",
        True,
        True,
    )
    assert (flat.filters, flat.flash_cache, flat.iops_limit) == (("cachefilter",), True, 500)
    assert (raw.backing, raw.lun, raw.size_bytes) == (Backing.RDM_PHYSICAL, SHARED_LUN, 100 * GIB)
    assert (raw.mode, raw.multi_writer, raw.bus_sharing) == (
        "independent_persistent",
        True,
        BusSharing.PHYSICAL,
    )
    assert (raw.controller, raw.bus, raw.unit, raw.controller_kind) == (
        "SCSI controller 1",
        1,
        3,
        Controller.LSI_SAS,
    )
    assert (raw.used_bytes, raw.thin) == (None, None)
    assert sata.controller_kind is Controller.SATA
    assert (nvme.format, nvme.thin, nvme.controller_kind) == ("sesparse", True, Controller.NVME)


def test_a_lun_is_one_for_all_who_use_it(read: Inventory) -> None:
    vms, hosts = by_name(read, "vms"), by_name(read, "hosts")
    assert vms["db-01"].disks[1].lun == vms["db-02"].disks[0].lun == SHARED_LUN
    lun = by_name(read, "luns")[SHARED_LUN]
    assert lun.uuid == LUN_UUID
    assert set(lun.hosts) == {hosts["esx-01.example.test"].id, hosts["esx-02.example.test"].id}
    assert by_name(read, "luns")[STORE_LUN].datastore == "san-01"
    assert by_name(read, "datastores")["san-01"].extents == (STORE_LUN,)
    assert by_name(read, "datastores")["nfs-01"].extents == ()


def test_adapters(read: Inventory) -> None:
    first, second, sriov = by_name(read, "vms")["db-01"].nics
    assert (first.network, first.switch, first.port_group) == ("prod-db", "dvs-1", "dvportgroup-41")
    assert (first.addresses, first.subnets) == (("10.1.2.3", "fd00::3"), ("10.1.2.0/24", "fd00::/64"))
    assert (first.adapter, first.mac, first.mac_type, first.dhcp) == (
        "Vmxnet3",
        "00:50:56:9a:00:01",
        "manual",
        False,
    )
    assert (second.network, second.switch, second.adapter, second.connected) == (
        "VM Network",
        "vSwitch1",
        "E1000e",
        False,
    )
    assert sriov.adapter == "SR-IOV"


def test_devices_and_drives(read: Inventory) -> None:
    vm = by_name(read, "vms")["db-01"]
    assert [device.kind for device in vm.devices] == list(DeviceKind)
    assert {device.label for device in vm.devices} == {f"a {kind.value}" for kind in DeviceKind}
    (drive,) = vm.cdroms
    assert (drive.media, drive.connected, drive.starts_connected) == ("[nfs-01] iso/tools.iso", True, False)


def test_rules_and_groups(read: Inventory) -> None:
    vms = by_name(read, "vms")
    first, second = vms["db-01"].id, vms["db-02"].id
    (cluster,) = read.clusters
    apart, pinned, order = cluster.rules or ()
    assert (apart.kind, apart.vms, apart.enabled) == (RuleKind.APART, (first, second), True)
    assert (pinned.kind, pinned.vms, pinned.host_group, pinned.affine) == (
        RuleKind.VM_HOST,
        (first,),
        "licensed",
        False,
    )
    assert (order.kind, order.vms) == (RuleKind.ORDER, (first,))
    assert vms["db-01"].rules == ("apart", "pinned", "first")
    assert vms["db-02"].rules == ("apart",)
    assert vms["edge"].rules == ()
    assert [(group.name, group.of_hosts, group.members) for group in cluster.groups or ()] == [
        ("dbs", False, (first,)),
        ("licensed", True, (by_name(read, "hosts")["esx-01.example.test"].id,)),
    ]


def test_what_people_say_of_it(read: Inventory) -> None:
    vm = by_name(read, "vms")["db-01"]
    assert vm.attributes == (("owner", "sales-it"), ("cost centre", "4711"))
    assert vm.tags == (("site", "north"), ("tier", "database"))
    assert (vm.owner, vm.tier) == ("sales-it", "database")
    assert by_name(read, "vms")["edge"].tags == ()


def test_states(read: Inventory) -> None:
    vms = by_name(read, "vms")
    assert vms["db-01"].power is Power.ON
    assert vms["db-02"].power is Power.SUSPENDED
    assert vms["golden image"].template
    assert [vm.name for vm in read.vms if vm.placeholder] == ["../../etc/passwd [evil]\ufffd"]
    assert vms["db-02"].vapp == "shop"


def test_keys_of_licences_are_masked(read: Inventory) -> None:
    (licence,) = read.licences
    assert licence.key == "*****-12345"
    assert (licence.total, licence.used, licence.expires) == (64, 48, "2027-01-01T00:00:00+00:00")


def test_two_vcenters_side_by_side(module_vcenter: StartVCenter) -> None:
    """Their morefs repeat; what tells them apart is the instance UUID."""
    first, second = (read_vcenter(login_of(module_vcenter("-vm", "2"))) for _ in range(2))
    assert {vm.id for vm in first.vms} == {vm.id for vm in second.vms}
    assert {vm.vcenter for vm in first.vms}.isdisjoint({vm.vcenter for vm in second.vms})


NAMES = (
    "a & b <c>",
    "\"quoted\" 'twice'",
    "]]> <!-- -->",
    "名前 ünï",
    "&amp;lt;",
    "x" * 80,
    "../../etc/passwd",
)


def test_names_are_read_as_they_were_given(vcenter: StartVCenter) -> None:
    vim = pytest.importorskip("pyVmomi").vim
    peer = vcenter("-standalone-host", "0", "-vm", str(len(NAMES)))
    content = peer.connect().content
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True).view
    for machine, name in zip(view, NAMES, strict=True):
        task = machine.ReconfigVM_Task(vim.vm.ConfigSpec(name=name, annotation=name))
        assert task.info.state == "success"
    found = read_vcenter(login_of(peer)).vms
    assert {vm.name for vm in found} == set(NAMES)
    assert all(vm.annotation == vm.name for vm in found)
