"""wherry rehearse --depth dry on a lab: nothing is changed, and what is predicted is what a run then does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.rehearsals import at_receiver
from migrate.rehearsals.against import compare
from migrate.rehearsals.calls import Call, differences, logged
from migrate.run import store as runs
from migrate.sites.lab.client import LabSite
from migrate.sites.lab.oplog import read_ops
from planner.store.project import Project
from tests.tui.cli.command import Wherry, refused


def logs(cli: Wherry) -> dict[str, Path]:
    lab = cli.root / "lab"
    return {
        role: next((lab / name).rglob("ops.log")) for role, name in (("source", "dc1"), ("target", "dc2"))
    }


def asked(cli: Wherry) -> list[Any]:
    return [read_ops(log) for log in logs(cli).values()]


def predicted(cli: Wherry, wave: str) -> tuple[dict[str, Any], tuple[Call, ...]]:
    ran = cli("rehearse", wave, "--depth", "dry", "--json")
    assert ran.code == 0, ran.text
    return ran.document, tuple(Call(**one) for one in ran.document["calls"])


def test_what_is_predicted_is_what_is_done(lab: Wherry) -> None:
    refused(lab("rehearse", "W02", "--depth", "dry", "--against-run"), 3, "W02 has no run")
    refused(lab("rehearse", "W02", "--against-run"), 2, "--against-run is of --depth dry")
    before = asked(lab)
    said, calls = predicted(lab, "W02")
    assert (said["findings"], said["stopped_at"]) == ([], "")
    assert set(said["sites"]) == {"source", "target"}
    assert asked(lab) == before, "a dry rehearsal only reads"
    shown = lab.done("rehearse", "W02", "--depth", "dry", "--note", "as agreed")
    assert "power_on" in shown.out
    assert "nothing" in shown.err
    for verb in ("replicate", "cutover", "commit"):
        assert lab.live(verb, "W02").code == 0
    with Project.open(lab.root) as project:
        run = runs.latest(project, "W02")
        assert run is not None
        history = runs.history(project, run)
        made = logged(logs(lab), f"{project.id}-{run.id}-{run.generation}", history)
    assert {call.call for call in made} >= {
        "create_disk",
        "take_snapshot",
        "shut_down",
        "create_vm",
        "power_on",
    }
    assert differences(calls, made) == ()
    copied = {call.step for call in calls if (call.where, call.call) == ("transfers", "copy")}
    assert copied == {step.id for step in history.runbook.steps if step.kind == "transfer"}
    against = lab.done("rehearse", "W02", "--depth", "dry", "--against-run", "--json").document
    assert (against["differences"], against["left"], against["again"]) == ([], 0, [])
    assert against["rehearsed_at"]
    assert against["steps"] > 20
    assert "0 differences" in lab.done("rehearse", "W02", "--depth", "dry", "--against-run").err
    told = compare(run, history, "", calls, [replace(made[0], subject="other"), *made[1:]])
    assert [one.step for one in told.differences] == [made[0].step]
    assert "of other" in told.differences[0].made
    # and the comparison is not blind: a call that is lost, another subject, another order
    assert differences(calls, made[1:])
    assert differences(calls, (replace(made[0], subject="other"), *made[1:]))
    at = next(at for at, call in enumerate(made) if call.step == made[at + 1].step and call.where == "source")
    assert differences(calls, [*made[:at], made[at + 1], made[at], *made[at + 2 :]])


def test_everything_in_the_way_is_a_finding_and_ends_with_3(lab: Wherry) -> None:
    (book,) = [
        one
        for one in lab.done("rehearse", "W02", "--history", "--json").document["rehearsals"]
        if one["notes"]
    ]
    assert (book["depth"], book["verdict"], book["notes"]) == ("dry", "clean", "as agreed")
    (lab.root / "keys").mkdir(exist_ok=True)
    (lab.root / "keys" / "dc2.bundle").write_text("no keys", "utf-8")
    (lab.root / "keys" / "dc2.bundle").chmod(0o600)
    lab.done("lab", "stop")  # and with it the guests
    ran = lab("rehearse", "W01", "--depth", "dry", "--json")
    assert ran.code == 3
    assert [one["what"] for one in ran.document["findings"]] == ["keys", "identities", "addresses"]
    assert "has too" in ran.document["findings"][-1]["message"], "its MAC address is that of what moved"
    assert ran.document["addresses"]["macs"] == {"looked": 1, "found": 1, "why": ""}
    assert ran.document["stopped_at"] == "W01: sites, VMs, networks and space"


def test_a_run_that_nobody_rehearsed_is_predicted_from_its_plan(lab: Wherry) -> None:
    with Project.open(lab.root) as project, project.write() as db:
        db.conn.execute("UPDATE rehearsed SET depth = 'twin' WHERE wave = 'W02'")
    against = lab.done("rehearse", "W02", "--depth", "dry", "--against-run", "--json").document
    assert (against["differences"], against["rehearsed_at"]) == ([], "")


def test_a_disk_that_somebody_writes_and_a_store_without_room_are_found(
    lab: Wherry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[tuple[str, str]]:
        said = lab("rehearse", "W02", "--depth", "dry", "--json").document["findings"]
        return [(one["what"], one["message"]) for one in said]

    site = LabSite.connect(lab.root / "lab" / "dc2")
    for vm in site.vms():
        site.power_off(vm, "test/off/do1")
    assert all(what != "receiver leases" for what, _ in found())
    volume = next(state.disks[0].volume for vm in site.vms() if (state := site.observe(vm)))
    writer = site.open_write(volume)
    try:
        assert any(what == "receiver leases" and "in use by a writer" in said for what, said in found())
    finally:
        writer.close()
    monkeypatch.setattr(at_receiver, "_STORE_BYTES", 1 << 60)
    rooms = [said for what, said in found() if what == "receiver store"]
    assert len(rooms) == 2
    assert "free, the wave's journals may take" in rooms[0]
    assert "after its commit the wave's journals at dc1 may take" in rooms[1]


def test_a_project_without_sites_says_so(planned: Wherry) -> None:
    ran = planned("rehearse", "W01", "--depth", "dry", "--json")
    assert ran.code == 3
    assert [one["what"] for one in ran.document["findings"]] == ["approval", "source site", "target site"]
    assert ran.document["calls"] == []
