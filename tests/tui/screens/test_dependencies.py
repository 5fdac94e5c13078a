"""3 Dependencies: walking, tables, and every decision as it is stored."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from migrate import audit
from planner.model import Dependency, Inventory, Tie
from planner.store import decisions, evidence, inventories, plans
from planner.store.project import Project
from planner.units import show_bytes
from tests.tui import estate
from tests.tui.cli.command import Wherry
from tests.tui.cli.test_plan_edits import cli, homes
from tests.tui.kept import differs, drawn
from tests.tui.screens.linked import Near, build, inventory, press, settled, write
from tests.tui.stage import BIG, SMALL, lines, opened, panel, table, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.dialogs.pick import Pick
from tui.dialogs.reader import Reader
from tui.screens.dependencies import DependenciesScreen
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

__all__ = ["cli"]
WIDE = (160, 45)
PICTURES = Path(__file__).parents[1] / "pictures"


@asynccontextmanager
async def deps(root: Path, size: tuple[int, int] = BIG, **more: object) -> AsyncIterator[Pilot[None]]:
    async with opened(root, size, **{"place": "dependencies", **more}) as pilot:
        pilot.app.study = Near(root, bool(more.get("read_only")))  # type: ignore[attr-defined]
        await press(pilot, "3")
        yield pilot


def place(pilot: Pilot[None]) -> DependenciesScreen:
    found = pilot.app.screen_stack[0]
    assert isinstance(found, DependenciesScreen)
    return found


def shown(pilot: Pilot[None]) -> VirtualTable:
    return place(pilot).table


def to(pilot: Pilot[None], key: str) -> None:
    """Put the cursor on the row whose first column or key is this."""
    at = place(pilot).table
    for index, row in enumerate(at.rows):
        if key in (row[0], row[1]):
            at.cursor = list(at.order).index(index)
            return
    raise AssertionError(f"{key} is not among {[row[1] for row in at.rows]}")


def said(root: Path) -> list[tuple[str, str, str, int | None, str]]:
    with Project.open(root) as project:
        found = inventories.latest(project).inventory
        return [(one.ruling.value, one.a, one.b, one.port, one.why) for one in found.decisions]


async def test_groups_tell_what_holds_them_and_what_crosses_waves(tmp_path: Path) -> None:
    async with deps(build(tmp_path), SMALL) as pilot:
        rows = {row[1]: row for row in shown(pilot).rows}
        crm = rows["CRM"]
        assert crm[2:5] == (2, sum(pilot.app.view.rows[at][7] for at in (0, 1)), "W01")  # type: ignore[attr-defined]
        assert crm[5:9] == (4 * 2**30, 900 * 2**30, 2, 0), "ties to services do not count as crossing"
        assert rows["crm-web-01"][5] is None, "nobody measured it"
        assert rows["dc-01"][9] == "yes"
        assert {name: row[8] for name, row in rows.items() if row[8]} == {"big": 1, "mdm-01": 1}
        assert "■■□" in text(pilot)


async def test_the_data_of_a_group_of_which_a_part_is_known_is_the_least_it_is(tmp_path: Path) -> None:
    found = inventory()
    bare = [replace(vm, disks=(), gaps=("disks",)) if vm.name == "big-02" else vm for vm in found.vms]
    async with deps(build(tmp_path, replace(found, vms=tuple(bare)))) as pilot:
        to(pilot, "big")
        await settled(pilot)
        known = sum(vm.disk_bytes for vm in bare if vm.name.startswith("big"))
        data = shown(pilot).columns[2]
        told = {row[1]: data.show(row[3]) for row in shown(pilot).rows}
        assert told["big"] == f"≥{show_bytes(known)}"
        assert f"at least {show_bytes(known)}" in panel(pilot, "around")
        assert [name for name, size in told.items() if "≥" in size] == ["big"], "of the others all is known"
        await press(pilot, "o")
        assert f"≥{show_bytes(known)}" in text(pilot)


async def test_one_walks_along_edges_and_back(tmp_path: Path) -> None:
    async with deps(build(tmp_path), WIDE) as pilot:
        to(pilot, "CRM")
        await press(pilot, "enter")
        screen = place(pilot)
        assert screen.around.has_focus
        assert "╔" in panel(pilot, "around")
        await press(pilot, "left")
        assert screen.around.edge is not None
        assert screen.around.edge["group"] == "report-01"
        await press(pilot, "down")
        assert screen.around.edge["group"] == "crm-web-01"
        await press(pilot, "right", "enter")
        assert shown(pilot).key == "mdm-01"
        assert "Dependencies ▸ CRM ▸ mdm-01" in lines(pilot)[0]
        assert "from CRM" in screen.around._by_key
        await press(pilot, "backspace")
        assert shown(pilot).key == "CRM"
        await press(pilot, "backspace")
        assert "this is the group you began with" in text(pilot)
        await press(pilot, "escape")
        assert shown(pilot).has_focus


async def test_how_many_groups_match_is_not_cut_off_for_an_order_that_nobody_chose(tmp_path: Path) -> None:
    async with deps(build(tmp_path), BIG) as pilot:
        assert "groups · in source order" in lines(pilot)[3]
        await press(pilot, "O")
        await settled(pilot)
        shown(pilot).mark([row[0] for row in shown(pilot).rows])
        place(pilot).describe_table()
        await pilot.pause()
        said = lines(pilot)[3].split("╮")[0]
        assert "match" in said
        assert "marked" in said
        assert "…" not in said


async def test_the_price_of_an_edge_stands_beside_it(tmp_path: Path) -> None:
    async with deps(build(tmp_path)) as pilot:
        to(pilot, "crm-web-01")
        await settled(pilot)
        assert "✔ both in W01" in panel(pilot, "side")
        to(pilot, "CRM")
        await press(pilot, "tab", "right", "down")
        assert "→ dc-01" in panel(pilot, "side")
        assert "◇ W01 → W02, 7 days apart" in panel(pilot, "side")
        assert "7.0 GiB in all" in panel(pilot, "side")
        assert "reached from both" in panel(pilot, "side")
        assert "flows" in panel(pilot, "side")
        to(pilot, "big")
        await settled(pilot)
        side = panel(pilot, "side")
        assert (
            "big\n→ mdm-01\n▲ W03 → W01, days unknown\n  300 GiB a day\n  latency unknown\n  3.0% of the line"
            in side
        )
        assert "m mend it by a move" in side
        assert "1 tie across waves\n▸ mdm-01      W01    300 GiB" in side


async def test_enter_on_a_tie_inside_tells_the_reasons(tmp_path: Path) -> None:
    async with deps(build(tmp_path)) as pilot:
        to(pilot, "big")
        await press(pilot, "tab", "tab", "down", "enter")
        assert isinstance(pilot.app.screen, Reader)
        chain = pilot.app.screen.query_one(Panel).text
        assert "big-03 is tied to the first of big by" in chain
        assert "big-01 and big-02  big-01 calls (port 7)" in chain
        await press(pilot, "escape")
        await press(pilot, "escape", "w")
        assert isinstance(pilot.app.screen, Reader)


async def test_all_ties_are_filtered_sorted_and_chosen_by_waves(tmp_path: Path) -> None:
    async with deps(build(tmp_path), WIDE) as pilot:
        await press(pilot, "t")
        assert "11 ties · in source order" in text(pilot)
        await press(pilot, "slash")
        await write(pilot, "port:1433 vm~crm")
        await settled(pilot)
        await until(lambda: "11 ties · 1 match" in text(pilot))
        await press(pilot, "enter")
        assert shown(pilot).row is not None
        assert shown(pilot).row[1:4] == ("crm-app-01", "crm-db-01", "hard")
        assert "known from  flows.csv row 1" in panel(pilot, "detail")
        await press(pilot, "slash")
        await write(pilot, "port:x")
        await until(lambda: "▲" in lines(pilot)[-2])
        await press(pilot, "escape")
        assert place(pilot).now == "ties"
        shown(pilot).sort_by(5, reverse=True)
        place(pilot).find_ties()
        await settled(pilot)
        assert shown(pilot).rows[0][1] == "report-01"
        assert shown(pilot).rows[10][6] is None, "what nobody measured comes last"
        await press(pilot, "O")
        assert "across waves only" in text(pilot)
        assert {row[9] for row in (shown(pilot).rows[at] for at in shown(pilot).order)} == {"yes"}
        shown(pilot).cursor = 0
        await press(pilot, "enter")
        assert place(pilot).now == "groups"


async def test_many_ties_come_as_they_are_scrolled_to(tmp_path: Path) -> None:
    many = inventory()
    ties = tuple(
        Dependency("vm-0", "vm-3", Tie.SOFT, f"tie {at:04}", at, "flows.csv", 1.0, at) for at in range(1, 901)
    )
    async with deps(build(tmp_path, replace(many, dependencies=ties))) as pilot:
        await press(pilot, "t")
        assert "900 ties" in text(pilot)
        shown(pilot).scroll_to(y=850, animate=False)
        await until(lambda: "855" in "\n".join(lines(pilot)[4:12]))
        assert shown(pilot).cursor == 0
        await press(pilot, "asterisk")
        await until(lambda: "900 marked" in text(pilot))


async def test_ties_are_refused_for_a_reason_accepted_and_taken_back(tmp_path: Path) -> None:
    root = build(tmp_path)
    async with deps(root) as pilot:
        await press(pilot, "t", "slash")
        await write(pilot, "vm~big tie:hard")
        await settled(pilot)
        await press(pilot, "enter", "asterisk", "r")
        await press(pilot, "enter")
        assert "this is needed" in text(pilot)
        await write(pilot, "the job is gone")
        await press(pilot, "enter")
        ids = {("vm-10", "vm-11", 7), ("vm-11", "vm-12", 8)}
        assert {one[1:4] for one in said(root)} == ids
        assert {(one[0], one[4]) for one in said(root)} == {("refuse", "the job is gone")}
        assert "2 ties refused" in text(pilot)
        assert {row[8] for row in (shown(pilot).rows[at] for at in range(2))} == {"refused"}
        await press(pilot, "minus")
        assert len(said(root)) == 1
        to(pilot, next(row[0] for row in (shown(pilot).rows[at] for at in range(2)) if row[8] == "found"))
        await press(pilot, "a")
        assert sorted(one[0] for one in said(root)) == ["accept", "refuse"]
        assert not shown(pilot).marks
        await press(pilot, "escape", "escape")
        assert place(pilot).now == "groups"
        assert "big" in {row[1] for row in shown(pilot).rows}


async def test_hubs_are_confirmed_denied_and_opened_again(tmp_path: Path) -> None:
    root = build(tmp_path)
    async with deps(root) as pilot:
        await press(pilot, "h")
        assert "its tier is directory" in panel(pilot, "detail")
        await press(pilot, "a")
        assert [one[:2] for one in said(root)] == [("hub", "vm-5")]
        assert "confirmed" in panel(pilot, "detail")
        await press(pilot, "r")
        await write(pilot, "a plain one")
        await press(pilot, "enter")
        assert [(one[0], one[4]) for one in said(root)] == [("no-hub", "a plain one")]
        await press(pilot, "minus")
        assert said(root) == []
        await press(pilot, "enter")
        await until(lambda: pilot.app.current_mode == "inventory")


async def test_a_cut_is_taken_only_when_it_was_typed(tmp_path: Path) -> None:
    root = build(tmp_path)
    async with deps(root) as pilot:
        await press(pilot, "o")
        assert "cheapest cut, and both sides fit the caps" in panel(pilot, "detail")
        assert "big-02 and big-03" in panel(pilot, "detail")
        await press(pilot, "r", "enter")
        assert said(root) == []
        await write(pilot, "refuse 1 tie")
        await press(pilot, "enter")
        assert [one[:4] for one in said(root)] == [("refuse", "vm-11", "vm-12", 8)]
        assert "no group is known to be above the caps" in text(pilot)
        assert "a cut or circle" not in text(pilot)


async def test_a_circle_is_opened_by_its_cheapest_tie(tmp_path: Path) -> None:
    root = build(tmp_path)
    async with deps(root) as pilot:
        await press(pilot, "c")
        assert "loop-b and loop-a" in panel(pilot, "detail")
        await press(pilot, "minus")
        assert "can only be refused here" in text(pilot)
        await press(pilot, "r")
        await write(pilot, "never used")
        await press(pilot, "enter")
        assert [one[:4] for one in said(root)] == [("refuse", "vm-7", "vm-6", 2)]
        assert "no groups wait for each other" in text(pilot)


async def test_suggestions_are_dismissed_or_taken_under_another_name(tmp_path: Path) -> None:
    root = build(tmp_path)
    async with deps(root) as pilot:
        await press(pilot, "A")
        titles = [row[1] for row in shown(pilot).rows]
        assert "Shop Production" in titles
        to(pilot, next(one for one in titles if one != "Shop Production"))
        gone = shown(pilot).key
        await press(pilot, "r")
        assert gone not in [row[1] for row in shown(pilot).rows]
        to(pilot, "Shop Production")
        await settled(pilot)
        assert "shop-p-web-01" in panel(pilot, "detail")
        await press(pilot, "n")
        await write(pilot, "Store")
        await press(pilot, "enter")
        with Project.open(root) as project:
            found = {vm.name: vm.application for vm in inventories.latest(project).inventory.vms}
        assert (found["shop-p-web-01"], found["shop-p-db-01"]) == ("Store", "Store")
        assert "Shop Production" not in [row[1] for row in shown(pilot).rows]
        for name in ("Shop Production", gone):
            await press(pilot, "minus")
            assert "Take back what was taken, named or dismissed" in text(pilot)
            await press(pilot, "enter")  # the newest is the first
            assert name in [row[1] for row in shown(pilot).rows]
        with Project.open(root) as project:
            found = {vm.name: vm.application for vm in inventories.latest(project).inventory.vms}
            acts = [line.act for line in audit.lines(project)][-2:]
        assert found["shop-p-web-01"] == ""
        assert acts == ["flows withdraw", "deps suggest --undismiss"]
        await press(pilot, "minus")
        assert "nothing was taken, named or dismissed here" in text(pilot)


async def test_a_tie_is_added_by_hand(tmp_path: Path) -> None:
    root = build(tmp_path)
    async with deps(root) as pilot:
        await press(pilot, "plus")
        assert isinstance(pilot.app.screen, Pick)
        await write(pilot, "mdm")
        await press(pilot, "enter")
        assert "which one does mdm-01 need?" in text(pilot)
        await write(pilot, "old-b")
        await press(pilot, "enter", "tab")
        await write(pilot, "needs 1 ms")
        await press(pilot, "enter")
        assert said(root) == [("hard", "vm-3", "vm-13", None, "needs 1 ms")]
        to(pilot, "mdm-01")
        await settled(pilot)
        assert place(pilot).inside.rows[0][1:5] == ("mdm-01", "hard →", None, "old-box")
        await press(pilot, "tab", "tab", "minus")
        assert said(root) == []


async def test_the_application_of_a_group_is_named(tmp_path: Path) -> None:
    root = build(tmp_path)
    async with deps(root) as pilot:
        to(pilot, "big")
        await settled(pilot)
        await press(pilot, "n")
        await write(pilot, "Ledger")
        await press(pilot, "enter")
        with Project.open(root) as project:
            found = {vm.name: vm.application for vm in inventories.latest(project).inventory.vms}
            assert len(evidence.imports(project)) == 1
        assert {found[f"big-0{at}"] for at in (1, 2, 3)} == {"Ledger"}
        assert "Ledger" in {row[1] for row in shown(pilot).rows}


async def test_the_graph_is_written_by_a_job(tmp_path: Path) -> None:
    root = build(tmp_path / "move")
    out = tmp_path / "out"
    async with deps(root) as pilot:
        await press(pilot, "x", "tab")
        await write(pilot, str(out))
        await press(pilot, "enter")
        await until(lambda: pilot.app.job is not None and not pilot.app.job.state.running)  # type: ignore[attr-defined]
    job = pilot.app.job  # type: ignore[attr-defined]
    assert job.argv[:2] == ("export", "--json")
    assert "dot" in job.argv


async def test_what_cannot_be_done_says_why(tmp_path: Path) -> None:
    async with deps(build(tmp_path), WIDE) as pilot:
        for keys, words in (
            (["a"], "choose a tie first"), (["m"], "choose a tie across waves in the drawing first"),
            (["F"], "write a filter that works first"),
            (["h", "w"], "turn to the groups or to all ties"),
            (["O"], "turn to the groups or to all ties"), (["n"], "choose a group first"),
        ):  # fmt: skip
            await press(pilot, *keys)
            assert words in lines(pilot)[-2], keys


async def test_read_only_changes_nothing(tmp_path: Path) -> None:
    root = build(tmp_path)
    with Project.open(root) as project:
        before = project.rows("SELECT count(*) FROM decision")[0][0], inventories.latest(project).id
    async with deps(root, read_only=True) as pilot:
        await press(pilot, "t")
        for key in ("a", "r", "minus", "plus", "n", "m"):
            await press(pilot, key)
            assert len(pilot.app.screen_stack) == 1, key
        assert "accept" not in lines(pilot)[-1]
        for key in ("t", "h", "o", "c", "A", "N"):
            await press(pilot, key)
            shows = text(pilot)
            acts = (
                "a accept",
                "r refuse",
                "- take",
                "a take",
                "r drop",
                "m mend",
                "r dismiss",
                "a it is one",
            )
            assert not [words for words in acts if words in shows], (key, shows)
    with Project.open(root) as project:
        assert (project.rows("SELECT count(*) FROM decision")[0][0], inventories.latest(project).id) == before
        assert decisions.remembered(project) == ()


async def test_the_mouse_selects_and_follows_edges(tmp_path: Path) -> None:
    async with deps(build(tmp_path), WIDE) as pilot:
        to(pilot, "CRM")
        await settled(pilot)
        around = place(pilot).around
        spot = around._picture.spots["from report-01"]
        await pilot.click("#around", offset=(spot.first + 4, spot.line + 1))
        await settled(pilot)
        assert around.selected == "from report-01"
        await pilot.click("#around", offset=(spot.first + 4, spot.line + 1), times=2)
        await settled(pilot)
        assert shown(pilot).key == "report-01"


async def test_narrow_columns_take_turns(tmp_path: Path) -> None:
    async with deps(build(tmp_path), SMALL) as pilot:
        groups, middle, side = (pilot.app.screen.query_one(name) for name in ("#groups", "#middle", "#side"))
        seen = []
        for _ in range(4):
            seen.append(tuple(bool(one.region) for one in (groups, middle, side)))
            await press(pilot, "tab")
        assert seen == [
            (True, False, False),
            (False, True, False),
            (False, True, False),
            (False, False, True),
        ]
        await press(pilot, "tab", "escape")
        assert bool(groups.region)
        for work, shows in (
            ("laying the plan out", "◐ laying the plan…  [PLAN ONLY]  14:02 UTC"),
            ("planning acme-dc1-exit 45%", "◐ planning ac… 45%  [PLAN ONLY]  14:02 UTC"),
        ):
            pilot.app._busy.append(work)  # type: ignore[attr-defined]
            place(pilot).show_frame()
            await pilot.pause()
            assert lines(pilot)[0].startswith(" wherry ▸ acme ▸ Dependencies"), "the place keeps its name"
            assert lines(pilot)[0].endswith(shows)
        pilot.app._busy.clear()  # type: ignore[attr-defined]


async def test_a_group_is_gone_to_from_elsewhere(tmp_path: Path) -> None:
    async with opened(build(tmp_path)) as pilot:
        pilot.app.open_group("mdm-01")  # type: ignore[attr-defined]
        await until(lambda: pilot.app.current_mode == "dependencies")
        await settled(pilot)
        assert table(pilot).key == "mdm-01"


async def test_a_group_that_only_an_older_plan_has_is_not_asked_for(tmp_path: Path) -> None:
    root = build(tmp_path)
    with Project.open(root) as project:
        found = inventories.latest(project).inventory
        first = replace(found.vms[0], name="crm-new-01", application="New")
        inventories.save(project, replace(found, vms=(first, *found.vms[1:])))
    asked: list[str] = []
    go_on = threading.Event()
    async with opened(root) as pilot:
        pilot.app.study = Near(root)  # type: ignore[attr-defined]
        whole = pilot.app.study.ask  # type: ignore[attr-defined]

        def ask(op: str, /, **args: object) -> object:
            if op == "around":
                asked.append(str(args["name"]))
            if op == "groups":
                go_on.wait(20)
            return whole(op, **args)

        pilot.app.study.ask = ask  # type: ignore[attr-defined]
        await pilot.press("3")
        await until(lambda: "reading the estate …" in panel(pilot, "side"), 10)  # not that there is no group
        go_on.set()
        await settled(pilot)
        assert "is no move group" not in text(pilot)
        names = {str(row[0]) for row in table(pilot).rows}
        assert asked
        assert set(asked) <= names


async def test_an_empty_project_says_what_to_do(tmp_path: Path) -> None:
    Project.create(tmp_path, "acme").close()
    async with deps(tmp_path) as pilot:
        assert "no inventory yet: press i,\nor run 'wherry discover FILE'" in panel(pilot, "around")
        for key in ("t", "enter", "tab", "a", "w", "escape"):
            await press(pilot, key)
        assert pilot.app.is_running


async def test_without_a_plan_waves_are_unknown_not_fine(tmp_path: Path) -> None:
    estate.build(tmp_path, inventory(), planned=False)
    async with deps(tmp_path) as pilot:
        assert plans_of(tmp_path) is None
        to(pilot, "CRM")
        await settled(pilot)
        assert {row[8] for row in shown(pilot).rows} == {None}
        assert "no plan yet" in panel(pilot, "side")
        assert "✔" not in panel(pilot, "side")
        await press(pilot, "t")
        assert {(row[1], row[9]) for row in shown(pilot).rows} >= {("crm-app-01", ""), ("big-01", "")}


def plans_of(root: Path) -> object:
    with Project.open(root) as project:
        return plans.find_head(project)


async def test_the_same_key_and_escape_lead_back(tmp_path: Path) -> None:
    async with deps(build(tmp_path)) as pilot:
        for key in "thocA":
            await press(pilot, key)
            assert place(pilot).now != "groups", key
            await press(pilot, key)
            assert place(pilot).now == "groups", key
            await press(pilot, key, "escape")
            assert (place(pilot).now, shown(pilot).has_focus) == ("groups", True), key


async def test_a_tie_across_waves_is_mended_by_a_move(cli: Wherry) -> None:
    cli.done("deps", "add", "solo", "db-1", "--order", "--why", "reads it")
    cli.done("plan", "--effort", "quick")
    before = homes(cli)
    async with deps(cli.root) as pilot:
        to(pilot, "solo")
        await press(pilot, "tab")
        assert place(pilot).around.edge is not None
        assert "m mend it by a move" in panel(pilot, "side")
        await press(pilot, "m")
        assert isinstance(pilot.app.screen, Pick)
        offers = pilot.app.screen._choices
        assert any(one.why_not.startswith("✖") for one in offers), "a full wave says why not"
        good = next(one for one in offers if not one.why_not)
        await write(pilot, good.name)
        await press(pilot, "enter")
        group, _, wave = good.name.partition(" to ")
        assert "back with: wherry plan undo" in text(pilot)
        after = homes(cli)
        assert after["solo" if group == "solo" else "db-1"] == wave != before["solo"]
        await until(lambda: pilot.app.view.plan.version == 3)  # type: ignore[attr-defined]
    assert "move" in cli.done("log").out


@pytest.mark.parametrize("size", [BIG, SMALL])
async def test_hostile_names_do_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    root = build(tmp_path, hostile())
    async with deps(root, size) as pilot:
        nothing_took_effect(pilot)
        for _ in range(len(shown(pilot).order)):
            shown(pilot).action_move(1)
            await settled(pilot)
            nothing_took_effect(pilot)
        for key in ("tab", "tab", "w", "escape", "escape", "n", "escape", "t", "w", "escape", "h", "o", "c",
                    "A", "plus", "enter", "enter", "escape"):  # fmt: skip
            await press(pilot, key)
            nothing_took_effect(pilot)
        assert pilot.app.is_running


def hostile() -> Inventory:
    """Return an estate in which every name, reason and piece of evidence is an attack, tied in a ring."""
    found = estate.hostile_estate()
    ids = [vm.id for vm in found.vms]
    kinds = (Tie.HARD, Tie.SOFT, Tie.ORDER)
    ties = tuple(
        Dependency(a, b, kinds[at % 3], text, at, text, 0.5, 2**30)
        for at, (a, b, text) in enumerate(zip(ids, [*ids[1:], ids[0]], estate.HOSTILE, strict=True))
    )
    return replace(found, dependencies=ties)


@pytest.mark.parametrize("size", [SMALL, BIG, WIDE])
async def test_it_looks_as_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    changed = []
    async with deps(build(tmp_path), size) as pilot:
        to(pilot, "big")
        await settled(pilot)
        for key, name in ((None, "dependencies"), ("t", "dependencies-ties")):
            if key:
                await press(pilot, key)
            path = PICTURES / f"{name}-{size[0]}x{size[1]}.txt"
            changed.append(await differs(path, lambda: text(pilot) + "\n"))
            if name == "dependencies" and size == BIG:
                coloured = PICTURES / "dependencies-harbour.svg"
                changed.append(await differs(coloured, lambda: drawn(pilot, "dependencies")))
    assert not any(changed), "\n".join(changed)
