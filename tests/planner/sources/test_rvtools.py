"""The RVTools reader on generated workbooks: spellings, joins, repairs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.model import VM, Backing, BusSharing, Inventory, Power
from planner.sources.rvtools import read_rvtools
from planner.sources.rvtools.headers import read_sheet
from planner.sources.rvtools.reading import parse_rvtools
from tests.planner.sources.workbooks import DISK, INFO, disk, info, plain, write

MIB = 1024**2


def vm_of(inventory: Inventory, name: str) -> VM:
    return next(vm for vm in inventory.vms if vm.name == name)


def has_note(inventory: Inventory, *parts: str) -> bool:
    return any(all(part in note for part in parts) for note in inventory.notes)


def test_reads_the_plain_workbook(tmp_path: Path) -> None:
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx"))
    vm = vm_of(inventory, "a")
    assert (vm.id, vm.vcenter, vm.power) == ("vm-1", "vc-1", Power.ON)
    assert (vm.cpus, vm.memory_bytes) == (2, 1024 * MIB)
    only = vm.disks[0]
    assert (only.key, only.label, only.size_bytes) == ("2000", "Hard disk 1", 1024 * MIB)
    assert (only.bus, only.unit, only.bus_sharing) == (0, 0, BusSharing.NONE)
    assert only.multi_writer is False
    assert inventory.source == "rvtools:x.xlsx"


def test_blank_is_unknown_not_false(tmp_path: Path) -> None:
    rows = [INFO, info("a", 1), info("b", 2, CBT="False"), info("c", 3, CBT=True), info("d", 4, CBT=1)]
    inventory = parse_rvtools(write(tmp_path / "x.xlsx", {"vInfo": rows}))
    assert [vm.cbt for vm in inventory.vms] == [None, False, True, True]
    assert vm_of(inventory, "a").consolidation_needed is None


def test_missing_sheets_are_notes_and_gaps(tmp_path: Path) -> None:
    inventory = parse_rvtools(write(tmp_path / "x.xlsx", {"vInfo": [INFO, info("a", 1)]}))
    assert set(inventory.gaps) == {
        *("disks", "snapshots", "cdroms", "nics", "usb", "floppies", "devices", "partitions", "tags"),
        *("hosts", "clusters", "datastores", "networks", "luns", "licences", "placeholders"),
    }
    assert has_note(inventory, "vSnapshot is missing", "unknown")


@pytest.mark.parametrize(
    "headers",
    [
        ["vm", " POWERSTATE ", "Template", "CPUs", "Memory", "In  use MB", "vm  id", "vCenter UUID"],
        ["VM", "Powerstate", "Template", "CPUs", "Memory", "In Use MiB", "VM ID", "VI SDK UUID"],
        "vInfoVMName vInfoPowerstate vInfoTemplate vInfoCPUs vInfoMemory vInfoInUse vInfoVMID vInfoVISDKUUID",
    ],
)
def test_headers_in_every_spelling(tmp_path: Path, headers: list[str] | str) -> None:
    rows = [
        headers.split() if isinstance(headers, str) else headers,
        ["a", "PoweredOn", "False", 4, 2048, 100, "vm-9", "vc-1"],
    ]
    vm = parse_rvtools(write(tmp_path / "x.xlsx", {"tabvInfo": rows})).vms[0]
    assert (vm.name, vm.power, vm.cpus, vm.memory_bytes) == ("a", Power.ON, 4, 2048 * MIB)
    assert (vm.used_bytes, vm.id, vm.vcenter) == (100 * MIB, "vm-9", "vc-1")


def test_database_names_of_disks(tmp_path: Path) -> None:
    heads = ["vDiskVMName", "vDiskDisk", "vDiskCapacityMiB", "vDiskRaw", "vDiskPath", "vDiskVMID"]
    rows = [heads, ["a", "Hard disk 1", 512, "False", "[ds] a/a.vmdk", "vm-1"]]
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=rows))
    assert vm_of(inventory, "a").disks[0].size_bytes == 512 * MIB


def test_doubled_blank_and_foreign_headers(tmp_path: Path) -> None:
    rows = [
        [*INFO, "owner", "CPUs", None, "Application"],
        [*info("a", 1), "anna", 99, "lost", "crm"],
    ]
    inventory = parse_rvtools(write(tmp_path / "x.xlsx", {"vInfo": rows}))
    vm = inventory.vms[0]
    assert (vm.cpus, vm.owner, vm.application) == (2, "anna", "crm")
    assert vm.attributes == (("owner", "anna"), ("Application", "crm"))
    assert has_note(inventory, "doubled headers (CPUs)")
    assert has_note(inventory, "1 column without a header")


def test_numeric_shared_bus_of_3_10_and_rdm_modes(tmp_path: Path) -> None:
    def row(number: int, bus: object, mode: str | None) -> list[object]:
        more = {
            "Raw": mode is not None,
            "Raw Comp. Mode": mode,
            "Raw LUN ID": f"02{number}" if mode else None,
        }
        return disk("a", 1, Disk=f"Hard disk {number}", **{"Disk Key": None, "Shared Bus": bus}, **more)

    rows = [DISK, row(1, 0, None), row(2, 1, "virtualMode"), row(3, 2, "physicalMode"), row(4, None, None)]
    disks = vm_of(parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=rows)), "a").disks
    assert [one.bus_sharing for one in disks] == [
        BusSharing.NONE,
        BusSharing.VIRTUAL,
        BusSharing.PHYSICAL,
        None,
    ]
    assert [one.backing for one in disks] == [
        Backing.VMDK,
        Backing.RDM_VIRTUAL,
        Backing.RDM_PHYSICAL,
        Backing.VMDK,
    ]
    assert [one.lun for one in disks] == ["", "022", "023", ""]
    assert len({one.key for one in disks}) == 4


def test_raw_disk_without_mode_is_taken_for_physical(tmp_path: Path) -> None:
    rows = [DISK, disk("a", 1, Raw="True", **{"Raw LUN ID": "020001"})]
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=rows))
    assert vm_of(inventory, "a").disks[0].backing is Backing.RDM_PHYSICAL
    assert has_note(inventory, "without a mode")


@pytest.mark.parametrize("lun", [2.0011e42, "2.0011E+42"])
def test_lun_that_excel_made_a_number_is_unknown(tmp_path: Path, lun: object) -> None:
    rows = [DISK, disk("a", 1, Raw="True", **{"Raw LUN ID": lun, "Raw Comp. Mode": "physicalMode"})]
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=rows))
    assert vm_of(inventory, "a").disks[0].lun == ""
    assert has_note(inventory, "LUN ids", "Excel")


def test_snapshot_suffix_is_taken_off(tmp_path: Path) -> None:
    rows = [DISK, disk("a", 1, Path="[ds] a/a-000002.vmdk"), disk("b", 2)]
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=rows))
    assert vm_of(inventory, "a").disks[0].path == "[ds] a/a.vmdk"
    assert has_note(inventory, "1 disk on a snapshot's file")


def test_equal_ids_of_two_vcenters_are_two_vms(tmp_path: Path) -> None:
    inventory = parse_rvtools(
        plain(
            tmp_path / "x.xlsx",
            vInfo=[INFO, info("a", 1, "vc-1"), info("a", 1, "vc-2")],
            vDisk=[
                DISK,
                disk("a", 1, "vc-2", **{"Capacity MiB": 7}),
                disk("a", 1, "vc-1"),
                disk("a", 1, "vc-3"),
            ],
        )
    )
    assert [vm.id for vm in inventory.vms] == ["vm-1", "vc-2/vm-1"]
    assert [vm.disks[0].size_bytes for vm in inventory.vms] == [1024 * MIB, 7 * MIB]
    assert has_note(inventory, "vDisk has 1 row of 1 VM that vInfo does not have")


def test_rows_without_their_vm_are_counted(tmp_path: Path) -> None:
    rows = [DISK, disk("a", 1), disk("gone", 77), disk("gone", 77), disk("a", 55)]
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=rows))
    assert has_note(inventory, "vDisk has 3 rows of 2 VMs that vInfo does not have")
    assert len(vm_of(inventory, "a").disks) == 1


def test_joins_by_name_when_there_is_nothing_better(tmp_path: Path) -> None:
    heads = ["VM", "Powerstate", "Name", "Date / time", "Size MiB (total)"]
    rows = [
        heads,
        ["a", "poweredOn", "before", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 8],
        ["twin", "", "x", "", 1],
    ]
    inventory = parse_rvtools(
        plain(
            tmp_path / "x.xlsx", vInfo=[INFO, info("a", 1), info("twin", 2), info("twin", 3)], vSnapshot=rows
        )
    )
    snapshot = vm_of(inventory, "a").snapshots[0]
    assert (snapshot.name, snapshot.created) == ("before", "2026-01-02T03:04:05+00:00")
    assert snapshot.size_bytes == 8 * MIB
    assert has_note(inventory, "1 row whose VM name several VMs have")
    assert not any(vm.snapshots for vm in inventory.vms if vm.name == "twin")


def test_overwritten_vm_header_is_found_by_values(tmp_path: Path) -> None:
    rows = [["My Data Center", *DISK[1:]], disk("a", 1), disk("b", 2)]
    without_id = [row[:-2] for row in rows]
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=without_id))
    assert all(len(vm.disks) == 1 for vm in inventory.vms)
    assert has_note(inventory, "vDisk has its VM header overwritten (My Data Center)")


def test_overwritten_vm_header_of_vinfo(tmp_path: Path) -> None:
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vInfo=[["Site", *INFO[1:]], info("a", 1)]))
    assert inventory.vms[0].name == "a"
    assert inventory.vms[0].attributes == ()


def test_names_anonymised_to_the_word_vm(tmp_path: Path) -> None:
    rows = [INFO, info("VM", 1), info("VM", 2)]
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vInfo=rows, vDisk=[DISK, disk("VM", 2)]))
    assert [vm.name for vm in inventory.vms] == ["vm-1", "vm-2"]
    assert [len(vm.disks) for vm in inventory.vms] == [0, 1]
    assert has_note(inventory, "replaced by the word VM")


def test_exact_repetition_is_dropped_with_a_note(tmp_path: Path) -> None:
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vInfo=[INFO, info("a", 1), info("a", 1)]))
    assert len(inventory.vms) == 1
    assert has_note(inventory, "repeats VMs in 1 row:")


def test_contradictory_repetition_is_refused_by_row(tmp_path: Path) -> None:
    path = plain(tmp_path / "x.xlsx", vInfo=[INFO, info("a", 1), info("b", 2), info("c", 1)])
    with pytest.raises(BadInput, match="id vm-1: rows 2 and 4 of vInfo"):
        parse_rvtools(path)


def test_equal_names_without_ids_are_refused(tmp_path: Path) -> None:
    rows = [["VM", "Powerstate", "CPUs"], ["a", "poweredOn", 1], ["a", "poweredOff", 2]]
    with pytest.raises(BadInput, match="two VMs named a and no ids"):
        parse_rvtools(write(tmp_path / "x.xlsx", {"vInfo": rows}))


def test_nics_cdroms_tools_partitions_and_platform(tmp_path: Path) -> None:
    of_vm = ("vm-1", "vc-1")
    ids = ("VM ID", "VI SDK UUID")
    nic = ["VM", "Powerstate", "NIC label", "Adapter", "Network", "Connected", "Mac Address", "IPv4 Address"]
    lan = ("Network adapter 1", "Vmxnet3", "lan", True, "00:50:56:AA:00:01", "10.0.0.1, 10.0.0.2")
    host = ["Host", "Cluster", "# CPU", "Cores per CPU", "# Cores", "# Memory", "ESX Version"]
    path = plain(
        tmp_path / "x.xlsx",
        vNetwork=[[*nic, *ids], ["a", "on", *lan, *of_vm]],
        vCD=[
            ["VM", "Powerstate", "Device Node", "Connected", "Device Type", *ids],
            ["a", "on", "CD/DVD drive 1", "True", "ISO [iso] x.iso", *of_vm],
        ],
        vTools=[["VM", "Powerstate", "Tools", *ids], ["a", "on", "toolsNotRunning", *of_vm]],
        vPartition=[
            ["VM", "Powerstate", "Disk Key", "Disk", "Consumed MiB", *ids],
            ["a", "on", "2000", "C:\\", 100, *of_vm],
            ["a", "on", "2000", "D:\\", 50, *of_vm],
        ],
        vHost=[host, ["esx1", "prod", 2, 16, 32, 1024, "VMware ESXi 8.0.2"]],
        vPort=[
            ["Host", "Port Group", "Switch", "VLAN"],
            ["esx1", "lan", "vSwitch0", 10],
            ["esx2", "lan", "vSwitch0", 10],
        ],
        vMetaData=[["RVTools version", "xlsx creation datetime"], ["4.7.1.4", "2026/05/06 07:08:09"]],
    )
    inventory = parse_rvtools(path)
    vm = vm_of(inventory, "a")
    assert vm.nics[0].addresses == ("10.0.0.1", "10.0.0.2")
    assert vm.nics[0].mac == "00:50:56:aa:00:01"
    assert (vm.cdroms[0].connected, vm.cdroms[0].media) == (True, "ISO [iso] x.iso")
    assert (vm.tools, vm.disks[0].used_bytes) == ("toolsNotRunning", 150 * MIB)
    assert (inventory.hosts[0].cpus, inventory.hosts[0].memory_bytes) == (32, 1024 * MIB)
    assert [(network.name, network.vlan) for network in inventory.networks] == [("lan", "10")]
    assert [(cluster.name, cluster.hosts) for cluster in inventory.clusters] == [("prod", 1)]
    assert inventory.taken_at == "2026-05-06T07:08:09+00:00"
    assert [store.name for store in inventory.datastores] == ["ds"]


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    names = ['=HYPERLINK("http://x")', "../../etc/passwd", "[/]", "a\nb", "'); DROP TABLE vm;--"]
    rows = [INFO, *(info(name, at) for at, name in enumerate(names))]
    inventory = parse_rvtools(write(tmp_path / "x.xlsx", {"vInfo": rows}))
    assert [vm.name for vm in inventory.vms] == names


ANOTHER_LOOK = ["VI SDK Server", "VM UUID", "In Use MiB"]


def test_a_vm_of_linked_vcenters_that_stands_twice_has_each_device_once(tmp_path: Path) -> None:
    heads = [*INFO, *ANOTHER_LOOK]
    rows = [
        heads,
        [*info("a", 1), "vc1", "5001-AA", 100],
        [*info("a", 1), "vc2", "5001-aa", 101],
        [*info("b", 2), "vc1", "5001-bb", 50],
    ]
    disks = [DISK, disk("a", 1), disk("b", 2), disk("a", 1)]
    nics = [["VM", "Network", "Mac Address", "VM ID"], *[["a", "LAN", "00:50:56:00:00:01", "vm-1"]] * 2]
    parts = [["VM", "Disk", "Disk Key", "Consumed MiB", "VM ID"]]
    parts += [["a", "/", "2000", 200, "vm-1"], ["a", "/", "2000", 201, "vm-1"]]
    sheets = {"vInfo": rows, "vDisk": disks, "vNetwork": nics, "vPartition": parts}
    inventory = parse_rvtools(write(tmp_path / "x.xlsx", sheets))
    assert [vm.name for vm in inventory.vms] == ["a", "b"]
    a = vm_of(inventory, "a")
    assert (len(a.disks), len(a.nics), a.used_bytes) == (1, 1, 100 * MIB)
    assert a.disks[0].used_bytes == 200 * MIB
    assert has_note(inventory, "repeats VMs in 1 row:")
    assert has_note(inventory, "vDisk lists 1 device twice")


def test_disks_listed_twice_are_one_even_when_vinfo_was_cleaned(tmp_path: Path) -> None:
    second = disk("a", 1, Disk="Hard disk 2", Path="[ds] a/a_1.vmdk", **{"Disk Key": "2001"})
    rows = [DISK, disk("a", 1), second, disk("a", 1), second]
    assert len(vm_of(parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=rows)), "a").disks) == 2


def test_adapters_that_nothing_tells_apart_are_kept_unless_their_vm_stands_twice(tmp_path: Path) -> None:
    nics = [["VM", "Network", "VM ID"], ["a", "LAN", "vm-1"], ["a", "LAN", "vm-1"]]
    assert len(vm_of(parse_rvtools(plain(tmp_path / "x.xlsx", vNetwork=nics)), "a").nics) == 2


def test_a_second_sheet_of_the_same_kind_is_told(tmp_path: Path) -> None:
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", **{"vInfo (2)": [INFO, info("c", 3)]}))
    assert len(inventory.vms) == 2
    assert has_note(inventory, "a second sheet vInfo (vInfo (2)) was left out")


def test_hosts_clusters_and_datastores_of_two_vcenters_do_not_hide_each_other(tmp_path: Path) -> None:
    ends = ["Object ID", "VI SDK UUID"]
    hosts = [["Host", "Cluster", *ends], ["h1", "prod", "host-9", "vc-1"], ["h2", "prod", "host-9", "vc-2"]]
    clusters = [["Name", *ends], ["prod", "domain-c8", "vc-1"], ["prod", "domain-c8", "vc-2"]]
    stores = [["Name", "Capacity MiB", *ends], ["ds", 10, "ds-1", "vc-1"], ["ds", 20, "ds-1", "vc-2"]]
    found = parse_rvtools(plain(tmp_path / "x.xlsx", vHost=hosts, vCluster=clusters, vDatastore=stores))
    assert [host.id for host in found.hosts] == ["host-9", "vc-2/host-9"]
    assert [cluster.id for cluster in found.clusters] == ["domain-c8", "vc-2/domain-c8"]
    assert [store.capacity_bytes for store in found.datastores] == [10 * MIB, 20 * MIB]


@pytest.mark.parametrize("rows", [[], [DISK]])
def test_an_empty_vdisk_sheet_says_nothing_about_disks(tmp_path: Path, rows: list[list[object]]) -> None:
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=rows))
    assert "disks" in inventory.gaps
    assert has_note(inventory, "vDisk is empty: disks are unknown")


def test_a_vsnapshot_sheet_of_headers_only_says_that_there_are_none(tmp_path: Path) -> None:
    headers = ["VM", "Name", "Date / time", "VM ID"]
    assert "snapshots" not in parse_rvtools(plain(tmp_path / "x.xlsx", vSnapshot=[headers])).gaps
    assert "snapshots" in parse_rvtools(plain(tmp_path / "y.xlsx", vSnapshot=[])).gaps


def test_vms_whose_disks_are_not_all_listed_are_named(tmp_path: Path) -> None:
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vDisk=[DISK, disk("a", 1)]))
    assert has_note(inventory, "for 1 VM (b)", "not moved")


def test_progress_only_grows_and_ends_at_its_total(tmp_path: Path) -> None:
    rows = [INFO, *(info(f"vm{at}", at) for at in range(2500))]
    seen: list[tuple[int, int]] = []
    path = plain(tmp_path / "x.xlsx", vInfo=rows)
    read_rvtools(path, report=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert len({total for _, total in seen}) == 1
    assert seen[-1][0] == seen[-1][1]
    assert len(seen) == 2 + 2 + 1  # sheets, thousands of VMs, the end


def test_one_and_true_are_told_apart_in_one_column() -> None:
    sheet, _ = read_sheet("vInfo", [["VM", "CPUs"], ["a", True], ["b", 1.0], ["c", True]])
    assert sheet.texts("cpus") == ["True", "1", "True"]
    assert sheet.wholes("cpus") == [None, 1, None]


def test_the_loosest_policy_of_all_hosts_counts(tmp_path: Path) -> None:
    heads = ["Host", "Datacenter", "Port Group", "Switch", "VLAN", "Promiscuous Mode", "Forged Transmits"]
    ports = [
        heads,
        ["esx1", "dc", "lan", "vSwitch0", 1, "False", "False"],
        ["esx2", "dc", "lan", "vSwitch0", 2, "True", None],
        ["esx1", "other", "lan", "vSwitch0", 1, "False", "False"],
    ]
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx", vPort=ports))
    assert [(one.datacenter, one.promiscuous, one.forged_transmits) for one in inventory.networks] == [
        ("dc", True, None),
        ("other", False, False),
    ]
    assert has_note(inventory, "1 port group whose VLAN differs between hosts (lan)")
