"""One small estate that holds one of everything a vCenter can show, for the peer's own tests and readers'."""

from __future__ import annotations

from pathlib import Path

from planner.model import (
    VM,
    Backing,
    BusSharing,
    Cdrom,
    Cluster,
    Compute,
    Controller,
    Datastore,
    Device,
    DeviceKind,
    Disk,
    DrsGroup,
    DrsRule,
    Folder,
    Guest,
    Hba,
    Host,
    Inventory,
    Licence,
    Lun,
    Management,
    Network,
    Nic,
    Partition,
    Power,
    ResourcePool,
    RuleKind,
    Snapshot,
    VCenter,
)
from planner.sources.document import dump_document

VCENTER = "7f0d3c1e-0000-4000-8000-00000000beef"
GIB = 1024**3
SHARED_LUN = "naa.600a098038304437415d4b6a59684a31"
STORE_LUN = "naa.600a098038304437415d4b6a59684a32"
LUN_UUID = "02000000006000600a098038304437415d4b6a59684a314c554e20432d"


def _disks() -> tuple[Disk, ...]:
    scsi = {"controller": "SCSI controller 0", "bus": 0, "controller_kind": Controller.PVSCSI}
    return (
        Disk(
            *("2000", "Hard disk 1", 40 * GIB),
            path="[san-01] db-01/db-01.vmdk",
            used_bytes=11 * GIB,
            thin=True,
            mode="persistent",
            multi_writer=False,
            unit=0,
            bus_sharing=BusSharing.NONE,
            uuid="6000c290-0000-0000-0000-000000000001",
            format="flat",
            parent="[san-01] db-01/db-01-base.vmdk",
            cbt=True,
            encrypted=True,
            filters=("cachefilter",),
            flash_cache=True,
            iops_limit=500,
            **scsi,
        ),
        Disk(
            *("2016", "Hard disk 2", 100 * GIB, Backing.RDM_PHYSICAL),
            path="[san-01] db-01/db-01_1.vmdk",
            lun=SHARED_LUN,
            mode="independent_persistent",
            multi_writer=True,
            controller="SCSI controller 1",
            bus=1,
            unit=3,
            bus_sharing=BusSharing.PHYSICAL,
            controller_kind=Controller.LSI_SAS,
            format="rdm",
        ),
        Disk(
            *("16000", "Hard disk 3", GIB),
            path="[nfs-01] db-01/db-01_2.vmdk",
            thin=False,
            controller="SATA controller 0",
            bus=0,
            unit=0,
            controller_kind=Controller.SATA,
        ),
        Disk(
            *("32000", "Hard disk 4", GIB),
            path="[san-01] db-01/db-01_3.vmdk",
            format="sesparse",
            controller="NVME controller 0",
            bus=0,
            unit=0,
            controller_kind=Controller.NVME,
        ),
    )


