"""The whole move of one wave on a small lab, verb by verb; each test goes on where the last one ended."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from planner.names import content_id
from tests.migrate.papers.schema import published, wrong
from tests.tui.cli.command import Wherry, refused


@pytest.fixture(scope="module")
def w01(lab: Wherry) -> Wherry:
    """Return the lab's project with W01 replicated."""
    ran = lab.live("replicate", "W01", "--json")
    assert ran.code == 0, ran.text
    assert ran.document["state"] == "in sync, waits for its cutover"
    return lab


def guests(cli: Wherry) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["site"], row["vm"]): row for row in cli.done("lab", "status", "--json").document}


def replicas(cli: Wherry) -> set[Path]:
    return set((cli.root / "lab" / "dc2" / "vms").glob("*/*-flat.vmdk"))


def snapshots(cli: Wherry) -> list[Path]:
    return list((cli.root / "lab" / "dc1" / "state" / "snapshots").iterdir())


def test_replicate_says_each_step_once_and_the_next_command(with_lab: Any) -> None:
    cli = with_lab()
    ran = cli.live("replicate", "W01")
    assert ran.code == 0
    assert ran.out == "W01: in sync, waits for its cutover\n"
    assert ran.err.count("solo Hard disk 1: seed") == 1
    assert ran.err.endswith("next: wherry cutover W01 --live\n")


def test_replicate_again_at_the_gate_is_one_more_round(w01: Wherry) -> None:
    before = w01.state("W01")
    assert before["state"] == "in sync"
    dry = w01("replicate", "W01", "--json").document["steps"]
    assert [step["kind"] for step in dry] == ["snapshot", "transfer", "checkpoint", "drop-snapshot"]
    assert w01.live("replicate", "W01").code == 0
    after = w01.state("W01")
    assert after["state"] == "in sync"
    assert after["steps_done"] == before["steps_done"] + len(dry)


def test_commit_and_rollback_before_the_cutover_are_refused(w01: Wherry) -> None:
    before = w01.stored()
    for ran in (w01("commit", "W01"), w01.live("commit", "W01")):
        refused(ran, 3, "W01 is not cut over yet", "wherry cutover W01")
    for ran in (w01("rollback", "W01"), w01.live("rollback", "W01")):
        refused(ran, 3, "W01 was not cut over")
    assert w01.stored() == before


def test_verify_finds_one_flipped_bit_in_a_replica(w01: Wherry) -> None:
    assert [item["verdict"] for item in w01.done("verify", "W01", "--json").document] == ["equal"]
    (replica,) = replicas(w01)
    papers = w01.root / "papers"
    refused(w01("verify", "W01", "--certificates", str(papers)), 2, "no keys to sign with")
    w01.done("keys", "init")
    (told,) = w01.done("verify", "W01", "--certificates", str(papers), "--json").document

    def checking(name: str) -> tuple[str, ...]:
        """Take what is newest out of the journal, and hold it against the certificate."""
        image = ("image", "W01", "latest", "--disk", told["volume"], "--to", str(w01.root / name))
        w01.done(*image)
        return ("verify", "--check", told["certificate"], "--disk", str(w01.root / name))

    checked = w01.done(*checking("before.img"), "--json").document
    assert checked["signer"].startswith("the authority of project")
    assert checked["certificate"]["target"]["digest"] == told["recorded"]
    with replica.open("r+b") as disk:
        disk.seek(1_000_003)
        old = disk.read(1)
        disk.seek(1_000_003)
        disk.write(bytes([old[0] ^ 0x10]))
    refused(w01(*checking("after.img")), 1, "does not hold what the certificate says")
    ran = w01("verify", "W01")
    assert ran.code == 1
    assert "differs" in ran.out
    assert "1 of them differ" in ran.err
    assert "abort" in ran.err
    refused_round = w01.live("replicate", "W01")
    assert refused_round.code == 4, "a checkpoint must not pass on a replica that differs"
    assert "source and target differ" in refused_round.err
    status = w01("status")
    assert "failed" in status.out
    assert "source and target differ" in status.out


def test_abort_leaves_neither_replica_nor_snapshot(w01: Wherry) -> None:
    assert w01.live("abort", "W01").code == 0
    assert replicas(w01) == set()
    assert snapshots(w01) == []
    assert w01.state("W01")["state"] == "aborted"
    refused(w01("verify", "W01"), 2, "W01 was aborted")
    refused(w01.live("abort", "W01"), 3, "no run under way")


