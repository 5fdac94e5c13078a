"""Acts on marked VMs in Inventory, key by key, on a real project; and the pages on one VM."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from planner.store import filters
from planner.store.project import Project
from tests.tui import estate
from tests.tui.cli.command import Wherry
from tests.tui.stage import BIG, SMALL, lines, opened, panel, table, text, until
from tests.tui.study.test_vms import application_of
from tests.tui.test_hostile import nothing_took_effect
from tui.app import WherryApp
from tui.screens.inventory import InventoryScreen
from tui.screens.vm_page import PAGES

WIDER = (160, 45)


@pytest.fixture
def cli(dated: Path, tmp_path: Path) -> Wherry:
    return Wherry(shutil.copytree(dated, tmp_path / "p"))


@asynccontextmanager
async def inventory(root: Path, size: tuple[int, int] = BIG, **more: Any) -> AsyncIterator[Pilot[None]]:
    async with opened(root, size, place="inventory", **more) as pilot:
        yield pilot


async def mark(pilot: Pilot[None], *names: str) -> None:
    keys = {row[0] for row in table(pilot).rows if row[1] in names}
    assert len(keys) == len(names)
    table(pilot).mark(keys)
    table(pilot).move_to(min(keys))
    await pilot.pause()


def said(pilot: Pilot[None]) -> str:
    return lines(pilot)[-2]


async def answer(pilot: Pilot[None], words: str) -> None:
    field = pilot.app.screen.query_one(Input)
    field.value = words
    await pilot.press("ctrl+s")


async def test_a_names_the_application_of_the_marked_vms(cli: Wherry) -> None:
    async with inventory(cli.root) as pilot:
        await mark(pilot, "x-4", "x-5")
        await pilot.press("a")
        await pilot.pause()
        assert "What do 2 VMs belong to?" in text(pilot)
        await answer(pilot, "[bold]billing[/]")
        await until(lambda: "✔ 2 VMs of [bold]billing[/]" in said(pilot))
    assert application_of(cli, "vm-4") == application_of(cli, "vm-5") == "[bold]billing[/]"


async def test_a_offers_the_application_a_single_vm_has(cli: Wherry) -> None:
    async with inventory(cli.root) as pilot:
        await mark(pilot, "x-4")
        await pilot.press("a")
        await pilot.pause()
        assert pilot.app.screen.query_one(Input).value == "extra"
        await pilot.press("escape")
        await pilot.pause()
    assert application_of(cli, "vm-4") == "extra"


async def test_m_ties_the_marked_vms_for_a_reason(cli: Wherry) -> None:
    async with inventory(cli.root) as pilot:
        await pilot.press("m")
        await pilot.pause()
        assert "mark two VMs or more first" in said(pilot)
        await mark(pilot, "x-4", "x-5")
        await pilot.press("m")
        await pilot.pause()
        await answer(pilot, "one licence")
        await until(lambda: "✔ x-4, x-5 move together" in said(pilot))
    groups = cli.done("deps", "--json").document
    assert any({"vm-4", "vm-5"} <= set(group["vms"]) for group in groups)


async def test_w_moves_a_vm_with_its_group_and_leaves_the_edit_to_waves(cli: Wherry) -> None:
    async with inventory(cli.root) as pilot:
        before = cli.stored()
        await mark(pilot, "x-4")
        await pilot.press("w")
        await until(lambda: "Move 1 VM with what moves together to" in text(pilot))
        assert "full" in text(pilot)
        app: Any = pilot.app
        assert " UTC" not in "".join(row for row in lines(pilot) if "full" in row)  # as 4 Waves says it
        await pilot.press("escape")
        seen = app.view
        first, *rest = seen.status.waves
        app.view = replace(seen, status=replace(seen.status, waves=(replace(first, state="in sync"), *rest)))
        rows = app.study.ask("hand.state")["rows"]
        app.screen._offer(["vm-4"], [{**rows[0], "sized": False}])
        await until(lambda: "Move 1 VM with" in text(pilot))
        assert f"{first.name} is in sync, it stays as it is" in text(pilot)
        await pilot.press("escape")
        app.view = seen
        app.screen._offer(["vm-4"], [{**rows[0], "sized": False}])
        await until(lambda: "≥" in text(pilot))  # not all its disks are known
        await pilot.press("escape")
        await pilot.press("w")
        await until(lambda: "Move 1 VM with what moves together to" in text(pilot))
        ask = pilot.app.study.ask  # type: ignore[attr-defined]
        taken = {
            row["wave"]: not ask("hand.move", groups=["vm-4"], wave=row["wave"], check=True)["verdict"][
                "refused"
            ]
            for row in ask("hand.state")["rows"]
            if "x-4" not in row["groups"]
        }
        assert set(taken.values()) == {True, False}
        wave = next(name for name, is_taken in taken.items() if not is_taken)
        await pilot.press(*wave)
        await pilot.pause()
        await pilot.press("enter")
        await until(lambda: f"{wave} does not take them: nothing was moved" in text(pilot))
        assert not ask("hand.state")["unsaved"]
        await pilot.press("escape", "w")
        await until(lambda: "Move 1 VM with" in text(pilot))
        wave = next(name for name, is_taken in taken.items() if is_taken)
        await pilot.press(*wave)
        await pilot.pause()
        await pilot.press("enter")
        await until(lambda: at(pilot, "waves"))
        (edit,) = ask("hand.state")["unsaved"]
        assert wave in edit["did"]
    assert cli.stored() == before, "nothing is stored before it is saved in Waves"


async def test_w_says_why_a_plan_cannot_be_edited(cli: Wherry) -> None:
    cli.done("settings", "set", "caps.vms", "9")
    async with inventory(cli.root) as pilot:
        await pilot.press("w")
        await until(lambda: "was made on older settings" in said(pilot))


async def test_x_excludes_and_includes_again(cli: Wherry) -> None:
    async with inventory(cli.root) as pilot:
        await mark(pilot, "x-4", "x-5")
        await pilot.press("x")
        await until(lambda: "✔ 2 VMs excluded" in said(pilot))
        assert set(cli.done("settings", "show", "--json").document["exclude"]) >= {"x-4", "x-5"}
        await pilot.press("x")
        await until(lambda: "✔ 2 VMs included again" in said(pilot))
    assert not {"x-4", "x-5"} & set(cli.done("settings", "show", "--json").document["exclude"])


def at(pilot: Pilot[None], place: str) -> bool:
    """Return whether that place stands; whoever leaves earlier takes it down while it is built."""
    app = cast(WherryApp, pilot.app)
    return app.current_mode == place and app.place is not None and app.place.ready


async def test_d_and_c_go_to_ties_and_findings_of_the_vm(tmp_path: Path) -> None:
    async with inventory(estate.build(tmp_path)) as pilot:
        await pilot.press("c")
        await until(lambda: at(pilot, "checks"))
        await pilot.press("escape")
        await until(lambda: at(pilot, "inventory"))
        await pilot.press("d")
        await until(lambda: at(pilot, "dependencies"))


async def test_d_finds_the_group_of_a_vm_without_a_plan(cli: Wherry) -> None:
    cli.done("settings", "set", "exclude", '["x-4"]')
    with Project.open(cli.root) as project, project.write() as db:
        for name in ("approval", "plan_wave", "plan"):
            db.conn.execute(f"DELETE FROM {name}")
    async with inventory(cli.root) as pilot:
        await mark(pilot, "x-4")
        await pilot.press("d")
        await until(lambda: "x-4 is in no move group" in said(pilot))
        await mark(pilot, "x-5")
        await pilot.press("d")
        await until(lambda: at(pilot, "dependencies"))


async def test_d_believes_no_plan_that_is_older_than_the_settings(cli: Wherry) -> None:
    cli.done("settings", "set", "exclude", '["x-4"]')
    async with inventory(cli.root) as pilot:
        await mark(pilot, "x-4")
        await pilot.press("d")
        await until(lambda: "x-4 is in no move group: it stays" in said(pilot))


async def test_acts_that_change_something_are_not_for_who_only_looks(cli: Wherry) -> None:
    async with inventory(cli.root, read_only=True) as pilot:
        before = cli.stored()
        await mark(pilot, "x-4", "x-5")
        for key in "amwx":
            await pilot.press(key)
            await pilot.pause()
            assert "read-only" in said(pilot), key
    assert cli.stored() == before


async def test_without_a_plan_or_a_vm_acts_say_why_not(tmp_path: Path) -> None:
    async with inventory(estate.build(tmp_path, planned=False)) as pilot:
        await pilot.press("w")
        await pilot.pause()
        assert "there is no plan yet" in said(pilot)
        await pilot.press("right")
        await pilot.pause()
        assert "open the VM first: enter" in said(pilot)
        await pilot.press("slash", *"nobody", "enter")
        await until(lambda: not table(pilot).order)
        for key in "axdc":
            await pilot.press(key)
            await pilot.pause()
            assert "no VM is under the cursor" in said(pilot), key


async def test_marks_are_summed_on_the_line_above_the_keys(tmp_path: Path) -> None:
    async with inventory(estate.build(tmp_path)) as pilot:
        await pilot.press("space", "space")
        await pilot.pause()
        assert said(pilot) == " ✓ 2 marked: shop-db-01, shop-db-02 · 241 GiB · 5 vCPU"
        await pilot.press("asterisk")
        await pilot.pause()
        assert "✓ 12 marked: " in said(pilot)
        assert "and 6 more" in said(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert said(pilot) == ""


async def test_saved_filters_stand_at_the_right_of_the_bar(tmp_path: Path) -> None:
    root = estate.build(tmp_path)
    with Project.open(root) as project:
        from planner.places import words_of

        filters.save(project, "inventory", "big", "disk>100G", words_of("inventory"), "ann")
    async with inventory(root) as pilot:
        assert lines(pilot)[2].endswith("saved: big")


async def test_what_is_filtered_is_counted_on_a_wider_screen(tmp_path: Path) -> None:
    async with inventory(estate.build(tmp_path), WIDER) as pilot:
        await until(lambda: "prod-a" in panel(pilot, "spread"))
        assert "Rocky Linux 9" in panel(pilot, "spread")
        assert "● on" in panel(pilot, "spread")
        assert " 12 " in panel(pilot, "spread")
        await pilot.press("slash", *"power:off")
        await until(lambda: len(table(pilot).order) == 1)
        await until(lambda: "● on" not in panel(pilot, "spread"))
        await pilot.resize_terminal(*BIG)
        await pilot.pause()
        assert not pilot.app.screen.query_one("#spread").display


# pages


async def test_pages_turn_and_each_says_its_part(cli: Wherry) -> None:
    cli.done("deps", "add", "solo", "db-1", "--order", "--why", "[red]later[/]")
    async with inventory(cli.root) as pilot:
        table(pilot).move_to("vm-1")
        await pilot.press("enter")
        await pilot.pause()
        seen = []
        for page in PAGES:
            await until(lambda: "being worked out" not in panel(pilot, "detail"))
            assert f"[{page}]" in lines(pilot)[2]
            seen.append(panel(pilot, "detail"))
            nothing_took_effect(pilot)
            await pilot.press("right")
            await pilot.pause()
        facts, disks, adapters, findings, ties, plan = seen
        assert "moref" in facts or "vCPU" in facts
        assert "RDM physical" in disks
        assert "nic" in adapters or "network adapter" in adapters
        assert "finding" in findings or "→" in findings or "✔" in findings
        assert "used by" in ties
        assert "[red]later[/]" in ties
        assert "? traffic" in ties
        assert "final sync" in plan
        assert "it moves with 1 other VM" in plan
        assert "calls its database" in plan or "first of its group" in plan
        assert "[facts]" in lines(pilot)[2], "after the last page comes the first"
        await pilot.press("left", "tab")
        await pilot.pause()
        assert "[facts]" in lines(pilot)[2]
        await pilot.click("#pages", offset=(10, 0))
        await pilot.pause()
        assert "[disks]" in lines(pilot)[2]
        await pilot.press("escape")
        await pilot.pause()
        assert table(pilot).has_focus


async def test_a_page_that_the_study_cannot_fill_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from planner.errors import WherryError

    async with inventory(estate.build(tmp_path)) as pilot:

        def broken(op: str, **args: Any) -> Any:
            raise WherryError("the study [bold]fell[/]", "try again")

        monkeypatch.setattr(pilot.app.study, "ask", broken)  # type: ignore[attr-defined]
        await pilot.press("enter", "left")
        await until(lambda: "✖ the study [bold]fell[/]" in panel(pilot, "detail"))


@pytest.mark.parametrize("size", [SMALL, BIG, WIDER])
async def test_hostile_names_do_nothing_on_pages_and_in_acts(tmp_path: Path, size: tuple[int, int]) -> None:
    root = estate.build(tmp_path, estate.hostile_estate(), waves=4)
    async with inventory(root, size) as pilot:
        await pilot.press("asterisk")
        await pilot.pause()
        nothing_took_effect(pilot)
        for key in "am":
            await pilot.press(key)
            await pilot.pause()
            nothing_took_effect(pilot)
            await pilot.press("escape")
        await pilot.press("enter")
        for _ in range(4):
            await pilot.press("right")
            await pilot.pause()
            nothing_took_effect(pilot)
        await until(lambda: "being worked out" not in panel(pilot, "detail"))
        nothing_took_effect(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, InventoryScreen)
        await pilot.press("right")
        await pilot.pause()
        nothing_took_effect(pilot)