def _database() -> VM:
    return VM(
        *("52000000-0000-4000-8000-000000000001", "db-01", VCENTER, Power.ON),
        moref="vm-101",
        guest_os="Red Hat Enterprise Linux 9 (64-bit)",
        dns_name="db-01.example.test",
        cpus=8,
        memory_bytes=64 * GIB,
        firmware="efi",
        hw_version=21,
        host="esx-01.example.test",
        cluster="prod",
        datacenter="dc1",
        folder="/dc1/vm/crm/databases",
        resource_pool="/dc1/host/prod/Resources/gold",
        vmx_path="[san-01] db-01/db-01.vmx",
        bios_uuid="42000000-0000-4000-8000-000000000001",
        tools="toolsOld",
        cbt=True,
        consolidation_needed=True,
        ft_state="notConfigured",
        connection_state="connected",
        used_bytes=20 * GIB,
        churn_bytes_day=90 * 86400 * 1024,
        annotation="the CRM's database\nask Kim",
        disks=_disks(),
        nics=(
            Nic(
                *("Network adapter 1", "prod-db", "00:50:56:9a:00:01", "Vmxnet3", True),
                addresses=("10.1.2.3", "fd00::3"),
                subnets=("10.1.2.0/24", "fd00::/64"),
                starts_connected=True,
                mac_type="manual",
                dhcp=False,
                direct_path=True,
            ),
            Nic(
                "Network adapter 2", "VM Network", "00:50:56:9a:00:02", "E1000e", False, starts_connected=True
            ),
        ),
        snapshots=(
            Snapshot("before upgrade", "2026-01-02T03:04:05+00:00", GIB, "first", True),
            Snapshot("after upgrade", "2026-01-03T03:04:05+00:00", 2 * GIB),
        ),
        cdroms=(Cdrom("CD/DVD drive 1", True, "[nfs-01] iso/tools.iso", False),),
        devices=tuple(Device(kind, f"a {kind.value}", True, "detail") for kind in DeviceKind),
        guest=Guest(
            guest_id="rhel9_64Guest",
            running_os="Red Hat Enterprise Linux 9.4",
            tools_version="12345",
            heartbeat="green",
            time_sync=True,
            partitions=(Partition("/", 40 * GIB, 29 * GIB, "2000"),),
        ),
        compute=Compute(
            cpu_hot_add=True,
            memory_hot_add=False,
            cpu_reservation_mhz=1000,
            cpu_limit_mhz=8000,
            memory_reservation_bytes=GIB,
            memory_limit_bytes=-1,
            memory_locked=False,
            latency_sensitivity="high",
            affinity=True,
            nested_virtualisation=True,
            iommu=True,
            evc_mode="intel-broadwell",
            secure_boot=True,
            vbs=True,
            sgx=True,
            sev=False,
            encrypted=True,
            enable_uuid=True,
            npiv=True,
            boot_order=("disk", "net"),
        ),
        management=Management(
            managed_by="com.example.owner",
            replication="vsphere-replication",
            drs_override="manual",
            restart_priority="high",
            fault_tolerance_role="primary",
            permissions=2,
        ),
        tags=(("tier", "database"), ("site", "north")),
        attributes=(("owner", "sales-it"), ("cost centre", "4711")),
    )


def _others() -> tuple[VM, ...]:
    common = {"host": "esx-02.example.test", "cluster": "prod", "datacenter": "dc1", "vcenter": VCENTER}
    return (
        VM(
            *("52000000-0000-4000-8000-000000000002", "db-02"),
            power=Power.SUSPENDED,
            disks=(
                Disk(
                    *("2016", "Hard disk 1", 100 * GIB, Backing.RDM_PHYSICAL),
                    path="[san-01] db-02/db-02.vmdk",
                    lun=SHARED_LUN,
                    controller="SCSI controller 1",
                    bus=1,
                    unit=3,
                    bus_sharing=BusSharing.PHYSICAL,
                ),
            ),
            vapp="shop",
            resource_pool="/dc1/host/prod/Resources",
            **common,
        ),
        VM(
            *("vm-103", "golden image"),
            template=True,
            disks=(Disk("2000", "Hard disk 1", GIB, path="[nfs-01] golden/golden.vmdk"),),
            **common,
        ),
        VM(
            *("52000000-0000-4000-8000-000000000004", "../../etc/passwd [evil]\x1b"),
            placeholder=True,
            vmx_path="[nfs-01] ../../../../evil/evil.vmx",
            **common,
        ),
        VM(
            *("52000000-0000-4000-8000-000000000005", "edge"),
            host="esx-edge.example.test",
            datacenter="dc2",
            vcenter=VCENTER,
            power=Power.ON,
            nics=(Nic("Network adapter 1", "only here"),),
        ),
    )