def test_cutover_moves_the_pair_and_the_report_proves_it(lab: Wherry) -> None:
    before = guests(lab)
    ran = lab.live("cutover", "W02")
    assert ran.code == 0, ran.text
    assert ran.out == "W02: runs at the target, waits for commit\n"
    now = guests(lab)
    for name in ("db-1", "app-1"):
        assert now["dc1", name]["power"] == "poweredOff"
        assert now["dc2", name]["power"] == "poweredOn"
        assert now["dc2", name]["acknowledged"] >= before["dc1", name]["acknowledged"]
        assert (now["dc2", name]["missing"], now["dc2", name]["corrupt"]) == (0, 0)
    report = lab.report("W02")
    _proved(report)
    assert "not rehearsed as it is" in {one["kind"] for one in report["deviations"]}
    assert report["reminder"] == "W02 was never rehearsed before"


def _proved(report: dict[str, Any]) -> None:
    assert {disk["disk"]: (disk["was"], disk["became"]) for disk in report["disks"]} == {
        "db-1 Hard disk 1": ("vmdk", "vmdk"),
        "db-1 Hard disk 2": ("rdm-physical", "vmdk"),
        "app-1 Hard disk 1": ("vmdk", "vmdk"),
    }
    for disk in report["disks"]:
        assert disk["equal"] is True
        assert len(disk["source_digest"]) == 64
        assert disk["source_digest"] == disk["target_digest"]
    assert {item["name"] for item in report["vms"]} == {"db-1", "app-1"}
    assert all(item["rto_s"] > 0 for item in report["vms"])
    assert wrong(report, (schema := published("run-report")), schema) == []
    assert (
        0 < report["window"]["first_probe_s"] <= report["objectives"]["rto_s"] <= report["window"]["seconds"]
    )
    took = {one["phase"]: one["seconds"] for one in report["phases"]}
    assert all(
        took[name] > 0 for name in ("seed", "stop", "final delta", "verify", "build", "start", "probes")
    )
    go = report["gates"][0]
    assert go["who"] == go["words"][0]["who"] != ""
    assert go["plan_hash"] == go["words"][0]["plan_hash"] == report["fingerprint"]
    assert all(one["status"] == "done" and one["answer"] for one in report["probes"])
    assert report["approved_by"]
    assert all(step["status"] == "done" for step in report["steps"] if step["kind"] == "verify")


def test_cutover_again_at_the_commit_gate_does_nothing(lab: Wherry) -> None:
    before = lab.stored()
    assert lab.live("cutover", "W02").code == 0
    assert lab.stored() == before


def test_status_says_how_much_of_the_commit_window_is_left(lab: Wherry) -> None:
    said = lab.done("status").out
    assert re.search("W02 runs at the target and waits for commit, (3 h 59 m|4 h) of its commit window", said)
    assert "wherry commit W02 --live, or wherry rollback W02 --live" in said
    assert lab.state("W02")["commit_by"].endswith("Z")


def test_replicate_is_refused_when_the_target_runs(lab: Wherry) -> None:
    for ran in (lab("replicate", "W02"), lab.live("replicate", "W02")):
        refused(ran, 3, "W02 runs at the target and waits for commit")


def test_abort_is_refused_after_the_cutover(lab: Wherry) -> None:
    refused(lab.live("abort", "W02"), 3, "W02 is being cut over", "wherry rollback W02")


def test_rollback_loses_nothing_and_keeps_what_the_target_wrote(lab: Wherry) -> None:
    before = guests(lab)
    assert [step["kind"] for step in lab("rollback", "W02", "--json").document["steps"]][:2] == ["start"] * 2
    (_, commit) = lab.done("gate", "list", "W02", "--json").document
    assert commit["state"] == "shut"
    assert commit["back"]["verb"] == "rollback"
    assert commit["back"]["written_bytes"] > 0
    ran = lab.live("rollback", "W02")
    assert ran.code == 0, ran.text
    assert ran.out == "W02: rolled back\n"
    said = re.search(r"rollback undoes \d+ steps; .*the target wrote (\S+) \S+ since .*UTC", ran.err)
    assert said, ran.err
    assert said[1] not in ("0", "an")
    now = guests(lab)
    for name in ("db-1", "app-1"):
        assert ("dc2", name) not in now
        assert now["dc1", name]["power"] == "poweredOn"
        assert now["dc1", name]["acknowledged"] >= before["dc1", name]["acknowledged"]
        assert now["dc1", name]["missing"] == 0
    report = lab.report("W02")
    assert report["state"] == "rolled back"
    assert report["kept"][0]["bytes"] > 0
    assert (Path(report["kept"][0]["path"]) / "manifest.json").is_file()
    refused(lab.live("rollback", "W02"), 3, "no run under way")


