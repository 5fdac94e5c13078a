"""Versions of the settings, and networks mapped by a pattern, on the command line."""

from __future__ import annotations

from pathlib import Path

from tests.tui.cli.command import Wherry, refused, wherry


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


def test_datastores_and_folders_are_mapped_like_networks(planned: Wherry) -> None:
    stored = planned.done("settings", "show", "--json").document
    tried = planned.done("settings", "map", "--datastores", "*", "gold-*", "--check", "--json").document
    assert tried["mapped"]
    assert all(to == f"gold-{name}" for name, to in tried["mapped"].items())
    assert planned.done("settings", "show", "--json").document == stored
    assert "mapped" in planned.done("settings", "map", "--datastores", "*", "gold-*").text
    assert planned.done("settings", "show", "--json").document["datastores"] == tried["mapped"]
    refused(
        planned("settings", "map", "--datastores", "none-*", "x"), 2, "no datastore of the source matches"
    )
    refused(planned("settings", "map", "--folders", "none-*", "x"), 2, "no folder of the source matches")
    refused(planned("settings", "set", "folders", '{a = "x", "/a" = "y"}'), 2, "one folder, mapped twice")
    refused(planned("settings", "set", "datastores", '{a = ""}'), 2, "datastores")
    refused(planned("settings", "map", "--pools", "none-*", "x"), 2, "no resource pool of the source matches")
    refused(planned("settings", "map", "--storage-policies", "none-*", "x"), 2, "no storage policy of the")
    refused(planned("settings", "set", "pools", '{a = "x", "/a" = "y"}'), 2, "one pool, mapped twice")
    planned.done("settings", "set", "pools.gold/db", "gold-2")
    planned.done("settings", "set", "storage_policies.Gold", "Mirrored")
    planned.done("settings", "set", "datastores.later", "gold-2")
    planned.done("settings", "set", "folders.later", "Later")
    now = planned.done("settings", "show", "--json").document
    assert now["networks"] == stored["networks"]
    assert (now["pools"], now["storage_policies"]) == ({"gold/db": "gold-2"}, {"Gold": "Mirrored"})
    assert (now["datastores"]["later"], now["folders"]) == ("gold-2", {"later": "Later"})


def test_a_folder_has_one_map_however_its_path_was_spelled(tmp_path: Path) -> None:
    assert wherry("init", str(tmp_path / "p")).code == 0
    cli = Wherry(tmp_path / "p")
    cli.done("discover", "estate")
    tried = cli.done("settings", "map", "--folders", "*", "Moved/*", "--check", "--json").document["mapped"]
    path = max(tried, key=len)
    assert "/" in path.strip("/")
    assert tried[path] == f"Moved/{path}"
    assert path.partition("/")[0] in tried, "folders above are mapped too"
    assert "/" not in tried, "the root is meant only where it is named"
    assert "/ → Moved" in cli.done("settings", "map", "--folders", "/", "Moved", "--check").out
    cli.done("settings", "set", "folders", f'{{"/{path}/" = "Old"}}')
    assert f"{path} → New" in cli.done("settings", "map", "--folders", path, "New").out
    assert cli.done("settings", "show", "--json").document["folders"] == {path: "New"}
