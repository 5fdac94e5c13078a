"""What leads to no VM is listed with what it carries, and the nearest name is proposed."""

from __future__ import annotations

from planner.evidence.leftover import Carried, leftovers
from planner.evidence.nearest import nearest_names
from planner.evidence.resolve import Verdict
from tests.planner.evidence.said import end
from tests.planner.sketch import estate, vm

ESTATE = estate(vm("fra-crm-db-01"), vm("fra-crm-app-01"), vm("twin"), vm("twin", id="id-other"))


def test_most_traffic_first_and_one_entry_a_label() -> None:
    found = leftovers(
        [
            Carried(end("fra-crm-db01", "10.0.0.7"), 10, 1),
            Carried(end("FRA-CRM-DB01", "10.0.0.8"), 90, 2, 1),
            Carried(end("8.8.8.8"), 5000, 3),
            Carried(end("twin"), None, 4),
            Carried(end("fra-crm-app-01"), 7, 7),
        ],
        ESTATE,
        {},
    )
    assert [
        (item.label, item.verdict, item.size_bytes, item.conversations, item.facts) for item in found
    ] == [
        ("8.8.8.8", Verdict.EXTERNAL, 5000, 3, 0),
        ("fra-crm-db01", Verdict.UNKNOWN, 100, 3, 1),
        ("twin", Verdict.AMBIGUOUS, None, 4, 0),
    ]
    assert found[1].nearest == "fra-crm-db-01"
    assert found[1].addresses == ("10.0.0.7", "10.0.0.8")
    assert found[2].candidates == ("twin", "twin")


def test_what_a_person_settled_is_out_of_the_way() -> None:
    found = leftovers(
        [Carried(end("router"), 1, 1), Carried(end("x"), 1, 1)], ESTATE, {"router": "", "x": "id-twin"}
    )
    assert [(item.label, item.verdict) for item in found] == [("router", Verdict.EXTERNAL)]


def test_nearest_names_only_where_there_is_a_likeness() -> None:
    found = nearest_names(["crm-db-01", "fra-crm-db-01.corp.example", "zzz", "10.0.0.1", ""], ESTATE)
    assert found["crm-db-01"] == "fra-crm-db-01"
    assert found["fra-crm-db-01.corp.example"] == "fra-crm-db-01"
    assert set(found) == {"crm-db-01", "fra-crm-db-01.corp.example"}