def test_a_new_run_after_rollback_compares_instead_of_copying(lab: Wherry) -> None:
    lab.done("rehearse", "W02", "--runs", "3")
    ran = lab.live("cutover", "W02")
    assert ran.code == 0, ran.text
    assert ran.err.count("was there already") == 3
    seeds = [line for line in ran.err.splitlines() if ": seed " in line]
    assert seeds
    assert all(line.endswith("by comparison") for line in seeds), seeds
    report = lab.report("W02")
    _proved(report)
    assert "not rehearsed as it is" not in {one["kind"] for one in report["deviations"]}
    assert [one["same_plan"] for one in report["rehearsals"]] == [True]
    planned = {one["phase"]: one["planned_by"] for one in report["phases"]}
    assert all(
        planned[name].startswith("twin, rehearsed ") for name in ("cutover", "stop", "verify", "start")
    )
    assert [one["state"] for one in report["others"]] == ["rolled back"]


def test_commit_fences_the_sources_and_ends_the_run(lab: Wherry) -> None:
    assert "then the engine protects it at its source" in lab.done("commit", "W02").err
    ran = lab.live("commit", "W02", "--json")
    assert ran.code == 0, ran.text
    assert ran.document["state"] == "committed"
    now = guests(lab)
    (fenced,) = (name for site, name in now if site == "dc1" and name.startswith("db-1-moved-20"))
    assert now["dc1", fenced]["power"] == "poweredOff"
    assert now["dc2", "db-1"]["power"] == "poweredOn"
    assert lab.state("W02")["state"] == "committed"
    before = lab.stored()
    for verb in ("replicate", "cutover", "commit", "rollback", "abort"):
        for again in (lab(verb, "W02"), lab.live(verb, "W02")):
            refused(again, 3, "W02 is committed")
    assert lab.stored() == before
    verdicts = {item["verdict"] for item in lab.done("verify", "W02", "--json").document}
    assert verdicts == {"written by its VM since"}


def test_each_vm_and_group_of_a_wave_says_where_it_stands(lab: Wherry) -> None:
    told = lab.done("status", "W02", "--json").document
    assert (told["wave"], told["flags"]) == ("W02", [])
    assert {row["state"] for row in told["groups"]} == {"committed"}
    assert {(row["name"], row["state"]) for row in told["members"]} >= {
        ("db-1", "committed"),
        ("app-1", "committed"),
    }
    assert "db-1" in lab.done("status", "W02").out
    refused(lab("status", "W02", "--watch"), 2, "one wave is not watched")
    refused(lab("status", "W99"), 2, "W99")


def test_after_commit_the_source_is_protected_and_the_wave_comes_home(lab: Wherry) -> None:
    refused(lab("failback", "W01"), 3, "W01 is not committed")
    before = lab.stored()
    dry = lab.done("failback", "W02", "--json").document["steps"]
    kinds = [step["kind"] for step in dry]
    assert kinds[0] == "check"
    assert {"unfence", "stop", "start", "verify"} <= set(kinds)
    assert not {"create-disk", "build", "fence"} & set(kinds)
    assert lab.stored() == before
    ran = lab.live("replicate", "W02", "--reverse", "--json")
    assert ran.code == 0, ran.text
    assert ran.document["state"] == "reverse protected"
    assert lab.state("W02")["state"] == "reverse protected"
    listed = lab.done("checkpoints", "W02").out
    assert listed.startswith("W02/shop at the source: "), listed
    assert "committed" in listed
    kept = lab.done("checkpoints", "W02/shop", "--json").document
    assert (kept["side"], kept["checkpoints"][0]["name"]) == ("source", "committed")
    again = lab.done("replicate", "W02", "--reverse", "--json").document["steps"]
    assert {step["kind"] for step in again} == {"snapshot", "transfer", "checkpoint", "drop-snapshot"}
    refused(lab("commit", "W02"), 3, "W02 did not come back yet", "wherry failback W02 --live")
    refused(lab("replicate", "W02"), 3, "W02 is committed")
    ran = lab.live("failback", "W02", "--json")
    assert ran.code == 0, ran.text
    assert ran.document["state"] == "runs at the source, waits for commit"
    now = guests(lab)
    assert now["dc1", "db-1"]["power"] == "poweredOn"
    assert now["dc2", "db-1"]["power"] == "poweredOff"
    assert lab.state("W02")["state"] == "failing back"
    assert {row["state"] for row in lab.done("status", "W02", "--json").document["groups"]} == {
        "failing back"
    }
    ran = lab.live("rollback", "W02", "--json")
    assert (ran.code, ran.document["state"]) == (0, "rolled back"), ran.text
    now = guests(lab)
    assert now["dc2", "db-1"]["power"] == "poweredOn"
    assert lab.state("W02")["state"] == "committed"
    assert lab.live("failback", "W02").code == 0
    ran = lab.live("commit", "W02", "--json")
    assert (ran.code, ran.document["state"]) == (0, "failed back"), ran.text
    now = guests(lab)
    assert now["dc1", "db-1"]["power"] == "poweredOn"
    assert any(site == "dc2" and name.startswith("db-1-moved-20") for site, name in now)
    assert lab.state("W02")["state"] == "failed back"
    refused(lab.live("failback", "W02"), 3, "W02 came back already")
    refused(lab.live("replicate", "W02", "--reverse"), 3, "W02 came back already")


