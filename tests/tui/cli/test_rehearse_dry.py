"""wherry rehearse --depth dry on a lab: nothing is changed, and what is predicted is what a run then does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from migrate.rehearsals.calls import Call, differences, logged
from migrate.run import store as runs
from migrate.sites.lab.oplog import read_ops
from planner.store.project import Project
from tests.tui.cli.command import Wherry


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
    assert [one["what"] for one in ran.document["findings"]] == ["keys", "identities"]
    assert ran.document["stopped_at"] == "W01: sites, VMs, networks and space"


def test_a_project_without_sites_says_so(planned: Wherry) -> None:
    ran = planned("rehearse", "W01", "--depth", "dry", "--json")
    assert ran.code == 3
    assert [one["what"] for one in ran.document["findings"]] == ["approval", "source site", "target site"]
    assert ran.document["calls"] == []
