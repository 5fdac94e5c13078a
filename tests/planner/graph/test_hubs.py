"""Who counts as a hub, why, and what a person says of it."""

from __future__ import annotations

from planner.graph import hubs, shared_services
from planner.model import Decision, Dependency, Ruling, Tie
from tests.planner.sketch import estate, needs, settings, vm


def test_services_are_named_of_the_directory_tier_or_needed_by_very_many() -> None:
    users = [vm(f"u{n}") for n in range(32)]
    ties = tuple(needs(f"u{n}", "ntp", Tie.SOFT) for n in range(32))
    ties += tuple(needs(f"u{n}", "db", Tie.SOFT) for n in range(10))
    inventory = estate(vm("dc", tier="Directory"), vm("ntp"), vm("db"), vm("named"), *users, ties=ties)
    found = shared_services(inventory, settings(shared_services=["named", "missing"]))
    # The median of those needed at all is 21, five times that is 105: nobody is that busy ...
    assert found == ("id-dc", "id-named")
    few = tuple(needs(f"u{n}", f"u{n + 1}", Tie.SOFT) for n in range(20))
    # ... until the usual VM is needed by one.
    assert shared_services(estate(*inventory.vms, ties=ties + few), settings()) == ("id-dc", "id-ntp")


def test_many_ties_of_one_pair_do_not_make_a_hub() -> None:
    ties = tuple(
        Dependency(source="id-a", target="id-b", tie=Tie.SOFT, reason="r", port=p) for p in range(50)
    )
    assert shared_services(estate(vm("a"), vm("b"), ties=ties), settings()) == ()


def test_a_port_of_the_whole_estate_makes_a_hub_sooner_where_the_name_agrees() -> None:
    def found(server: str, users: int, port: int) -> list[tuple[str, ...]]:
        ties = tuple(needs(f"u{n}", server, Tie.SOFT, port=port) for n in range(users))
        inventory = estate(vm(server), *(vm(f"u{n}") for n in range(users)), ties=ties)
        return [hub.reasons for hub in hubs(inventory, settings())]

    assert found("x", 10, 53) == [("10 VMs use its dns (port 53)",)]
    assert found("x", 9, 53) == []
    assert found("fra-dns01", 5, 53) == [("5 VMs use its dns (port 53)", "its name says dns")]
    assert found("fra-dns01", 4, 53) == []
    assert found("fra-dns01", 9, 1433) == []
    assert found("files", 20, 445) == []


def test_who_calls_on_everybody_to_watch_is_a_hub() -> None:
    ties = tuple(needs("probe", f"u{n}", Tie.SOFT, port=161) for n in range(31))
    (hub,) = hubs(estate(vm("probe"), *(vm(f"u{n}") for n in range(31)), ties=ties), settings())
    assert (hub.vm, hub.users, hub.ports) == ("id-probe", 31, (161,))


def test_a_hub_tells_traffic_and_ports_and_that_nobody_confirmed_it() -> None:
    ties = (
        *(needs(f"u{n}", "dc", Tie.SOFT, port=389, traffic_bytes=10) for n in range(3)),
        needs("u0", "dc", Tie.SOFT, port=53),
    )
    (hub,) = hubs(estate(vm("dc", tier="dns"), *(vm(f"u{n}") for n in range(3)), ties=ties), settings())
    assert (hub.users, hub.traffic_bytes, hub.ports, hub.verdict, hub.counts) == (3, 30, (389, 53), "", True)


def test_a_person_confirms_and_denies() -> None:
    inventory = estate(
        vm("dc", tier="directory"),
        vm("odd"),
        decisions=(
            Decision(Ruling.NO_HUB, "id-dc", who="mia", at="2026-10-01T00:00:00Z"),
            Decision(Ruling.HUB, "id-odd", who="mia", at="2026-10-01T00:00:00Z"),
        ),
    )
    assert [(hub.vm, hub.verdict) for hub in hubs(inventory, settings())] == [
        ("id-dc", "no"),
        ("id-odd", "yes"),
    ]
    assert shared_services(inventory, settings()) == ("id-odd",)
