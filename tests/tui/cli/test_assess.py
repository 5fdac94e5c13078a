"""wherry assess: one page on the estate, and one VM explained."""

from __future__ import annotations

from pathlib import Path

from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.estate import write


def test_the_page_says_what_there_is(planned: Wherry) -> None:
    ran = planned.done("assess")
    for words in (
        "3 VMs to move",
        "provisioned",
        "db-1",
        "shop",
        "database",
        "[ds]"[1:3],
        "not known",
        "DECIDED FOR",
    ):
        assert words in ran.out, words
    assert "could not be decided everywhere" in ran.err


def test_the_document_adds_up(planned: Wherry) -> None:
    said = planned.done("assess", "--json").document
    assert {item["name"] for item in said["vms"]} == {"db-1", "app-1", "solo"}
    for item in (*said["vms"], *said["applications"]):
        assert item["points"] == sum(reason["points"] for reason in item["reasons"])
        assert {reason["factor"] for reason in item["reasons"]} <= {
            *said["formula"], "hardest VM", "other VMs", "neighbours"
        }  # fmt: skip
    for part in ("tier", "system", "cluster"):
        rows = said["by"][part]
        assert sum(row["provisioned_bytes"] for row in rows) == said["total"]["provisioned_bytes"]
        assert sum(row["vms"] for row in rows) == 3
    assert (
        sum(row["provisioned_bytes"] for row in said["by"]["datastore"]) == said["total"]["provisioned_bytes"]
    )
    assert next(row for row in said["fields"] if row["name"] == "name")["share"] == 1


def test_a_waiver_makes_it_easier(planned: Wherry) -> None:
    def points() -> int:
        return int(planned.done("assess", "db-1", "--json").document["points"])

    before = points()
    planned.done("waive", "guest.database", "db-1", "--reason", "r", "--owner", "o", "--until", "2999-01-01")
    assert points() == before - 3


def test_one_vm_is_explained(planned: Wherry) -> None:
    ran = planned.done("assess", "DB-1")
    assert ran.out.startswith("db-1: ")
    assert "points" in ran.out
    assert "network.mac.duplicate" in ran.out
    assert "not known, so not counted: churn, system" in ran.out
    refused(planned("assess", "nobody"), 2, "no VM that moves is called 'nobody'")


def test_fewer_rows_on_request(planned: Wherry) -> None:
    ran = planned.done("assess", "--top", "1")
    assert "1 of 3 VMs; --top shows more" in ran.err
    assert ran.out.count("solo") == 0


def test_hostile_names_are_shown_harmless(planned: Wherry) -> None:
    planned.done("discover", "hostile-names")
    ran = planned.done("assess", "--top", "99")
    assert all(text.isprintable() for text in ran.text.splitlines())
    document = planned.done("assess", "--json").document
    for item in document["vms"]:
        assert all(text.isprintable() for text in planned.done("assess", item["id"]).text.splitlines())


def test_a_licence_ends_on_a_day(planned: Wherry, tmp_path: Path) -> None:
    licence = {"name": "vSphere 8", "expires": "2026-11-30T00:00:00+00:00"}
    planned.done("discover", str(write(tmp_path / "licensed.json", licences=[licence])))
    out = planned.done("assess").out
    assert "2026-11-30" in out
    assert "T00:00" not in out
