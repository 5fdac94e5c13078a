"""Checks: every action by its key, in the project as well as on the screen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from planner.checks.registry import Readiness
from planner.checks.waivers import Subject
from planner.model import Finding, Inventory, Severity
from planner.store import judged as judged_store
from planner.store import waivers
from planner.store.project import Project
from tests.tui import estate
from tests.tui.cli.command import Wherry
from tests.tui.kept import differs, drawn
from tests.tui.stage import BIG, SMALL, lines, on, opened, panel, reached, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.dialogs.dialog import Dialog
from tui.dialogs.form import Form
from tui.dialogs.pick import Pick
from tui.dialogs.tasks import Tasks
from tui.screens.checks import ChecksScreen
from tui.session import Session
from tui.widgets.table import VirtualTable

KEPT = Path(__file__).parents[1] / "pictures"
RDM, OFF, TOOLS = "disks.rdm.physical", "compute.suspended", "guest.database"


def found(inventory: Inventory) -> Readiness:
    """Return what real checks might say: a blocker, warnings of which one is accepted, a host, unknowns."""
    said = []
    for item in inventory.vms:
        if len(item.disks) > 1:
            said.append((RDM, Severity.WARNING, item, f"{item.name} has a physical RDM", ""))
        if item.name in ("old-box", estate.HOSTILE[0]):
            said.append((OFF, Severity.BLOCKER, item, f"{item.name}: suspended", ""))
        if item.name in ("crm-db-01", estate.HOSTILE[1]):
            waiver = f"{item.name} accepts it until 2099-01-31: known"
            said.append((TOOLS, Severity.INFO, item, f"{item.name} runs a database", waiver))
    of_host = Finding(
        "hosts.version", Severity.WARNING, "h-1", "esx-01", "esx-01 is old", "upgrade it", "host"
    )
    weights = list(Severity)
    return Readiness(
        (
            *(
                Finding(check, weight, vm.id, vm.name, message, f"mend {vm.name}", waiver=waiver)
                for check, weight, vm, message, waiver in sorted(said, key=lambda one: weights.index(one[1]))
            ),
            of_host,
        ),
        {"compute.affinity": 2, RDM: 1},
        {inventory.vms[0].id: 2, inventory.vms[-1].id: 1},
    )  # fmt: skip


def faked(root: Path, inventory: Inventory | None = None, **more: Any) -> Any:
    """Open a project whose checks said what this module says."""
    estate.build(root, inventory, waves=3)
    return opened(root, session=estate.session(root, checks_of=found), place="checks", **more)


def screen(pilot: Pilot[None]) -> ChecksScreen:
    return next(item for item in pilot.app.screen_stack if isinstance(item, ChecksScreen))


def shown(pilot: Pilot[None], name: str) -> list[Any]:
    table = screen(pilot).table_of(name)
    return [table.rows[index] for index in table.order]


async def go(pilot: Pilot[None], explained: bool = False) -> ChecksScreen:
    """Go to Checks and wait until findings are there, and if wanted what the study says of their check."""
    await pilot.press("9")
    await until(lambda: screen(pilot).ready and bool(screen(pilot).table_of("found").rows))
    if explained:
        await until(lambda: screen(pilot).said_of("disks.rdm.physical") is not None)
    await pilot.pause()
    return screen(pilot)


async def key(pilot: Pilot[None], *keys: str) -> None:
    for one in keys:
        await pilot.press(one)
        await pilot.pause()


# looking


async def test_a_finding_stands_next_to_its_remedy_and_the_check_is_explained(tmp_path: Path) -> None:
    async with faked(tmp_path) as pilot:
        await go(pilot, explained=True)
        assert [row[0] for row in shown(pilot, "checks")] == [
            OFF, RDM, "hosts.version", TOOLS, "compute.affinity",
        ]  # fmt: skip
        assert [row.subject_name for row in shown(pilot, "found")] == ["old-box"]
        assert "suspended" in text(pilot)
        said = panel(pilot, "explained")
        assert "→ mend old-box" in said
        assert "VM is suspended" in said
        assert "moving warm" in said
        assert "why" in said
        assert f"▸ Checks ▸ {OFF}" in lines(pilot)[0]
        await key(pilot, "down")
        await until(lambda: len(shown(pilot, "found")) == 2)
        assert [row.wave for row in shown(pilot, "found")] == ["W01", "W01"]
        assert "1 object undecided" in panel(pilot, "explained") or "? 1 object" in panel(pilot, "explained")
        await key(pilot, "end")
        await until(lambda: not shown(pilot, "found"))
        await until(lambda: "? 2 undecided, the source does not say enough" in text(pilot))


async def test_enter_leads_to_the_findings_and_on_to_the_vm(tmp_path: Path) -> None:
    async with faked(tmp_path) as pilot:
        place = await go(pilot)
        await key(pilot, "enter")
        assert place.table_of("found").has_focus
        await key(pilot, "escape")
        assert place.table_of("checks").has_focus
        await key(pilot, "enter", "enter")
        await until(lambda: pilot.app.current_mode == "inventory")
        await until(lambda: pilot.app.screen.query_one("#vms", VirtualTable).key == "vm-10")


async def test_what_is_not_about_a_vm_has_no_page(tmp_path: Path) -> None:
    async with faked(tmp_path) as pilot:
        await go(pilot)
        await key(pilot, "down", "down")
        await until(lambda: [row.subject_kind for row in shown(pilot, "found")] == ["host"])
        await key(pilot, "enter", "enter")
        assert "it is about a host: only VMs have a page" in text(pilot)


async def test_by_vm_and_only_a_part_of_it(tmp_path: Path) -> None:
    async with faked(tmp_path) as pilot:
        place = await go(pilot)
        await key(pilot, "b")
        assert [row[1] for row in shown(pilot, "vms")][:1] == ["old-box"]  # the worst first
        assert {row[1] for row in shown(pilot, "vms")} == {"old-box", "shop-db-01", "shop-db-02", "tiny"}
        assert place.table_of("vms").has_focus
        await key(pilot, "o")
        assert [row[1] for row in shown(pilot, "vms")] == ["old-box"]
        assert "only blockers" in text(pilot)
        await key(pilot, "n")
        assert {row[1] for row in shown(pilot, "vms")} == {"shop-db-01", "tiny"}
        await key(pilot, "b")
        assert [row[0] for row in shown(pilot, "checks")] == [RDM, "compute.affinity"]
        await key(pilot, "a")
        assert [row[0] for row in shown(pilot, "checks")] == [TOOLS]
        await until(lambda: [row.waiver[:9] for row in shown(pilot, "found")] == ["crm-db-01"])
        await key(pilot, "escape")  # shows all again before it leaves
        assert len(shown(pilot, "checks")) == 5
        await key(pilot, "o", "o")
        assert len(shown(pilot, "checks")) == 5


async def test_each_table_keeps_its_own_filter(tmp_path: Path) -> None:
    async with faked(tmp_path) as pilot:
        place = await go(pilot)
        await key(pilot, "slash", *"severity:warning", "enter")
        assert [row[0] for row in shown(pilot, "checks")] == [RDM, "hosts.version"]
        await until(lambda: len(shown(pilot, "found")) == 2)
        await key(pilot, "enter", "slash", *"name~02", "enter")
        assert [row.subject_name for row in shown(pilot, "found")] == ["shop-db-02"]
        assert "shop-db" not in place.bar.text
        await key(pilot, "escape", "escape")
        assert place.bar.text == "severity:warning"
        await key(pilot, "enter", "slash", *"wave:W01 -waived:yes", "enter")
        await until(lambda: len(shown(pilot, "found")) == 2)
        await key(pilot, "slash", *" colour:red")
        await until(lambda: "▲" in lines(pilot)[-2])
        assert "colour" in lines(pilot)[-2]


async def test_filters_of_findings_are_saved_and_those_of_checks_say_why_not(tmp_path: Path) -> None:
    async with faked(tmp_path) as pilot:
        await go(pilot)
        await key(pilot, "F")
        assert "saved filters are of findings and VMs" in text(pilot)
        await key(pilot, "enter", "slash", *"name~old", "enter", "F")
        await key(pilot, *"olds", "enter")
        await until(lambda: "@olds" in text(pilot))
    with Project.open(tmp_path) as project:
        from planner.store import filters

        assert filters.texts(project, "findings") == {"olds": "name~old"}


async def test_other_places_lead_to_a_check_or_a_vm(tmp_path: Path) -> None:
    async with faked(tmp_path) as pilot:
        place = await go(pilot)
        place.select(TOOLS)
        await pilot.pause()
        assert place.table_of("checks").key == TOOLS
        await key(pilot, "o")
        place.select("vm-1")
        await pilot.pause()
        assert place.by_vm
        assert place.table_of("vms").key == "vm-1"
        assert place.only == ""
        place.select("vm-5")
        await pilot.pause()
        assert "nothing was found about vm-5" in text(pilot)


async def test_narrow_panels_take_turns_and_the_mouse_opens(tmp_path: Path) -> None:
    async with faked(tmp_path, size=SMALL) as pilot:
        place = await go(pilot)
        assert not place.panel("explained").display
        await key(pilot, "tab", "tab")
        assert place.panel("explained").display
        assert place.panel("explained").has_focus
        assert not place.table_of("found").display
        await key(pilot, "tab")
        assert place.table_of("checks").has_focus
        await pilot.click("#checks", offset=(6, 3))
        await until(lambda: place.table_of("checks").key == RDM)
        await pilot.click("#checks", offset=(6, 3), times=2)
        await until(lambda: place.table_of("found").has_focus)


async def test_columns_are_kept_for_each_table(tmp_path: Path) -> None:
    async with faked(tmp_path) as pilot:
        place = await go(pilot)
        place.keep_columns(place.table_of("checks"), (1, 3))
        place.keep_columns(place.table_of("found"), (2, 3))
        likes = pilot.app.preferences.columns  # type: ignore[attr-defined]
        assert (likes["checks.checks"], likes["checks.found"]) == (("check", "found"), ("name", "found"))


# while the checks are not current


async def test_before_any_check_ran_nothing_is_counted(tmp_path: Path) -> None:
    never = Session(estate.build(tmp_path), status_of=estate.status_of, patience_s=0.2, judges=False)
    async with opened(tmp_path, BIG, never) as pilot:
        await pilot.press("9")
        await until(lambda: "not checked yet: press c" in text(pilot))
        assert "not known yet" in text(pilot)
        assert "0 checks" not in text(pilot)
        assert "0 findings" not in text(pilot)


async def test_what_is_of_before_says_so_and_what_is_newer_follows(tmp_path: Path) -> None:
    async with faked(tmp_path) as pilot:
        await go(pilot)
        with Project.open(tmp_path) as project:
            waivers.give(project, check=OFF, subjects=(Subject("vm", "vm-10", "old-box"),), reason="r",
                         owner="o", until=datetime.now(UTC).date() + timedelta(days=9), who="w")  # fmt: skip
        await until(lambda: "of before" in text(pilot))
        assert "something changed since the last check: c runs the checks again" in lines(pilot)[-2]
        assert len(shown(pilot, "checks")) == 5
        await key(pilot, "w")
        assert "the checks are not current" in text(pilot)
        assert not isinstance(pilot.app.screen, Dialog)
        estate.judge(tmp_path, lambda inventory: Readiness(found(inventory).findings[1:], {}))
        await until(lambda: "of before" not in text(pilot))
        assert [row[0] for row in shown(pilot, "checks")] == [RDM, "hosts.version", TOOLS]


async def test_a_wherry_that_was_replaced_says_so_and_takes_what_the_new_one_says(tmp_path: Path) -> None:
    estate.build(tmp_path)
    estate.judge(tmp_path, found)
    session = Session(tmp_path, judges=False, code_of=lambda: "newer")
    async with opened(tmp_path, session=session) as pilot:
        await go(pilot)
        await until(lambda: "another wherry was installed since: c runs its checks" in lines(pilot)[-2])
        assert len(shown(pilot, "checks")) == 5
        with Project.open(tmp_path) as project:  # as its process does
            told = replace(judged_store.stamp(project), code="newer")
            judged_store.store(project, told, [row[0] for row in pilot.app.view.rows], Readiness((), {}))  # type: ignore[attr-defined]
        await until(lambda: "✔ no check found anything" in text(pilot))
        assert "another wherry" not in text(pilot)
        assert "of before" not in text(pilot)


async def test_a_project_without_an_inventory_says_what_to_do(tmp_path: Path) -> None:
    Project.create(tmp_path).close()
    async with opened(tmp_path) as pilot:
        await key(pilot, "9")
        assert "no inventory yet: press i, or run 'wherry discover FILE'" in text(pilot)
        await key(pilot, "w")
        assert "there is no inventory yet" in text(pilot)


# acting, on real checks


@pytest.fixture(scope="session")
def judged(dated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was checked: a disk that cannot follow, MAC addresses that are twins, databases."""
    root = shutil.copytree(dated, tmp_path_factory.mktemp("judged") / "move")
    Wherry(root).done("check")
    return root


