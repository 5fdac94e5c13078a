"""wherry deps: what is tied, what people decide on it, and that it is remembered and noted."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.estate import document, vm, write


def _found(cli: Wherry, *words: str) -> Any:
    return json.loads(cli.done("deps", *words, "--json").out)


def _members(cli: Wherry) -> list[int]:
    return [len(group["vms"]) for group in _found(cli)]


@pytest.fixture
def hidden(planned: Wherry, tmp_path: Path) -> Wherry:
    """Return a project with two more VMs that nothing but a vague tie holds together."""
    more = [vm("vm-4", "crm-p-web-01", "", []), vm("vm-5", "crm-p-db-01", "", [])]
    ties = [
        *document()["dependencies"],
        {"source": "vm-4", "target": "vm-5", "tie": "hard", "reason": "calls", "port": 5432,
         "confidence": 0.5, "traffic_bytes": 2048},
    ]  # fmt: skip
    planned.done(
        "discover", str(write(tmp_path / "more.json", vms=[*document()["vms"], *more], dependencies=ties))
    )
    return planned


def test_why_tells_the_chain_and_the_word_may_be_left_out(planned: Wherry) -> None:
    short, long = planned.done("deps", "db-1").out, planned.done("deps", "why", "db-1").out
    assert short == long
    assert "calls its database" in short
    (group,) = _found(planned, "why", "APP-1")
    assert [step["why"] for step in group["chains"]["vm-2"]] == ["calls its database"]


def test_a_refused_tie_parts_a_group_until_it_is_taken_back(hidden: Wherry) -> None:
    assert sorted(_members(hidden)) == [1, 2, 2]
    ran = hidden.done("deps", "refuse", "CRM-p-web-01", "crm-p-db-01", "--why", "job is gone")
    assert "is refused" in ran.out
    assert sorted(_members(hidden)) == [1, 1, 1, 2]
    (tie,) = _found(hidden, "list", "refused")
    assert (tie["source_name"], tie["port"], tie["decision"]) == ("crm-p-web-01", 5432, "refuse")
    assert tie["decided"].endswith(": job is gone")
    audit = json.loads(hidden.done("log", "--json").out)
    assert "deps refuse" in json.dumps(audit)
    assert "job is gone" in json.dumps(audit)
    hidden.done("deps", "forget", "crm-p-web-01", "crm-p-db-01")
    assert sorted(_members(hidden)) == [1, 2, 2]
    assert _found(hidden, "list", "decided") == []


def test_a_decision_survives_a_new_discovery(hidden: Wherry, tmp_path: Path) -> None:
    hidden.done("deps", "refuse", "db-1", "app-1")
    hidden.done("discover", str(write(tmp_path / "again.json", taken_at="2026-12-02T08:00:00Z")))
    assert sorted(_members(hidden)) == [1, 1, 1]
    hidden.done("plan")


def test_accept_makes_sure_and_add_ties_what_nothing_showed(hidden: Wherry) -> None:
    hidden.done("deps", "accept", "crm-p-web-01", "crm-p-db-01", "--port", "5432")
    (tie,) = _found(hidden, "list", "accepted")
    assert (tie["confidence"], tie["kind"]) == (1.0, "dependency")
    hidden.done("deps", "add", "solo", "crm-p-web-01", "--hard", "--why", "needs 1 ms")
    assert sorted(_members(hidden)) == [2, 3]
    assert "needs 1 ms" in hidden.done("deps", "solo").out
    hidden.done("deps", "add", "db-1", "solo", "--order", "--why", "moves first")
    hidden.done("deps", "add", "app-1", "solo", "--apart", "--why", "one must stay")
    kinds = {(tie["tie"], tie["kind"]) for tie in _found(hidden, "list", "kind:person")}
    assert kinds == {("hard", "person"), ("order", "person"), ("apart", "person")}
    hidden.done("plan")


def test_hubs_are_shown_confirmed_and_denied(planned: Wherry) -> None:
    assert _found(planned, "hubs") == []
    planned.done("deps", "hub", "db-1", "--yes", "--why", "everyone uses it")
    (hub,) = _found(planned, "hubs")
    assert (hub["name"], hub["verdict"], hub["users"], hub["counts"]) == ("db-1", "yes", 1, True)
    assert sorted(_members(planned)) == [1, 1, 1]  # users of a hub are not closed into its group
    planned.done("deps", "hub", "db-1", "--no")
    assert _found(planned, "hubs")[0]["verdict"] == "no"
    assert sorted(_members(planned)) == [1, 2]
    planned.done("deps", "forget", "db-1")
    assert _found(planned, "hubs") == []


def test_groups_too_large_and_circles_are_told_and_nothing_is_done(hidden: Wherry, tmp_path: Path) -> None:
    settings = tmp_path / "caps.toml"
    settings.write_text("[caps]\nvms = 1\n", "utf-8")
    hidden.done("settings", "import", str(settings))
    found = {one["group"]: one for one in _found(hidden, "oversized")}
    assert found["crm-p"]["cheapest"]["traffic_bytes"] == 2048
    assert found["crm-p"]["cheapest"]["fits"] is found["crm-p"]["sized"] is True
    assert "to refuse with 2.0 KiB of traffic" in hidden.done("deps", "oversized").out
    assert sorted(_members(hidden)) == [1, 2, 2]
    assert _found(hidden, "cycles") == []
    hidden.done("deps", "add", "solo", "db-1", "--order", "--why", "x")
    hidden.done("deps", "add", "app-1", "solo", "--order", "--why", "y")
    (cycle,) = _found(hidden, "cycles")
    assert cycle["opens"]
    assert "each waits for the next" in hidden.done("deps", "cycles").out
    hidden.done(*cycle["dropped_by"][0].split()[1:])
    assert _found(hidden, "cycles") == []


def test_a_group_of_which_disks_are_not_known_is_not_said_to_be_within_the_caps(
    hidden: Wherry, tmp_path: Path
) -> None:
    assert hidden.done("deps", "oversized").err == "every group is within the caps\n"
    bare = [
        one if one["name"] != "db-1" else {**one, "disks": [], "gaps": ["disks"]} for one in document()["vms"]
    ]
    hidden.done("discover", str(write(tmp_path / "bare.json", vms=bare)))
    assert hidden.done("deps", "oversized").err == (
        "1 group may be above the caps: not all disks are known\n"
    )
    hidden.done("settings", "set", "caps.vms", "1")
    ran = hidden.done("deps", "oversized").out
    assert "2 VMs, at least " in ran
    assert "and it may fit the caps" in ran


def test_a_circle_says_which_command_drops_a_tie_that_was_seen(planned: Wherry, tmp_path: Path) -> None:
    """Of two VMs of one name, or of one that cannot be typed, the id stands in the command."""
    vms = [
        vm(f"vm-{at}", name, "", []) for at, name in enumerate(("front end", "twin", "twin", "a\x1b[31m"), 1)
    ]
    ties = [(1, 2, None), (2, 1, 1433), (3, 4, None), (4, 3, 8080)]
    seen = [
        {
            "source": f"vm-{a}",
            "target": f"vm-{b}",
            "tie": "order",
            "reason": "first",
            "port": port,
            "confidence": 0.5 if port else 1,
        }
        for a, b, port in ties
    ]
    path = write(tmp_path / "circles.json", vms=vms, dependencies=seen)
    planned.done("discover", str(path))
    told = [command for cycle in _found(planned, "cycles") for command in cycle["dropped_by"]]
    assert sorted(told) == [
        "wherry deps refuse vm-2 'front end' --port 1433 --why REASON",
        "wherry deps refuse vm-4 vm-3 --port 8080 --why REASON",
    ]
    assert all(f"drop it: {command}" in planned.done("deps", "cycles").out for command in told)
    for command in told:
        planned.done(*shlex.split(command)[1:])
    assert _found(planned, "cycles") == []


def test_an_accepted_suggestion_is_an_import_that_can_be_withdrawn(hidden: Wherry) -> None:
    assert "Crm Production" in hidden.done("deps", "suggest").out
    (crm,) = _found(hidden, "suggest")
    assert (crm["title"], crm["new"], crm["environment"]) == ("Crm Production", 2, "Production")
    taken = _found(hidden, "suggest", "--accept", "crm production", "--as", "CRM")
    assert taken["facts"] == 4
    listed = json.loads(hidden.done("inventory", "app:CRM", "--json").out)
    assert {one["name"] for one in listed} == {"crm-p-web-01", "crm-p-db-01"}
    assert _found(hidden, "suggest") == []
    hidden.done("flows", "withdraw", str(taken["import"]))
    assert len(_found(hidden, "suggest")) == 1


def test_a_dismissed_suggestion_is_told_again_when_a_vm_joins_it_or_somebody_misses_it(
    hidden: Wherry, tmp_path: Path
) -> None:
    assert _found(hidden, "suggest", "--dismiss", "crm production") == {"dismissed": "Crm Production"}
    assert _found(hidden, "suggest") == []
    assert [one["title"] for one in _found(hidden, "suggest", "--dismissed")] == ["Crm Production"]
    assert "1 suggestion dismissed" in hidden.done("deps", "suggest").text
    assert "deps suggest --dismiss" in hidden.done("log", "--json").out
    refused(hidden("deps", "suggest", "--accept", "Crm Production"), 2, "nothing is suggested")
    assert len(_found(hidden, "suggest", "--undismiss", "CRM production")) == 1
    hidden.done("deps", "suggest", "--dismiss", "Crm")
    more = [vm(f"vm-{at}", f"crm-p-{name}-01", "", []) for at, name in ((4, "web"), (5, "db"), (6, "app"))]
    hidden.done("discover", str(write(tmp_path / "joined.json", vms=[*document()["vms"], *more])))
    assert [len(one["members"]) for one in _found(hidden, "suggest")] == [3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("refuse", "db-1", "nobody"), "nobody"),
        (("refuse", "db-1", "db-1"), "named twice"),
        (("refuse", "db-1", "solo"), "nothing was seen between db-1 and solo"),
        (("refuse", "db-1", "app-1", "--port", "99"), "on port 99"),
        (("accept", "db-1", "app-1", "--port", "65536"), "65536"),
        (("add", "db-1", "solo", "--why", "x"), "--hard, --order and --apart"),
        (("add", "db-1", "solo", "--hard"), "--why"),
        (("add", "db-1", "solo", "--hard", "--why", " "), "--why is empty"),
        (("add", "db-1", "app-1", "--apart", "--why", "x"), "must move together"),
        (("hub", "db-1"), "--yes or --no"),
        (("forget", "db-1", "solo"), "nobody decided"),
        (("list", "tie:sft"), "'sft' is no tie"),
        (("list", "port:http"), "'http' is no port"),
        (("suggest", "--accept", "Nothing"), "nothing is suggested"),
        (("suggest", "--as", "X"), "--as goes with --accept"),
        (("suggest", "--accept", "X", "--dismiss", "X"), "exclude each other"),
        (("suggest", "--undismiss", "X"), "nobody dismissed"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(
    planned: Wherry, words: tuple[str, ...], said: str
) -> None:
    before = json.loads(planned.done("log", "--json").out)
    refused(planned("deps", *words), 2, said)
    assert json.loads(planned.done("log", "--json").out) == before
    assert _found(planned, "list", "decided") == []


def test_storage_cannot_be_parted_and_people_cannot_contradict_each_other(
    planned: Wherry, tmp_path: Path
) -> None:
    body = document()
    body["vms"][2]["disks"] = body["vms"][0]["disks"]
    planned.done("discover", str(write(tmp_path / "shared.json", vms=body["vms"])))
    refused(planned("deps", "refuse", "db-1", "solo"), 2, "cannot be parted by a word", "detach the disk")
    planned.done("deps", "add", "app-1", "solo", "--order", "--why", "x")
    refused(planned("deps", "add", "solo", "app-1", "--order", "--why", "y"), 2, "decided on the other way")
    named = tmp_path / "named.toml"
    named.write_text('shared_services = ["db-1"]\n', "utf-8")
    planned.done("settings", "import", str(named))
    refused(planned("deps", "hub", "db-1", "--no"), 2, "shared_services of the settings")
