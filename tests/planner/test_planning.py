"""From inventory to plan: everyone accounted for, order kept, the same every time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from planner.errors import BadInput, Blocked
from planner.fingerprint import inventory_fingerprint
from planner.model import Backing, BusSharing, Finding, Nic, Power, Severity, Tie
from planner.plan_file import dump_plan
from planner.planning import make_plan
from planner.settings import Settings
from planner.sources.document import read_document
from planner.sources.opening import read_source
from planner.units import GIB, TIB
from tests.planner.sketch import disk, estate, needs, plan, rdm, vm

ROOT = Path(__file__).parents[2]
WORKBOOK = ROOT.parent / "shared" / "data" / "rvtools" / "nutanix_BillSampleNextRvtoolsFinal.xlsx"
LAB = ROOT / "sample_inventories" / "lab" / "inventory.json"


def shop() -> tuple[object, ...]:
    return (
        vm("dc", tier="directory"),
        vm("db", rdm("naa.1"), tier="database"),
        vm("db2", rdm("naa.1")),
        vm("app"),
        vm("web"),
    )


def test_groups_move_in_order_and_services_last_in_a_wave_of_their_own() -> None:
    ties = (
        needs("app", "db"),
        needs("web", "app", Tie.ORDER),
        needs("db", "dc", Tie.ORDER),
        needs("web", "dc"),
    )
    found = plan(estate(*shop(), ties=ties))
    assert [[vm.name for vm in wave.vms] for wave in found.waves] == [["db", "db2", "app"], ["web"], ["dc"]]
    assert [wave.name for wave in found.waves] == ["W01", "W02", "W03"]
    assert found.waves[2].title == "shared services"
    assert "shared services move last (W03)" in found.notes[0]
    assert found.notes[1].startswith("1 hard tie to shared services")
    assert found.waves[0].boot == (("id-db", "id-db2"), ("id-app",))
    said = found.score.model_dump()
    assert {name: said[name] for name in ("waves", "waves_bound", "order_violations", "hard_violations")} == {
        "waves": 3,
        "waves_bound": 3,
        "order_violations": 0,
        "hard_violations": 0,
    }


def test_a_service_that_was_pinned_early_is_not_said_to_move_last() -> None:
    inventory = estate(*shop(), vm("dns", tier="directory"), ties=(needs("web", "app", Tie.ORDER),))
    found = plan(inventory, pins=[{"what": "dns", "wave": "W01"}])
    assert [wave.name for wave in found.waves if "dns" in {vm.name for vm in wave.vms}] == ["W01"]
    assert found.notes[0].startswith("shared services move last (W03): extend")
    assert found.notes[1] == (
        "shared services that a pin, an edit or a wave under way puts earlier: W01: dns"
    )


def test_nothing_is_proved_of_a_plan_while_one_of_its_tracks_is_not() -> None:
    names = [f"s{at:02d}" for at in range(64)]  # more groups than are solved as a whole
    ties = tuple(needs(a, b, Tie.SOFT) for a, b in pairwise(names))
    found = plan(estate(*map(vm, names), vm("dc", tier="directory"), ties=ties), caps={"vms": 8})
    assert found.method[-1].startswith("first fit")
    assert not any("it is proved" in said for said in found.method)
    small = plan(estate(*map(vm, names[:4]), vm("dc", tier="directory"), ties=ties[:3]), caps={"vms": 2})
    assert "it is proved that no plan in the same slots costs less" in small.method


def test_a_shared_lun_is_one_planned_disk_with_two_attachments() -> None:
    shared = rdm("naa.1", bus=1, unit=3, bus_sharing=BusSharing.PHYSICAL)
    found = plan(estate(vm("a", disk(), shared), vm("b", disk(), shared)))
    (wave,) = found.waves
    both = next(item for item in wave.disks if len(item.attachments) == 2)
    assert (both.source, both.target, both.source_lun) == (Backing.RDM_PHYSICAL, Backing.VMDK, "naa.1")
    assert [(a.vm, a.bus, a.unit, a.bus_sharing) for a in both.attachments] == [
        ("id-a", 1, 3, BusSharing.PHYSICAL),
        ("id-b", 1, 3, BusSharing.PHYSICAL),
    ]
    assert wave.size_bytes == 30 * GIB


def test_slots_that_are_unknown_or_taken_are_filled_and_unit_seven_is_left_free() -> None:
    disks = [disk(str(n)) for n in range(8)]
    disks.append(disk("ide", bus=0, unit=0))
    disks.append(disk("scsi", bus=0, unit=0))
    (wave,) = plan(estate(vm("a", *disks))).waves
    units = [item.attachments[0].unit for item in wave.disks]
    assert len(set(units)) == len(units) == 10
    assert 7 not in units
    assert units[8] == 0


def test_everyone_is_in_one_wave_or_among_the_unplanned_with_a_reason() -> None:
    inventory = estate(
        vm("a"),
        vm("gold", template=True),
        vm("srm", placeholder=True),
        vm("stay", disk(path="[d] x.vmdk")),
        vm("tied", disk(path="[d] x.vmdk")),
        replace(vm("diskless"), disks=()),
    )
    found = plan(inventory, exclude=["stay", "nobody"])
    assert [vm.name for wave in found.waves for vm in wave.vms] == ["a", "diskless"]
    assert [item.name for item in found.unplanned] == ["gold", "srm", "stay", "tied"]
    assert all(item.why for item in found.unplanned)
    assert "exclude names nobody, which the inventory does not hold" in found.notes


def test_networks_and_freezes_that_mean_nobody_are_named() -> None:
    lan = replace(vm("a", application="shop"), nics=(Nic("4000", "lan"),))
    freeze = {"start": "2027-01-01T00:00", "end": "2027-01-02T00:00", "only": ["shop", "a", "id-a", "shpo"]}
    found = plan(estate(lan), freezes=[freeze], waves={"whole_networks": ["lan", "lna\x1b"]})
    said = [note for note in found.notes if "whole_networks" in note or "freeze" in note]
    assert said == [
        "waves.whole_networks names lna␛, and no VM is on a network of that name",
        "a freeze is for shpo only, which is no VM, application or owner there is: it keeps nobody out",
    ]


def test_only_vms_that_are_known_to_run_are_started() -> None:
    inventory = estate(vm("on"), vm("off", power=Power.OFF), vm("odd", power=Power.UNKNOWN))
    found = plan(inventory)
    assert found.waves[0].boot == (("id-on",),)
    assert [vm.powered_on for vm in found.waves[0].vms] == [False, False, True]  # odd, off, on
    assert "the power state of 1 VMs is unknown; they are not started at the target" in found.notes


def test_networks_are_mapped_or_keep_their_name_with_a_note() -> None:
    nics = (Nic("n1", "prod", mac="00:50:56:00:00:01"), Nic("n2", "lab"))
    found = plan(estate(vm("a", nics=nics)), networks={"prod": "dc2-prod"})
    assert [(nic.source, nic.target) for nic in found.waves[0].vms[0].nics] == [
        ("prod", "dc2-prod"),
        ("lab", "lab"),
    ]
    assert [note for note in found.notes if note.startswith("network")] == [
        "network lab has no map; its target is the network of the same name"
    ]


def test_many_networks_without_a_map_are_one_note() -> None:
    nics = tuple(Nic(f"n{number}", f"lan{number}") for number in range(5))
    assert [note for note in plan(estate(vm("a", nics=nics))).notes if "map" in note] == [
        "5 networks have no map (lan0, lan1, lan2, ...); their targets are the networks of the same names"
    ]


def test_windows_are_given_in_order_and_missing_ones_told() -> None:
    inventory = estate(vm("a"), vm("b"))
    found = plan(inventory, caps={"vms": 1}, windows=[{"start": "2026-10-03T22:00:00"}])
    assert [wave.window is not None for wave in found.waves] == [True, False]
    assert any("windows run out" in note for note in found.notes)


def test_findings_push_risky_groups_back_but_leave_what_a_wave_does_alone() -> None:
    inventory = estate(vm("a"), vm("b"))
    finding = Finding("c", Severity.BLOCKER, "id-a", "a", "has a problem", "solve it")
    found = plan(inventory, findings=(finding,), caps={"vms": 1})
    assert [wave.title for wave in found.waves] == ["b", "a"]
    assert "VMs with blockers to clear first: 1" in found.waves[1].why
    one = plan(inventory, findings=(finding,)).waves[0]
    assert one.size_bytes == plan(inventory).waves[0].size_bytes


def test_a_group_above_the_caps_stays_whole() -> None:
    found = plan(estate(vm("a", rdm("n")), vm("b", rdm("n")), vm("c")), caps={"vms": 1})
    assert [len(wave.vms) for wave in found.waves] == [2, 1]
    assert any("exceeds the caps alone: 2 of 1 VMs; it moves whole" in note for note in found.notes)
    assert not any(note.startswith("group c") for note in found.notes)


def test_every_cap_that_a_group_exceeds_alone_is_told() -> None:
    pair = estate(vm("a", rdm("n"), disk(), host="esx\x1b1"), vm("b", rdm("n"), host="esx\x1b1"))
    found = plan(pair, caps={"engineer_hours": 1.5, "disks_per_host": 1, "tib": 0.01})
    assert [note for note in found.notes if "exceeds the caps" in note] == [
        "group a (VMs: 2, 20.0 GiB) exceeds the caps alone: 20.0 GiB of 10.2 GiB, 2 of 1.5 engineer hours, "
        "2 of 1 disks on host esx␛1; it moves whole, in a wave of its own"
    ]


def test_an_order_cycle_is_told_and_its_groups_stay_apart() -> None:
    ties = (needs("a", "b", Tie.ORDER), needs("b", "a", Tie.ORDER))
    found = plan(estate(vm("a"), vm("b"), ties=ties), caps={"vms": 1})
    assert found.score.order_violations == 1
    assert any("cycle" in note for note in found.notes)
    assert [len(wave.groups) for wave in found.waves] == [1, 1]


def test_remaps_and_luns_reach_the_plan() -> None:
    found = plan(
        estate(vm("a")),
        remaps=[{"disk": "a/2000", "to": "rdm-virtual"}],
        luns=[{"name": "naa.t", "size_bytes": 10 * GIB}],
    )
    (planned,) = found.waves[0].disks
    assert (planned.target, planned.target_lun, planned.converts) == (Backing.RDM_VIRTUAL, "naa.t", True)
    with pytest.raises(BadInput):
        plan(estate(vm("a")), remaps=[{"disk": "b/2000", "to": "vmdk"}])
    with pytest.raises(Blocked):
        plan(estate(vm("a")), remaps=[{"disk": "a/2000", "to": "rdm-virtual"}])


def test_twins_are_refused() -> None:
    with pytest.raises(BadInput, match="VM id 1 stands twice"):
        plan(estate(vm("a", id="1"), vm("b", id="1")))
    with pytest.raises(BadInput, match="stands twice"):
        plan(estate(vm("a", disk("1"), disk("1"))))


def test_an_empty_estate_is_an_empty_plan() -> None:
    found = plan(estate())
    assert (found.waves, found.score.waves_bound) == ((), 0)
    dump_plan(found)


def test_names_that_no_encoding_writes_survive_as_something() -> None:
    found = make_plan(
        project="test",
        inventory=estate(vm("bad\ud800name", id="bad")),
        inventory_fingerprint="0" * 64,
        settings=Settings(),
        created_at="2026-10-01T08:00:00+00:00",
    )
    dump_plan(found).encode("utf-8")
    assert found.waves[0].vms[0].name == "bad?name"


def test_an_inventory_fingerprint_knows_content_and_not_time() -> None:
    inventory = estate(vm("a"), vm("b"), ties=(needs("a", "b"),))
    same = replace(inventory, taken_at="2027-01-01T00:00:00+00:00")
    assert inventory_fingerprint(same) == inventory_fingerprint(inventory)
    assert len(inventory_fingerprint(inventory)) == 64
    for other in (
        replace(inventory, vms=inventory.vms[::-1]),
        replace(inventory, dependencies=()),
        estate(vm("a", disk(size_bytes=1)), vm("b"), ties=inventory.dependencies),
        estate(vm("a", cbt=False), vm("b"), ties=inventory.dependencies),
    ):
        assert inventory_fingerprint(other) != inventory_fingerprint(inventory)


@pytest.mark.skipif(not WORKBOOK.exists(), reason="not run: the 131-VM workbook is not here")
def test_a_real_workbook_is_planned_whole() -> None:
    inventory = read_source(str(WORKBOOK))
    found = plan(inventory)
    assert len(inventory.vms) == 131
    raw = [item for wave in found.waves for item in wave.disks if item.source.is_rdm]
    assert sum(len(item.attachments) for item in raw) == 4
    assert {len(item.attachments) for item in raw} == {2}
    assert found.score.waves == found.score.waves_bound
    assert plan(inventory).fingerprint == found.fingerprint
    assert all(wave.size_bytes <= 8 * TIB or len(wave.groups) == 1 for wave in found.waves)


def test_the_lab_falls_into_its_five_groups() -> None:
    found = plan(read_document(LAB))
    names = {group.name for wave in found.waves for group in wave.groups}
    assert names == {"crm", "erp", "files-01", "intranet-01", "directory"}
    crm = next(wave.name for wave in found.waves for group in wave.groups if group.name == "crm")
    erp = next(wave.name for wave in found.waves for group in wave.groups if group.name == "erp")
    assert crm < erp
    assert found.waves[-1].title == "shared services"


def test_disks_and_adapters_that_the_source_does_not_list_are_told() -> None:
    bare = replace(vm("a"), disks=())
    unknown = plan(estate(bare, gaps=("disks", "nics"))).notes
    assert any("does not say what disks 1 VMs have" in note for note in unknown)
    assert any(
        "network adapters 1 VMs have: as planned now, they are built without any" in n for n in unknown
    )
    known = plan(estate(bare)).notes
    assert "1 VMs have no disks in the inventory (a): nothing is copied for them" in known
    assert not any("network adapters" in note for note in known)


def test_a_vm_that_needs_one_that_stays_is_told() -> None:
    inventory = estate(vm("app"), vm("db"), ties=(needs("app", "db", Tie.ORDER),))
    assert any(
        "need 1 VMs that are in no wave (db)" in note for note in plan(inventory, exclude=["db"]).notes
    )
    soft = replace(inventory, dependencies=(needs("app", "db", Tie.SOFT),))
    assert not any("in no wave" in note for note in plan(soft, exclude=["db"]).notes)


def test_a_wave_that_is_down_longer_than_its_window_is_told() -> None:
    big = estate(vm("a", disk(size_bytes=7 * 1024 * GIB)))
    short = [{"start": "2026-10-03T22:00:00", "hours": 2}]
    assert any("longer than its window of 2 h" in note for note in plan(big, windows=short).notes)
    long = [{"start": "2026-10-03T22:00:00", "hours": 12}]
    assert not any("longer than" in note for note in plan(big, windows=long).notes)


def test_two_thousand_vms_tied_both_ways_are_one_group() -> None:
    names = [f"n{at}" for at in range(2000)]
    pairs = list(pairwise(names))
    ties = tuple(needs(a, b) for a, b in pairs) + tuple(needs(b, a) for a, b in pairs)
    found = plan(estate(*(vm(name) for name in names), ties=(*ties, needs("n0", "n0"))))
    assert len(found.waves) == 1
    assert len(found.waves[0].vms) == 2000
    assert found.waves[0].why.endswith("one group that is never split")


PLAN_OF_THE_LAB = """
from planner.planning import make_plan
from planner.checks.registry import run_checks
from planner.fingerprint import inventory_fingerprint
from planner.settings import Settings
from planner.sources.opening import read_source
for sample in ("lab", "hostile-names"):
    found = read_source(sample)
    plan = make_plan(project="p", inventory=found, inventory_fingerprint=inventory_fingerprint(found),
        settings=Settings(), created_at="2026-10-01T08:00:00+00:00", findings=run_checks(found).findings)
    print(plan.fingerprint)
"""


def test_the_same_input_gives_the_same_fingerprint_in_every_process() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PLAN_OF_THE_LAB],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(said) == 1
    assert len(said.pop().split()) == 2


def test_circles_of_a_wave_are_one_note_with_its_name() -> None:
    ties = [needs(one, other) for one, other in ("ab", "ba", "ac", "ca")]
    notes = [
        note for note in plan(estate(vm("a"), vm("b"), vm("c"), ties=tuple(ties))).notes if "circle" in note
    ]
    assert len(notes) == 1
    assert notes[0].startswith("boot order of W01: 2 ties close a circle")
