"""Acts and answers of the study on a real project: what they store is what the verbs store."""

from __future__ import annotations

import pytest

from planner.errors import BadInput, Blocked, NotFound
from tests.tui.cli.command import Wherry
from tui.study.client import Study


def acts(cli: Wherry) -> list[str]:
    return [row["act"] for row in cli.done("log", "--json").document["lines"]]


def test_settings_are_set_all_or_none_and_the_wrong_one_is_named(planned: Study, cli: Wherry) -> None:
    assert planned.ask("settings.get")["caps"]["vms"] == 2
    before = cli.stored()
    with pytest.raises(BadInput, match=r"caps\.vms"):
        planned.ask("settings.set", values={"link.rate_mbit": 400, "caps.vms": -1})
    with pytest.raises(NotFound, match=r"setting 'caps\.vmz' does not exist"):
        planned.ask("settings.set", values={"caps.vmz": 3})
    assert cli.stored() == before
    assert planned.ask("settings.set", values={"caps.vms": 3, "owners.shop": "ann"})["caps"]["vms"] == 3
    assert cli.done("settings", "show", "--json").document["owners"] == {"shop": "ann"}
    assert acts(cli)[-2:] == ["settings set", "settings set"]


def test_waves_are_approved_by_name(planned: Study, cli: Wherry) -> None:
    (given,) = planned.ask("approve", waves=["W01"])
    assert given["wave"] == "W01"
    assert acts(cli)[-1] == "approve"
    with pytest.raises(BadInput, match="no wave was named"):
        planned.ask("approve", waves=[])
    with pytest.raises(NotFound):
        planned.ask("approve", waves=["W77"])
    planned.ask("approve", waves=["W01"], shown={"W01": given["fingerprint"]})
    before = cli.stored()
    with pytest.raises(BadInput, match="W02 is another one in plan 1 than was shown"):
        planned.ask("approve", waves=["W01", "W02"], shown={"W01": given["fingerprint"], "W02": "0" * 64})
    assert cli.stored() == before


def test_findings_are_waived_and_taken_back(planned: Study, cli: Wherry) -> None:
    found = cli("check", "--json").document
    one = next(item for item in found["findings"] if item["subject_kind"] == "vm")
    given = planned.ask("waive", check=one["check"], names=[one["subject"]], reason="known", owner="ann",
                        until="2099-01-31")  # fmt: skip
    assert given["state"] == planned.ask("waivers")[0]["state"]
    detail = planned.ask("vm.detail", vm=one["subject"])
    assert one["check"] not in [item["check"] for item in detail["findings"]]
    planned.ask("unwaive", waiver=given["id"], reason="was wrong")
    detail = planned.ask("vm.detail", vm=one["subject"])
    assert one["check"] in [item["check"] for item in detail["findings"]]
    assert acts(cli)[-2:] == ["waive", "waive --withdraw"]
    with pytest.raises(BadInput, match="needs --reason"):
        planned.ask("waive", check=one["check"], names=["vm-1"], reason=" ", owner="a", until="2099-01-31")


def test_ties_are_decided_and_the_groups_follow_at_once(planned: Study, cli: Wherry) -> None:
    names = {row["name"] for row in planned.ask("groups")}
    assert {"solo", "x-4", "x-5"} <= names
    planned.ask("decide", ruling="hard", vms=["vm-4", "vm-5"], why="a pair")
    (pair,) = [row for row in planned.ask("groups") if row["vms"] == 2 and row["name"] == "extra"]
    assert pair["reasons"] == 1
    why = planned.ask("group.why", what="vm-5")
    assert "a pair" in str(why["chains"]["vm-5"])
    assert planned.ask("decide.forget", vms=["vm-4", "vm-5"])["count"] == 1
    assert {row["name"] for row in planned.ask("groups")} == names
    assert acts(cli)[-2:] == ["deps hard", "deps forget"]
    with pytest.raises(BadInput, match="is no decision"):
        planned.ask("decide", ruling="perhaps", vms=["vm-4", "vm-5"])
    with pytest.raises(BadInput, match="is said of 1 VMs"):
        planned.ask("decide", ruling="hub", vms=["vm-4", "vm-5"])


def test_a_group_tells_who_is_inside_and_beside_it(planned: Study) -> None:
    planned.ask("decide", ruling="order", vms=["vm-3", "vm-1"])
    shop = next(row["name"] for row in planned.ask("groups") if row["vms"] == 2)
    (near,) = planned.ask("around", name="solo")["edges"]
    assert (near["group"], near["above"], near["ties"], near["across"]) == (shop, False, 1, True)
    assert near["day_bytes"] is None, "what nobody measured is unknown, not nothing"
    inside = planned.ask("around", name=shop)
    assert {vm["name"] for vm in inside["vms"]} == {"db-1", "app-1"}
    assert [tie["reason"] for tie in inside["inside"]] == ["calls its database"]
    detail = planned.ask("vm.detail", vm="vm-1")
    assert detail["vm"]["name"] == "db-1"
    assert detail["place"]["group"] == shop
    assert detail["hub"] is False
    with pytest.raises(NotFound, match="is no move group"):
        planned.ask("around", name="\x1b[2J")


