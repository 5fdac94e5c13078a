"""An inventory with evidence on it: ties, facts, contradictions, and what could not be matched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.evidence.compose import compose
from planner.evidence.records import Evidence, day_bits
from planner.evidence.resolve import Resolver
from planner.evidence.ties import MOST_PORTS, confidence
from planner.evidence.told import told
from planner.model import Dependency, Inventory, Nic, Tie
from tests.planner.evidence.said import DAY, MONDAY, calls, evidence, fact
from tests.planner.sketch import estate, needs, vm

ESTATE = estate(vm("web"), vm("app"), vm("db", application="old", owner="Mia"))


def ties(inventory: Inventory) -> list[tuple[str, str, int | None]]:
    return [(item.source, item.target, item.port) for item in inventory.dependencies]


def test_a_conversation_becomes_a_soft_tie_with_all_that_was_seen() -> None:
    composed = compose(
        ESTATE,
        evidence(
            calls("web", "db", 5432, rows=(12, 40), count=2),
            calls("WEB", "db.corp.example", 5432, rows=(7,), size_bytes=24, last_seen=MONDAY + DAY, origin=2),
        ),
    )
    assert composed.dependencies == (
        Dependency(
            source="id-web",
            target="id-db",
            tie=Tie.SOFT,
            reason="talks to it over tcp",
            port=5432,
            evidence="plain flows-1.csv rows 12, 40; plain flows-2.csv row 7 (3 conversations)",
            confidence=confidence(3, day_bits(MONDAY)),
            traffic_bytes=1024,
            first_seen="2026-10-05T00:00:00Z",
            last_seen="2026-10-06T00:00:00Z",
        ),
    )


def test_more_rows_than_are_cited_are_marked() -> None:
    composed = compose(ESTATE, evidence(calls("web", "db", rows=(2, 3, 4), count=9)))
    assert composed.dependencies[0].evidence == "plain flows-1.csv rows 2, 3, 4, … (9 conversations)"


def test_self_talk_pings_and_strangers_make_no_tie() -> None:
    composed = compose(
        ESTATE,
        evidence(
            calls("web", "WEB.corp.example"),
            calls("web", "db", None, protocol="icmp"),
            calls("web", "8.8.8.8"),
            calls("web", "nobody", size_bytes=2048),
        ),
    )
    assert composed.dependencies == ()
    assert any("1 name of no VM, with 2.0 KiB of traffic" in note for note in composed.notes)


def test_dynamic_ports_are_one_tie_and_a_scan_is_bounded() -> None:
    composed = compose(ESTATE, evidence(calls("web", "db", 50_000), calls("web", "db", 60_000)))
    assert [(item.port, item.reason) for item in composed.dependencies] == [
        (None, "talks to it on dynamic ports over tcp")
    ]
    scan = [calls("web", "db", port, size_bytes=port) for port in range(1, 1001)]
    found = compose(ESTATE, evidence(*scan)).dependencies
    assert len(found) == MOST_PORTS
    assert sum(item.traffic_bytes or 0 for item in found) == sum(range(1, 1001))
    rest = next(item for item in found if item.port is None)
    assert rest.reason == "talks to it on many more ports over tcp"
    assert min(item.port for item in found if item.port is not None) > 900


def test_unknown_traffic_stays_unknown() -> None:
    composed = compose(
        ESTATE, evidence(calls("web", "db", size_bytes=None, first_seen=None, last_seen=None, days=0))
    )
    (tie,) = composed.dependencies
    assert (tie.traffic_bytes, tie.first_seen, tie.last_seen, tie.confidence) == (None, "", "", 0.5)


@pytest.mark.parametrize(
    ("count", "days", "sure"),
    [(1, 0, 0.5), (1, 1, 0.5), (100, 1, 0.69), (1, 7, 0.8), (100, 7, 0.99), (10**9, 63, 0.99)],
)
def test_confidence_rises_with_days_and_conversations(count: int, days: int, sure: float) -> None:
    assert confidence(count, (1 << days) - 1) == sure


def test_a_tie_of_the_source_stays_and_takes_what_was_seen() -> None:
    own = replace(needs("web", "db", Tie.HARD, port=5432), evidence="the document")
    inventory = replace(ESTATE, dependencies=(own, needs("web", "app", Tie.ORDER)))
    composed = compose(inventory, evidence(calls("web", "db", 5432), calls("web", "db", 22)))
    assert ties(composed) == [("id-web", "id-db", 5432), ("id-web", "id-app", None), ("id-web", "id-db", 22)]
    first = composed.dependencies[0]
    assert (first.tie, first.reason, first.traffic_bytes) == (Tie.HARD, "calls", 1000)
    assert first.evidence == "the document; plain flows-1.csv row 2 (1 conversation)"


def test_facts_stand_on_the_vm_with_where_they_are_from() -> None:
    composed = compose(
        ESTATE, evidence(fact("DB", "application", "Shop", 3), fact("db", "tier", "database", 3))
    )
    (found,) = [item for item in composed.vms if item.name == "db"]
    assert (found.application, found.tier, found.owner) == ("Shop", "database", "Mia")
    assert found.sayings == (("application", "flows-1.csv row 3"), ("tier", "flows-1.csv row 3"))
    assert any("overrule what the source says of the application of 1 VM" in note for note in composed.notes)
    assert composed.vms[0] == ESTATE.vms[0]


def test_contradictions_are_kept_and_the_newest_import_counts() -> None:
    said = evidence(
        fact("db", "application", "Shop", 9, origin=2),
        fact("db", "application", "Crm", 3),
        fact("db", "application", "CRM", 4),
        fact("db", "owner", "Ben", 3),
        fact("db", "owner", "ben", 8, origin=2),
    )
    composed = compose(ESTATE, said)
    assert composed.vms[2].application == "Shop"
    _, found = told(said.facts, Resolver(ESTATE), {item.id: item for item in said.imports})
    assert {(item.field, item.value, item.overruled, item.overruled_evidence) for item in found} == {
        ("application", "Shop", "CRM", "flows-1.csv row 4")
    }
    assert any(
        "flows-2.csv row 9 says that the application of db is Shop, flows-1.csv row 4 says CRM" in note
        for note in composed.notes
    )


def test_hundreds_of_contradictions_are_a_few_notes() -> None:
    inventory = estate(*(vm(f"vm-{n}") for n in range(300)))
    said = [
        fact(f"vm-{n}", "owner", who, n + 2, origin)
        for n in range(300)
        for origin, who in ((1, "a"), (2, "b"))
    ]
    notes = compose(inventory, evidence(*said)).notes
    assert len(notes) == 7
    assert "contradict each other in 295 more places" in notes[-1]


def test_an_inventory_without_addresses_says_why_nothing_matched() -> None:
    said = evidence(calls("10.0.0.1", "10.0.0.2"))
    assert any("says no address of any VM" in note for note in compose(ESTATE, said).notes)
    known = estate(vm("web", nics=(Nic("1", "lan", addresses=("10.0.0.1",)),)))
    assert not any("says no address" in note for note in compose(known, said).notes)


def test_composing_is_pure_and_without_evidence_nothing_changes() -> None:
    said = evidence(calls("web", "db"), fact("db", "tier", "database"))
    before = replace(ESTATE)
    assert compose(ESTATE, said) == compose(ESTATE, said)
    assert before == ESTATE
    assert compose(ESTATE, Evidence()) is ESTATE


def test_a_hostile_name_is_visible_in_notes() -> None:
    inventory = estate(vm("\x1b[31mred"))
    said = evidence(fact("\x1b[31mred", "owner", "a\x07"), fact("\x1b[31mred", "owner", "b\u202e", origin=2))
    assert all(note.isprintable() for note in compose(inventory, said).notes)
