"""A plan changed by hand on the command line: why, what-if, diff, move, split, merge, lock, undo."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.cli.command import Wherry, refused, wherry
from tests.tui.cli.estate import document, write


@pytest.fixture
def cli(dated: Path, tmp_path: Path) -> Wherry:
    """A project of its own."""
    return Wherry(shutil.copytree(dated, tmp_path / "move"))


def homes(cli: Wherry) -> dict[str, str]:
    plan = cli.done("plan", "show", "--json").document["plan"]
    return {item["name"]: wave["name"] for wave in plan["waves"] for item in wave["vms"]}


def test_a_move_is_the_newest_plan_and_outlasts_planning_and_discovery(cli: Wherry, tmp_path: Path) -> None:
    before = homes(cli)
    said = cli.done("plan", "move", "SOLO", "W04", "--json").document
    assert (said["edit"], said["plan"], said["applied"]) == (1, 2, True)
    assert homes(cli) == {**before, "solo": "W04"}
    cli.done("plan", "--effort", "quick")
    assert homes(cli)["solo"] == "W04"
    renamed = document()["vms"]
    renamed[2]["id"] = "vm-77"
    cli.done("discover", str(write(tmp_path / "later.json", vms=renamed)))
    cli.done("plan", "--effort", "quick")
    assert homes(cli)["solo"] == "W04"
    assert "move" in cli.done("log").out
    (row,) = cli.done("plan", "edits", "--json").document
    assert (row["did"], row["taken_back"]) == ("move SOLO to W04", None)


def test_what_breaks_a_rule_is_refused_and_nothing_is_stored(cli: Wherry) -> None:
    where = homes(cli)
    before = cli.stored()
    full = where["db-1"]
    refused(cli("plan", "move", "solo", full), 3, f"{full} holds 3 VMs, its cap is 2")
    refused(cli("plan", "split", "shop", "--vms", "db-1"), 3, "must move together")
    refused(cli("plan", "merge", "shop", "solo"), 3, "its cap is 2")
    refused(cli("plan", "move", "nobody\x1b[2J", "W02"), 2, "is no VM, move group or application")
    refused(cli("plan", "move", "solo", "W99"), 2, "solo cannot move to W99")
    refused(cli("plan", "lock", "W77"), 2, "wave 'W77' does not exist")
    refused(cli("plan", "unlock", full), 2, "is not locked")
    refused(cli("plan", "undo"), 2, "no edit to take back")
    assert cli.stored() == before


def test_a_check_says_what_would_be_and_changes_nothing(cli: Wherry) -> None:
    before = cli.stored()
    said = cli.done("plan", "move", "solo", "W04", "--check", "--json").document
    assert said["applied"] is False
    assert set(said["delta"]) == {"waves", "cut_share", "stretch_gb", "peak_share"}
    assert "can be done" in cli.done("plan", "move", "solo", "W04", "--check").out
    assert cli.stored() == before


def test_edits_are_taken_back_in_order_and_the_plan_comes_back(cli: Wherry) -> None:
    before = homes(cli)
    cli.done("plan", "move", "solo", "W04")
    cli.done("plan", "lock", "W04")
    refused(cli("plan", "undo", "1"), 2, "builds on edit 1")
    refused(cli("plan", "move", "solo", "W03"), 3, "by edit 2 (lock W04")
    assert "plan 4 is plan 2 again" in cli.done("plan", "undo").out
    assert cli.done("plan", "undo", "--json").document["plan"] == 5
    assert homes(cli) == before
    rows = cli.done("plan", "edits", "--all", "--json").document
    assert [row["taken_back"] is not None for row in rows] == [True, True]
    assert cli.done("plan", "edits").out == "nothing was edited by hand\n"


def test_an_edit_is_not_taken_back_under_a_run(cli: Wherry, monkeypatch: pytest.MonkeyPatch) -> None:
    untouched = homes(cli)["db-1"]
    cli.done("plan", "move", "solo", "W04")
    before = cli.stored()
    monkeypatch.setattr("migrate.run.waves.under_way", lambda project, newest: ("W04",))
    refused(cli("plan", "undo"), 3, "W04 is under way as edit 1 left it")
    refused(
        cli("plan", "move", "solo", "W03"), 3, "W04 of 2027-01-30 22:00 UTC is under way, with solo in it"
    )
    assert cli.stored() == before
    monkeypatch.setattr("migrate.run.waves.under_way", lambda project, newest: (untouched,))
    cli.done("plan", "undo")


def test_the_plan_says_what_was_edited(cli: Wherry) -> None:
    cli.done("plan", "move", "solo", "W04")
    assert "by hand: edit 1 (move solo to W04, " in cli.done("plan", "show").out


def test_a_locked_wave_is_kept_and_unlocked(cli: Wherry) -> None:
    where = homes(cli)["solo"]
    cli.done("plan", "lock", where)
    cli.done("plan", "unlock", where)
    cli.done("plan", "move", "solo", "W04")
    assert homes(cli)["solo"] == "W04"


def test_applications_are_split_and_groups_merged(cli: Wherry) -> None:
    assert homes(cli)["x-4"] == homes(cli)["x-5"]
    cli.done("plan", "split", "extra", "--vms", "x-4")
    cli.done("plan", "merge", "x-5", "x-4")
    plan = cli.done("plan", "show", "--json").document["plan"]
    assert ["vm-4", "vm-5"] in [sorted(g["vms"]) for w in plan["waves"] for g in w["groups"]]
    refused(cli("plan", "merge", "x-5", "x-4"), 2, "one group already")
    assert len(cli.done("plan", "edits", "--json").document) == 2


def test_an_edit_voids_the_approvals_of_the_waves_it_changes_alone(cli: Wherry) -> None:
    cli.done("plan", "approve")
    where = homes(cli)
    said = cli.done("plan", "move", "solo", "W04", "--json").document
    given = set(cli.done("plan", "show", "--json").document["approvals"])
    assert where["db-1"] in given
    assert set(said["approvals_void"]) == {where["solo"]} - given


def test_a_plan_that_is_older_than_its_settings_is_not_edited(cli: Wherry) -> None:
    cli.done("settings", "set", "link.rate_mbit", "123")
    refused(cli("plan", "move", "solo", "W04"), 2, "plan 1 was made on older settings")
    refused(cli("plan", "why", "solo"), 2, "make it anew")


def test_an_edit_that_can_no_longer_hold_is_named_and_can_be_taken_back(cli: Wherry) -> None:
    cli.done("plan", "move", "solo", "W04")
    cli.done("settings", "set", "windows", '[{start = "2027-01-09T22:00:00"}]')
    refused(cli("plan"), 2, "edit 1 (move solo to W04", "can no longer hold", "wherry plan undo 1")
    cli.done("plan", "undo", "1")
    cli.done("plan", "--effort", "quick")


def test_why_names_what_binds(cli: Wherry) -> None:
    where = homes(cli)
    last = max(where, key=lambda name: where[name])
    said = cli.done("plan", "why", last, "--json").document
    assert said["wave"] == where[last]
    assert all(one["why"] for one in said["earlier_waves"])
    assert said["nearest_earlier"] is None
    out = cli.done("plan", "why", last).out
    assert "not W01: W01 holds" in out
    assert "no earlier wave would do" in out


def test_what_if_shows_the_difference_and_stores_only_what_is_kept(cli: Wherry) -> None:
    before = cli.stored()
    said = cli.done("plan", "what-if", "--caps-vms", "5", "--effort", "quick", "--json").document
    assert said["difference"]["score"]["waves"]["after"] == 1
    assert said["kept_as"] is None
    out = cli.done(
        "plan", "what-if", "--exclude-app", "extra", "--link", "400Mbit/s", "--effort", "quick"
    ).out
    assert "x-4: " in out
    assert "→ no wave" in out
    refused(cli("plan", "what-if"), 2, "nothing is supposed to be different")
    refused(cli("plan", "what-if", "--drop-host", "x"), 2, "no inventory of the target")
    refused(cli("plan", "what-if", "--drop-host", "x", "--keep"), 2, "cannot be kept")
    refused(cli("plan", "what-if", "--link", "fast"), 2, "is not a rate")
    refused(cli("plan", "what-if", "--exclude-app", "nothing\x1b[2J"), 2, "no VM belongs")
    refused(cli("plan", "what-if", "--add-freeze", "2027-01-04", "2026-12-18"), 2, "ends before it starts")
    freeze = ("--add-freeze", "2027-01-01", "2027-01-12", "--exit-date")
    refused(cli("plan", "what-if", *freeze, "2027-01-20"), 3, "which is after the exit date 2027-01-20")
    assert cli.stored() == before
    freeze = (*freeze, "2027-02-28")
    kept = cli.done("plan", "what-if", *freeze, "--effort", "quick", "--keep", "--json").document
    assert kept["kept_as"] == 2
    assert kept["difference"]["windows"][0]["before"] == "2027-01-09T22:00:00+00:00"
    assert len(cli.done("settings", "show", "--json").document["freezes"]) == 1
    cli.done("plan", "lock", "W01")


def test_what_if_looks_as_long_as_the_plan_did_unless_said(cli: Wherry) -> None:
    for effort in ("quick", "normal"):
        cli.done("plan", "--effort", effort)
        cli.done("plan", "what-if", "--link", "900Mbit/s", "--keep")
        assert cli.done("plan", "show", "--json").document["plan"]["effort"] == effort
    cli.done("plan", "what-if", "--link", "800Mbit/s", "--effort", "quick", "--keep")
    assert cli.done("plan", "show", "--json").document["plan"]["effort"] == "quick"


def test_diff_of_two_plans(cli: Wherry) -> None:
    refused(cli("plan", "diff"), 2, "plan 1 is the first")
    cli.done("plan", "move", "solo", "W04")
    said = cli.done("plan", "diff", "--json").document
    assert (said["before"], said["after"], said["same"]) == (1, 2, False)
    assert [(one["name"], one["after"]) for one in said["moved"]] == [("solo", "W04")]
    assert "solo: " in cli.done("plan", "diff", "1", "2").out
    assert cli.done("plan", "diff", "2", "2").out == "plan 2 and plan 2 say the same\n"
    refused(cli("plan", "diff", "1", "9"), 2, "plan 9 does not exist")


def test_names_that_act_on_terminals_are_harmless_everywhere(tmp_path: Path) -> None:
    cli = Wherry(tmp_path / "move")
    assert wherry("init", str(cli.root)).code == 0
    cli.done("discover", "hostile-names")
    cli.done("plan", "--effort", "quick")
    plan = cli.done("plan", "show", "--json").document["plan"]
    acts: list[Callable[[str], tuple[str, ...]]] = [
        lambda vm: ("plan", "why", vm),
        lambda vm: ("plan", "move", vm, "W05"),
        lambda vm: ("plan", "move", vm, "W05", "--json"),
    ]
    for item in [item for wave in plan["waves"] for item in wave["vms"]][:6]:
        for act in acts:
            ran = cli(*act(item["id"]))
            assert ran.code in (0, 2, 3), ran.text
            assert "\x1b[2J" not in ran.text
            assert not any(ord(char) < 32 and char != "\n" for char in ran.text)
    for words in (("edits",), ("diff", "1"), ("what-if", "--caps-tib", "3", "--effort", "quick")):
        ran = cli.done("plan", *words)
        assert not any(ord(char) < 32 and char != "\n" for char in ran.out)
        json.loads(cli.done("plan", *words, "--json").out)
