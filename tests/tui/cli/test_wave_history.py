"""The history of a wave on a small lab: checkpoints, images, rehearsal, cutover, rollback and abort."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from migrate.run.waves import find_wave
from migrate.sites.lab.client import LabSite
from planner.store.project import Project
from tests.tui.cli.command import Wherry, refused

HOSTILE = "[red]before\x1b[31m =cmd|'x'!A1 ../../\u202e patch"
GROUP = "W02/shop"


@pytest.fixture(scope="module")
def w02(lab: Wherry) -> Wherry:
    """Return the lab's project with W02, a pair of which one has an RDM, replicated."""
    refused(lab("checkpoints", "W02"), 2, "W02/shop has no history", "not replicated yet")
    assert lab.live("replicate", "W02").code == 0
    return lab


def points(cli: Wherry, group: str = GROUP) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cli.done("checkpoints", group, "--json").document["checkpoints"]
    return found


def results(cli: Wherry) -> dict[str, Any]:
    with Project.open(cli.root) as project:
        standing = find_wave(project, "W02")
        assert standing.history is not None
        return dict(standing.history.results)


def proofs(cli: Wherry) -> dict[str, dict[str, str]]:
    """Return the digests of each snapshot that was compared, as the source had it, by its id."""
    said = results(cli)
    return {
        said[f"g0/snapshot/{step.rsplit('/', 1)[1]}"]["id"]: result["digests"]
        for step, result in said.items()
        if "/checkpoint/" in step
    }


def journal_files(cli: Wherry) -> list[Path]:
    folder = cli.root / "lab" / "dc2" / "state" / "receiver" / "journal"
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_each_cycle_is_a_checkpoint_of_the_disks_that_travel(w02: Wherry) -> None:
    told = w02.done("checkpoints", GROUP, "--json").document
    assert told["group"] == GROUP
    assert len(told["checkpoints"]) == 2, "the seed and one delta"
    assert sorted(told["volumes"]) == ["vm-1/2000", "vm-2/2000"], "a physical RDM comes once, at the end"
    assert told["health"]["wanted_s"] == 24 * 3600
    assert len({point["cycle"] for point in told["checkpoints"]}) == 2
    assert [point["proven"] for point in told["checkpoints"]] == [False, True], "a first copy is not compared"
    shown = w02.done("checkpoints", "W02").out
    assert shown.startswith("W02/shop: 2 checkpoints of 2 disks, back to ")


def test_an_image_of_an_older_checkpoint_is_what_its_snapshot_was_on_all_disks(
    w02: Wherry, tmp_path: Path
) -> None:
    for rounds in range(6):  # a busy machine lets a guest wait for long
        assert w02.live("replicate", "W02").code == 0
        proved = proofs(w02)
        if rounds and len({json.dumps(one) for one in proved.values()}) > 1:
            break
    else:
        pytest.fail(f"the guests write all the time: {proved}, {w02('lab', 'status').out}")
    assert len(proved) >= 2
    seen = 0
    for point in points(w02):
        if (digests := proved.get(point["cycle"].rsplit("/", 1)[1])) is None:
            continue
        to = tmp_path / str(point["record"])
        wrote = w02.done("image", GROUP, str(point["record"]), "--to", str(to), "--json").document
        assert {disk["volume"]: disk["blake3"] for disk in wrote["disks"]} == digests
        assert wrote["group"] == GROUP
        seen += 1
    assert seen == len(proved)


@pytest.mark.parametrize(
    ("held", "worth"), [(("vm-1", "vm-2"), "application"), (("vm-2",), "crash")], ids=["all", "one of two"]
)
def test_a_cycle_is_worth_what_its_snapshot_was(w02: Wherry, held: tuple[str, ...], worth: str) -> None:
    with closing(LabSite.connect(w02.root / "lab" / "dc1")) as source:
        source.quiesce(held, "held")
        try:
            assert w02.live("replicate", "W02").code == 0
        finally:
            source.thaw(held, "let go")
    assert points(w02)[-1]["consistency"] == worth
    assert f" {worth} " in w02.done("checkpoints", GROUP).out.splitlines()[-1]


