"""A vCenter made of an inventory document says what the document says: its VMs."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from planner.model import DeviceKind
from tests.vcenter.collected import named
from tests.vcenter.estate import GIB, LUN_UUID, VCENTER, everything, written
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer

vim = pytest.importorskip("pyVmomi").vim


def devices(vm: dict[str, Any], kind: Any) -> list[Any]:
    return [item for item in vm["config"].hardware.device if isinstance(item, kind)]


def test_who_a_vm_is_and_where(machines: dict[str, dict[str, Any]], db: dict[str, Any]) -> None:
    assert set(machines) == {"db-01", "db-02", "golden image", "edge", "../../etc/passwd [evil]�"}
    assert db[""]._moId == "vm-101"
    assert db["config"].instanceUuid == "52000000-0000-4000-8000-000000000001"
    assert db["config"].uuid == "42000000-0000-4000-8000-000000000001"
    folder = db["parent"]
    assert (folder.name, folder._moId, folder.parent.name) == ("databases", "group-v61", "crm")
    assert folder.parent.parent.parent.name == "dc1"
    assert (db["resourcePool"].name, db["resourcePool"]._moId) == ("gold", "resgroup-51")
    assert (db["runtime"].host.name, db["runtime"].host.parent.name) == ("esx-01.example.test", "prod")
    assert machines["golden image"][""]._moId == "vm-103"
    assert machines["golden image"]["config"].template is True
    assert "resourcePool" not in machines["golden image"]
    assert (machines["db-02"]["parentVApp"].name, type(machines["db-02"]["resourcePool"])) == (
        "shop",
        vim.VirtualApp,
    )
    assert machines["edge"]["runtime"].host.parent.name == "esx-edge.example.test"


def test_configuration_and_runtime(machines: dict[str, dict[str, Any]], db: dict[str, Any]) -> None:
    config, runtime = db["config"], db["runtime"]
    assert (config.hardware.numCPU, config.hardware.memoryMB, config.version) == (8, 65536, "vmx-21")
    assert (config.guestId, config.firmware) == ("rhel9_64Guest", "efi")
    assert config.annotation == "the CRM's database\nask Kim"
    assert config.changeTrackingEnabled is True
    assert config.cpuHotAddEnabled is True
    assert config.memoryHotAddEnabled is False
    assert (config.cpuAllocation.reservation, config.cpuAllocation.limit) == (1000, 8000)
    assert (config.memoryAllocation.reservation, config.memoryAllocation.limit) == (1024, -1)
    assert config.latencySensitivity.level == "high"
    assert list(config.cpuAffinity.affinitySet) == [0, 1]
    assert (config.nestedHVEnabled, config.flags.vvtdEnabled, config.flags.vbsEnabled) == (True, True, True)
    assert config.bootOptions.efiSecureBootEnabled is True
    assert [type(item).__name__.rpartition(".")[2] for item in config.bootOptions.bootOrder] == [
        *("BootableDiskDevice", "BootableEthernetDevice")
    ]
    assert (config.sgxInfo.epcSize > 0, config.sevEnabled, config.keyId.keyId) == (True, False, "wherry")
    assert len(config.npivNodeWorldWideName) == 1
    assert config.managedBy.extensionKey == "com.example.owner"
    assert config.repConfig.vmReplicationId
    assert config.ftInfo.role == 1
    extra = {item.key: item.value for item in config.extraConfig}
    assert (extra["disk.EnableUUID"], extra["scsi0:0.ctkEnabled"]) == ("TRUE", "TRUE")
    assert (runtime.powerState, runtime.connectionState) == ("poweredOn", "connected")
    assert (runtime.consolidationNeeded, runtime.faultToleranceState) == (True, "notConfigured")
    assert runtime.minRequiredEVCModeKey == "intel-broadwell"
    assert machines["db-02"]["runtime"].powerState == "suspended"
    assert machines["db-02"]["config"].changeTrackingEnabled is None
    assert db["summary"].storage.committed == 20 * GIB
    assert len(db["permission"]) == 2


def test_disks_and_controllers(machines: dict[str, dict[str, Any]], db: dict[str, Any]) -> None:
    flat, rdm, sata, nvme = devices(db, vim.vm.device.VirtualDisk)
    kinds = {item.key: item for item in devices(db, vim.vm.device.VirtualController)}
    assert (flat.key, flat.unitNumber, flat.capacityInBytes) == (2000, 0, 40 * GIB)
    assert isinstance(kinds[flat.controllerKey], vim.vm.device.ParaVirtualSCSIController)
    backing = flat.backing
    assert (backing.thinProvisioned, backing.diskMode, backing.sharing) == (True, "persistent", "sharingNone")
    assert (backing.uuid[-1], backing.keyId.keyId) == ("1", "wherry")
    assert backing.parent.fileName == "[san-01] db-01/db-01-base.vmdk"
    assert (list(flat.iofilter), flat.storageIOAllocation.limit) == (["cachefilter"], 500)
    assert flat.vFlashCacheConfigInfo is not None
    assert (flat.key, rdm.key, sata.key, nvme.key) == (2000, 2016, 16000, 32000)
    sizes = {item.key: item.size for item in db["layoutEx"].file}
    layout = {item.key: sum(sizes[key] for key in item.chain[0].fileKey) for item in db["layoutEx"].disk}
    assert layout[2000] == 11 * GIB

    assert (rdm.backing.compatibilityMode, rdm.backing.lunUuid) == ("physicalMode", LUN_UUID)
    assert (rdm.backing.sharing, rdm.unitNumber) == ("sharingMultiWriter", 3)
    controller = kinds[rdm.controllerKey]
    assert isinstance(controller, vim.vm.device.VirtualLsiLogicSASController)
    assert (controller.busNumber, controller.sharedBus) == (1, "physicalSharing")
    (partner,) = devices(machines["db-02"], vim.vm.device.VirtualDisk)
    assert partner.backing.lunUuid == LUN_UUID

    assert isinstance(kinds[sata.controllerKey], vim.vm.device.VirtualAHCIController)
    assert sata.backing.thinProvisioned is False
    assert isinstance(kinds[nvme.controllerKey], vim.vm.device.VirtualNVMEController)
    assert isinstance(nvme.backing, vim.vm.device.VirtualDisk.SeSparseBackingInfo)
    assert {store.name for store in db["datastore"]} == {"san-01", "nfs-01"}


def test_adapters_and_what_the_guest_says(db: dict[str, Any]) -> None:
    first, second = (item for item in devices(db, vim.vm.device.VirtualEthernetCard) if item.macAddress)
    assert isinstance(first, vim.vm.device.VirtualVmxnet3)
    assert (first.addressType, first.uptCompatibilityEnabled) == ("manual", True)
    assert first.backing.port.portgroupKey == "dvportgroup-41"
    assert isinstance(second, vim.vm.device.VirtualE1000e)
    assert (second.connectable.connected, second.connectable.startConnected) == (False, True)
    assert second.backing.deviceName == "VM Network"
    guest = db["guest"]
    assert (guest.hostName, guest.ipAddress) == ("db-01.example.test", "10.1.2.3")
    assert (guest.toolsStatus, guest.toolsVersionStatus2) == ("toolsOld", "guestToolsNeedUpgrade")
    assert guest.guestFullName == "Red Hat Enterprise Linux 9.4"
    (card,) = guest.net
    assert [(item.ipAddress, item.prefixLength) for item in card.ipConfig.ipAddress] == [
        *[("10.1.2.3", 24), ("fd00::3", 64)]
    ]
    assert card.ipConfig.dhcp.ipv4.enable is False
    (partition,) = guest.disk
    assert (partition.diskPath, partition.freeSpace, partition.mappings[0].key) == ("/", 29 * GIB, 2000)
    assert db["summary"].quickStats.guestHeartbeatStatus == "green"


def test_every_other_device_there_is(db: dict[str, Any]) -> None:
    labels = {item.deviceInfo.label for item in db["config"].hardware.device}
    assert {f"a {kind.value}" for kind in DeviceKind} <= labels
    (cd,) = devices(db, vim.vm.device.VirtualCdrom)
    assert (cd.backing.fileName, cd.connectable.connected) == ("[nfs-01] iso/tools.iso", True)
    assert len(devices(db, vim.vm.device.VirtualTPM)) == 1
    passed = [item.backing for item in devices(db, vim.vm.device.VirtualPCIPassthrough)]
    assert [getattr(item, "vgpu", None) for item in passed] == [None, "detail"]
    keys = [item.key for item in db["config"].hardware.device]
    assert len(keys) == len(set(keys))


def test_snapshots_are_a_chain(db: dict[str, Any]) -> None:
    (root,) = db["snapshot"].rootSnapshotList
    (child,) = root.childSnapshotList
    assert (root.name, root.quiesced, root.createTime.isoformat()) == (
        *("before upgrade", True),
        "2026-01-02T03:04:05+00:00",
    )
    assert child.name == "after upgrade"
    assert db["snapshot"].currentSnapshot == child.snapshot
    sizes = {item.key: item.size for item in db["layoutEx"].file}
    assert [sizes[item.dataKey] for item in db["layoutEx"].snapshot] == [2 * GIB, GIB]


def test_custom_attributes(db: dict[str, Any]) -> None:
    names = {item.key: item.name for item in db["availableField"]}
    assert {names[item.key]: item.value for item in db["customValue"]} == {
        "owner": "sales-it",
        "cost centre": "4711",
    }


def test_tags_by_the_rest_service(estate: VCenterPeer) -> None:
    connection = http.client.HTTPSConnection(
        estate.host, estate.port, context=ssl.create_default_context(cafile=estate.certificate)
    )

    def call(method: str, path: str, body: object = None, **headers: str) -> Any:
        connection.request(method, f"/rest/com/vmware/cis{path}", json.dumps(body), headers)
        return json.loads(connection.getresponse().read())["value"]

    login = base64.b64encode(f"{estate.user}:{estate.password}".encode()).decode()
    session = call("POST", "/session", Authorization=f"Basic {login}")
    ask = {"object_id": {"id": "vm-101", "type": "VirtualMachine"}}
    head = {"vmware-api-session-id": session}
    tags = call("POST", "/tagging/tag-association?~action=list-attached-tags", ask, **head)
    found = [call("GET", f"/tagging/tag/id:{tag}", **head) for tag in tags]
    named_tags = {
        (call("GET", f"/tagging/category/id:{tag['category_id']}", **head)["name"], tag["name"])
        for tag in found
    }
    connection.close()
    assert named_tags == set(everything().vms[0].tags or ())


def test_write_rates_are_those_stated(service: Any, db: dict[str, Any]) -> None:
    manager = service.content.perfManager
    (counter,) = (
        item.key
        for item in manager.perfCounter
        if (item.groupInfo.key, item.nameInfo.key, item.rollupType) == ("virtualDisk", "write", "average")
    )
    metric = vim.PerformanceManager.MetricId(counterId=counter, instance="*")
    spec = vim.PerformanceManager.QuerySpec(entity=db[""], metricId=[metric], maxSample=3, intervalId=20)
    (answer,) = manager.QueryPerf([spec])
    rates = {series.id.instance: list(series.value) for series in answer.value}
    assert set(rates) == {"scsi0:0", "scsi1:3", "sata0:0", "nvme0:0"}
    assert [sum(sample) for sample in zip(*rates.values(), strict=True)] == [90, 90, 90]  # KB/s


def test_hostile_paths_stay_in_their_datastore(estate: VCenterPeer, service: Any) -> None:
    store = Path(named(service, vim.Datastore, "summary")["nfs-01"]["summary"].url)
    assert (store / "evil" / "evil.vmx").is_file()
    assert store.is_relative_to(estate._directory)


def test_a_vm_of_the_document_can_be_worked_with(vcenter: StartVCenter, tmp_path: Path) -> None:
    from pyVim.task import WaitForTask

    peer = vcenter("-estate", str(written(tmp_path)))
    vm = named(peer.connect(), vim.VirtualMachine)["db-01"][""]
    WaitForTask(vm.PowerOffVM_Task())
    WaitForTask(vm.CreateSnapshot_Task("third", "", False, False))
    WaitForTask(vm.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="moved")))
    assert (vm.runtime.powerState, vm.config.annotation) == ("poweredOff", "moved")
    (root,) = vm.snapshot.rootSnapshotList
    assert root.childSnapshotList[0].childSnapshotList[0].name == "third"
    WaitForTask(vm.RemoveAllSnapshots_Task())
    assert vm.snapshot is None
    WaitForTask(vm.PowerOnVM_Task())
    assert vm.runtime.powerState == "poweredOn"


def test_the_samples_start(vcenter: StartVCenter) -> None:
    samples = Path(__file__).resolve().parents[2] / "sample_inventories"
    for document in ("lab", "hostile-names"):
        path = samples / document / "inventory.json"
        count = len(json.loads(path.read_text("utf-8"))["vms"])
        peer = vcenter("-estate", str(path), "-files=false")
        service = peer.connect()
        view = service.content.viewManager.CreateContainerView(
            service.content.rootFolder, [vim.VirtualMachine], True
        )
        assert len(view.view) == count > 3


def test_two_vcenters_of_one_document(vcenter: StartVCenter, tmp_path: Path) -> None:
    body = json.loads(written(tmp_path).read_text("utf-8"))
    other = "7f0d3c1e-0000-4000-8000-00000000cafe"
    body["vms"].append({"id": "vm-9", "name": "far away", "vcenter": other})
    path = tmp_path / "two.json"
    path.write_text(json.dumps(body))
    here, there = vcenter("-estate", str(path)), vcenter("-estate", str(path), "-estate-vcenter", other)
    assert (here.instance_uuid, there.instance_uuid) == (VCENTER, other)
    assert set(named(there.connect(), vim.VirtualMachine)) == {"far away"}
    assert "far away" not in named(here.connect(), vim.VirtualMachine)


def test_a_document_that_is_none_is_refused(vcenter: StartVCenter, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"schema": "something else"}')
    with pytest.raises(RuntimeError, match=r"not a wherry\.inventory/1 document"):
        vcenter("-estate", str(path))