def test_a_newer_wave_of_the_same_name_is_not_taken_for_the_committed_one(lab: Wherry) -> None:
    lab.done("settings", "set", "policies.block_kib", "512")
    lab.done("plan")
    assert lab.state("W02")["state"] == "planned"
    refused(lab.live("replicate", "W02"), 3, "W02 is not approved as it stands in plan 2")


def test_everything_exported_opens_again(lab: Wherry) -> None:
    asked = ("xlsx", "markdown", "json", "html")
    written = [Path(path) for path in lab.done("export", *asked, "--json").document]
    assert {path.suffix for path in written} == {".xlsx", ".md", ".json", ".html"}
    reports = [path.stem for path in written if path.name.startswith("report-")]
    assert sorted({*reports}) == ["report-W01", "report-W02", "report-W02-failback"]
    assert len(written) == 4 + len(reports) == 16
    alone = lab.done(
        "export", "markdown", "--wave", "w02", "--to", str(lab.root / "alone"), "--json"
    ).document
    assert [Path(path).name for path in alone] == ["plan-W02.md", "report-W02.md", "report-W02-failback.md"]
    for path in written:
        if path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                assert book.testzip() is None
                assert "xl/workbook.xml" in book.namelist()
        elif path.suffix == ".html":
            assert "<script" not in path.read_text("utf-8")
        else:
            assert path.read_text("utf-8").startswith("# ")


def test_aborted_and_failed_back_runs_have_reports(lab: Wherry) -> None:
    schema = published("run-report")
    states = {}
    for name in ("W01", "W02", "W02-failback"):
        report = json.loads((lab.root / "exports" / f"report-{name}.json").read_text("utf-8"))
        assert wrong(report, schema, schema) == []
        assert report["over"]
        states[name] = report["state"]
        went = {one["kind"] for one in report["deviations"]}
        if name == "W01":  # one planned round, two more, of which the last one was spoilt
            (group,) = (row for row in report["rows"] if row["kind"] == "group")
            assert [bar["phase"] for bar in group["bars"]].count("deltas") == 3
            assert went >= {"step failed", "rolled back or aborted"}
        assert "step tried again" not in went
        assert len(report["rows"]) == 1 + len(report["groups"]) + len(report["vms"])
    assert states == {"W01": "aborted", "W02": "committed", "W02-failback": "failed back"}


def test_lab_stop_and_start_find_every_record(lab: Wherry) -> None:
    before = guests(lab)
    lab.done("lab", "stop")
    lab.done("lab", "start")
    now = guests(lab)
    assert now.keys() == before.keys()
    for key, row in now.items():
        assert row["acknowledged"] >= before[key]["acknowledged"]
        assert (row["missing"], row["corrupt"]) == (0, 0)


def test_no_name_from_the_estate_is_a_path(lab: Wherry) -> None:
    for path in (lab.root / "lab").rglob("*"):
        assert "solo" not in path.name
        assert "db-1" not in path.name
    assert (lab.root / "lab" / "dc1" / "vms" / content_id("vm-1")).is_dir()