def test_a_checkpoint_with_a_name_is_made_between_cycles_and_pinned_and_noted(w02: Wherry) -> None:
    made = w02.done("checkpoint", "W02", HOSTILE, "--pin", "--json").document
    assert (made["group"], made["name"], made["pinned"]) == (GROUP, HOSTILE, True)
    assert w02.done("checkpoints", GROUP, "--result", HOSTILE, "looked at").code == 0
    assert points(w02)[-1]["results"] == ["looked at"]
    shown = w02.done("checkpoints", GROUP).out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "checkpoint made" in w02.done("log").out
    refused(w02("checkpoints", "W02/no such"), 2, "has no group", "W02/shop")
    refused(w02("checkpoint", "W09", "x"), 2, "W09")


def test_a_booted_copy_is_of_the_checkpoint_that_was_chosen_and_says_so_there(w02: Wherry) -> None:
    oldest = points(w02)[0]["record"]
    boot = ("rehearse", "W02", "--depth", "boot", "--live", "--confirm", "W02", "--json")
    said = w02(*boot, "--checkpoint", str(oldest)).document
    assert said["checkpoints"] == {GROUP: oldest}
    assert (said["failure"], said["removed"]) == ("", True)
    assert {one["name"]: one["ok"] for one in said["probes"]} == {"db-1": None, "app-1": True}
    (noted,) = points(w02)[0]["results"]
    assert noted.startswith("rehearsed 2")
    assert noted.endswith("booted copy: partial"), "the RDM is of no instant"
    refused(w02(*boot[:-1], "--checkpoint", "no such"), 2, "has no checkpoint no such")


def test_an_image_that_is_open_holds_up_the_cutover_before_anything_stops(w02: Wherry) -> None:
    from migrate.run.wave_groups import keeping, named

    with Project.open(w02.root) as project, keeping(project, named(project, GROUP)) as kept:
        oldest = str(points(w02)[0]["record"])
        with kept.asks.hold("serve-image", {"group": GROUP, "checkpoint": oldest}):
            ran = w02.live("cutover", "W02")
            assert ran.code == 4, ran.text
            assert "an image of checkpoint" in ran.err
    assert {row["vm"]: row["power"] for row in w02.done("lab", "status", "--json").document
            if row["site"] == "dc1"}["db-1"] == "poweredOn"  # fmt: skip


def test_the_cutover_ends_the_history_and_the_target_files_are_proven(w02: Wherry) -> None:
    assert w02.live("cutover", "W02").code == 0
    said = results(w02)
    assert said["g0/promote"]["name"] == "cutover W02"
    assert said["g0/promote"]["checkpoint"] > 0
    assert all(said[f"g0/d{disk}/verify"]["equal"] for disk in range(3))
    refused(w02("checkpoints", GROUP), 2, "was cut over since")
    assert [path.name for path in journal_files(w02)] == ["enrolled.json"]
    listed = w02.done("checkpoints", "--json").document
    assert [one["error"]["error"] for one in listed] == ["not-found", "not-found"]


def test_a_wave_that_was_rolled_back_has_a_history_of_its_own_again(w02: Wherry) -> None:
    assert w02.live("rollback", "W02").code == 0
    assert w02.live("replicate", "W02").code == 0
    assert len(points(w02)) == 2
    proved = proofs(w02)
    newest = points(w02)[-1]
    assert newest["cycle"].rsplit("/", 1)[1] in proved


def test_an_abort_leaves_nothing_of_it(w02: Wherry) -> None:
    assert w02.live("abort", "W02").code == 0
    assert journal_files(w02) == []
    refused(w02("checkpoints", GROUP), 2, "has no history")
