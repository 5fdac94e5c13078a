"""wherry check: filters, methods, own rules and their tests, waivers, explanations."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from planner.checks.registry import all_checks
from tests.tui.cli.command import Wherry, refused, wherry
from tests.tui.cli.estate import disk, document, vm

RULES = """
- id: site.old-windows
  title: Windows 2008 still runs
  when: os~"Windows 2008" and power:on
  severity: {warm: blocker, cold: info}
  why: It is not taken.
  remedy: replace it
  tests:
    - {vm: {guest_os: Windows 2008, power: poweredOn}, expect: finding}
    - {vm: {guest_os: Windows 2008}, expect: unknown}
- id: site.nobody
  title: Belongs to nobody
  when: "owner:"
  severity: warning
  why: Nobody answers.
  remedy: find an owner
"""


@pytest.fixture
def checked(tmp_path: Path) -> Wherry:
    """Return a project with two VMs: one old and speaking, one mute."""
    root = tmp_path / "move"
    assert wherry("init", str(root)).code == 0
    cli = Wherry(root)
    body = document(
        vms=[
            vm(
                "vm-1",
                "old",
                "shop",
                [disk("old", 0, 4)],
                guest_os="Windows 2008 R2",
                cbt=False,
                owner="Anna",
            ),
            vm("vm-2", "mute", "", [disk("mute", 0, 4)]),
        ],
        dependencies=[],
    )
    path = tmp_path / "inventory.json"
    path.write_text(json.dumps(body), "utf-8")
    cli.done("discover", str(path))
    return cli


def found(cli: Wherry, *arguments: str) -> set[tuple[str, str]]:
    said = cli.done("check", "--json", *arguments).document
    return {(item["check"], item["subject_name"]) for item in said["findings"]}


def test_a_filter_narrows_findings_and_unknowns_to_its_vms(checked: Wherry) -> None:
    whole = checked.done("check", "--json").document
    part = checked.done("check", "name:old", "--json").document
    assert {item["subject_name"] for item in part["findings"]} == {"old"}
    expected = [item for item in whole["findings"] if item["subject"] == "vm-1"]
    assert part["findings"] == expected
    assert part["unknown"]["guest.heartbeat"] == 1
    assert whole["unknown"]["guest.heartbeat"] == 2
    assert "platform.admission" in whole["unknown"]
    assert "platform.admission" not in part["unknown"]
    assert found(checked, "name:nothing") == set()


def test_family_and_severity(checked: Wherry) -> None:
    said = checked.done("check", "--family", "disks", "--severity", "warning", "--json").document
    assert {item["check"].split(".")[0] for item in said["findings"]} == {"disks"}
    assert {item["severity"] for item in said["findings"]} == {"warning"}
    assert {check.split(".")[0] for check in said["unknown"]} == {"disks"}
    refused(checked("check", "--family", "dsks"), 2, "no family of checks 'dsks'", "families are")
    refused(checked("check", "os>win"), 2, "os>win")


def test_method_weighs_anew(checked: Wherry) -> None:
    def severity(*arguments: str) -> str:
        said = checked.done("check", "--family", "disks", "--json", *arguments).document
        return next(item["severity"] for item in said["findings"] if item["check"] == "disks.cbt")

    assert (severity(), severity("--method", "cold")) == ("warning", "info")
    checked.done("settings", "set", "method", "cold")
    assert (severity(), severity("--method", "warm")) == ("info", "warning")


def test_summary_says_counts_and_how_many_are_unknown(checked: Wherry) -> None:
    ran = checked.done("check")
    counts = checked.done("check", "--json").document["counts"]
    lines = ran.err.splitlines()
    warnings = f"{counts['warning']} warning" + ("" if counts["warning"] == 1 else "s")
    assert any(f"{warnings}, " in line and "for information" in line for line in lines)
    assert "unknown in" in ran.err
    assert "(2)" in ran.err


def test_strict_is_about_blockers_that_nobody_waived(checked: Wherry) -> None:
    (checked.root / "rules.yaml").write_text(RULES, "utf-8")
    site = ("check", "name:old", "--family", "site")
    assert checked(*site, "--strict").code == 3
    assert checked("check", "name:mute", "--family", "site", "--strict").code == 0
    assert checked(*site, "--strict", "--method", "cold").code == 0
    checked.done(
        "waive",
        "site.old-windows",
        "old",
        "--reason",
        "gone soon",
        "--owner",
        "Anna",
        "--until",
        "2999-01-01",
    )
    ran = checked(*site, "--strict")
    assert ran.code == 0
    assert "(waived: Anna accepts it until 2999-01-01: gone soon)" in ran.out
    assert "1 waived" in ran.err
    said = checked.done(*site, "--json").document
    assert said["waived"] == 1
    assert said["counts"]["blocker"] == 0


def test_rules_of_the_project_are_read_by_themselves(checked: Wherry, tmp_path: Path) -> None:
    assert not any(check.startswith("site.") for check, _ in found(checked))
    (checked.root / "rules.yaml").write_text(RULES, "utf-8")
    mine = {("site.old-windows", "old"), ("site.nobody", "mute")}
    assert mine <= found(checked)
    assert checked.done("check", "--json").document["unknown"]["site.old-windows"] == 1  # mute has no system
    other = tmp_path / "other.yaml"
    other.write_text(RULES.replace("site.", "other."), "utf-8")
    assert {check for check, _ in found(checked, "--rules", str(other))} >= {"other.nobody"}
    assert "site.nobody" not in {check for check, _ in found(checked, "--rules", str(other))}
    assert "Windows 2008 still runs" in checked.done("check", "--explain", "site.old-windows").out
    assert "site.nobody" in checked.done("check", "--list", "--family", "site").out
    (checked.root / "rules.yaml").write_text("- id: x", "utf-8")
    refused(checked("check"), 2, "rules.yaml line 1")


def test_tests_of_rules(checked: Wherry, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(RULES, "utf-8")
    ran = wherry("check", "--rules", str(path), "--test")  # needs no project
    assert ran.code == 0
    assert "site.nobody has no test" in ran.out
    assert "2 of 2 tests passed" in ran.err
    path.write_text(RULES.replace("expect: unknown", "expect: fine"), "utf-8")
    ran = wherry("check", "--rules", str(path), "--test")
    assert ran.code == 1
    assert "site.old-windows test 2" in ran.out
    assert "line 10: expected fine, got unknown" in ran.out
    ran = wherry("check", "--rules", str(path), "--test", "--json")
    assert ran.code == 1
    assert [item["passed"] for item in ran.document["tests"]] == [True, False]
    assert ran.document["untested"] == ["site.nobody"]
    path.write_text(RULES.replace("power:on", "powr:on"), "utf-8")
    refused(wherry("check", "--rules", str(path), "--test"), 2, "line 4", "site.old-windows", "powr:on")
    refused(checked("check", "--test"), 2, "no own rules", "rules.yaml")


def test_explain_says_all_there_is() -> None:
    out = wherry("check", "--explain", "disks.cbt").out
    for words in ("warm warning, cold info", "condition", "why", "remedy", "property", "reference", "work"):
        assert words in out
    said: dict[str, Any] = wherry("check", "--explain", "disks.cbt", "--json").document
    assert said["severities"] == {"warm": "warning", "cold": "info"}
    assert said["work"]["fix"] == "enable-cbt"
    assert said["properties"]


def test_list_holds_every_check() -> None:
    assert {item["id"] for item in wherry("check", "--list", "--json").document} == {
        check.id for check in all_checks()
    }
    out = wherry("check", "--list", "--family", "names").out
    assert "names.password" in out
    assert "disks.cbt" not in out


def test_an_expired_waiver_is_told(checked: Wherry) -> None:
    import sqlite3

    checked.done("waive", "disks.cbt", "old", "--reason", "r", "--owner", "o", "--until", "2999-01-01")
    with sqlite3.connect(checked.root / "project.db") as db:
        db.execute("UPDATE waiver SET until = '2020-01-01'")
    ran = checked.done("check", "--family", "disks")
    assert "waiver 1 of disks.cbt ended on 2020-01-01: its findings count again" in ran.err
    assert "(waived" not in ran.out
    assert checked.done("check", "--json").document["expired_waivers"] == [1]


def _outputs(cli: Wherry) -> list[tuple[int, str, str]]:
    asked = ([], ["--json"], ["--severity", "warning"], ["--family", "disks"], ["--strict"])
    return [(ran.code, ran.out, ran.err) for ran in (cli("check", *words) for words in asked)]


def test_what_was_said_last_is_said_again_byte_for_byte(checked: Wherry) -> None:
    (checked.root / "rules.yaml").write_text(RULES, "utf-8")
    first = _outputs(checked)
    assert _outputs(checked) == first
    with sqlite3.connect(checked.root / "project.db") as db:
        db.execute("DELETE FROM judged")
    assert _outputs(checked) == first


def test_answers_are_kept_until_something_changes(checked: Wherry) -> None:
    checked.done("check")
    with sqlite3.connect(checked.root / "project.db") as db:
        db.execute("UPDATE judged_finding SET message = 'kept ' || name")
    assert "kept old" in checked.done("check").out
    assert "kept" not in checked.done("check", "--method", "cold").out
    assert "kept" not in checked.done("check", "old").out
    (checked.root / "rules.yaml").write_text(RULES, "utf-8")
    assert "kept" not in checked.done("check").out


def test_a_filter_may_ask_what_the_checks_say(checked: Wherry) -> None:
    (checked.root / "rules.yaml").write_text(RULES, "utf-8")
    found = checked.done("check", "--json").document["findings"]
    blockers = [item for item in found if item["severity"] == "blocker" and item["subject_kind"] == "vm"]
    for item in blockers:
        if item["subject"] == "vm-2":
            given = ("--reason", "known", "--owner", "ops", "--until", "2099-01-01")
            checked.done("waive", item["check"], "mute", *given)
    assert {item["subject"] for item in blockers} == {"vm-1", "vm-2"}
    assert [vm["id"] for vm in checked.done("inventory", "checks:blocked", "--json").document] == ["vm-1"]
    assert [vm["id"] for vm in checked.done("inventory", "--json", "-checks:blocked").document] == ["vm-2"]
    narrowed = checked.done("check", "checks:blocked", "--json").document["findings"]
    assert {item["subject"] for item in narrowed} == {"vm-1"}
