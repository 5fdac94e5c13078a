"""A vCenter made of an inventory document says what the document says."""

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
from tests.vcenter.estate import GIB, LUN_UUID, SHARED_LUN, STORE_LUN, VCENTER, everything, written
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer

vim = pytest.importorskip("pyVmomi").vim


@pytest.fixture(scope="module")
def peer(module_vcenter: StartVCenter, tmp_path_factory: pytest.TempPathFactory) -> VCenterPeer:
    return module_vcenter("-estate", str(written(tmp_path_factory.mktemp("estate"))))


@pytest.fixture(scope="module")
def service(peer: VCenterPeer) -> Any:
    return peer.connect()


@pytest.fixture(scope="module")
def machines(service: Any) -> dict[str, dict[str, Any]]:
    paths = ("config", "runtime", "guest", "summary", "snapshot", "layoutEx", "parent", "resourcePool")
    more = ("network", "datastore", "customValue", "availableField", "permission", "parentVApp")
    return named(service, vim.VirtualMachine, *paths, *more)


@pytest.fixture(scope="module")
def db(machines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return machines["db-01"]


def devices(vm: dict[str, Any], kind: Any) -> list[Any]:
    return [item for item in vm["config"].hardware.device if isinstance(item, kind)]


def test_the_vcenter_itself(peer: VCenterPeer, service: Any) -> None:
    about = service.content.about
    assert about.instanceUuid == peer.instance_uuid == VCENTER
    assert (about.version, about.build, about.apiVersion) == ("8.0.2", "22385739", "8.0.2.0")
    extensions = service.content.extensionManager.extensionList
    assert [item.key for item in extensions] == ["com.vmware.vcDr", "com.example.owner"]
    assert len(service.content.scheduledTaskManager.scheduledTask) == 3
    (licence,) = service.content.licenseManager.licenses
    assert (licence.name, licence.licenseKey, licence.total, licence.used) == (
        *("vSphere 8 Enterprise Plus", "XXXXX-12345"),
        *(64, 48),
    )
    assert [(item.key, item.value.year) for item in licence.properties] == [("expirationDate", 2027)]


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


def test_tags_by_the_rest_service(peer: VCenterPeer) -> None:
    connection = http.client.HTTPSConnection(
        peer.host, peer.port, context=ssl.create_default_context(cafile=peer.certificate)
    )

    def call(method: str, path: str, body: object = None, **headers: str) -> Any:
        connection.request(method, f"/rest/com/vmware/cis{path}", json.dumps(body), headers)
        return json.loads(connection.getresponse().read())["value"]

    login = base64.b64encode(f"{peer.user}:{peer.password}".encode()).decode()
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


def test_hosts_with_their_storage(service: Any) -> None:
    hosts = named(service, vim.HostSystem, "summary", "runtime", "config", "datastore", "network", "parent")
    assert {name: host[""]._moId for name, host in hosts.items()} == {
        "esx-01.example.test": "host-21",
        "esx-02.example.test": "host-22",
        "esx-edge.example.test": "host-23",
    }
    host = hosts["esx-01.example.test"]
    summary, config = host["summary"], host["config"]
    assert (config.product.version, config.product.build) == ("8.0.2", "22380479")
    hardware = summary.hardware
    assert (hardware.vendor, hardware.model, hardware.cpuModel) == (
        *("Dell Inc.", "PowerEdge R750"),
        "Xeon Gold 6338",
    )
    assert (hardware.numCpuCores, hardware.cpuMhz, hardware.memorySize) == (32, 2000, 512 * GIB)
    assert (summary.currentEVCModeKey, summary.maxEVCModeKey) == ("intel-broadwell", "intel-icelake")
    assert (config.lockdownMode, summary.config.vmotionEnabled) == ("lockdownNormal", True)
    assert list(config.dateTimeInfo.ntpConfig.server) == ["ntp.example.test"]
    assert {item.key: item.running for item in config.service.service}["ntpd"] is True
    assert [nic.portgroup for nic in config.network.vnic] == ["Management"]
    pem = bytes(number % 256 for number in config.certificate).decode()
    assert ssl.PEM_cert_to_DER_cert(pem)
    assert hosts["esx-02.example.test"]["runtime"].inMaintenanceMode is True

    fc, iscsi = config.storageDevice.hostBusAdapter
    assert (fc.device, fc.portWorldWideName) == ("vmhba2", 0x20000025B500000A)
    assert iscsi.iScsiName == "iqn.1998-01.com.vmware:esx-01"
    for name in ("esx-01.example.test", "esx-02.example.test"):
        luns = {lun.canonicalName: lun for lun in hosts[name]["config"].storageDevice.scsiLun}
        assert luns[SHARED_LUN].uuid == LUN_UUID
        assert luns[SHARED_LUN].serialNumber == "S3R14L"
        assert luns[SHARED_LUN].vendor.strip() == "NETAPP"
        assert luns[STORE_LUN].capacity.block * 512 == 4096 * GIB
    alone = hosts["esx-edge.example.test"]["config"].storageDevice.scsiLun
    assert not [lun for lun in alone if lun.canonicalName.startswith("naa.")]


def test_what_hosts_offer_and_hold(service: Any) -> None:
    cluster = named(service, vim.ClusterComputeResource)["prod"][""]
    offered = cluster.environmentBrowser.QueryConfigOptionDescriptor()
    assert [item.key for item in offered][-1] == "vmx-21"
    assert [host.name for host in offered[-1].host] == ["esx-01.example.test"]
    licences = service.content.licenseManager.licenseAssignmentManager.QueryAssignedLicenses()
    assert [(item.entityId, item.assignedLicense.name) for item in licences] == [
        ("host-21", "vSphere 8 Enterprise Plus")
    ]
    (name,) = service.content.setting.QueryOptions("VirtualCenter.FQDN")
    assert name.value == "vc.example.test"


def test_the_cluster_with_its_rules(service: Any) -> None:
    cluster = named(service, vim.ClusterComputeResource, "configurationEx", "summary")["prod"]
    config = cluster["configurationEx"]
    assert cluster[""]._moId == "domain-c8"
    assert (config.dasConfig.enabled, config.dasConfig.admissionControlEnabled) == (True, True)
    assert (config.drsConfig.enabled, config.drsConfig.defaultVmBehavior) == (True, "partiallyAutomated")
    assert (config.vsanConfigInfo.enabled, cluster["summary"].currentEVCModeKey) == (False, "intel-broadwell")
    apart, pinned, first = config.rule
    assert isinstance(apart, vim.cluster.AntiAffinityRuleSpec)
    assert sorted(vm.name for vm in apart.vm) == ["db-01", "db-02"]
    assert (apart.enabled, apart.mandatory) == (True, False)
    assert (pinned.vmGroupName, pinned.antiAffineHostGroupName) == ("dbs", "licensed")
    assert isinstance(first, vim.cluster.DependencyRuleInfo)
    dbs, licensed = config.group
    assert ([vm.name for vm in dbs.vm], [host.name for host in licensed.host]) == (
        ["db-01"],
        ["esx-01.example.test"],
    )
    assert [(item.key._moId, item.behavior) for item in config.drsVmConfig] == [("vm-101", "manual")]
    assert [item.dasSettings.restartPriority for item in config.dasVmConfig] == ["high"]


def test_datastores(service: Any) -> None:
    stores = named(service, vim.Datastore, "summary", "info", "host", "vm")
    san, nfs = stores["san-01"], stores["nfs-01"]
    assert san[""]._moId == "datastore-31"
    summary = san["summary"]
    assert (summary.type, summary.capacity, summary.freeSpace) == ("VMFS", 4096 * GIB, 1024 * GIB)
    assert summary.capacity - summary.freeSpace + summary.uncommitted == 6000 * GIB
    assert (summary.accessible, summary.multipleHostAccess) == (True, True)
    assert [extent.diskName for extent in san["info"].vmfs.extent] == [STORE_LUN]
    assert sorted(mount.key._moId for mount in san["host"]) == ["host-21", "host-22"]
    assert (nfs["info"].nas.remoteHost, nfs["info"].nas.remotePath) == ("nas.example.test", "/vol/1")
    san[""].RefreshDatastore()
    assert san[""].summary.capacity == 4096 * GIB


def test_networks(service: Any) -> None:
    groups = named(service, vim.dvs.DistributedVirtualPortgroup, "config", "key")
    group = groups["prod-db"]["config"]
    assert (groups["prod-db"]["key"], group.defaultPortConfig.vlan.vlanId) == ("dvportgroup-41", 120)
    assert (group.type, group.distributedVirtualSwitch.name) == ("earlyBinding", "dvs-1")
    policy = group.defaultPortConfig.securityPolicy
    assert (policy.allowPromiscuous.value, policy.forgedTransmits.value) == (False, True)
    uplink = groups["uplinks"]["config"]
    assert uplink.uplink is True
    assert [(item.start, item.end) for item in uplink.defaultPortConfig.vlan.vlanId] == [(0, 4094)]
    hosts = named(service, vim.HostSystem, "config.network")
    spec = {item.spec.name: item.spec for item in hosts["esx-01.example.test"]["config.network"].portgroup}
    assert (spec["VM Network"].vlanId, spec["VM Network"].vswitchName) == (7, "vSwitch1")


def test_pools(service: Any) -> None:
    pools = named(service, vim.ResourcePool, "config", "parent")
    gold = pools["gold"]["config"]
    assert (gold.cpuAllocation.reservation, gold.cpuAllocation.limit) == (5000, -1)
    assert (gold.memoryAllocation.reservation, gold.memoryAllocation.limit) == (8192, 16384)
    assert pools["gold"]["parent"].name == "Resources"
    assert isinstance(pools["shop"][""], vim.VirtualApp)


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


def test_hostile_paths_stay_in_their_datastore(peer: VCenterPeer, service: Any) -> None:
    store = Path(named(service, vim.Datastore, "summary")["nfs-01"]["summary"].url)
    assert (store / "evil" / "evil.vmx").is_file()
    assert store.is_relative_to(peer._directory)


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