@pytest.fixture
def cli(judged: Path, tmp_path: Path) -> Wherry:
    return Wherry(shutil.copytree(judged, tmp_path / "move"))


async def at_check(pilot: Pilot[None], check: str) -> ChecksScreen:
    place = await go(pilot)
    place.select(check)
    await until(lambda: {row.check for row in shown(pilot, "found")} == {check})
    return place


async def fill(pilot: Pilot[None], *values: str) -> None:
    """Fill the form on the screen and answer it."""
    await reached(pilot, Form)
    for at, value in enumerate(values):
        await key(pilot, *(["tab"] if at else []), *value)
    await key(pilot, "ctrl+s")


def real(cli: Wherry, **more: Any) -> Any:
    return opened(cli.root, session=Session(cli.root), place="checks", **more)


def given(cli: Wherry) -> list[tuple[str, list[str], str, str, str]]:
    return [
        (
            item["check"],
            [one["name"] for one in item["subjects"]],
            item["reason"],
            item["owner"],
            item["state"],
        )
        for item in cli.done("waive", "--list", "--json").document
    ]


async def test_marked_findings_are_accepted_and_taken_back(cli: Wherry) -> None:
    async with real(cli) as pilot:
        place = await at_check(pilot, "network.mac.duplicate")
        names = [row.subject_name for row in shown(pilot, "found")]
        assert len(names) > 2
        await key(pilot, "enter", "space", "space", "w")
        await until(lambda: on(pilot, Form) and "network.mac.duplicate on 2 objects" in text(pilot))
        assert names[0] in text(pilot)
        await fill(pilot, "known twins", "Anna Berg")
        await until(lambda: len(given(cli)) == 1)
        assert given(cli) == [
            ("network.mac.duplicate", names[:2], "known twins", "Anna Berg", "in force"),
        ]  # fmt: skip
        await until(lambda: pilot.app.view.judging == "current" and any(  # type: ignore[attr-defined]
            row.waiver for row in shown(pilot, "found")))  # fmt: skip
        assert {row.subject_name for row in shown(pilot, "found") if row.waiver} == set(names[:2])
        assert not place.table_of("found").marks
        place.table_of("found").move_to(next(row[0] for row in shown(pilot, "found") if row.waiver))
        await key(pilot, "w")
        assert "all of it is accepted already: x ends a waiver" in text(pilot)
        await key(pilot, "x")
        await fill(pilot, "was wrong")
        await until(lambda: given(cli)[0][4] == "withdrawn")
        acts = [row["act"] for row in cli.done("log", "--json").document["lines"]]
        assert acts[-2:] == ["waive", "waive --withdraw"]