def everything() -> Inventory:
    """Return the estate: two datacenters, a cluster of two hosts, a host of its own, five VMs."""
    return Inventory(
        source="test",
        taken_at="2026-01-01T00:00:00+00:00",
        vms=(_database(), *_others()),
        hosts=(
            Host(
                *("host-21", "esx-01.example.test", "prod", "dc1", "8.0.2", 32, 512 * GIB, VCENTER),
                build="22380479",
                cpu_model="Xeon Gold 6338",
                cpu_mhz=2000,
                evc_mode="intel-broadwell",
                evc_max="intel-icelake",
                maintenance=False,
                lockdown=True,
                connection_state="connected",
                vmotion=True,
                ntp_servers=("ntp.example.test",),
                ntp_running=True,
                certificate_expires="2031-05-06T07:08:09+00:00",
                vendor="Dell Inc.",
                model="PowerEdge R750",
                hbas=(
                    Hba("vmhba2", "fc", "20:00:00:25:b5:00:00:0a", "LPe32000", "online"),
                    Hba("vmhba64", "iscsi", "iqn.1998-01.com.vmware:esx-01", "iSCSI", "online"),
                ),
                vmkernel_networks=("Management",),
                licence="vSphere 8 Enterprise Plus",
                supported_hw_version=21,
            ),
            Host(
                "host-22",
                "esx-02.example.test",
                "prod",
                "dc1",
                "7.0.3",
                16,
                256 * GIB,
                VCENTER,
                maintenance=True,
            ),
            Host("host-23", "esx-edge.example.test", "", "dc2", "7.0.3", 8, 64 * GIB, VCENTER),
        ),
        clusters=(
            Cluster(
                *("domain-c8", "prod", 2, VCENTER, "dc1"),
                ha=True,
                drs=True,
                drs_mode="partiallyAutomated",
                evc_mode="intel-broadwell",
                vsan=False,
                admission_control=True,
                rules=(
                    DrsRule(
                        *("apart", RuleKind.APART),
                        vms=("52000000-0000-4000-8000-000000000001", "52000000-0000-4000-8000-000000000002"),
                        enabled=True,
                        mandatory=False,
                    ),
                    DrsRule("pinned", RuleKind.VM_HOST, vm_group="dbs", host_group="licensed", affine=False),
                    DrsRule("first", RuleKind.ORDER, vm_group="dbs", host_group="dbs"),
                ),
                groups=(
                    DrsGroup("dbs", False, ("52000000-0000-4000-8000-000000000001",)),
                    DrsGroup("licensed", True, ("host-21",)),
                ),
            ),
        ),
        datastores=(
            Datastore(
                *("datastore-31", "san-01", "VMFS", 4096 * GIB, 1024 * GIB, VCENTER, "dc1"),
                provisioned_bytes=6000 * GIB,
                accessible=True,
                maintenance=False,
                hosts=2,
                multiple_hosts=True,
                version="6.82",
                extents=(STORE_LUN,),
            ),
            Datastore(
                "datastore-32", "nfs-01", "NFS41", GIB, GIB, VCENTER, "dc1", address="nas.example.test:/vol/1"
            ),
        ),
        networks=(
            Network(
                *(
                    "dvportgroup-41",
                    "prod-db",
                    "120",
                    "dvs-1",
                    VCENTER,
                    "dc1",
                    "distributed",
                    "dvportgroup-41",
                ),
                binding="static",
                promiscuous=False,
                forged_transmits=True,
                mac_changes=False,
            ),
            Network("network-42", "VM Network", "7", "vSwitch1", VCENTER, "dc1", "standard"),
            Network(
                *("dvportgroup-43", "uplinks", "0-4094", "dvs-1", VCENTER, "dc1", "distributed"), uplink=True
            ),
        ),
        vcenters=(
            VCenter(
                VCENTER,
                "vc.example.test",
                "8.0.2",
                "22385739",
                "8.0.2.0",
                extensions=("com.vmware.vcDr", "com.example.owner"),
                scheduled_tasks=3,
            ),
        ),
        luns=(
            Lun(
                SHARED_LUN,
                LUN_UUID,
                100 * GIB,
                "NETAPP",
                "LUN C-Mode",
                "S3R14L",
                ("host-21", "host-22"),
                "",
                VCENTER,
            ),
            Lun(
                STORE_LUN,
                "",
                4096 * GIB,
                "NETAPP",
                "LUN C-Mode",
                "S3R14M",
                ("host-21", "host-22"),
                "san-01",
                VCENTER,
            ),
        ),
        resource_pools=(
            ResourcePool(
                "resgroup-51", "gold", "Resources/gold", "prod", VCENTER, False, 5000, -1, 8 * GIB, 16 * GIB
            ),
            ResourcePool("resgroup-v52", "shop", "Resources/shop", "prod", VCENTER, True),
        ),
        folders=(Folder("group-v61", "databases", "vm/crm/databases", "dc1", VCENTER, "vm"),),
        licences=(
            Licence("vSphere 8 Enterprise Plus", "XXXXX-12345", 64, 48, "2027-01-01T00:00:00+00:00", VCENTER),
        ),
    )


def written(directory: Path) -> Path:
    """Write the estate as a document and return its path."""
    path = directory / "estate.json"
    path.write_text(dump_document(everything()), "utf-8")
    return path
