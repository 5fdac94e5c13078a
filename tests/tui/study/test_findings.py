"""Findings through the study: explained, waived several at once, tasks ticked off; verbs say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.errors import BadInput, NotFound
from planner.store import plans
from planner.store.project import Project
from tests.tui.cli.command import Wherry
from tests.tui.cli.test_check import RULES
from tui.study.client import Study


def acts(cli: Wherry) -> list[str]:
    return [row["act"] for row in cli.done("log", "--json").document["lines"]]


def of_vms(cli: Wherry) -> dict[str, list[str]]:
    """Return ids of VMs that are found by two checks."""
    found: dict[str, list[str]] = {}
    for item in cli("check", "--json").document["findings"]:
        if item["subject_kind"] == "vm":
            found.setdefault(item["check"], []).append(item["subject"])
    return dict(list(found.items())[:2])


def test_a_check_is_explained_as_the_verb_does(planned: Study, cli: Wherry) -> None:
    check = next(iter(of_vms(cli)))
    said = planned.ask("findings.checks")[check]
    verb = cli.done("check", "--explain", check, "--json").document
    assert {name: said[name] for name in verb} == verb
    assert said["takes"] in cli.done("check", "--explain", check).out


def test_own_checks_are_explained_too_and_before_anything_was_discovered(tmp_path: Path) -> None:
    Project.create(tmp_path).close()
    (tmp_path / "rules.yaml").write_text(RULES, "utf-8")
    study = Study(tmp_path)
    try:
        said = study.ask("findings.checks")
    finally:
        study.close()
    assert said["site.nobody"]["title"] == "Belongs to nobody"


def test_findings_of_several_checks_are_waived_all_or_none(planned: Study, cli: Wherry) -> None:
    found = of_vms(cli)
    assert len(found) == 2
    before = cli.stored()
    for wrong, error in (
        ({"found": {**found, "no.such.check": ["vm-1"]}}, NotFound),
        ({"found": {**found, next(iter(found)): ["vm-1", "nobody"]}}, NotFound),
        ({"found": found, "until": "soon"}, BadInput),
        ({"found": found, "reason": " "}, BadInput),
    ):
        with pytest.raises(error):
            planned.ask(
                "findings.waive", **{"reason": "known", "owner": "ann", "until": "2099-01-31", **wrong}
            )
        assert cli.stored() == before
    given = planned.ask("findings.waive", found=found, reason="known", owner="ann", until="2099-01-31")
    assert {item["check"]: item["count"] for item in given} == {
        check: len(set(ids)) for check, ids in found.items()
    }
    waived = [item for item in cli("check", "--json").document["findings"] if item["waiver"]]
    assert {(item["check"], item["subject"]) for item in waived} == {
        (check, vm) for check, ids in found.items() for vm in ids
    }
    assert acts(cli)[-2:] == ["waive", "waive"]
    check, vms = next(iter(found.items()))
    (one,) = planned.ask("findings.waivers", check=check, kind="vm", subject=vms[0])
    assert one["id"] == given[0]["id"]
    assert "ann accepts it until 2099-01-31" in one["sentence"]
    planned.ask("unwaive", waiver=one["id"], reason="was wrong")
    assert planned.ask("findings.waivers", check=check, kind="vm", subject=vms[0]) == []


def test_a_filter_with_words_of_the_plan_chooses_what_is_waived(cli: Wherry) -> None:
    check, vms = next(iter(of_vms(cli).items()))
    with Project.open(cli.root) as project:
        wave, _ = plans.placed(project, plans.latest(project).version)[vms[0]]
    given = cli.done("waive", check, "--where", f"wave:{wave}", "--reason", "r", "--owner", "o",
                     "--until", "2099-01-31", "--json").document  # fmt: skip
    assert {item["id"] for item in given["subjects"]} <= set(vms)
    assert given["where"] == f"wave:{wave}"


def test_a_task_is_ticked_off(planned: Study, cli: Wherry) -> None:
    (task, *_) = planned.ask("findings.tasks", wave="W01")
    assert (task["state"], task["over"]) == ("open", False)
    assert task["how"]
    said = planned.ask("findings.tick", wave="W01", task=task["id"], note="by the DBA")
    assert task["title"] in said["what"]
    again = next(item for item in planned.ask("findings.tasks", wave="W01") if item["id"] == task["id"])
    assert again["over"]
    assert "by the DBA" in again["words"]
    assert acts(cli)[-1] == "remedy done"
    with pytest.raises(NotFound):
        planned.ask("findings.tick", wave="W01", task="zzzz")
    with pytest.raises(NotFound):
        planned.ask("findings.tasks", wave="W77")
