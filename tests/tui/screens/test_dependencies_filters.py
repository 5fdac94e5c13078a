"""Filters of tables of 3 Dependencies are kept by table; words on any tie are taken back where they stand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migrate import audit
from planner.model import Inventory, Ruling
from planner.places import words_of
from planner.store import filters
from planner.store.project import Project
from tests.tui.cli.command import Wherry
from tests.tui.screens.linked import build, inventory, press, settled, write
from tests.tui.screens.test_dependencies import deps, place, said, shown, to
from tests.tui.stage import lines, panel, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.acts.deciding import decide
from tui.screens.dependencies_lists import LISTINGS
from tui.screens.dependencies_told import describe_cut
from tui.widgets.vocabulary import vocabulary_of


@pytest.mark.parametrize("name", LISTINGS)
def test_the_words_of_a_table_are_its_columns(name: str) -> None:
    columns, words = LISTINGS[name].columns, words_of(name)
    assert [(one.asked, one.field) for one in columns] == [
        (word, at) for at, word in enumerate(words.fields, 1)
    ]
    kinds = vocabulary_of(columns).fields
    for word, field in words.fields.items():
        assert (type(field), getattr(field, "is_size", None)) == (
            type(kinds[word]),
            getattr(kinds[word], "is_size", None),
        ), word
    row = (name, *(None if one.kind != "text" else "" for one in columns))
    assert {words.fields[word].read(row, None) for word in words.fields} <= {None, (None,)}, (
        "nothing is unknown"
    )


def test_a_cut_says_which_of_two_is_taken() -> None:
    tie = {"source_name": "a", "target_name": "b", "reason": "calls", "said": False}
    cheapest = {"part": ["a"], "refuse": [tie], "traffic_bytes": 1, "unknown": 0, "fits": False}
    fitting = {**cheapest, "part": ["a", "c"], "fits": True}
    told = {"vms": 9, "exact": True, "cheapest": cheapest, "fitting": fitting, "joints": ["b"]}
    assert "r refuse the ties of the one that fits" in describe_cut(told, True).plain
    assert "r refuse these ties" in describe_cut({**told, "fitting": None}, True).plain
    assert "r refuse" not in describe_cut(told, False).plain
    alone = describe_cut({**told, "vms": 1, "cheapest": None, "fitting": None}, True).plain
    assert alone.startswith("one VM alone is above the caps")


async def test_filters_are_kept_by_table_and_used_again(tmp_path: Path) -> None:
    root = build(tmp_path)
    async with deps(root) as pilot:
        for open_it, words, name, matches in (
            ((), "vms>2", "large", {"big"}),
            (("t",), "port:1433", "sql", {"crm-app-01", "report-01"}),
            (("h",), "vm~dc", "services", {"dc-01"}),
        ):
            await press(pilot, *open_it, "slash")
            await write(pilot, words)
            await press(pilot, "enter", "F")
            await write(pilot, name)
            await press(pilot, "enter")
            assert f"saved: @{name}" in lines(pilot)[-2]
            await press(pilot, "escape")
            assert not place(pilot).bar.text
            await press(pilot, "f", "enter")
            assert place(pilot).bar.text == f"@{name}"
            table = shown(pilot)
            await until(lambda table=table, matches=matches: len(table.order) == len(matches))
            await settled(pilot)
            assert {table.rows[at][1] for at in table.order} == matches
            await press(pilot, "slash")
            await write(pilot, f"-@{name}")
            await press(pilot, "enter")
            assert not {table.rows[at][1] for at in table.order} & (matches - {"crm-app-01"}), name
            await press(pilot, "escape")
        await press(pilot, "t", "slash")
        await write(pilot, "@services")
        assert "names a saved filter that does not exist" in lines(pilot)[-2], "another table's"
    with Project.open(root) as project:
        kept = {(one.place, one.name, one.text) for one in filters.every(project)}
    assert kept == {("groups", "large", "vms>2"), ("ties", "sql", "port:1433"), ("hubs", "services", "vm~dc")}


def shelved() -> Inventory:
    """Return the estate with a vApp of three."""
    found = inventory()
    names = ("mdm-01", "report-01", "old-box")
    return replace(
        found,
        vms=tuple(replace(vm, vapp="shelf") if vm.name in names else vm for vm in found.vms),
    )


async def test_a_refused_pair_of_a_vapp_stays_in_the_table_and_is_taken_back(tmp_path: Path) -> None:
    root = build(tmp_path, shelved())
    async with deps(root) as pilot:
        await press(pilot, "t", "slash")
        await write(pilot, "kind:vapp")
        await press(pilot, "enter", "a")
        accepted = said(root)
        assert [one[0] for one in accepted] == ["accept"]
        assert "state       accepted  by" in panel(pilot, "detail")
        await press(pilot, "minus")
        assert said(root) == [], "what was accepted is taken back where it was"
        await press(pilot, "r")
        await write(pilot, "only a folder")
        await press(pilot, "enter")
        assert [(one[0], one[3], one[4]) for one in said(root)] == [("refuse", None, "only a folder")]
        table = shown(pilot)
        states = {table.rows[at][8]: table.rows[at] for at in table.order}
        assert set(states) == {"found", "refused"}
        to(pilot, states["refused"][0])
        await settled(pilot)
        assert "only a folder" in panel(pilot, "detail")
        await press(pilot, "minus")
        assert "1 decision taken back" in text(pilot)
        assert said(root) == []


async def test_only_the_word_on_one_port_is_taken_back(tmp_path: Path) -> None:
    found = inventory()
    app, web = (next(vm.id for vm in found.vms if vm.name == name) for name in ("crm-app-01", "crm-db-01"))
    first = next(one for one in found.dependencies if one.port == 1433)
    more = (*found.dependencies, replace(first, port=1434))
    root = build(tmp_path, replace(found, dependencies=more))
    async with deps(root) as pilot:
        await press(pilot, "t", "slash")
        await write(pilot, "vm~crm-app needs~crm-db")
        await press(pilot, "enter", "asterisk", "a")
        assert {one[1:4] for one in said(root)} == {(app, web, 1433), (app, web, 1434)}
        to(pilot, next(row[0] for row in shown(pilot).rows if row[5] == 1434))
        await press(pilot, "minus")
        assert [one[3] for one in said(root)] == [1433]


async def test_what_people_added_is_taken_back_where_a_circle_or_cut_needs_it(tmp_path: Path) -> None:
    found = inventory()
    seen = tuple(one for one in found.dependencies if one.port not in (1, 2, 7, 8))
    root = build(tmp_path, replace(found, dependencies=seen))
    ids = {vm.name: vm.id for vm in found.vms}
    ring = ("loop-a", "loop-b", "report-01")
    ties = [(Ruling.ORDER, a, b) for a, b in zip(ring, (*ring[1:], ring[0]), strict=True)]
    ties += [(Ruling.HARD, "big-01", "big-02"), (Ruling.HARD, "big-02", "big-03")]
    with Project.open(root) as project:
        for ruling, a, b in ties:
            decide(project, ruling, [ids[a], ids[b]], why="said so")
    async with deps(root) as pilot:
        await press(pilot, "c")
        assert "added by a person" in panel(pilot, "detail")
        assert "r take it back" in panel(pilot, "detail")
        await press(pilot, "r")
        assert "1 added tie taken back" in lines(pilot)[-2]
        assert "no groups wait for each other in a circle" in text(pilot)
        assert sorted(one[0] for one in said(root)) == ["hard", "hard", "order", "order"]
        await press(pilot, "o")
        assert "1 VM leaves: big-0" in panel(pilot, "detail")
        await press(pilot, "r")
        assert "1 VM leaves big, 1 added tie is taken back; both sides fit the caps" in text(pilot)
        await write(pilot, "refuse 1 tie")
        await press(pilot, "enter")
        assert "1 added tie taken back" in lines(pilot)[-2]
        assert sorted(one[0] for one in said(root)) == ["hard", "order", "order"]
    with Project.open(root) as project:
        acts = [one.act for one in audit.lines(project)]
    assert acts[-2:] == ["deps forget", "deps forget"]


async def test_names_of_imports_are_settled_and_opened_again(tmp_path: Path) -> None:
    root = build(tmp_path / "move")
    flows = tmp_path / "flows.csv"
    flows.write_text(
        "source,destination,port,bytes,first_seen,last_seen\n"
        "[/]crm-db-1,mdm-01,1433,5000,2026-08-01T00:00:00+00:00,2026-08-02T00:00:00+00:00\n"
        "ghost,mdm-01,1434,70000,2026-08-01T00:00:00+00:00,2026-08-02T00:00:00+00:00\n"
    )
    cli = Wherry(root)
    cli.done("flows", "import", str(flows))

    def unresolved() -> list[str]:
        return [one["label"] for one in cli.done("flows", "unresolved", "--json").document]

    assert unresolved() == ["ghost", "[/]crm-db-1"]
    async with deps(root) as pilot:
        await press(pilot, "N")
        assert [row[1:4] for row in shown(pilot).rows] == [
            ("ghost", "unknown", 70_000),
            ("[/]crm-db-1", "unknown", 5_000),
        ]
        nothing_took_effect(pilot)
        await press(pilot, "minus")
        assert "nobody settled it" in lines(pilot)[-2]
        await press(pilot, "r")
        assert "ghost is none of the VMs" in lines(pilot)[-2]
        assert unresolved() == ["[/]crm-db-1"]
        to(pilot, "[/]crm-db-1")
        await press(pilot, "a")
        await write(pilot, "crm-db-01")
        await press(pilot, "enter")
        assert unresolved() == []
        assert {(row[1], row[2], row[6]) for row in shown(pilot).rows} == {
            ("[/]crm-db-1", "settled", "crm-db-01"),
            ("ghost", "not ours", ""),
        }
        to(pilot, "[/]crm-db-1")
        await settled(pilot)
        assert "it is crm-db-01" in panel(pilot, "detail")
        await press(pilot, "minus")
        assert unresolved() == ["[/]crm-db-1"]
    here = [
        (row["act"], row["subject"], row["detail"]) for row in cli.done("log", "--json").document["lines"]
    ]
    for words in (("ghost", "--external"), ("[/]crm-db-1", "crm-db-01"), ("[/]crm-db-1", "--forget")):
        cli.done("flows", "map", *words)
    twin = [
        (row["act"], row["subject"], row["detail"]) for row in cli.done("log", "--json").document["lines"]
    ]
    assert here[-3:] == twin[-3:]
