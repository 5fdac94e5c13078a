"""``--json``: exactly one document on stdout, whatever is narrated beside it."""

from __future__ import annotations

import json

import pytest

from tests.tui.cli.command import Wherry

VIEWS = [
    ("inventory",),
    ("inventory", "nothing-has-this-name"),
    ("inventory", "list", "db"),
    ("inventory", "snapshots"),
    ("inventory", "diff", "1"),
    ("check",),
    ("check", "--explain", "disks.rdm.physical"),
    ("deps",),
    ("deps", "DB-1"),
    ("deps", "list"),
    ("deps", "hubs"),
    ("deps", "accept", "db-1", "app-1"),
    ("deps", "add", "db-1", "solo", "--order", "--why", "x"),
    ("deps", "oversized"),
    ("deps", "cycles"),
    ("deps", "suggest"),
    ("plan",),
    ("plan", "show"),
    ("plan", "show", "w02"),
    ("plan", "approve", "W01"),
    ("settings", "show"),
    ("settings", "set", "caps.vms", "2"),
    ("settings", "versions"),
    ("settings", "restore", "1"),
    ("settings", "map", "*", "new-*", "--check"),
    ("site", "list"),
    ("site", "add", "dc1", "simulated:", "--role", "source"),
    ("rehearse", "W02", "--runs", "3"),
    ("replicate", "W01"),
    ("cutover", "W02"),
    ("status",),
    ("log",),
    ("log", "--verify"),
    ("doctor",),
    ("export", "csv"),
    ("discover", "lab"),
]


@pytest.mark.parametrize("arguments", VIEWS, ids=" ".join)
def test_one_document(planned: Wherry, arguments: tuple[str, ...]) -> None:
    ran = planned(*arguments, "--json")
    assert ran.code == 0, ran.text
    assert json.loads(ran.out) is not None
    assert ran.out.endswith("\n")


def test_options_of_a_group_hold_for_its_words(planned: Wherry, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.tui.cli.command import wherry

    monkeypatch.chdir(planned.root.parent)
    ran = wherry("plan", "--project", str(planned.root), "--json", "show", "W01")
    assert ran.code == 0, ran.text
    assert ran.document["name"] == "W01"


def test_a_dry_verb_lists_steps_and_says_what_is_missing(planned: Wherry) -> None:
    said = planned("replicate", "w02", "--json").document
    assert said["wave"] == "W02"
    assert said["live"] is False
    assert "not approved" in said["missing"]
    assert said["steps"][0]["id"] == "check"
    assert {step["effect"] for step in said["steps"]} == {"view", "live"}
    planned.done("plan", "approve", "W02")
    said = planned("replicate", "W02", "--json").document
    assert "no source and no target site" in said["missing"]
    for site, role in (("dc1", "source"), ("dc2", "target")):
        planned.done("site", "add", site, f"lab:lab/{site}", "--role", role)
    assert planned("replicate", "W02", "--json").document["missing"] == ""


def test_a_dry_verb_changes_nothing(planned: Wherry) -> None:
    before = planned.stored()
    for verb in ("replicate", "cutover"):
        ran = planned(verb, "W02")
        assert ran.code == 0
        assert "dry: nothing was done" in ran.err
        assert "it would be refused now: W02 is not approved" in ran.err
    assert planned.stored() == before


def test_plan_twice_is_one_plan(planned: Wherry) -> None:
    assert planned("plan", "--json").document["version"] == 1
    assert planned("plan", "--json").document["version"] == 1
