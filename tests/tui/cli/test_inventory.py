"""wherry inventory: a filter or a word of its own, snapshots that stay, drift, and plans that grew old."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.estate import MIB, disk, vm, write


def names(cli: Wherry, *terms: str) -> list[str]:
    return [item["name"] for item in cli.done("inventory", *terms, "--json").document]


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ((), ["db-1", "app-1", "solo"]),
        (("rdm:physical",), ["db-1"]),
        (("-rdm:physical",), ["app-1", "solo"]),
        (("list", "solo"), ["solo"]),
        (("-host:x", "app:shop"), ["db-1", "app-1"]),
    ],
)
def test_words_that_are_no_verb_are_a_filter(
    planned: Wherry, terms: tuple[str, ...], found: list[str]
) -> None:
    assert names(planned, *terms) == found


def grown(planned: Wherry, tmp_path: Path) -> None:
    """Discover the estate again with a larger disk, without solo and with one VM more."""
    rdm = disk("db-1", 1, 2, backing="rdm-physical", lun="naa.1")
    changed = write(tmp_path / "later.json", taken_at="2026-11-09T08:00:00Z", vms=[
        vm("vm-1", "db-1", "shop", [disk("db-1", 0, 6), rdm], tier="database"),
        vm("vm-2", "app-1", "shop", [disk("app-1", 0, 3)], tier="application"),
        vm("vm-4", "fresh", "other", []),
    ])  # fmt: skip
    planned.done("discover", str(changed))


def test_drift_between_snapshots(planned: Wherry, tmp_path: Path) -> None:
    grown(planned, tmp_path)
    assert [head["id"] for head in planned.done("inventory", "snapshots", "--json").document] == [2, 1]
    objects = planned.done("inventory", "diff", "1", "2", "--json").document["objects"]
    assert {(item["id"], item["what"]) for item in objects} == {
        ("vm-1", "changed"),
        ("vm-3", "gone"),
        ("vm-4", "new"),
    }
    said = planned.done("inventory", "diff", "1")
    assert "~ VM db-1 (vm-1) changed" in said.out
    assert "disks[2000].size_bytes: 4.0 MiB → 6.0 MiB" in said.out
    assert "1 VM new, 1 VM gone, 1 VM changed (disks 1)" in said.err


def test_older_snapshots_never_change(planned: Wherry, tmp_path: Path) -> None:
    before = planned.done("inventory", "snapshots", "--json").document[-1]
    grown(planned, tmp_path)
    assert planned.done("inventory", "snapshots", "--json").document[-1] == before
    objects = planned.done("inventory", "diff", "2", "1", "--json").document["objects"]
    (db,) = [item for item in objects if item["id"] == "vm-1"]
    assert db["changes"][0]["after"] == f"{4 * MIB // MIB}.0 MiB"


def test_a_plan_on_an_older_snapshot_says_so(planned: Wherry, tmp_path: Path) -> None:
    assert planned.done("plan", "show", "--json").document["older_inventory"] == ""
    grown(planned, tmp_path)
    said = planned.done("plan", "show").out
    assert "the plan was made on inventory 1, 2 is the newest" in said
    assert "2 planned VMs are touched" in said
    assert "wherry inventory diff 1" in planned.done("status").text
    planned.done("plan")
    assert "older" not in planned.done("status").text
    assert planned.done("plan", "show", "--json").document["older_inventory"] == ""


def test_a_snapshot_that_does_not_exist(planned: Wherry) -> None:
    refused(planned("inventory", "diff", "1", "99"), 2, "inventory 99 does not exist", "inventory snapshots")


def test_disks_that_a_source_does_not_list_are_unknown_everywhere(planned: Wherry, tmp_path: Path) -> None:
    solo = vm("vm-3", "solo", "other", [], cpus=0, memory_bytes=0)
    thin = write(tmp_path / "thin.json", vms=[solo], dependencies=[], gaps=["disks"])
    ran = planned.done("discover", str(thin))
    assert ran.out.startswith("1 VM, disks unknown, 0 dependencies")
    row = planned.done("inventory").out.splitlines()[1].split()
    assert row == ["solo", "on", "–", "–", "–", "–", "other"]
    assert "0 B provisioned by the 0 VMs whose disks are known" in planned.done("assess").out
    said = planned.done("discover", str(thin), "--json").document
    assert (said["disks"], said["size_bytes"]) == (None, None)


def test_disks_that_are_listed_and_none_are_none(planned: Wherry, tmp_path: Path) -> None:
    bare = write(tmp_path / "bare.json", vms=[vm("vm-3", "solo", "other", [])], dependencies=[])
    assert planned.done("discover", str(bare)).out.startswith("1 VM, 0 disks (0 RDM, 0 shared), 0 B")
    row = planned.done("inventory").out.splitlines()[1].split()
    assert row == ["solo", "on", "1", "512", "MiB", "0", "B", "0", "other"]


def test_what_the_parts_of_a_merged_inventory_lack_is_said_by_vcenter(
    planned: Wherry, tmp_path: Path
) -> None:
    def of(vcenter: str, gaps: list[str], *vms: dict[str, object]) -> str:
        name = {"id": vcenter, "name": f"{vcenter}.example.test"}
        return str(
            write(
                tmp_path / f"{vcenter}.json",
                vms=[{**one, "vcenter": vcenter} for one in vms],
                vcenters=[name],
                dependencies=[],
                gaps=["tags", *gaps],
            )
        )

    whole = of("vc-a", [], vm("vm-1", "a", "x", []), vm("vm-2", "b", "x", [], gaps=["nics"]))
    thin = of("vc-b", ["snapshots", "cdroms"], vm("vm-1", "c", "x", []))
    planned.done("discover", whole, thin)
    out = planned.done("inventory", "notes").out
    assert "nothing at all is known of: tags" in out
    assert "of vCenter vc-b.example.test nothing is known of: snapshots, cdroms" in out
    assert "of vCenter vc-a.example.test for 1 of 2 VMs nothing is known of: nics" in out
    said = planned.done("inventory", "notes", "--json").document["vcenters"]
    assert {(gap["vcenter"], *gap["kinds"], gap["vms"], gap["of"]) for gap in said} == {
        ("vc-a", "nics", 1, 2),
        ("vc-b", "snapshots", "cdroms", 1, 1),
    }
