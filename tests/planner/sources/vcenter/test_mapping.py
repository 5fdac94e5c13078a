"""Folders that ring, networks of every kind, snapshots' sizes, what is unset against what is not shown."""

from __future__ import annotations

from typing import Any

import pytest

from planner.model import DeviceKind
from planner.sources.vcenter.adapters import nics
from planner.sources.vcenter.compute import compute, management, placeholder, tools
from planner.sources.vcenter.devices import cdroms, others
from planner.sources.vcenter.hosts import HostFacts, host
from planner.sources.vcenter.machines import machine
from planner.sources.vcenter.networks import HostPortGroups, network, switch_names
from planner.sources.vcenter.paths import DEVICE_GAPS
from planner.sources.vcenter.places import Places, entity_name
from planner.sources.vcenter.services import masked
from planner.sources.vcenter.snapshots import snapshots
from planner.sources.vcenter.surroundings import HostPlace
from tests.planner.sources.vcenter.raw import around, device, raw, vm


def places(*items: Any) -> Places:
    made = Places("uuid")
    made.add(items)
    return made


def test_folders_in_a_ring_end_somewhere() -> None:
    made = places(
        raw("Folder", "f1", name="a", parent="f3"),
        raw("Folder", "f2", name="b", parent="f1"),
        raw("Folder", "f3", name="c", parent="f2"),
        raw("Folder", "f4", name="itself", parent="f4"),
    )
    assert made.path("f1") == "/b/c/a"
    assert made.path("f4") == "/itself"
    assert {folder.path for folder in made.folders()} == {"b/c/a", "c/a/b", "a/b/c", "itself"}
    assert made.datacenter("f1") == ""
    where = around()
    where.places = made
    (note,) = where.notes(())
    assert "stand above themselves" in note


def test_ten_thousand_folders_below_each_other() -> None:
    made = places(*(raw("Folder", f"f{at}", name=str(at), parent=f"f{at - 1}") for at in range(3000)))
    assert made.path("f2999").count("/") == 3000


def test_paths_and_kinds_of_folders() -> None:
    made = places(
        raw("Datacenter", "dc", name="dc1", parent="top", vmFolder="fv", hostFolder="fh"),
        raw("Folder", "top", name="europe"),
        raw("Folder", "fv", name="vm", parent="dc"),
        raw("Folder", "fh", name="host", parent="dc"),
        raw("Folder", "f", name="crm%2fprod", parent="fv"),
    )
    assert made.path("f") == "/europe/dc1/vm/crm/prod"
    (europe, crm) = made.folders()
    assert (europe.path, europe.kind, europe.datacenter) == ("europe", "", "")
    assert (crm.name, crm.path, crm.kind, crm.datacenter) == ("crm/prod", "vm/crm/prod", "vm", "dc1")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("a%2fb", "a/b"), ("a%5Cb", "a\\b"), ("50%25", "50%"), ("%252f", "%2f"), ("a%20b", "a%20b")],
)
def test_names_as_people_gave_them(said: str, meant: str) -> None:
    assert entity_name(said) == meant


def distributed(**values: Any) -> Any:
    item = raw("DistributedVirtualPortgroup", "pg", name="pg", key="pg", **values)
    return network(item, Places("uuid"), {}, HostPortGroups())


def vlan(kind: str, **values: Any) -> dict[str, Any]:
    return {"vlan": {"@": f"VmwareDistributedVirtualSwitch{kind}VlanSpec", **values}}


@pytest.mark.parametrize(
    ("ports", "meant"),
    [
        (vlan("Id", vlanId="7"), "7"),
        (vlan("Trunk", vlanId={"start": "0", "end": "4094"}), "0-4094"),
        (vlan("Trunk", vlanId=[{"start": "1", "end": "1"}, {"start": "5", "end": "9"}]), "1,5-9"),
        (vlan("Trunk"), "trunk"),
        ({"vlan": {"@": "VmwareDistributedVirtualSwitchPvlanSpec", "pvlanId": "101"}}, "pvlan 101"),
        ({}, ""),
        ("", ""),
    ],
)
def test_vlans(ports: Any, meant: str) -> None:
    assert distributed(config__defaultPortConfig=ports).vlan == meant


def test_the_policy_of_a_distributed_port_group() -> None:
    value = {"inherited": "false", "value": "true"}
    old = distributed(config__defaultPortConfig={"securityPolicy": {"allowPromiscuous": value}})
    new = distributed(config__defaultPortConfig={"macManagementPolicy": {"forgedTransmits": "false"}})
    assert (old.promiscuous, old.forged_transmits) == (True, None)
    assert (new.promiscuous, new.forged_transmits) == (None, False)


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        ({"tag": [{"key": "SYSTEM/DVS.UPLINKPG"}]}, True),
        ({"tag": [{"key": "other"}]}, False),
        ({"tag": []}, False),
        ({"tag": [], "config__uplink": "true"}, True),
        ({}, None),
    ],
)
def test_uplinks(values: dict[str, Any], meant: bool | None) -> None:
    assert distributed(**values).uplink is meant


