"""Every sheet and column of version 4.7 that the model has a place for arrives there."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from benchmarks.workbook import headers
from planner.model import BusSharing, Controller, DeviceKind, Inventory, Power, RuleKind
from planner.sources.rvtools.reading import parse_rvtools
from tests.planner.sources.workbooks import write

MIB = 1024**2
VCENTER = "vc-uuid-1"
VM: dict[str, Any] = {
    "VM": "crm-db-01",
    "Powerstate": "poweredOn",
    "Template": "False",
    "SRM Placeholder": "False",
    "Annotation": "the database",
    "Datacenter": "Frankfurt",
    "Cluster": "prod",
    "Host": "esx1.example.com",
    "Folder": "/Frankfurt/vm/CRM/Databases",
    "OS according to the configuration file": "Microsoft Windows Server 2019 (64-bit)",
    "OS according to the VMware Tools": "Microsoft Windows Server 2022 (64-bit)",
    "OS according to the VMware tools": "Microsoft Windows Server 2022 (64-bit)",
    "VM ID": "vm-42",
    "VMRef": "vm-42",
    "VM UUID": "5000AAAA-0000-0000-0000-000000000001",
    "VI SDK Server": "vc.example.com",
    "VI SDK UUID": VCENTER,
}
HOST = {name: VM[name] for name in ("Host", "Datacenter", "Cluster", "VI SDK Server", "VI SDK UUID")}
PLACE = {"VI SDK Server": "vc.example.com", "VI SDK UUID": VCENTER}
LUN = "naa.600a098038303053453f463045727831"
RAW = "020001000060" + "0a098038303053453f463045727831" + "4c554e20432d"
ROWS: dict[str, list[dict[str, Any]]] = {
    "vInfo": [
        VM
        | {
            "DNS Name": "crm-db-01.example.com",
            "Connection state": "connected",
            "Heartbeat": "yellow",
            "Consolidation Needed": "True",
            "CPUs": 8,
            "Memory": 32768,
            "Disks": 3,
            "min Required EVC Mode Key": "intel-broadwell",
            "Latency Sensitivity": "high",
            "EnableUUID": "True",
            "CBT": "True",
            "Resource pool": "/Frankfurt/prod/Resources/gold",
            "Folder ID": "group-v7",
            "vApp": "crm",
            "FT State": "running",
            "FT Role": "1",
            "In Use MiB": 100,
            "HA Restart Priority": "high",
            "Cluster rule(s)": "Anti Affinity",
            "Cluster rule name(s)": "apart",
            "EFI Secure boot": "True",
            "Firmware": "efi",
            "HW version": 19,
            "Path": "[ds1] crm-db-01/crm-db-01.vmx",
            "SMBIOS UUID": "42000000-BBBB-0000-0000-000000000001",
            "Application": "CRM",
            "Owner": "anna",
            "Environment": "prod",
            "Tier": "database",
            "Criticality": "gold",
            "Maintenance window": "Sunday",
            "Last backup": "2026/02/28",
            "Site (tag category)": "Frankfurt, DMZ",
        }
    ],
    "vCPU": [VM | {"CPUs": 8, "Reservation": 2000, "Limit": 9000, "Hot Add": "True"}],
    "vMemory": [
        VM
        | {
            "Size MiB": 32768,
            "Memory Reservation Locked To Max": "True",
            "Reservation": 1024,
            "Limit": -1,
            "Hot Add": "False",
        }
    ],
    "vTools": [
        VM
        | {"Tools": "toolsOld", "Tools Version": 12352, "Sync time": "True", "Heartbeat status": "green"}
    ],
    "vDisk": [
        VM
        | {
            "Disk": "Hard disk 1",
            "Disk Key": 2000,
            "Disk UUID": "6000C290-1",
            "Capacity MiB": 1024,
            "Raw": "False",
            "Disk Mode": "persistent",
            "Sharing mode": "sharingMultiWriter",
            "Thin": "True",
            "Limit": 500,
            "Controller": "VMware paravirtual SCSI",
            "Label": "SCSI controller 1",
            "Unit #": 3,
            "Shared Bus": "virtualSharing",
            "Path": "[ds1] crm-db-01/crm-db-01.vmdk",
        },
        VM
        | {
            "Disk": "Hard disk 2",
            "Disk Key": 2001,
            "Capacity MiB": 2048,
            "Raw": "True",
            "Raw LUN ID": RAW,
            "Raw Comp. Mode": "physicalMode",
            "Controller": "LSI Logic SAS",
            "Path": "[ds1] crm-db-01/crm-db-01_1.vmdk",
        },
        VM | {"Disk": "Hard disk 3", "Disk Key": 3000, "Capacity MiB": 1, "Controller": "NVME controller 0"},
    ],
    "vPartition": [
        VM
        | {"Disk Key": 2000, "Disk": "C:\\", "Capacity MiB": 1000, "Consumed MiB": 600, "Free MiB": 400}
    ],
    "vNetwork": [
        VM
        | {
            "NIC label": "Network adapter 1",
            "Adapter": "Vmxnet3",
            "Network": "lan",
            "Switch": "dvs",
            "Connected": "True",
            "Starts Connected": "False",
            "Mac Address": "00:50:56:AA:00:01",
            "Type": "Manual",
            "IPv4 Address": "10.0.0.1",
            "IPv6 Address": "fe80::1",
            "Direct Path IO": "True",
        }
    ],
    "vCD": [
        VM
        | {"Device Node": "CD/DVD drive 1", "Connected": "True", "Starts Connected": "True",
           "Device Type": "ISO [iso] x.iso"}
    ],
    "vUSB": [
        VM | {"Device Node": "USB xHCI controller", "Device Type": "VirtualUSBXHCIController"},
        VM | {"Device Node": "USB 1", "Device Type": "Remote host", "Connected": "True", "Family": "storage"},
    ],
    "vSnapshot": [
        VM
        | {"Name": "before", "Description": "update", "Date / time": "2026/01/02 03:04:05",
           "Size MiB (vmsn)": 1, "Size MiB (total)": 8, "Quiesced": "True"}
    ],
    "vRP": [
        PLACE
        | {"Resource Pool name": "gold", "Resource Pool path": "/Frankfurt/prod/Resources/gold",
           "CPU limit": -1, "CPU reservation": 4000, "Mem limit": 4096, "Mem reservation": 1024,
           "Object ID": "resgroup-9"}
    ],
    "vCluster": [
        PLACE
        | {"Name": "prod", "NumHosts": 2, "HA enabled": "True", "AdmissionControlEnabled": "False",
           "DRS enabled": "True", "DRS default VM behavior": "fullyAutomated", "Restart Priority": "medium",
           "Object ID": "domain-c8"}
    ],
    "vHost": [
        HOST
        | {"in Maintenance Mode": "True", "CPU Model": "Xeon", "Speed": 2900, "# CPU": 2,
           "Cores per CPU": 16, "# Cores": 32, "# Memory": 1024, "VMotion support": "True",
           "Current EVC": "intel-skylake", "Max EVC": "intel-icelake",
           "Assigned License(s)": "vSphere 8 AAAAA-BBBBB-CCCCC-DDDDD-EEEEE",
           "ESX Version": "VMware ESXi 8.0.3 build-24022510", "NTP Server(s)": "10.0.0.1, 10.0.0.2",
           "NTPD running": "True", "Vendor": "Dell Inc.", "Model": "R650",
           "Certificate Expiry Date": "2028/01/01 00:00:00", "Object ID": "host-9"}
    ],
    "vHBA": [HOST | {"Device": "vmhba2", "Type": "Fibre Channel", "Status": "online", "WWN": "20 00",
                     "Model": "QLE2772"}],
    "vSwitch": [
        HOST
        | {"Switch": "vSwitch0", "Promiscuous Mode": "False", "Mac Changes": "True",
           "Forged Transmits": "True"}
    ],
    "vPort": [
        HOST | {"Port Group": "Management", "Switch": "vSwitch0", "VLAN": 7, "Promiscuous Mode": "True"}
    ],
    "dvPort": [
        PLACE
        | {"Port": "lan", "Switch": "dvs", "Type": "ephemeral", "VLAN": 10, "Allow Promiscuous": "False",
           "Mac Changes": "False", "Forged Transmits": "True", "Object ID": "dvportgroup-5"}
    ],
    "vSC_VMK": [HOST | {"Port Group": "Management", "Device": "vmk0"}],
    "vDatastore": [
        PLACE
        | {"Name": "ds1", "Type": "VMFS", "Accessible": "True", "Capacity MiB": 4000,
           "Provisioned MiB": 5000, "Free MiB": 1000, "# Hosts": 2, "Hosts": "esx1, esx2",
           "Version": "6.82", "MHA": "True", "URL": "ds:///vmfs/1/", "Address": "naa.1",
           "Object ID": "datastore-3"}
    ],
    "vMultiPath": [
        HOST | {"Datastore": "ds1", "Disk": "naa.1", "Vendor": "PURE", "Model": "FlashArray",
                "Serial #": "S1", "UUID": "0200aa"},
        HOST | {"Disk": LUN, "UUID": "0200bb"},
    ],
    "vLicense": [
        PLACE
        | {"Name": "vSphere 8 Enterprise Plus", "Key": "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", "Total": 64,
           "Used": 32, "Expiration Date": "2027/01/01 00:00:00"}
    ],
    "vSource": [
        PLACE | {"Name": "VMware vCenter Server", "API version": "8.0.3.0", "Version": "8.0.3",
                 "Build": 24262322}
    ],
    "vMetaData": [{"RVTools version": "4.7.1.4", "xlsx creation datetime": "2026/03/01 09:00:00"}],
}  # fmt: skip
OWN = {"Application", "Owner", "Environment", "Tier", "Criticality", "Maintenance window", "Last backup",
       "Site (tag category)"}  # fmt: skip


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    sheets: dict[str, Any] = {}
    for name, columns in headers().items():
        own = sorted({key for row in ROWS.get(name, ()) for key in row} & OWN) if name == "vInfo" else []
        known = [*columns, *own]
        body = [[row.get(column) for column in known] for row in ROWS.get(name, ())]
        sheets[name] = [known, *body]
    return parse_rvtools(write(tmp_path_factory.mktemp("book") / "x.xlsx", sheets))


def test_the_rows_are_those_of_the_version() -> None:
    """Negative control: a header that 4.7 does not write would test nothing."""
    shared = {"OS according to the VMware tools", "OS according to the VMware Tools", "VMRef", *VM}
    for name, rows in ROWS.items():
        for row in rows:
            assert row.keys() - set(headers()[name]) - OWN <= shared, name


def test_who_and_where(inventory: Inventory) -> None:
    (vm,) = inventory.vms
    assert (vm.id, vm.moref, vm.vcenter, vm.name) == ("vm-42", "vm-42", VCENTER, "crm-db-01")
    assert vm.instance_uuid == "5000aaaa-0000-0000-0000-000000000001"
    assert vm.bios_uuid == "42000000-bbbb-0000-0000-000000000001"
    assert (vm.power, vm.cpus, vm.memory_bytes, vm.hw_version) == (Power.ON, 8, 32768 * MIB, 19)
    assert (vm.folder, vm.vapp, vm.firmware) == ("/Frankfurt/vm/CRM/Databases", "crm", "efi")
    assert (vm.cbt, vm.consolidation_needed, vm.ft_state) == (True, True, "running")
    assert (vm.application, vm.owner, vm.environment, vm.tier) == ("CRM", "anna", "prod", "database")
    assert (vm.criticality, vm.window) == ("gold", "Sunday")
    assert vm.tags == (("Site", "Frankfurt"), ("Site", "DMZ"))
    assert ("Owner", "anna") in vm.attributes
    assert not any("Site" in name for name, _ in vm.attributes)
    assert vm.rules == ("apart",)


def test_how_it_is_run(inventory: Inventory) -> None:
    compute, guest, management = (
        inventory.vms[0].compute,
        inventory.vms[0].guest,
        inventory.vms[0].management,
    )
    assert (compute.cpu_hot_add, compute.cpu_reservation_mhz, compute.cpu_limit_mhz) == (True, 2000, 9000)
    assert (compute.memory_hot_add, compute.memory_locked) == (False, True)
    assert (compute.memory_reservation_bytes, compute.memory_limit_bytes) == (1024 * MIB, -1)
    assert (compute.latency_sensitivity, compute.evc_mode) == ("high", "intel-broadwell")
    assert (compute.secure_boot, compute.enable_uuid) == (True, True)
    assert (guest.tools_version, guest.heartbeat, guest.time_sync) == ("12352", "green", True)
    assert guest.running_os == "Microsoft Windows Server 2022 (64-bit)"
    assert guest.partitions
    assert (guest.partitions[0].path, guest.partitions[0].disk) == ("C:\\", "2000")
    assert (guest.partitions[0].capacity_bytes, guest.partitions[0].free_bytes) == (1000 * MIB, 400 * MIB)
    assert management.restart_priority == "high"
    assert (management.last_backup, management.fault_tolerance_role) == ("2026/02/28", "1")
    assert inventory.vms[0].tools == "toolsOld"


def test_disks(inventory: Inventory) -> None:
    first, raw, third = inventory.vms[0].disks
    assert (first.uuid, first.iops_limit, first.multi_writer) == ("6000C290-1", 500, True)
    assert (first.controller_kind, first.bus, first.unit) == (Controller.PVSCSI, 1, 3)
    assert (first.bus_sharing, first.used_bytes) == (BusSharing.VIRTUAL, 600 * MIB)
    assert (raw.controller_kind, raw.lun, raw.format) == (Controller.LSI_SAS, LUN, "rdm")
    assert third.controller_kind is Controller.NVME


def test_other_devices(inventory: Inventory) -> None:
    (vm,) = inventory.vms
    (nic,), (drive,), (snapshot,) = vm.nics, vm.cdroms, vm.snapshots
    assert (nic.starts_connected, nic.mac_type, nic.switch, nic.direct_path) == (False, "manual", "dvs", True)
    assert nic.addresses == ("10.0.0.1", "fe80::1")
    assert (drive.connected, drive.starts_connected) == (True, True)
    assert (snapshot.description, snapshot.quiesced, snapshot.size_bytes) == ("update", True, 8 * MIB)
    assert [(device.kind, device.connected) for device in vm.devices] == [
        (DeviceKind.USB_CONTROLLER, None),
        (DeviceKind.USB, True),
    ]


def test_hosts_and_clusters(inventory: Inventory) -> None:
    (host,), (cluster,), (pool,), (folder,) = (
        inventory.hosts,
        inventory.clusters,
        inventory.resource_pools,
        inventory.folders,
    )
    assert (host.id, host.version, host.build, host.cpu_mhz) == ("host-9", "8.0.3", "24022510", 2900)
    assert (host.evc_mode, host.evc_max, host.maintenance) == ("intel-skylake", "intel-icelake", True)
    assert (host.ntp_servers, host.ntp_running) == (("10.0.0.1", "10.0.0.2"), True)
    assert host.certificate_expires == "2028-01-01T00:00:00+00:00"
    assert host.hbas
    assert (host.hbas[0].kind, host.hbas[0].wwn) == ("fc", "20 00")
    assert host.vmkernel_networks == ("Management",)
    assert "AAAAA" not in host.licence
    assert (cluster.id, cluster.datacenter, cluster.hosts) == ("domain-c8", "Frankfurt", 2)
    assert (cluster.ha, cluster.drs, cluster.drs_mode) == (True, True, "fullyAutomated")
    assert cluster.admission_control is False
    assert cluster.rules
    assert (cluster.rules[0].kind, cluster.rules[0].vms) == (RuleKind.APART, ("vm-42",))
    assert (pool.id, pool.path, pool.cluster) == ("resgroup-9", "Resources/gold", "prod")
    assert (pool.cpu_reservation_mhz, pool.memory_limit_bytes) == (4000, 4096 * MIB)
    assert (folder.id, folder.path, folder.kind) == ("group-v7", "CRM/Databases", "vm")


def test_storage_and_networks(inventory: Inventory) -> None:
    (store,), (carrier, mapped) = inventory.datastores, inventory.luns
    assert (store.provisioned_bytes, store.accessible, store.hosts) == (5000 * MIB, True, 2)
    assert (store.version, store.multiple_hosts, store.extents) == ("6.82", True, ("naa.1",))
    assert (carrier.datastore, carrier.hosts, carrier.serial) == ("ds1", ("host-9",), "S1")
    assert (mapped.name, mapped.datastore) == (LUN, "")
    standard, distributed = inventory.networks
    assert (standard.kind, standard.vlan, standard.datacenter) == ("standard", "7", "Frankfurt")
    assert (standard.promiscuous, standard.forged_transmits, standard.mac_changes) == (True, True, True)
    assert (distributed.kind, distributed.key, distributed.binding) == (
        "distributed",
        "dvportgroup-5",
        "ephemeral",
    )
    assert (distributed.promiscuous, distributed.forged_transmits) == (False, True)


def test_services(inventory: Inventory) -> None:
    (vcenter,), (licence,) = inventory.vcenters, inventory.licences
    assert (vcenter.id, vcenter.name, vcenter.version, vcenter.build) == (
        VCENTER,
        "vc.example.com",
        "8.0.3",
        "24262322",
    )
    assert (licence.total, licence.used, licence.expires) == (64, 32, "2027-01-01T00:00:00+00:00")
    assert licence.key.endswith("EEEEE")
    assert "A" not in licence.key


def test_nothing_is_a_gap_but_what_no_version_holds(inventory: Inventory) -> None:
    assert inventory.gaps == ("floppies", "devices")
    assert inventory.notes == ()


def _unknown(noun: object) -> set[str]:
    if not is_dataclass(noun):
        return set()
    return {item.name for item in fields(noun) if getattr(noun, item.name) in (None, "")}


def test_what_rvtools_has_not_stays_unknown(inventory: Inventory) -> None:
    (vm,) = inventory.vms
    assert _unknown(vm.compute) == {
        *("affinity", "nested_virtualisation", "iommu", "vbs", "sgx", "sev", "encrypted", "npiv"),
        "boot_order",
    }
    assert _unknown(vm.disks[0]) == {
        *("lun", "format", "parent", "cbt", "encrypted", "filters", "flash_cache", "policy"),
    }
    assert _unknown(vm.management) >= {"managed_by", "replication", "drs_override", "storage_policy"}
