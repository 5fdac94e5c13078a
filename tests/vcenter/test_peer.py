"""The peer keeps its promises: what a vCenter does, and how it fails when told to."""

from __future__ import annotations

import http.client
import shutil
import ssl
from pathlib import Path

import pytest

from tests.vcenter.binary import HERE, binary_path
from tests.vcenter.certificates import Authority, Certificate
from tests.vcenter.collected import finished, named
from tests.vcenter.fixtures import StartVCenter, refuse
from tests.vcenter.peer import VCenterPeer

vim = pytest.importorskip("pyVmomi").vim

KIB64 = 64 * 1024


def test_two_vcenters_at_a_time(vcenter: StartVCenter) -> None:
    a, b = vcenter("-vm", "2"), vcenter("-dc", "2", "-vm", "0")
    ours, theirs = a.connect(), b.connect()
    assert ours.content.about.instanceUuid == a.instance_uuid
    assert theirs.content.about.instanceUuid == b.instance_uuid != a.instance_uuid
    assert len(theirs.content.rootFolder.childEntity) == 2


def test_wrong_password(peer: VCenterPeer) -> None:
    with pytest.raises(vim.fault.InvalidLogin):
        peer.connect(pwd="wrong")


def test_the_certificate_is_verified_for_real(
    vcenter: StartVCenter, stranger: Certificate, vcenter_authority: Authority
) -> None:
    peer = vcenter("-vm", "0", certificate=stranger)
    trusting = ssl.create_default_context(cafile=vcenter_authority.certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        peer.connect(sslContext=trusting)
    assert peer.connect().content.about.instanceUuid == peer.instance_uuid


def test_it_comes_back_on_the_same_port_with_another_certificate(
    vcenter: StartVCenter, vcenter_authority: Authority
) -> None:
    peer = vcenter("-vm", "1")
    port, uuid, thumbprint = peer.port, peer.instance_uuid, peer.served.thumbprint
    peer.restart(vcenter_authority.issue())
    assert (peer.port, peer.instance_uuid) == (port, uuid)
    served = ssl.get_server_certificate((peer.host, peer.port), ca_certs=str(peer.certificate))
    assert served.strip() == peer.served.leaf.read_text().strip()
    assert peer.served.thumbprint != thumbprint
    assert peer.connect().content.about.instanceUuid == uuid


def test_a_killed_one_is_gone(peer: VCenterPeer) -> None:
    peer.kill()
    assert peer.pid == 0
    with pytest.raises(ConnectionRefusedError):
        peer.connect()


def test_closing_leaves_nothing(vcenter_binary: Path, vcenter_certificate: Certificate) -> None:
    peer = VCenterPeer(vcenter_binary, vcenter_certificate, "-vm", "1")
    directory, pid = peer._directory, peer.pid
    assert list(directory.rglob("*.vmdk"))
    peer.close()
    assert not directory.exists()
    assert not Path(f"/proc/{pid}").exists()


def test_it_ends_with_the_process_that_started_it(
    vcenter_binary: Path, vcenter_certificate: Certificate
) -> None:
    peer = VCenterPeer(vcenter_binary, vcenter_certificate, "-vm", "1")
    process = peer._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()  # as the kernel does for a process that was killed
    assert process.wait(120) == 0
    assert not list((peer._directory / "run").iterdir())
    peer.close()


def test_calls_are_counted_from_the_last_reset(peer: VCenterPeer) -> None:
    service = peer.connect()
    assert peer.calls(reset=True)["Login"] == 1
    service.CurrentTime()
    service.CurrentTime()
    assert peer.calls() == {"CurrentTime": 2}


def test_a_fault_for_one_object(peer: VCenterPeer) -> None:
    machines = named(peer.connect(), vim.VirtualMachine)
    first, second = (machines[name][""] for name in sorted(machines)[:2])
    peer.rules([{"method": "PowerOffVM_Task", "object": first.name, "fault": "NoPermission"}])
    with pytest.raises(vim.fault.NoPermission):
        first.PowerOffVM_Task()
    finished(second.PowerOffVM_Task())
    assert second.runtime.powerState == "poweredOff"
    assert peer.fired() == [1]


def test_a_task_that_ends_in_a_fault(peer: VCenterPeer) -> None:
    vm = next(iter(named(peer.connect(), vim.VirtualMachine).values()))[""]
    peer.rules(
        [{"method": "CreateSnapshot_Task", "count": 1, "taskFault": "ApplicationQuiesceFault", "taskMs": 20}]
    )
    with pytest.raises(vim.fault.ApplicationQuiesceFault):
        finished(vm.CreateSnapshot_Task("s", "", False, True))
    finished(vm.CreateSnapshot_Task("s", "", False, True))
    assert [item.name for item in vm.snapshot.rootSnapshotList] == ["s"]


def test_a_session_that_expires_stays_expired(peer: VCenterPeer) -> None:
    service = peer.connect()
    peer.rules([{"method": "CurrentTime", "skip": 1, "count": 1, "expire": True}])
    service.CurrentTime()
    for _ in range(2):
        with pytest.raises(vim.fault.NotAuthenticated):
            service.CurrentTime()
    peer.connect().CurrentTime()


@pytest.mark.parametrize("effect", ["drop", "dropAfter"])
def test_a_dropped_connection(peer: VCenterPeer, effect: str) -> None:
    vm = next(iter(named(peer.connect(), vim.VirtualMachine).values()))[""]
    peer.rules([{"method": "PowerOffVM_Task", "count": 1, effect: True}])
    with pytest.raises((http.client.HTTPException, OSError)):
        vm.PowerOffVM_Task()
    executed = vm.runtime.powerState == "poweredOff"
    assert executed is (effect == "dropAfter")


def test_half_an_answer(peer: VCenterPeer) -> None:
    connection = http.client.HTTPSConnection(
        peer.host, peer.port, context=ssl.create_default_context(cafile=peer.certificate)
    )
    envelope = (
        '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>'
        '<RetrieveServiceContent xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this>'
        "</RetrieveServiceContent></Body></Envelope>"
    )
    connection.request("POST", "/sdk", envelope, {"Content-Type": "text/xml"})
    whole = connection.getresponse().read()
    peer.rules([{"method": "RetrieveServiceContent", "count": 1, "half": True}])
    connection.request("POST", "/sdk", envelope, {"Content-Type": "text/xml"})
    answer = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    connection.close()
    assert caught.value.partial == whole[: len(whole) // 2]
    service = peer.connect()  # and nothing is broken afterwards
    assert service.content.about.instanceUuid == peer.instance_uuid


@pytest.mark.parametrize("rule", [{"fault": "NoPermission"}, {"method": "Login", "fualt": "NoPermission"}])
def test_a_rule_that_would_never_fire_is_refused(peer: VCenterPeer, rule: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="400"):
        peer.rules([rule])


def test_luns_are_shared_and_offered_for_mappings(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "0", "-host", "2", "-standalone-host", "0", "-ds", "1", "-lun", "3")
    service = peer.connect()
    hosts = named(service, vim.HostSystem, "config.storageDevice")
    views = []
    for host in hosts.values():
        device = host["config.storageDevice"]
        luns = [lun for lun in device.scsiLun if lun.canonicalName.startswith("naa.")]
        assert [lun.capacity.block * lun.capacity.blockSize for lun in luns] == [16 * 1024**3] * 3
        views.append([(lun.canonicalName, lun.uuid) for lun in luns])
        kinds = {type(hba) for hba in device.hostBusAdapter}
        assert kinds == {vim.host.FibreChannelHba, vim.host.InternetScsiHba}
        paths = {unit.lun: len(unit.path) for unit in device.multipathInfo.lun}
        assert [paths[lun.key] for lun in luns] == [3, 3, 3]
    assert len(views) == 2
    assert views[0] == views[1]
    (store,) = named(service, vim.Datastore, "info").values()
    assert [extent.diskName for extent in store["info"].vmfs.extent] == [views[0][0][0]]
    (cluster,) = named(service, vim.ClusterComputeResource).values()
    target = cluster[""].environmentBrowser.QueryConfigTarget(None)
    assert [item.disk.canonicalName for item in target.scsiDisk] == [name for name, _ in views[0][1:]]


def test_a_raw_device_mapping_by_reconfiguration(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1", "-lun", "2", "-ds", "1")
    service = peer.connect()
    vm = next(iter(named(service, vim.VirtualMachine).values()))[""]
    (lun,) = vm.environmentBrowser.QueryConfigTarget(None).scsiDisk
    controller = next(
        item for item in vm.config.hardware.device if isinstance(item, vim.vm.device.VirtualSCSIController)
    )
    disk = vim.vm.device.VirtualDisk(
        key=-1,
        controllerKey=controller.key,
        unitNumber=5,
        capacityInKB=lun.capacity // 1024,
        backing=vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo(
            fileName="",
            lunUuid=lun.disk.uuid,
            deviceName=lun.name,
            compatibilityMode="physicalMode",
            diskMode="independent_persistent",
        ),
    )
    change = vim.vm.device.VirtualDeviceSpec(operation="add", fileOperation="create", device=disk)
    finished(vm.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[change])))
    mapped = [
        item.backing.lunUuid
        for item in vm.config.hardware.device
        if isinstance(item, vim.vm.device.VirtualDisk)
        and isinstance(item.backing, vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo)
    ]
    assert mapped == [lun.disk.uuid]
    assert vm.environmentBrowser.QueryConfigTarget(None).scsiDisk == []


def test_changed_areas_come_two_thousand_at_a_time(peer: VCenterPeer) -> None:
    service = peer.connect()
    vm = next(iter(named(service, vim.VirtualMachine).values()))[""]
    (disk,) = (item for item in vm.config.hardware.device if isinstance(item, vim.vm.device.VirtualDisk))
    disk.capacityInKB, disk.capacityInBytes = 1024 * 1024, 1024**3
    change = vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk)
    finished(vm.ReconfigVM_Task(vim.vm.ConfigSpec(changeTrackingEnabled=True, deviceChange=[change])))
    store, _, file = disk.backing.fileName.partition("] ")
    assert store == f"[{disk.backing.datastore.name}"
    flat = Path(disk.backing.datastore.summary.url) / file.replace(".vmdk", "-flat.vmdk")
    with flat.open("r+b") as body:
        for number in range(2500):
            body.seek(2 * number * KIB64)
            body.write(b"x")
    snapshot = finished(vm.CreateSnapshot_Task("s", "", False, False))
    starts, at, calls = [], 0, 0
    while at < disk.capacityInBytes:
        info = vm.QueryChangedDiskAreas(snapshot, disk.key, at, "*")
        calls += 1
        assert len(info.changedArea) <= 2000
        starts += [area.start for area in info.changedArea]
        at = info.startOffset + info.length
    assert starts == [2 * number * KIB64 for number in range(2500)]
    assert calls == 2


