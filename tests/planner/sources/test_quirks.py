"""The twenty-two things that real RVTools exports do, each a test named after its number.

1 headers   2 identity   3 RDM   4 sharing   5 blanks   6 booleans   7 numbers   8 dates   9 row sets
10 not counted twice   11 switched off   12 collisions   13 anonymised   14 merged   15 sizes
16 partitions   17 LUNs   18 paths   19 rules   20 names of files   21 secrets   22 only what is asked
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from planner.checks.registry import run_checks
from planner.model import VM, Backing, BusSharing, DeviceKind, Inventory, Power, RuleKind
from planner.sources.document import dump_document
from planner.sources.rvtools.export import Export
from planner.sources.rvtools.reading import parse_rvtools
from planner.volumes import volumes
from tests.planner.sources.workbooks import DISK, INFO, disk, info, plain, write

MIB = 1024**2
META = ["RVTools version", "xlsx creation datetime", "Server"]


def read(path: Path, **sheets: Sequence[Any]) -> Inventory:
    return parse_rvtools(write(path / "x.xlsx", sheets))


def only(inventory: Inventory) -> VM:
    (vm,) = inventory.vms
    return vm


def has_note(inventory: Inventory, *parts: str) -> bool:
    return any(all(part in note for part in parts) for note in inventory.notes)


@pytest.mark.parametrize(
    "headers",
    [
        ["VM", "Powerstate", "In Use MB", "Video Ram KB", "disk.EnableUUID", "vCenter UUID", "VM ID"],
        ["vm ", "POWERSTATE", "In use  MiB", "Video Ram KiB", "EnableUUID", "VI SDK UUID", "VM  Id"],
        [f"vInfo{name}" for name in ("VMName", "Powerstate", "InUse", "VideoRam", "EnableUUID")]
        + ["vInfoVISDKUUID", "vInfoVMID"],
    ],
)
def test_quirk_01_headers_in_every_spelling(tmp_path: Path, headers: list[str]) -> None:
    rows = [headers, ["a", "poweredOn", 100, 4096, "True", "vc-1", "vm-1"]]
    vm = only(read(tmp_path, vInfo=rows))
    assert (vm.id, vm.vcenter, vm.used_bytes, vm.compute.enable_uuid) == ("vm-1", "vc-1", 100 * MIB, True)


def test_quirk_01_every_key_is_written_by_some_version(tmp_path: Path) -> None:
    usb = ["VM", "Device Node", "Connected", "OS according to the VMware tools", "VM ID"]
    vm = only(read(tmp_path, vInfo=[INFO, info("a", 1)], vUSB=[usb, ["a", "USB 1", "True", "x", "vm-1"]]))
    assert [(device.kind, device.connected) for device in vm.devices] == [(DeviceKind.USB, True)]


@pytest.mark.parametrize(
    ("version", "instance", "bios"),
    [("4.3.1", "uuid-1", ""), ("4.8.1", "uuid-1", ""), ("4.2.0", "", "uuid-1"), ("3.11.9", "", "uuid-1")],
)
def test_quirk_02_the_meaning_of_vm_uuid_changes_with_4_3_1(
    tmp_path: Path, version: str, instance: str, bios: str
) -> None:
    rows = [[*INFO, "VM UUID"], [*info("a", 1), "UUID-1"]]
    vm = only(read(tmp_path, vInfo=rows, vMetaData=[META, [version, "", ""]]))
    assert (vm.id, vm.instance_uuid, vm.bios_uuid) == ("vm-1", instance, bios)


def test_quirk_02_the_meaning_of_vm_uuid_is_unknown_without_a_version(tmp_path: Path) -> None:
    vm = only(read(tmp_path, vInfo=[[*INFO, "VM UUID"], [*info("a", 1), "UUID-1"]]))
    assert (vm.instance_uuid, vm.bios_uuid) == ("", "")


def test_quirk_02_smbios_uuids_may_be_equal(tmp_path: Path) -> None:
    rows = [[*INFO, "SMBIOS UUID", "VM UUID"], [*info("a", 1), "same", "i1"], [*info("b", 2), "same", "i2"]]
    inventory = read(tmp_path, vInfo=rows, vDisk=[DISK, disk("b", 2)])
    assert [(vm.bios_uuid, vm.instance_uuid) for vm in inventory.vms] == [("same", "i1"), ("same", "i2")]
    assert [len(vm.disks) for vm in inventory.vms] == [0, 1]


def test_quirk_02_before_3_8_the_path_of_the_vmx_is_the_identity(tmp_path: Path) -> None:
    heads = ["VM", "Powerstate", "CPUs", "Path", "Datacenter", "Host", "VI SDK Server"]
    rows = [
        heads,
        ["a", "poweredOn", 1, "[ds] a/a.vmx", "dc1", "h1", "vc"],
        ["a", "poweredOn", 2, "[ds] a/a.vmx", "dc2", "h2", "vc"],
        ["a", "poweredOn", 3, "[ds] a_1/a.vmx", "dc2", "h3", "vc"],
    ]
    disks = [["VM", "Disk", "Capacity MB", "Datacenter", "Host"]]
    disks += [["a", "Hard disk 1", size, *place] for size, *place in ((7, "dc2", "h3"), (5, "dc1", "h1"))]
    inventory = read(tmp_path, tabvInfo=rows, tabvDisk=disks)
    assert [vm.id for vm in inventory.vms] == [
        "dc1/[ds] a/a.vmx",
        "dc2/[ds] a/a.vmx",
        "dc2/[ds] a_1/a.vmx",
    ]
    assert [[one.size_bytes for one in vm.disks] for vm in inventory.vms] == [[5 * MIB], [], [7 * MIB]]
    assert has_note(inventory, "since 3.8", "3 are known by vCenter, datacenter and path of their vmx")


@pytest.mark.parametrize(("version", "silent"), [("4.1.1", True), ("3.11.9", True), ("4.1.2", False)])
def test_quirk_09_older_versions_leave_out_without_a_word(tmp_path: Path, version: str, silent: bool) -> None:
    inventory = read(tmp_path, vInfo=[INFO, info("a", 1)], vMetaData=[META, [version, "", ""]])
    assert has_note(inventory, "before 4.1.2", "without a word") is silent


@pytest.mark.parametrize("header", ["Raw Comp. Mode", "Raw Com. Mode", "raw comp mode"])
def test_quirk_03_rdm_modes(tmp_path: Path, header: str) -> None:
    heads = [header if name == "Raw Comp. Mode" else name for name in DISK]

    def raw(number: int, mode: str) -> list[object]:
        more = {"Raw": "True", "Raw LUN ID": f"02{number}", "Raw Comp. Mode": mode, "Thin": None}
        more |= {"Disk Mode": "independent_persistent", "Disk Key": 2000 + number}
        return disk("a", 1, Disk=f"Hard disk {number}", Path=f"[ds] a/a_{number}.vmdk", **more)

    rows = [heads, raw(1, "physicalMode"), raw(2, "virtualMode")]
    vm = only(read(tmp_path, vInfo=[INFO, info("a", 1)], vDisk=rows))
    assert [one.backing for one in vm.disks] == [Backing.RDM_PHYSICAL, Backing.RDM_VIRTUAL]
    assert vm.disks[0].thin is None


def test_quirk_04_sharing_in_words_and_numbers(tmp_path: Path) -> None:
    values = ["noSharing", "virtualSharing", "physicalSharing", 0, 1, 2, None]
    rows = [
        disk(
            "a", 1, Disk=f"Hard disk {at}", Path=f"[ds] a/{at}.vmdk", **{"Disk Key": at, "Shared Bus": value}
        )
        for at, value in enumerate(values)
    ]
    vm = only(read(tmp_path, vInfo=[INFO, info("a", 1)], vDisk=[DISK, *rows]))
    three = [BusSharing.NONE, BusSharing.VIRTUAL, BusSharing.PHYSICAL]
    assert [one.bus_sharing for one in vm.disks] == [*three, *three, None]


def test_quirk_04_without_sharing_mode_equal_paths_and_luns_are_shared(tmp_path: Path) -> None:
    heads = [name for name in DISK if name != "Sharing mode"]

    def row(name: str, number: int, **more: Any) -> list[object]:
        whole = dict(zip(DISK, disk(name, number, **more), strict=True))
        return [whole[head] for head in heads]

    lun = {"Raw": "True", "Raw Comp. Mode": "physicalMode", "Raw LUN ID": "0201"}
    rows = [row(name, number, Path="[ds] x/shared.vmdk") for name, number in (("a", 1), ("b", 2))]
    rows += [
        row(name, number, Disk="Hard disk 2", Path=f"[ds] {name}/p.vmdk", **lun | {"Disk Key": 2001})
        for name, number in (("a", 1), ("b", 2))
    ]
    inventory = read(tmp_path, vInfo=[INFO, info("a", 1), info("b", 2)], vDisk=[heads, *rows])
    assert {one.multi_writer for vm in inventory.vms for one in vm.disks} == {None}
    assert [volume.shared for volume in volumes(inventory)] == [True, True]
    assert has_note(inventory, "no Sharing mode")


def test_quirk_05_blank_is_not_false(tmp_path: Path) -> None:
    rows = [[*INFO, "EnableUUID"], [*info("a", 1), None], [*info("b", 2, CBT="False"), "False"]]
    blank, no = read(tmp_path, vInfo=rows).vms
    assert (blank.cbt, blank.compute.enable_uuid) == (None, None)
    assert (no.cbt, no.compute.enable_uuid) == (False, False)
    readiness = run_checks(read(tmp_path, vInfo=rows))
    assert readiness.unknown["disks.cbt"] >= 1


@pytest.mark.parametrize("yes", [True, "True", "TRUE", 1, "1", "yes", "Wahr", "vrai", "ja"])
@pytest.mark.parametrize("state", ["poweredOn", "PoweredOn", "POWEREDON", "on"])
def test_quirk_06_booleans_and_power_states(tmp_path: Path, yes: object, state: str) -> None:
    vm = only(read(tmp_path, vInfo=[INFO, info("a", 1, CBT=yes, Powerstate=state)]))
    assert (vm.cbt, vm.power) == (True, Power.ON)


@pytest.mark.parametrize(
    ("sign", "size", "encoding"),
    [
        (";", "1.234,5", "cp1252"),
        (";", '"1234,5"', "utf-16"),
        (",", '"1,234.5"', "utf-8-sig"),
        ("\t", "1234.5", "utf-8"),
    ],
)
def test_quirk_07_csv_in_the_exporters_language(tmp_path: Path, sign: str, size: str, encoding: str) -> None:
    folder = tmp_path / "RVTools_export_all_2026-03-01_09.30.00"
    folder.mkdir()
    text = sign.join(("VM", "Powerstate", "VM ID", "In Use MiB")) + "\r\n"
    text += sign.join(("Zürich-1", "poweredOn", "vm-1", size)) + "\r\n"
    (folder / "RVTools_tabvInfo.csv").write_bytes(text.encode(encoding))
    inventory = parse_rvtools(folder)
    vm = only(inventory)
    assert (vm.name, vm.id, vm.used_bytes) == ("Zürich-1", "vm-1", round(1234.5 * MIB))
    assert has_note(inventory, "Windows-1252") is (encoding == "cp1252")


@pytest.mark.parametrize(
    "when", [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026/01/02 03:04:05", "02.01.2026 03:04:05"]
)
def test_quirk_08_dates(tmp_path: Path, when: object) -> None:
    rows = [["VM", "Name", "Date / time", "VM ID"], ["a", "s", when, "vm-1"]]
    vm = only(read(tmp_path, vInfo=[INFO, info("a", 1)], vSnapshot=rows))
    assert vm.snapshots[0].created == "2026-01-02T03:04:05+00:00"


def test_quirk_09_row_sets_differ(tmp_path: Path) -> None:
    tools = [["VM", "Tools", "VM ID"], ["a", "toolsOk", "vm-1"], ["gone", "toolsOk", "vm-9"]]
    inventory = read(tmp_path, vInfo=[INFO, info("a", 1), info("b", 2)], vTools=tools)
    assert [vm.tools for vm in inventory.vms] == ["toolsOk", ""]
    assert has_note(inventory, "vTools has 1 row of 1 VM that vInfo does not have (gone)")


def test_quirk_10_nothing_is_counted_twice(tmp_path: Path) -> None:
    heads = [*INFO, "SRM Placeholder", "VM UUID", "In Use MiB"]
    rows = [
        heads,
        [*info("a", 1), "False", "i1", 10],
        [*info("a", 1), "False", "i1", 11],  # a linked vCenter's export of the same VM
        [*info("tpl", 2, Template="True"), "False", "i2", 10],
        [*info("a", 3), "True", "i3", 0],  # what SRM holds in its place
        [*info("vCLS-1", 4), "False", "i4", 1],
    ]
    inventory = read(tmp_path, vInfo=rows, vDisk=[DISK, disk("a", 1), disk("a", 1)])
    assert [(vm.id, vm.template, vm.placeholder, vm.movable) for vm in inventory.vms] == [
        ("vm-1", False, False, True),
        ("vm-2", True, False, False),
        ("vm-3", False, True, False),
        ("vm-4", False, False, True),
    ]
    assert len(inventory.vms[0].disks) == 1
    assert has_note(inventory, "repeats VMs in 1 row:")


def test_quirk_10_placeholders_without_their_column_are_unknown(tmp_path: Path) -> None:
    def asked(*rows: list[object]) -> tuple[Inventory, int]:
        inventory = read(tmp_path, vInfo=rows)
        return inventory, run_checks(inventory).unknown.get("compute.template", 0)

    old, unknown = asked(INFO, info("a", 1), info("tpl", 2, Template="True"))
    assert ("placeholders" in old.gaps, unknown) == (True, 1)
    assert has_note(old, "no column SRM Placeholder", "since 4.1.2", "VMs without disks")
    heads = [*INFO, "SRM Placeholder"]
    new, unknown = asked(heads, [*info("a", 1), "False"], [*info("b", 2), "True"])
    assert ("placeholders" in new.gaps, has_note(new, "SRM Placeholder"), unknown) == (False, False, 0)
    # Merged from two exports of which one had the column.
    mixed, unknown = asked(heads, [*info("a", 1), "False"], [*info("b", 2), ""])
    assert ([vm.gaps for vm in mixed.vms], unknown) == ([(), ("placeholders",)], 1)


def test_quirk_11_what_the_exporter_switched_off_is_unknown(tmp_path: Path) -> None:
    heads = [*INFO, "Folder ID", "Folder", "vApp", "Annotation"]
    inventory = read(tmp_path, vInfo=[heads, [*info("a", 1), None, None, None, None]])
    vm = only(inventory)
    assert (vm.folder, vm.vapp, vm.annotation, vm.tags, vm.attributes) == ("", "", "", None, ())
    assert "tags" in inventory.gaps
    assert inventory.folders == ()


def test_quirk_12_attributes_collide_and_headers_are_doubled_or_lost(tmp_path: Path) -> None:
    heads = [*INFO, "owner", "Backup status", "Last backup", "CPUs", None, "None"]
    rows = [heads, [*info("a", 1), "anna", "ok", "2026/01/01", 99, "lost", "lost"]]
    inventory = read(tmp_path, vInfo=rows)
    vm = only(inventory)
    assert (vm.cpus, vm.owner, vm.management.last_backup) == (2, "anna", "2026/01/01")
    assert vm.attributes == (("owner", "anna"), ("Backup status", "ok"), ("Last backup", "2026/01/01"))
    assert has_note(inventory, "doubled headers (CPUs)")
    assert has_note(inventory, "2 columns without a header")


def test_quirk_12_an_overwritten_header(tmp_path: Path) -> None:
    parts = [["NEXT Data Center", "Powerstate", "Disk", "Consumed MB"], ["a", "poweredOn", "C:\\", 10]]
    inventory = read(tmp_path, vInfo=[INFO, info("a", 1)], vDisk=[DISK, disk("a", 1)], vPartition=parts)
    assert only(inventory).disks[0].used_bytes == 10 * MIB
    assert has_note(inventory, "vPartition has its VM header overwritten (NEXT Data Center)")


def test_quirk_12_a_count_and_a_list_are_not_doubled(tmp_path: Path) -> None:
    stores = [["Name", "# Hosts", "Hosts", "Capacity MiB"], ["ds", 2, "esx1, esx2", 10]]
    inventory = read(tmp_path, vInfo=[INFO, info("a", 1)], vDatastore=stores)
    assert inventory.datastores[0].hosts == 2
    assert not has_note(inventory, "doubled")


def test_quirk_13_anonymised_words_are_blanks(tmp_path: Path) -> None:
    heads = [*INFO, "Cluster", "Host", "DNS Name"]
    rows = [heads, [*info("VM", 1), "VM", " ", "VM"], [*info("VM", 2), "VM", " ", "VM"]]
    inventory = read(tmp_path, vInfo=rows)
    assert [(vm.name, vm.cluster, vm.host, vm.dns_name) for vm in inventory.vms] == [
        ("vm-1", "", "", ""),
        ("vm-2", "", "", ""),
    ]
    assert inventory.clusters == inventory.hosts == ()


def test_quirk_14_a_merged_workbook_has_the_columns_of_its_first_file(tmp_path: Path) -> None:
    rows = [[*INFO, "VM UUID"], [*info("a", 1, "vc-1"), "u1"], [*info("a", 1, "vc-2"), "u2"]]
    meta = [META, ["4.2.0", "2026/01/01 00:00:00", "vc1"], ["4.4.5", "2026/01/03 00:00:00", "vc2"]]
    inventory = read(tmp_path, vInfo=rows, vMetaData=meta)
    assert [vm.id for vm in inventory.vms] == ["vm-1", "vc-2/vm-1"]
    # One of the two wrote BIOS UUIDs there, and which is no longer told.
    assert [(vm.instance_uuid, vm.bios_uuid) for vm in inventory.vms] == [("", ""), ("", "")]
    assert has_note(inventory, "merged from 2 exports", "columns")
    assert inventory.taken_at == "2026-01-01T00:00:00+00:00"


def test_quirk_15_what_a_size_is(tmp_path: Path) -> None:
    heads = [*INFO, "Provisioned MiB", "In Use MiB"]
    rdm = {"Raw": "True", "Raw Comp. Mode": "virtualMode", "Raw LUN ID": "0201", "Disk Key": 2001}
    rows = [DISK, disk("a", 1), disk("a", 1, Disk="Hard disk 2", Path="[ds] a/p.vmdk", **rdm)]
    vm = only(read(tmp_path, vInfo=[heads, [*info("a", 1), 9999, 300]], vDisk=rows))
    # Provisioned counts swap and snapshots too: neither the disks nor their sum come from it.
    assert [one.size_bytes for one in vm.disks] == [1024 * MIB, 1024 * MIB]
    assert (vm.disk_bytes, vm.used_bytes) == (2048 * MIB, 300 * MIB)
    assert {one.used_bytes for one in vm.disks} == {None}


def test_quirk_16_partitions_are_joined_by_disk_key(tmp_path: Path) -> None:
    second = disk("a", 1, Disk="Hard disk 2", Path="[ds] a/a_1.vmdk", **{"Disk Key": 2001})
    heads = ["VM", "Disk Key", "Disk", "Capacity MiB", "Consumed MiB", "Free MiB", "VM ID"]
    parts = [
        heads,
        ["a", 2001, "D:\\", 500, 100, 400, "vm-1"],
        ["a", 2001, "E:\\", 500, 50, 450, "vm-1"],
        ["a", 2000, "C:\\", 9000, 5000, 4000, "vm-1"],  # more than the disk: spread by LVM
        ["b", None, "/", 900, 77, 823, "vm-2"],
        ["c", None, "/", 900, 77, 823, "vm-3"],
    ]
    two = [disk("c", 3), disk("c", 3, Disk="Hard disk 2", Path="[ds] c/c_1.vmdk", **{"Disk Key": 2001})]
    inventory = read(
        tmp_path,
        vInfo=[INFO, info("a", 1), info("b", 2), info("c", 3)],
        vDisk=[DISK, disk("a", 1), second, disk("b", 2), *two],
        vPartition=parts,
    )
    assert [[one.used_bytes for one in vm.disks] for vm in inventory.vms] == [
        [None, 150 * MIB],
        [77 * MIB],
        [None, None],
    ]
    assert [part.disk for part in inventory.vms[0].guest.partitions or ()] == ["2001", "2001", "2000"]


@pytest.mark.parametrize("before", ["", "vml."])
def test_quirk_17_raw_luns_are_found_by_the_digits_of_their_name(tmp_path: Path, before: str) -> None:
    naa = "naa.60060160a1b2c3d4e5f6a7b8c9d0e1f2"
    raw = {"Raw": "True", "Raw Comp. Mode": "physicalMode"}
    raw |= {"Raw LUN ID": f"{before}0200030000{naa[4:].upper()}565241494420"}
    paths = [
        ["Host", "Datastore", "Disk", "UUID", "Serial #"],
        ["esx1", "ds", "naa.1", "0200aa", "S"],
        ["esx1", None, naa, "0200ff", "T"],
        ["esx2", None, naa, "0200ff", "T"],
    ]
    stores = [["Name", "Type", "Address"], ["ds", "VMFS", "naa.1"], ["n", "NFS", "10.0.0.1:/n"]]
    inventory = read(
        tmp_path,
        vInfo=[INFO, info("a", 1)],
        vDisk=[DISK, disk("a", 1, **raw)],
        vMultiPath=paths,
        vDatastore=stores,
    )
    assert only(inventory).disks[0].lun == naa
    assert [(lun.name, lun.datastore, lun.hosts) for lun in inventory.luns] == [
        ("naa.1", "ds", ("esx1",)),
        (naa, "", ("esx1", "esx2")),
    ]
    assert [store.extents for store in inventory.datastores] == [("naa.1",), ()]


@pytest.mark.parametrize("number", ["2.0011E+42", "2,0011e+42", 2.0011e42])
def test_quirk_17_ids_that_excel_made_numbers_are_unknown(tmp_path: Path, number: object) -> None:
    raw = {"Raw": "True", "Raw Comp. Mode": "physicalMode", "Raw LUN ID": number}
    inventory = read(tmp_path, vInfo=[INFO, info("a", 1)], vDisk=[DISK, disk("a", 1, **raw)])
    assert only(inventory).disks[0].lun == ""
    assert has_note(inventory, "turned into numbers by Excel")


def test_quirk_18_paths_of_vsan_and_snapshots(tmp_path: Path) -> None:
    folder = "[vsan] 8d5c2b5a-0000-1111-2222-246e962f4910"
    rows = [
        DISK,
        disk("a", 1, Path=f"{folder}/a-000012.vmdk"),
        disk("b", 2, Path=f"{folder}/a.vmdk"),
    ]
    inventory = read(tmp_path, vInfo=[INFO, info("a", 1), info("b", 2)], vDisk=rows)
    assert {one.path for vm in inventory.vms for one in vm.disks} == {f"{folder}/a.vmdk"}
    assert [volume.shared for volume in volumes(inventory)] == [True]
    assert has_note(inventory, "on a snapshot's file")


def test_quirk_19_rules_are_rebuilt_from_their_names(tmp_path: Path) -> None:
    heads = [*INFO, "Cluster", "Cluster rule(s)", "Cluster rule name(s)"]
    rows = [
        heads,
        [*info("a", 1), "c1", "Anti Affinity, Affinity", "apart, with its db"],
        [*info("b", 2), "c1", "Anti Affinity", "apart"],
        [*info("c", 3), "c2", "Anti Affinity", "apart"],
        [*info("d", 4), "c2", None, None],
    ]
    inventory = read(tmp_path, vInfo=rows)
    assert [vm.rules for vm in inventory.vms] == [("apart", "with its db"), ("apart",), ("apart",), ()]
    rules = {
        cluster.name: [(rule.name, rule.kind, rule.vms) for rule in cluster.rules or ()]
        for cluster in inventory.clusters
    }
    assert rules == {
        "c1": [
            ("apart", RuleKind.APART, ("vm-1", "vm-2")),
            ("with its db", RuleKind.TOGETHER, ("vm-1",)),
        ],
        "c2": [("apart", RuleKind.APART, ("vm-3",))],
    }


def test_quirk_19_without_the_column_rules_are_unknown(tmp_path: Path) -> None:
    rows = [[*INFO, "Cluster"], [*info("a", 1), "c1"]]
    assert read(tmp_path, vInfo=rows).clusters[0].rules is None


def test_quirk_20_names_of_files_and_empty_or_missing_sheets(tmp_path: Path) -> None:
    folder = tmp_path / "RVTools_export_all_2026-03-01_09.30.00"
    folder.mkdir()
    (folder / "RVTools_tabvInfo.csv").write_text("VM,Powerstate,VM ID,Host\na,poweredOn,vm-1,esx1\n")
    (folder / "RVTools_tabvHost.csv").write_text("Host,# Cores\nesx1,8\n")
    (folder / "RVTools_tabvSC_VMK.csv").write_text("Host,Port Group,Device\nesx1,Management,vmk0\n")
    (folder / "RVTools_tabvFileInfo.csv").write_text("")
    inventory = parse_rvtools(folder)
    assert inventory.hosts[0].vmkernel_networks == ("Management",)
    assert inventory.taken_at == "2026-03-01T09:30:00+00:00"
    assert has_note(inventory, "vDisk is missing")
    assert {"disks", "snapshots"} <= set(inventory.gaps)


def test_quirk_20_the_older_names_of_sheets(tmp_path: Path) -> None:
    vmk = [["Host", "Port Group"], ["esx1", "Management"]]
    for name in ("vSC_VMK", "vSC+VMK", "tabvSC+VMK"):
        sheets = {"tabvInfo": [INFO, info("a", 1)], "tabvHost": [["Host"], ["esx1"]], name: vmk}
        assert read(tmp_path, **sheets).hosts[0].vmkernel_networks == ("Management",)


def test_quirk_21_licence_keys_never_leave_the_reader(tmp_path: Path) -> None:
    key = "A1B2C-D3E4F-G5H6I-J7K8L-M9N0P"
    inventory = read(
        tmp_path,
        vInfo=[INFO, info("a", 1)],
        vHost=[["Host", "Assigned License(s)"], ["esx1", f"vSphere 8 ({key})"]],
        vLicense=[["Name", "Key", "Total", "Used"], [f"Enterprise {key}", key, 4, 2]],
    )
    text = dump_document(inventory)
    assert "A1B2C" not in text
    assert "J7K8L" not in text
    assert inventory.licences[0].key.endswith("M9N0P")


class _Watched:
    """A book that remembers which sheets were read."""

    def __init__(self) -> None:
        self.weights = {"vInfo": 1, "vHealth": 1, "vFileInfo": 1, "vNIC": 1, "mine": 1}
        self.notes: list[str] = []
        self.read: list[str] = []

    def rows(self, name: str) -> Iterator[Sequence[object]]:
        self.read.append(name)
        yield INFO
        yield info("a", 1)


def test_quirk_22_only_sheets_that_say_something_are_read(tmp_path: Path) -> None:
    book = _Watched()
    export = Export(book, tmp_path / "x.xlsx")
    export.info()
    for key in ("vhealth", "vfileinfo", "vnic", "mine", "vdisk"):
        assert export.sheet(key) is None
    assert book.read == ["vInfo"]


def test_the_plain_workbook_has_none_of_these(tmp_path: Path) -> None:
    """Negative control: what the tests above look for is not there by itself."""
    inventory = parse_rvtools(plain(tmp_path / "x.xlsx"))
    for word in (
        "doubled",
        "without a header",
        "overwritten",
        "Excel",
        "snapshot's file",
        "merged",
        "repeat",
    ):
        assert not has_note(inventory, word)
    assert not any(volume.shared for volume in volumes(inventory))