async def test_from_the_list_all_that_is_shown_of_a_check_is_accepted(cli: Wherry) -> None:
    async with real(cli) as pilot:
        place = await at_check(pilot, "network.mac.duplicate")
        await key(pilot, "x")
        assert "the finding under the cursor is not accepted" in text(pilot)
        await key(pilot, "enter", "slash", *"-name~solo", "enter", "escape", "escape")
        names = sorted(row.subject_name for row in shown(pilot, "found"))
        place.table_of("checks").focus()
        await key(pilot, "w")
        await reached(pilot, Form)
        await key(pilot, "ctrl+s")
        assert "this is needed" in text(pilot)
        await key(pilot, *"r", "tab", *"o", "tab", "end", "ctrl+u", *"soon", "ctrl+s")
        assert "is not a date" in text(pilot)
        await key(pilot, "escape")
        assert given(cli) == []
        await key(pilot, "w")
        await fill(pilot, "r", "o")
        await until(lambda: len(given(cli)) == 1)
        assert sorted(given(cli)[0][1]) == names


async def test_tasks_before_a_wave_are_listed_and_ticked_off(cli: Wherry) -> None:
    async with real(cli) as pilot:
        await go(pilot)
        await key(pilot, "t")
        await reached(pilot, Pick)
        chosen = next(row for row in lines(pilot) if "│ W01 " in row)
        assert chosen.rstrip(" │").endswith(("task", "tasks"))  # a long title is cut, not the line
        await key(pilot, "enter")  # of the waves to choose from, the first
        await reached(pilot, Tasks)
        box = pilot.app.screen
        await until(lambda: "by hand" in text(pilot) or "wherry:" in text(pilot))
        assert "left" in str(box.query_one(".box").border_title)
        task = str(box.query_one(VirtualTable).key)
        await key(pilot, "enter")
        await fill(pilot, "by the DBA")
        await until(lambda: on(pilot, Tasks) and pilot.app.screen is not box)
        said = next(
            item for item in cli.done("remedy", "W01", "--json").document["tasks"] if item["id"] == task
        )
        assert said["state"] == "ticked off"
        assert "by the DBA" in said["said"]
        pilot.app.screen.query_one(VirtualTable).move_to(task)
        await key(pilot, "enter")
        assert "this task is over" in str(pilot.app.screen.query_one(".box").border_subtitle)


