"""Versions of the settings, and networks mapped by a pattern, on the command line."""

from __future__ import annotations

from tests.tui.cli.command import Wherry, refused


def test_a_version_is_listed_and_set_again(planned: Wherry) -> None:
    first = planned.done("settings", "show", "--json").document
    planned.done("settings", "set", "caps.vms", "7")
    planned.done("settings", "set", "windows", "[{start = 2027-01-09T22:00:00, hours = 8.0}]")
    found = planned.done("settings", "versions", "--json").document
    assert [one["number"] for one in found] == [3, 2, 1, 0]
    assert "the defaults" in planned.done("settings", "versions").out
    said = planned.done("settings", "restore", "1").text
    assert "those of version 1 again" in said
    assert planned.done("settings", "show", "--json").document == first
    before = planned.stored()
    refused(planned("settings", "restore", "9"), 2, "version 9 of the settings does not exist")
    assert planned.stored() == before


def test_sites_stay_where_they_are_when_a_version_is_set_again(planned: Wherry) -> None:
    planned("site", "add", "dc9", "simulated:", "--role", "source")  # refused where there is one already
    sites = planned.done("settings", "show", "--json").document["sites"]
    assert sites
    assert planned.done("settings", "restore", "0", "--json").document["restored"] == 0
    now = planned.done("settings", "show", "--json").document
    assert now["sites"] == sites
    assert now["caps"]["vms"] == 50


def test_networks_are_mapped_by_a_pattern_and_a_check_changes_nothing(planned: Wherry) -> None:
    before = planned.stored()
    tried = planned.done("settings", "map", "*", "to-*", "--check", "--json").document
    assert planned.stored() == before
    assert tried["mapped"]
    assert tried["mapped"] == {name: f"to-{name}" for name in tried["mapped"]}
    assert not tried["applied"]
    assert "mapped" in planned.done("settings", "map", "*", "to-*").text
    assert planned.done("settings", "show", "--json").document["networks"].items() >= tried["mapped"].items()
    refused(planned("settings", "map", "no such-*", "x"), 2, "no network of the source matches")
    refused(planned("settings", "map", "****", "x"), 2, "more than 3 stars")
