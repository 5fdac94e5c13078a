"""VMs named, tied and left behind through the study and the verbs; the page on one, and the outlook."""

from __future__ import annotations

import pytest

from planner.errors import BadInput, Blocked, NotFound
from tests.tui.cli.command import Wherry
from tests.tui.cli.estate import document, write
from tests.tui.study.test_ops import acts
from tui.study.client import Study


def application_of(cli: Wherry, vm: str) -> str:
    return str(cli.done("inventory", "list", "--json", f"id:{vm}").document[0]["application"])


def test_a_named_application_counts_over_all_that_was_said_before(planned: Study, cli: Wherry) -> None:
    before = application_of(cli, "vm-1")
    assert planned.ask("vms.name", vms=["vm-1", "vm-4"], application=" new   name ")["vms"] == 2
    assert application_of(cli, "vm-1") == application_of(cli, "vm-4") == "new name"
    planned.ask("vms.name", vms=["vm-1"], application="other")
    again = planned.ask("vms.name", vms=["vm-1"], application="new name")  # said before, and said again
    assert application_of(cli, "vm-1") == "new name"
    assert acts(cli)[-3:] == ["deps name"] * 3
    for number in range(1, again["import"] + 1):
        cli.done("flows", "withdraw", str(number))
    assert application_of(cli, "vm-1") == before
    for wrong in ("", " ", "x" * 201):
        with pytest.raises(BadInput, match="1 to 200 characters"):
            planned.ask("vms.name", vms=["vm-1"], application=wrong)
    with pytest.raises(NotFound):
        planned.ask("vms.name", vms=["vm-99"], application="x")


def test_vms_that_move_together_get_a_tie_for_each_group(planned: Study, cli: Wherry) -> None:
    told = planned.ask("vms.together", vms=["vm-1", "vm-2", "vm-4", "vm-5"], why="one  licence")
    assert told["ties"] == 2  # the first two move together already
    members = {row["name"]: row["vms"] for row in planned.ask("groups")}
    assert 4 in members.values()
    with pytest.raises(BadInput, match="move together already"):
        planned.ask("vms.together", vms=["vm-2", "vm-5"], why="again")
    with pytest.raises(BadInput, match="one VM alone"):
        planned.ask("vms.together", vms=["vm-1", "vm-1"], why="x")
    with pytest.raises(BadInput, match="--why"):
        planned.ask("vms.together", vms=["vm-1", "vm-6"], why=" ")
    assert acts(cli)[-1] == "deps together"


def test_excluded_vms_stay_and_come_along_again(planned: Study, cli: Wherry) -> None:
    def excluded() -> list[str]:
        return list(cli.done("settings", "show", "--json").document["exclude"])

    before = excluded()
    assert planned.ask("vms.exclude", vms=["vm-4"]) == {"stay": True, "vms": ["vm-4"]}
    assert planned.ask("vms.exclude", vms=["vm-4", "vm-5"]) == {"stay": True, "vms": ["vm-5"]}
    assert len(excluded()) == len(before) + 2
    assert planned.ask("vms.exclude", vms=["vm-4", "vm-5"]) == {"stay": False, "vms": ["vm-4", "vm-5"]}
    assert excluded() == before
    with pytest.raises(NotFound):
        planned.ask("vms.exclude", vms=["vm-99"])


def test_a_page_tells_ties_the_chain_and_what_moving_takes(planned: Study) -> None:
    planned.ask("decide", ruling="order", vms=["vm-3", "vm-1"], why="starts later")
    page = planned.ask("vms.page", vm="vm-1")
    assert page["members"] == 2
    needs = {tie["vm"]: tie["needs"] for tie in page["ties"]}
    assert needs["vm-3"] is False
    assert all(tie["traffic_bytes"] is None for tie in page["ties"]), "unknown, not nothing"
    assert page["estimate"]["downtime_min"]["p95"] >= page["estimate"]["downtime_min"]["p50"] > 0
    chains = [planned.ask("vms.page", vm=vm)["chain"] for vm in ("vm-1", "vm-2")]
    assert "calls its database" in str(chains)
    with pytest.raises(NotFound):
        planned.ask("vms.page", vm="vm-99")


def test_the_outlook_tells_the_line_what_goes_through_it_and_old_settings(
    planned: Study, cli: Wherry
) -> None:
    told = planned.ask("outlook")
    assert told["old_settings"] is False
    assert told["seed_bytes"] <= told["bytes"]
    assert told["line"]["goodput_bytes_s"] > 0
    assert told["windows"] > 0
    assert told["oversized_count"] == 0
    cli.done("settings", "set", "link.rate_mbit", "200")
    cli.done("settings", "set", "caps.vms", "1")
    newer = planned.ask("outlook")
    assert newer["old_settings"] is True
    assert newer["line"]["rate_mbit"] == 200
    assert newer["line"]["goodput_bytes_s"] < told["line"]["goodput_bytes_s"]
    assert newer["oversized_count"] == len(newer["oversized"]) == 1
    assert told["sized"] is True
    silent = [{**one, "disks": [], "gaps": ["disks"]} for one in document()["vms"]]
    cli.done("discover", str(write(cli.root / "silent.json", vms=silent)))
    assert planned.ask("outlook")["sized"] is False


def test_the_verbs_do_the_same(cli: Wherry) -> None:
    named = cli.done("deps", "name", "billing", "vm-4", "vm-5", "--json").document
    assert (named["application"], named["vms"]) == ("billing", 2)
    assert application_of(cli, "vm-5") == "billing"
    assert "flows withdraw" in cli.done("deps", "name", "billing", "vm-4").text
    joined = cli.done("deps", "together", "vm-4", "vm-3", "--why", "a pair", "--json").document
    assert joined["ties"] == 1
    assert cli("deps", "together", "vm-4", "--why", "x").code == 2


def test_a_study_that_only_looks_changes_no_vm(cli: Wherry) -> None:
    before = cli.stored()
    study = Study(cli.root, looking=True)
    try:
        for op, args in (
            ("vms.name", {"vms": ["vm-1"], "application": "x"}),
            ("vms.together", {"vms": ["vm-1", "vm-4"], "why": "x"}),
            ("vms.exclude", {"vms": ["vm-1"]}),
        ):
            with pytest.raises(Blocked, match="only looked at"):
                study.ask(op, **args)
        assert study.ask("vms.page", vm="vm-1")["members"] == 2
    finally:
        study.close()
    assert cli.stored() == before