def test_a_study_that_only_looks_stores_nothing(cli: Wherry) -> None:
    before = cli.stored()
    study = Study(cli.root, looking=True)
    try:
        for op, args in (
            ("settings.set", {"values": {"caps.vms": 3}}),
            ("approve", {"waves": ["W01"]}),
            ("decide", {"ruling": "hub", "vms": ["vm-1"]}),
            ("unwaive", {"waiver": 1, "reason": "x"}),
            ("applications.accept", {"title": "x"}),
            ("hand.save", {}),
        ):
            with pytest.raises(Blocked, match="only looked at"):
                study.ask(op, **args)
        assert study.ask("hand.move", groups=["solo"], wave="W04")["verdict"]["taken"] is True
        assert isinstance(study.ask("suggestions"), list)
    finally:
        study.close()
    assert cli.stored() == before


def test_a_word_on_a_disk_decides_with_its_proof_and_can_be_taken_back(planned: Study, cli: Wherry) -> None:
    (disk,) = planned.ask("remaps")["disks"]
    assert (disk["name"], disk["source"], disk["word"]) == ("db-1/Hard disk 2", "rdm-physical", None)
    assert (disk["sectors"], disk["decision"]["target"]) == (4096, "vmdk")
    assert disk["decision"]["way_back"]
    before = cli.stored()
    with pytest.raises(BadInput):
        planned.ask("remaps.set", volumes=[disk["volume"]], to="paper")
    with pytest.raises(BadInput):
        planned.ask("remaps.set", volumes=[disk["volume"]], to="rdm-physical", lun="no such lun")
    with pytest.raises(NotFound, match="is no disk"):
        planned.ask("remaps.set", volumes=["nothing"], to="keep")
    assert cli.stored() == before
    planned.ask("settings.set", values={"luns": [{"name": "naa.9", "size_bytes": 2 * 1024**2}]})
    (kept,) = planned.ask("remaps.set", volumes=[disk["volume"]], to="rdm-physical", lun="naa.9")["disks"]
    assert (kept["decision"]["target"], kept["decision"]["lun"]) == ("rdm-physical", "naa.9")
    assert "4,096" in kept["decision"]["proof"] or "4096" in kept["decision"]["proof"]
    (back,) = planned.ask("remaps.set", volumes=[disk["volume"]], to=None)["disks"]
    assert (back["word"], back["decision"]["target"]) == (None, "vmdk")


def test_ties_are_found_by_filter_sorted_and_handed_out_in_pages(planned: Study, cli: Wherry) -> None:
    planned.ask("decide", ruling="order", vms=["vm-3", "vm-1"], why="reads it")
    planned.ask("decide", ruling="apart", vms=["vm-4", "vm-5"])
    assert planned.ask("edges.find") == {"total": 3, "matching": 3}
    assert planned.ask("edges.find", text="tie:hard,order", sort=3, reverse=True)["matching"] == 2
    assert [row[3] for row in planned.ask("edges.page", first=0, count=9)] == ["order", "hard"]
    assert [row[3] for row in planned.ask("edges.page", first=1, count=1)] == ["hard"]
    assert planned.ask("edges.find", crossing=True)["matching"] >= 1
    with pytest.raises(BadInput):
        planned.ask("edges.find", text="port:x")
    planned.ask("edges.find", text="tie:hard")
    (key,) = planned.ask("edges.keys")
    assert planned.ask("edges.rule", ruling="refuse", keys=[key], why="gone") == {"count": 1}
    assert {row["vms"] for row in planned.ask("groups")} == {1}
    assert planned.ask("edges.find", text="state:refused")["matching"] == 1
    before = cli.stored()
    with pytest.raises(BadInput, match="no longer there"):
        planned.ask("edges.rule", ruling="refuse", keys=[key, "gone"])
    planned.ask("edges.find", text="tie:apart")
    (apart,) = planned.ask("edges.keys")
    with pytest.raises(NotFound, match="nothing was seen"):
        planned.ask("edges.rule", ruling="refuse", keys=[key, apart])
    assert cli.stored() == before, "all or none"
    assert planned.ask("edges.forget", keys=[key]) == {"count": 1}
    assert 2 in {row["vms"] for row in planned.ask("groups")}
    assert acts(cli)[-2:] == ["deps refuse", "deps forget"]
