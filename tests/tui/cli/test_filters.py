"""wherry filters: saved, listed, used inside other filters, forgotten, and all of it written down."""

from __future__ import annotations

from tests.tui.cli.command import Wherry, refused, wherry


def names(cli: Wherry, *terms: str) -> list[str]:
    return sorted(vm["name"] for vm in cli.done("inventory", "--json", *terms).document)


def test_a_saved_filter_is_a_word_of_other_filters(planned: Wherry) -> None:
    assert planned.done("filters", "--json").document == []
    every = names(planned)
    one = every[0]
    said = planned.done("filters", "save", "First", f'name:"{one}"').out
    assert f'@first stands for name:"{one}" in filters of inventory' in said
    at = ("--project", str(planned.root))
    assert wherry("filters", "save", "rest", *at, "--", "-@first").code == 0
    assert names(planned, "@first") == [one]
    assert names(planned, "@rest") == every[1:]
    found = planned.done("check", "@FIRST", "--json").document["findings"]
    assert {item["subject_name"] for item in found} == {one}
    listed = planned.done("filters").out
    assert "@first" in listed
    assert "-@first" in listed
    assert [item["name"] for item in planned.done("filters", "--json").document] == ["first", "rest"]


def test_forgetting_is_refused_while_others_name_it(planned: Wherry) -> None:
    planned.done("filters", "save", "a", "power:on")
    planned.done("filters", "save", "b", "@a")
    refused(planned("filters", "forget", "a"), 2, "filter 'a' is part of @b", "forget or change those first")
    assert planned.done("filters", "forget", "b", "--json").document["text"] == "@a"
    planned.done("filters", "forget", "a")
    refused(planned("filters", "forget", "a"), 2, "no filter 'a' is saved for inventory")


def test_what_cannot_be_read_is_not_saved(planned: Wherry) -> None:
    before = planned.stored()
    refused(planned("filters", "save", "a", "@a"), 2, "names itself: @a names @a")
    refused(planned("filters", "save", "a", "vms>3"), 2, "names a field that does not exist: vms")
    refused(planned("filters", "save", "a", "x", "--for", "runs"), 2, "runs")
    refused(planned("inventory", "@nobody"), 2, "names a saved filter that does not exist", "none yet")
    assert planned.stored() == before


def test_each_table_has_its_own(planned: Wherry) -> None:
    planned.done("filters", "save", "big", "vms>3", "--for", "waves")
    planned.done("filters", "save", "big", "severity:blocker", "--for", "findings")
    assert [item["place"] for item in planned.done("filters", "--json").document] == ["findings", "waves"]
    refused(planned("inventory", "@big"), 2, "does not exist")
    refused(planned("filters", "forget", "big"), 2, "saved for inventory")


def test_saving_and_forgetting_are_written_down(planned: Wherry) -> None:
    planned.done("filters", "save", "big", "disk>2T")
    planned.done("filters", "forget", "big")
    lines = planned.done("log", "--json").document["lines"]
    acts = [(line["act"], line["subject"], line["effect"]) for line in lines if "filters" in line["act"]]
    assert acts == [("filters save", "@big", "edit-plan"), ("filters forget", "@big", "edit-plan")]


def test_the_plan_is_asked_where_a_filter_names_waves(planned: Wherry) -> None:
    name = next(iter(planned.done("plan", "show", "--json").document["waves"]))
    groups = planned.done("plan", "show", name, "--json").document["groups"]
    asked = planned.done("inventory", "--json", f"wave:{name}").document
    assert {vm["id"] for vm in asked} == {vm for group in groups for vm in group["vms"]}
    assert names(planned, "wave:none") == []
    assert names(planned, "-wave:none") == names(planned)
    asked = planned.done("inventory", "--json", f'group:"{groups[0]["name"]}"').document
    assert {vm["id"] for vm in asked} == set(groups[0]["vms"])
