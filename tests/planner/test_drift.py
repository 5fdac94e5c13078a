"""Drift between two snapshots: by identity, field by field, unknown kept apart from nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from planner.drift import Change, changes, drift, summary
from planner.model import VM, Compute, Dependency, Disk, Host, Inventory, Nic, Power, Tie

GIB = 1024**3
WEB = VM(
    "vm-1",
    "web",
    vcenter="vc",
    power=Power.ON,
    disks=(Disk("2000", "Hard disk 1", 40 * GIB), Disk("2001", "Hard disk 2", 10 * GIB)),
    nics=(Nic("Network adapter 1", "lan"),),
)


def estate(*vms: VM, hosts: tuple[Host, ...] = ()) -> Inventory:
    return Inventory("test", "2026-11-01T00:00:00Z", vms, hosts=hosts)


def test_equal_snapshots_have_no_drift() -> None:
    found = drift(estate(WEB), replace(estate(WEB), taken_at="2026-12-01T00:00:00Z"))
    assert found.objects == ()
    assert summary(found) == "no difference"


def test_new_gone_and_changed() -> None:
    other = VM("vm-2", "old", vcenter="vc")
    grown = replace(WEB, power=Power.OFF, disks=(replace(WEB.disks[0], size_bytes=60 * GIB),))
    found = drift(estate(WEB, other), estate(VM("vm-3", "fresh"), grown))
    assert [(item.id, item.what) for item in found.objects] == [
        ("vm-3", "new"),
        ("vm-1", "changed"),
        ("vm-2", "gone"),
    ]
    assert found.objects[1].changes == (
        Change("power", "poweredOn", "poweredOff"),
        Change("disks[2000].size_bytes", "40.0 GiB", "60.0 GiB"),
        Change("disks[2001]", "Hard disk 2", "gone"),
    )
    assert summary(found) == "1 VM new, 1 VM gone, 1 VM changed (power 1, disks 1)"


def test_the_same_moref_in_another_vcenter_is_another_vm() -> None:
    found = drift(estate(WEB), estate(replace(WEB, vcenter="other")))
    assert sorted(item.what for item in found.objects) == ["gone", "new"]


def test_a_rename_is_a_change_of_the_same_vm() -> None:
    (item,) = drift(estate(WEB), estate(replace(WEB, name="www"))).objects
    assert item.changes == (Change("name", "web", "www"),)


def test_unknown_is_said_and_never_taken_for_no() -> None:
    before = replace(WEB, compute=Compute(secure_boot=None))
    after = replace(WEB, compute=Compute(secure_boot=False))
    assert list(changes(before, after)) == [Change("compute.secure_boot", "unknown", "no")]


def test_restless_figures_are_no_news_unless_asked_for() -> None:
    before, after = replace(WEB, used_bytes=1), replace(WEB, used_bytes=2 * GIB)
    assert drift(estate(before), estate(after)).objects == ()
    (item,) = drift(estate(before), estate(after), restless=True).objects
    assert item.changes == (Change("used_bytes", "1 B", "2.0 GiB"),)


def test_devices_with_the_same_key_do_not_hide_each_other() -> None:
    twice = replace(WEB, nics=(Nic("n", "a"), Nic("n", "b")))
    (item,) = drift(estate(twice), estate(replace(WEB, nics=(Nic("n", "a"), Nic("n", "c"))))).objects
    assert item.changes == (Change("nics[n#2].network", "b", "c"),)


def test_hostile_names_are_harmless() -> None:
    (item,) = drift(estate(replace(WEB, annotation="x")), estate(replace(WEB, annotation="\x1b[2J"))).objects
    assert "\x1b" not in item.changes[0].after


def test_platform_objects_count_too() -> None:
    before = estate(WEB, hosts=(Host("h", "esx-1", version="7.0.3"),))
    after = estate(WEB, hosts=(Host("h", "esx-1", version="8.0.2"),))
    assert summary(drift(before, after)) == "1 host changed"


names = st.sampled_from(["a", "b", "c"])
machines = st.lists(
    st.builds(VM, id=names, name=names, vcenter=names, cpus=st.integers(0, 3)),
    unique_by=lambda vm: (vm.vcenter, vm.id),
    max_size=5,
)


@given(machines, machines)
def test_drift_is_empty_only_when_nothing_differs(before: list[VM], after: list[VM]) -> None:
    found = drift(estate(*before), estate(*after))
    assert (found.objects == ()) is (set(before) == set(after))
    back = drift(estate(*after), estate(*before))
    turned = {"new": "gone", "gone": "new", "changed": "changed"}
    assert {(item.id, item.what) for item in back.objects} == {
        (item.id, turned[item.what]) for item in found.objects
    }


def test_dependencies_are_counted_and_where_people_said_it_is_no_drift() -> None:
    said = replace(WEB, sayings=(("application", "apps.csv row 2"),))
    before = replace(estate(WEB), dependencies=(Dependency("vm-1", "vm-2", Tie.HARD, "x"),))
    after = replace(estate(said), dependencies=(
        Dependency("vm-1", "vm-3", Tie.SOFT, "x", 443), Dependency("vm-1", "vm-4", Tie.SOFT, "x", 443),
    ))  # fmt: skip
    found = drift(before, after)
    assert found.objects == ()
    assert summary(found) == "2 dependencies new, 1 dependency gone"
    assert [item.changes[0].path for item in drift(before, after, restless=True).objects] == ["sayings"]
