"""wherry waive: what it asks for, what it keeps, and what it refuses."""

from __future__ import annotations

import pytest

from tests.tui.cli.command import Wherry, refused

FULL = ("--reason", "known since 2019", "--owner", "Anna Berg", "--until", "2999-12-31")


def test_named_filtered_listed_withdrawn(planned: Wherry) -> None:
    before = planned.stored()
    said = planned.done("waive", "guest.database", "DB-1", *FULL, "--json").document
    assert said["subjects"] == [{"kind": "vm", "id": "vm-1", "name": "db-1"}]
    assert (said["owner"], said["until"], said["state"]) == ("Anna Berg", "2999-12-31", "in force")
    assert "1 of 1 waiver in force" in planned.done("waive", "--list").err
    out = planned.done("waive", "network.mac.duplicate", "--where", "app:shop", *FULL).out
    assert "accepted for 2 objects until 2999-12-31" in out
    out = planned.done("waive", "--list").out
    assert "db-1" in out
    assert "2 objects" in out
    assert "known since 2019" in out
    planned.done("waive", "--withdraw", "1", "--reason", "was moved")
    listed = planned.done("waive", "--list", "--json").document
    assert [item["state"] for item in listed] == ["withdrawn", "in force"]
    assert listed[0]["withdrawn"]["why"] == "was moved"
    assert listed[1]["where"] == "app:shop"
    assert planned.stored() != before
    acts = [(item["act"], item["subject"]) for item in planned.done("log", "--json").document["lines"]][-3:]
    assert acts == [
        ("waive", "guest.database"),
        ("waive", "network.mac.duplicate"),
        ("waive --withdraw", "waiver 1"),
    ]


def test_a_vm_that_matches_later_is_not_in_it(planned: Wherry) -> None:
    planned.done("waive", "network.mac.duplicate", "--where", "app:shop", *FULL)
    said = planned.done("check", "--family", "network", "--json").document["findings"]
    waived = {
        item["subject_name"]: bool(item["waiver"])
        for item in said
        if item["check"] == "network.mac.duplicate"
    }
    assert waived == {"db-1": True, "app-1": True, "solo": False}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "waive needs the id of a check"),
        (("guest.database",), "a waiver needs --reason"),
        (("guest.database", "db-1", "--reason", " "), "a waiver needs --reason"),
        (("guest.database", "db-1", "--reason", "r"), "a waiver needs --owner"),
        (("guest.database", "db-1", "--reason", "r", "--owner", "o"), "a waiver needs --until"),
        (("guest.database", "db-1", *FULL[:-1], "soon"), "'soon' is not a date"),
        (("guest.database", "db-1", *FULL[:-1], "2020-01-01"), "2020-01-01 is over"),
        (("guest.database", *FULL), "waive needs names or a filter"),
        (("guest.database", "db-1", "--where", "app:shop", *FULL), "names and --where were both given"),
        (("guest.database", "nobody", *FULL), "nobody has no finding of guest.database"),
        (("guest.database", "solo", *FULL), "solo has no finding of guest.database"),
        (("guest.database", "--where", "app:none", *FULL), "no VM that the filter matches"),
        (("guest.database", "--where", "os>x", *FULL), "os>x"),
        (("guest.databse", "db-1", *FULL), "'guest.databse' does not exist"),
        (("network.map.unset", "--where", "app:shop", *FULL), "not about VMs but about networks"),
        (("--withdraw", "7", "--reason", "r"), "waiver 7 does not exist"),
        (("--withdraw", "7"), "a waiver needs --reason"),
    ],
)
def test_refused(planned: Wherry, arguments: tuple[str, ...], said: str) -> None:
    before = planned.stored()
    refused(planned("waive", *arguments), 2, said)
    assert planned.stored() == before


def test_other_objects_by_name(planned: Wherry) -> None:
    out = planned.done("waive", "network.map.unset", "lan", *FULL).out
    assert "network.map.unset is accepted for lan" in out
    said = planned.done("check", "--family", "network", "--json").document["findings"]
    assert [bool(item["waiver"]) for item in said if item["check"] == "network.map.unset"] == [True]


def test_a_waived_blocker_is_on_paper_and_out_of_the_plan(planned: Wherry) -> None:
    def printed() -> str:
        planned.done("plan")
        planned.done("export", "markdown")
        return (planned.root / "exports" / "plan.md").read_text("utf-8")

    assert "VMs with blockers to clear first" in printed()
    every = ("--where", "cpu>=1")
    blocking = {
        item["check"]
        for item in planned.done("check", "--severity", "blocker", "--json").document["findings"]
    }
    for check in sorted(blocking):
        planned.done("waive", check, *every, *FULL)
    after = printed()
    assert "VMs with blockers to clear first" not in after
    assert "waived (blocker)" in after
    assert "Anna Berg accepts it until 2999-12-31: known since 2019" in after