def test_files_ask_for_a_session_when_told(peer: VCenterPeer) -> None:
    service = peer.connect()
    vm = next(iter(named(service, vim.VirtualMachine).values()))[""]
    path = vm.config.files.vmPathName.partition("] ")[2]
    connection = http.client.HTTPSConnection(
        peer.host, peer.port, context=ssl.create_default_context(cafile=peer.certificate)
    )

    def status(headers: dict[str, str]) -> int:
        connection.request("GET", f"/folder/{path}?dcPath=DC0&dsName=LocalDS_0", headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    assert status({}) == 200
    peer.rules([], folder_login=True)
    assert status({}) == 401
    assert status({"Cookie": service._stub.cookie.partition(";")[0]}) == 200
    peer.rules([{"method": "folder:GET", "count": 1, "status": 503}], folder_login=False)
    assert [status({}), status({})] == [503, 200]
    connection.close()


def test_missing_packages_are_named(vcenter_binary: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="not run: golang-go, patch not installed"):
        refuse(("golang-go", "patch"), strict=False)
    with pytest.raises(pytest.fail.Exception, match="golang-go"):
        refuse(("golang-go",), strict=True)


def test_a_changed_overlay_is_another_binary(vcenter_binary: Path, tmp_path: Path) -> None:
    copy = tmp_path / "vcenter"
    shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert binary_path(copy).name == vcenter_binary.name
    with (copy / "overlay" / "lab_rules.go").open("a") as source:
        source.write("// changed\n")
    assert binary_path(copy).name != vcenter_binary.name


def test_a_panic_fails_the_test_that_caused_it(
    vcenter_binary: Path, vcenter_certificate: Certificate
) -> None:
    """Negative control of the fixture itself."""
    peer = VCenterPeer(vcenter_binary, vcenter_certificate, "-vm", "0")
    with peer._log.open("a") as log:
        log.write("lab: panic in PowerOnVM_Task: boom\n")
    with pytest.raises(AssertionError, match="boom"):
        peer.close()