def group(name: str, vlan_id: str, switch: str, **policy: str) -> dict[str, Any]:
    spec = {"name": name, "vlanId": vlan_id, "vswitchName": switch}
    return {"spec": spec, "computedPolicy": {"security": policy}}


def test_a_standard_network_is_what_its_hosts_have_of_it() -> None:
    made = places(raw("Datacenter", "dc", name="dc1"), raw("Datacenter", "other", name="dc2"))
    groups = HostPortGroups()
    for at, (parent, tag, promiscuous) in enumerate(
        [("dc", "7", "false"), ("dc", "7", "true"), ("dc", "8", "false"), ("other", "9", "true")]
    ):
        held = group("net", tag, "vSwitch0", allowPromiscuous=promiscuous, macChanges="false")
        groups.add(raw("HostSystem", f"h{at}", parent=parent, config__network__portgroup=[held]), made)
    found = network(raw("Network", "n", name="net", parent="dc"), made, {}, groups)
    assert (found.vlan, found.switch, found.datacenter) == ("7,8", "vSwitch0", "dc1")
    assert (found.promiscuous, found.mac_changes, found.forged_transmits) == (True, False, None)


def test_opaque_networks_and_switches() -> None:
    found = network(raw("OpaqueNetwork", "o", name="nsx"), Places("uuid"), {}, HostPortGroups())
    assert (found.kind, found.uplink, found.vlan) == ("opaque", None, "")
    by_id, by_uuid = switch_names(
        [
            raw("VmwareDistributedVirtualSwitch", "dvs-1", name="dvs", uuid="AB cd"),
            raw("Network", "n", name="net"),
        ]
    )
    assert (by_id, by_uuid) == ({"dvs-1": "dvs"}, {"ab cd": "dvs"})


def card(kind: str, **backing: Any) -> dict[str, Any]:
    return device(kind, 4000, backing=backing, macAddress="00:50:56:AA:BB:CC", addressType="Manual")


@pytest.mark.parametrize(
    ("backing", "network_name", "switch"),
    [
        ({"deviceName": "net", "network": "n-1"}, "net by id", "vSwitch0"),
        ({"deviceName": "net", "network": "n-9"}, "net", ""),
        ({"port": {"portgroupKey": "k-1", "switchUuid": "UU"}}, "dv net", "dvs"),
        ({"port": {"portgroupKey": "k-9", "switchUuid": "UU"}}, "", "dvs"),
        ({"opaqueNetworkId": "segment-7"}, "segment-7", ""),
    ],
)
def test_what_an_adapter_is_attached_to(backing: dict[str, Any], network_name: str, switch: str) -> None:
    where = around(
        networks={"n-1": "net by id"},
        port_groups={"k-1": "dv net"},
        switches={"uu": "dvs"},
        network_switches={"n-1": "vSwitch0"},
    )
    adapter = card("VirtualVmxnet3", **backing)
    (found,) = nics(vm(adapter), [adapter], where)
    assert (found.network, found.switch) == (network_name, switch)
    assert (found.mac, found.mac_type, found.adapter) == ("00:50:56:aa:bb:cc", "manual", "Vmxnet3")
    assert (found.addresses, found.dhcp) == ((), None)


def test_addresses_of_an_adapter() -> None:
    report = {
        "deviceConfigId": "4000",
        "ipAddress": ["10.1.2.3", "192.168.1.1"],
        "ipConfig": {
            "ipAddress": [
                {"ipAddress": "10.1.2.3", "prefixLength": "24", "origin": "dhcp"},
                {"ipAddress": "fe80::1", "prefixLength": "64", "origin": "linklayer"},
                {"ipAddress": "not one\x1b", "prefixLength": "8"},
                {"ipAddress": "10.9.9.9", "prefixLength": "99"},
            ]
        },
    }
    adapter = card("VirtualE1000e")
    (found,) = nics(vm(adapter, guest__net=[report]), [adapter], around())
    assert found.addresses == ("10.1.2.3", "fe80::1", "not one\x1b", "10.9.9.9", "192.168.1.1")
    assert found.subnets == ("10.1.2.0/24",)
    assert found.dhcp is True


def test_an_only_adapter_has_the_guests_only_address() -> None:
    adapter = card("VirtualNewKindOfCard")
    (found,) = nics(vm(adapter, guest__ipAddress="10.0.0.9"), [adapter], around())
    assert (found.addresses, found.adapter) == (("10.0.0.9",), "NewKindOfCard")
    assert (
        nics(vm(adapter, adapter, guest__ipAddress="10.0.0.9"), [adapter, adapter], around())[0].addresses
        == ()
    )