async def test_checks_are_run_again_by_a_key(cli: Wherry) -> None:
    async with opened(cli.root, session=Session(cli.root, judges=False)) as pilot:
        await go(pilot)
        cli.done("settings", "set", "caps.vms", "3")
        await until(lambda: "c runs the checks again" in lines(pilot)[-2])
        await key(pilot, "c")
        await until(lambda: pilot.app.view.judging == "current")  # type: ignore[attr-defined]
        await until(lambda: "of before" not in text(pilot))


async def test_read_only_changes_nothing_and_says_why(cli: Wherry) -> None:
    before = cli.stored()
    async with real(cli, read_only=True) as pilot:
        await go(pilot)
        assert "accept" not in lines(pilot)[-1]
        for one in "wx":
            await key(pilot, one)
            assert "this is the read-only view" in text(pilot)
            assert not isinstance(pilot.app.screen, Dialog)
        await key(pilot, "t")
        await reached(pilot, Pick)
        await key(pilot, "enter")
        await reached(pilot, Tasks)
        await key(pilot, "enter")
        assert "read-only view" in str(pilot.app.screen.query_one(".box").border_subtitle)
    assert cli.stored() == before


# hostile names, pictures


@pytest.mark.parametrize("size", [BIG, SMALL])
async def test_hostile_names_do_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    async with faked(tmp_path, estate.hostile_estate(), size=size) as pilot:
        await go(pilot)
        for keys in (
            ("down", "down", "enter"),
            ("tab",),
            ("escape", "b"),
            ("down", "enter", "w"),
            ("escape",),
        ):
            await key(pilot, *keys)
            await pilot.pause(0.1)
            nothing_took_effect(pilot)
        await key(pilot, "b", "a", "enter", "x")
        nothing_took_effect(pilot)
        assert pilot.app.is_running


@pytest.mark.parametrize("size", [SMALL, BIG, (160, 45)])
async def test_it_looks_as_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    changed = []
    async with faked(tmp_path, size=size) as pilot:
        await go(pilot, explained=True)
        await key(pilot, "down")
        await until(lambda: len(shown(pilot, "found")) == 2)
        for name, keys in (("checks", ()), ("checks-by-vm", ("b",))):
            await key(pilot, *keys)
            changed.append(
                await differs(KEPT / f"{name}-{size[0]}x{size[1]}.txt", lambda: text(pilot) + "\n")
            )
            if name == "checks" and size == BIG:
                changed.append(await differs(KEPT / "checks-harbour.svg", lambda: drawn(pilot, "checks")))
    assert not any(changed), "\n".join(changed)
