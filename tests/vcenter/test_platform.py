"""A vCenter made of an inventory document says what the document says: all that VMs stand on."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from tests.vcenter.collected import named
from tests.vcenter.estate import GIB, LUN_UUID, SHARED_LUN, STORE_LUN, VCENTER
from tests.vcenter.peer import VCenterPeer

vim = pytest.importorskip("pyVmomi").vim


def test_the_vcenter_itself(estate: VCenterPeer, service: Any) -> None:
    about = service.content.about
    assert about.instanceUuid == estate.instance_uuid == VCENTER
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