def test_devices() -> None:
    where = around()
    held = [
        device(
            "VirtualPCIPassthrough",
            1,
            backing={"@": "VirtualPCIPassthroughVmiopBackingInfo", "vgpu": "grid_t4-8q"},
        ),
        device(
            "VirtualPCIPassthrough",
            2,
            backing={"@": "VirtualPCIPassthroughDeviceBackingInfo", "id": "0000:3b:00.0"},
        ),
        device(
            "VirtualSerialPort",
            3,
            backing={"@": "VirtualSerialPortURIBackingInfo", "serviceURI": "telnet://:1"},
        ),
        device("VirtualFloppy", 4, backing={"@": "VirtualFloppyImageBackingInfo", "fileName": "[ds] f.flp"}),
        device("VirtualQuantumPort", 5),
        device("VirtualQuantumPort", 6),
        device("VirtualIDEController", 7),
    ]
    found = others(vm(), held, where)
    assert [(item.kind, item.detail) for item in found] == [
        (DeviceKind.VGPU, "grid_t4-8q"),
        (DeviceKind.PASSTHROUGH, "0000:3b:00.0"),
        (DeviceKind.SERIAL, "telnet://:1"),
        (DeviceKind.FLOPPY, "[ds] f.flp"),
    ]
    assert where.notes({"vm-1"}) == ("2 devices are of kind VirtualQuantumPort, which wherry does not know",)
    assert where.notes({"vm-2"}) == ()


@pytest.mark.parametrize(
    ("backing", "media"),
    [
        ({"@": "VirtualCdromIsoBackingInfo", "fileName": "[ds] a.iso"}, "[ds] a.iso"),
        ({"@": "VirtualCdromAtapiBackingInfo", "deviceName": "/dev/cdrom"}, "Host device /dev/cdrom"),
        ({"@": "VirtualCdromRemotePassthroughBackingInfo"}, "Remote device"),
        ("", ""),
    ],
)
def test_media_of_drives(backing: Any, media: str) -> None:
    (drive,) = cdroms([device("VirtualCdrom", 3000, backing=backing)])
    assert (drive.media, drive.connected) == (media, None)


def test_unset_is_no_and_not_shown_is_unknown() -> None:
    unset = compute(vm(config__extraConfig={}, config__bootOptions={}))
    assert (unset.encrypted, unset.sgx, unset.npiv, unset.affinity, unset.enable_uuid) == (False,) * 5
    assert unset.boot_order == ()
    paths = (
        "config.keyId",
        "config.sgxInfo",
        "config.npivNodeWorldWideName",
        "config.cpuAffinity",
        "config.extraConfig",
    )
    veiled = raw("VirtualMachine", "vm-1", dict.fromkeys(paths, "System.Read"), config__version="vmx-19")
    hidden = compute(veiled)
    assert (hidden.encrypted, hidden.sgx, hidden.npiv, hidden.affinity, hidden.enable_uuid) == (None,) * 5
    orphan = machine(raw("VirtualMachine", "vm-1", name="orphan"), around())
    assert (orphan.compute.encrypted, orphan.management.managed_by, orphan.management.replication) == (
        None,
    ) * 3
    assert "disks" in orphan.gaps


@pytest.mark.parametrize(
    ("values", "extensions", "meant"),
    [
        ({"config__extraConfig": {"hbr_filter.gid": "GID-1"}}, (), "vsphere-replication"),
        ({"config__repConfig": {"generation": "1"}}, (), "vsphere-replication"),
        ({"config__managedBy": {"extensionKey": "com.zerto.plugin"}}, (), "zerto"),
        ({"config__extraConfig": {}, "config__managedBy": {"extensionKey": "com.vmware.vim.eam"}}, (), ""),
        ({"config__extraConfig": {}}, ("com.vmware.vim.eam",), ""),
        ({"config__extraConfig": {}}, None, None),
        ({"config__extraConfig": {}}, ("com.vmware.vim.eam", "com.zerto.plugin"), None),
        ({"config__extraConfig": {}}, ("com.emc.recoverpoint.vwc",), None),
        ({"config__extraConfig": {}}, ("com.vmware.vcDr-site",), None),
        ({"config__extraConfig": {}}, ("com.vmware.vcHms",), None),
        ({}, (), None),
    ],
)
def test_who_replicates_it(
    values: dict[str, Any], extensions: tuple[str, ...] | None, meant: str | None
) -> None:
    assert management(vm(**values), (), around(extensions=extensions)).replication == meant


def test_overrides_of_a_cluster_that_shows_nothing_are_unknown() -> None:
    where = around(hosts={"h": HostPlace("esx", "c", "dc", "c-1")})
    item = vm(runtime__host="h")
    assert management(item, (), where).drs_override == ""
    where.exceptions.hidden.add("c-1")
    assert management(item, (), where).drs_override is None
    assert management(vm(), (), around()).restart_priority is None


def test_placeholders() -> None:
    assert placeholder(vm(config__managedBy={"extensionKey": "com.vmware.vcDr-1", "type": "placeholderVm"}))
    assert not placeholder(vm(config__managedBy={"extensionKey": "com.vmware.vcDr", "type": "testVm"}))
    assert not placeholder(vm())
    assert machine(vm(), around()).gaps == ()
    hidden = raw("VirtualMachine", "vm-1", {"config.managedBy": "System.Read"}, config__version="vmx-19")
    assert set(machine(hidden, around()).gaps) == {*DEVICE_GAPS, "placeholders"}


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        ({"guest__toolsStatus": "toolsOld"}, "toolsOld"),
        (
            {
                "guest__toolsRunningStatus": "guestToolsRunning",
                "guest__toolsVersionStatus2": "guestToolsCurrent",
            },
            "toolsOk",
        ),
        (
            {
                "guest__toolsRunningStatus": "guestToolsRunning",
                "guest__toolsVersionStatus2": "guestToolsNeedUpgrade",
            },
            "toolsOld",
        ),
        (
            {
                "guest__toolsRunningStatus": "guestToolsNotRunning",
                "guest__toolsVersionStatus2": "guestToolsCurrent",
            },
            "toolsNotRunning",
        ),
        ({"guest__toolsVersionStatus2": "guestToolsNotInstalled"}, "toolsNotInstalled"),
        ({}, ""),
    ],
)
def test_tools(values: dict[str, str], meant: str) -> None:
    assert tools(vm(**values)) == meant


def test_sizes_of_snapshots() -> None:
    """base (1) - first snapshot - delta (2) - second snapshot - delta (3), with state files 10 and 20."""
    files = {"1": "1000", "2": "200", "3": "30", "10": "5", "20": "7"}

    def chain(*keys: str) -> list[dict[str, Any]]:
        return [{"key": "2000", "chain": [{"fileKey": key} for key in keys]}]

    item = vm(
        layoutEx__file=files,
        layoutEx__disk=chain("1", "2", "3"),
        layoutEx__snapshot=[
            {"key": "s-1", "dataKey": "10", "memoryKey": "-1", "disk": chain("1")},
            {"key": "s-2", "dataKey": "20", "disk": chain("1", "2")},
        ],
        snapshot__rootSnapshotList=[
            {
                "snapshot": "s-1",
                "name": "first",
                "createTime": "2026-01-02T03:04:05.123Z",
                "quiesced": "true",
                "childSnapshotList": {"snapshot": "s-2", "name": "second", "description": "more"},
            }
        ],
    )
    first, second = snapshots(item)
    assert (first.name, first.size_bytes, first.created, first.quiesced) == (
        "first",
        205,
        "2026-01-02T03:04:05+00:00",
        True,
    )
    assert (second.name, second.size_bytes, second.description, second.created) == ("second", 37, "more", "")


def test_snapshots_in_a_ring_end() -> None:
    tree: dict[str, Any] = {"snapshot": "s", "name": "again"}
    tree["childSnapshotList"] = [tree]
    assert len(snapshots(vm(snapshot__rootSnapshotList=[tree]))) == 10_000


def test_a_hosts_worldwide_name_and_clock() -> None:
    item = raw(
        "HostSystem",
        "h",
        name="esx",
        summary__hardware={"numCpuCores": "8"},
        config__dateTimeInfo={"ntpConfig": {"server": "ntp.example.test"}},
        config__certificate=["nonsense"],
        config__storageDevice__hostBusAdapter=[
            {"@": "HostFibreChannelHba", "device": "vmhba2", "portWorldWideName": "-1"}
        ],
    )
    found = host(item, Places("uuid"), HostFacts({"h": "Enterprise"}, {"h": 21}, {}))
    assert found.hbas is not None
    assert found.hbas[0].wwn == "ff:ff:ff:ff:ff:ff:ff:ff"
    assert (found.ntp_servers, found.ntp_running, found.certificate_expires) == (
        ("ntp.example.test",),
        None,
        "",
    )
    assert (found.licence, found.supported_hw_version, found.cpus, found.maintenance) == (
        "Enterprise",
        21,
        8,
        None,
    )


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", "*****-*****-*****-*****-EEEEE"),
        ("short", ""),
        ("", ""),
        ("a" * 9, "****aaaaa"),
    ],
)
def test_masked_keys(key: str, meant: str) -> None:
    assert masked(key) == meant
