"""Settings: every act by its key, stored as the project says; why not; read-only; hostile names; sizes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select, TextArea

from planner.model import Disk, Inventory, Network
from planner.settings import Settings
from planner.store import inventories
from planner.store import settings as settings_store
from planner.store.inventories import Role
from planner.store.project import Project
from tests.tui import estate
from tests.tui.stage import BIG, SMALL, lines, opened, panel, text, until
from tests.tui.test_hostile import nothing_took_effect
from tests.tui.test_pictures import KEPT
from tui.screens.settings import SettingsScreen

HUGE = (160, 45)


def place(pilot: Pilot[None]) -> SettingsScreen:
    found = cast(Any, pilot.app).place
    assert isinstance(found, SettingsScreen)
    return found


@asynccontextmanager
async def settings_of(
    root: Path, block: str = "link", size: tuple[int, int] = BIG, **more: Any
) -> AsyncIterator[Pilot[None]]:
    """Yield the pilot on Settings with the cursor on a block, everything read."""
    async with opened(root, size, **{"place": "settings", **more}) as pilot:
        await pilot.press("0")
        await until(lambda: isinstance(cast(Any, pilot.app).place, SettingsScreen) and place(pilot).ready)
        place(pilot).select(block)
        await until(lambda: place(pilot).data and place(pilot).block.get("id") == block)
        await idle(pilot)
        yield pilot


async def idle(pilot: Pilot[None]) -> None:
    await until(lambda: not place(pilot)._asking)
    await pilot.pause()


def stored(root: Path) -> Settings:
    with Project.open(root) as project:
        return settings_store.load(project)


def version(root: Path) -> int:
    with Project.open(root) as project:
        return settings_store.versions(project)[0].number


async def written(pilot: Pilot[None], root: Path, number: int) -> None:
    """Wait until a version is stored, shown, and the dialog closed."""
    await until(lambda: place(pilot).data.get("version") == number and pilot.app.screen is place(pilot))
    await idle(pilot)
    assert version(root) == number


def fill(pilot: Pilot[None], **values: str) -> None:
    for name, value in values.items():
        widget = pilot.app.screen.query_one(f"#ask-{name}")
        if isinstance(widget, TextArea):
            widget.text = value
        else:
            assert isinstance(widget, Input | Select)
            widget.value = value


async def test_an_entry_is_changed_judged_undone_and_set_back_to_its_default(tmp_path: Path) -> None:
    root = estate.build(tmp_path)
    async with settings_of(root, "caps") as pilot:
        assert "means        VMs per wave" in panel(pilot, "detail")
        assert "▲ plan 1 was made on older settings: p plans anew" in lines(pilot)[-2]
        await pilot.press("enter", "enter")
        fill(pilot, vms="0")
        await pilot.press("ctrl+s")
        await until(lambda: "caps.vms" in text(pilot) and "it must be at least 1" in text(pilot))
        assert version(root) == 0
        fill(pilot, vms="40")
        await pilot.press("ctrl+s")
        await written(pilot, root, 1)
        assert stored(root).caps.vms == 40
        assert "version 1" in panel(pilot, "detail")
        await pilot.press("d")
        await written(pilot, root, 2)
        assert stored(root).caps.vms == 50
        await pilot.press("d")
        await pilot.pause()
        assert "it has its default" in lines(pilot)[-2]
        await pilot.press("ctrl+z")
        await written(pilot, root, 3)
        assert stored(root).caps.vms == 40
        await pilot.press("ctrl+z")
        await written(pilot, root, 4)
        assert stored(root).caps.vms == 50, "the second undo goes further back than the first"
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert "there is none before them" in lines(pilot)[-2]
        await pilot.press("h")
        await until(lambda: "Set an earlier version again" in text(pilot))
        await pilot.press("down", "down", "enter")
        await written(pilot, root, 5)
        assert stored(root).caps.vms == 40


async def test_windows_are_added_come_back_and_say_what_is_odd(tmp_path: Path) -> None:
    root = estate.build(tmp_path)
    async with settings_of(root, "windows") as pilot:
        assert "no window yet, so no wave has a date: a adds one" in text(pilot)
        await pilot.press("a")
        fill(pilot, start="2027-01-09T22:00", zone="")
        zone = pilot.app.screen.query_one("#ask-zone", Input)
        zone.focus()
        await pilot.press(*"Europe", "slash", *"Be")
        await until(lambda: zone._suggestion.startswith("Europe/Be") and zone._suggestion != "Europe/Be")
        await pilot.press("right")
        assert zone.value == zone._suggestion
        await pilot.press("ctrl+s")
        await written(pilot, root, 1)
        await pilot.press("a")
        fill(pilot, start="2027-01-10T00:00", hours="2", weeks="3", zone=zone.value)
        await pilot.press("ctrl+s")
        await written(pilot, root, 2)
        found = stored(root)
        assert (len(found.windows), len(found.recurring)) == (1, 1)
        assert found.recurring[0].every == "sunday"
        assert "2 windows" in text(pilot)
        assert "1 of 3 windows closed" in text(pilot)
        await pilot.press("enter", "down")
        await pilot.pause()
        assert "overlaps the window of 2027-01-09" in panel(pilot, "detail")
        await pilot.press("d")
        await written(pilot, root, 3)
        assert stored(root).recurring == ()


async def test_items_of_lists_and_names_are_added_changed_and_taken_away(tmp_path: Path) -> None:
    root = estate.build(tmp_path)
    async with settings_of(root, "freezes") as pilot:
        await pilot.press("a")
        fill(
            pilot,
            start="2027-03-01T00:00",
            end="2027-02-01T00:00",
            why="[bold]\u202equarter",
            only="shop\ncrm",
        )
        await pilot.press("ctrl+s")
        await until(lambda: "a freeze ends before it starts" in text(pilot))
        fill(pilot, end="2027-03-05T00:00")
        await pilot.press("ctrl+s")
        await written(pilot, root, 1)
        nothing_took_effect(pilot)
        assert stored(root).freezes[0].only == ("shop", "crm")
        place(pilot).select("teams")
        await idle(pilot)
        await pilot.press("a")
        fill(pilot, name="ann", value="databases")
        await pilot.press("ctrl+s")
        await written(pilot, root, 2)
        assert stored(root).teams == {"ann": "databases"}
        await pilot.press("enter", "b")
        fill(pilot, value="storage")
        await pilot.press("ctrl+s")
        await written(pilot, root, 3)
        assert stored(root).teams == {"ann": "storage"}
        await pilot.press("delete")
        await written(pilot, root, 4)
        assert stored(root).teams == {}


def with_target(root: Path) -> Path:
    """Give a project a target with two networks."""
    networks = (Network("n-1", "prod-10", vlan="10"), Network("n-2", "prod-20", vlan="20"))
    there = Inventory("target", "2026-03-10T09:00:00Z", (), networks=networks)
    with Project.open(root) as project:
        inventories.save(project, there, Role.TARGET)
    return root


def with_networks() -> Inventory:
    """Return the estate with VMs on three networks."""
    found = estate.estate()
    vms = tuple(
        replace(vm, nics=(replace(vm.nics[0], network=f"vlan-{10 * (at % 3 + 1)}"),))
        for at, vm in enumerate(found.vms)
    )
    known = tuple(Network(f"s-{at}", f"vlan-{at}", vlan=str(at)) for at in (10, 20, 30))
    return replace(found, vms=vms, networks=known)


async def test_networks_are_mapped_by_choice_and_by_pattern_with_a_preview(tmp_path: Path) -> None:
    root = with_target(estate.build(tmp_path, with_networks()))
    async with settings_of(root, "networks") as pilot:
        assert [row[0] for row in place(pilot).table.rows] == ["vlan-10", "vlan-20", "vlan-30"]
        assert "the target has no such network  → enter maps it" in panel(pilot, "detail")
        await pilot.press("enter", "enter")
        await until(lambda: "Where vlan-10 leads" in text(pilot))
        await pilot.press("down", "enter")  # the one with its VLAN stands first
        await written(pilot, root, 1)
        assert stored(root).networks == {"vlan-10": "prod-20"}
        assert "VLAN 10 here, 20 there" in panel(pilot, "detail")
        assert place(pilot).table.key == "vlan-10", "what was mapped does not jump"
        await pilot.press("m")
        fill(pilot, pattern="vlan-*", target="prod-*")
        await pilot.press("ctrl+s")
        await until(lambda: "Map 3 networks?" in text(pilot))
        assert "vlan-10 → prod-10  until now prod-20" in text(pilot)
        assert "vlan-30 → prod-30  the target has no such network" in text(pilot)
        assert version(root) == 1
        await pilot.press("shift+tab", "enter")
        await written(pilot, root, 2)
        assert stored(root).networks == {f"vlan-{at}": f"prod-{at}" for at in (10, 20, 30)}
        await pilot.press("space", "space", "enter")
        await until(lambda: "Where 2 networks lead " in text(pilot))
        await pilot.press("escape", "d")
        await written(pilot, root, 3)
        assert list(stored(root).networks) == ["vlan-30"]


async def test_a_word_on_a_disk_is_said_with_its_proof_and_taken_back(tmp_path: Path) -> None:
    root = estate.build(tmp_path)
    async with settings_of(root, "disks") as pilot:
        assert "209,715,200 sectors of 512 bytes" in panel(pilot, "detail")
        await pilot.press("enter", "d")
        await pilot.pause()
        assert "nobody said a word on it" in lines(pilot)[-2]
        await pilot.press("enter")
        await until(lambda: "What becomes of shop-db-01/Hard disk 2" in text(pilot))
        assert "a virtual RDM cannot be" in text(pilot)  # why not, where it cannot
        await pilot.press("down", "down", "enter")
        await written(pilot, root, 1)
        (word,) = stored(root).remaps
        assert (word.disk, word.to) == ("vm-0/2001", "vmdk")
        assert "a person's word in the settings: vmdk" in panel(pilot, "detail")
        assert "way back" in panel(pilot, "detail")
        await pilot.press("a")
        fill(pilot, text="crm-db")
        await pilot.press("ctrl+s")
        await until(lambda: "A word on which disk" in text(pilot))
        await pilot.press("enter")
        await until(lambda: "What becomes of crm-db-01/Hard disk 1" in text(pilot))
        await pilot.press("down", "down", "enter")
        await written(pilot, root, 2)
        assert {one.to for one in stored(root).remaps} == {"vmdk", "rdm-physical"}
        assert "needs a LUN" not in panel(pilot, "detail")  # no other disk is undecided for it
        assert [row[4] for row in place(pilot).table.rows] == ["VMDK", ""]
        await pilot.press("down")
        await until(lambda: "needs a LUN" in panel(pilot, "detail"))
        await pilot.press("g", "space", "space", "enter")
        await until(lambda: "What becomes of 2 disks" in text(pilot))
        assert "1 disk without a LUN" in text(pilot)
        assert "2 VMDK" in text(pilot)
        await pilot.press("down", "down", "enter")
        await written(pilot, root, 3)
        assert [one.to for one in stored(root).remaps] == ["vmdk", "vmdk"]
        await pilot.press("d")
        await written(pilot, root, 4)
        assert stored(root).remaps == ()


async def test_what_cannot_be_done_says_why(tmp_path: Path) -> None:
    root = estate.build(tmp_path, planned=False)
    async with settings_of(root, "link") as pilot:
        for key, why in (("a", "nothing can be added here"), ("m", "go to Networks, Datastores")):
            await pilot.press(key)
            await pilot.pause()
            assert why in lines(pilot)[-2]
        place(pilot).select("pins")
        await idle(pilot)
        for key, why in (("b", "a adds an entry"), ("d", "nothing under the cursor")):
            await pilot.press(key)
            await pilot.pause()
            assert why in lines(pilot)[-2]


async def test_nothing_is_changed_where_the_project_is_only_looked_at(tmp_path: Path) -> None:
    root = estate.build(tmp_path)
    async with settings_of(root, "caps", read_only=True) as pilot:
        await pilot.press("enter")
        for key in ("enter", "b", "d", "ctrl+z", "h", "p", "i"):
            await pilot.press(key)
            await pilot.pause()
            assert pilot.app.screen is place(pilot), key
        assert "read-only view" in lines(pilot)[-2]
        assert version(root) == 0


async def test_holidays_and_the_lun_sheet_and_a_plan_come_from_jobs_and_files(tmp_path: Path) -> None:
    root = estate.build(tmp_path / "p")
    calendar = tmp_path / "days.ics"
    days = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "SUMMARY:May Day",
            "DTSTART;VALUE=DATE:20270501", "END:VEVENT", "END:VCALENDAR", "")  # fmt: skip
    calendar.write_text("\r\n".join(days), "utf-8")
    async with settings_of(root, "holidays") as pilot:
        await pilot.press("c")
        await pilot.pause()
        pilot.app.screen.query_one(Input).value = str(calendar)
        await pilot.pause()
        await pilot.press("enter")
        await written(pilot, root, 1)
        assert stored(root).holidays[0].name == "May Day"
        await pilot.press("l")
        await until(lambda: (root / "exports" / "lun-request.xlsx").exists())
        await until(lambda: not cast(Any, pilot.app).job.state.running)
        await pilot.press("escape", "p")
        fill(pilot, effort="quick")
        await pilot.press("ctrl+s")
        await until(lambda: "plan" in cast(Any, pilot.app).job.argv)
        await until(lambda: (plan := cast(Any, pilot.app).view.plan) is not None and plan.version == 2)
        await pilot.press("escape")
        await idle(pilot)
        assert "older settings" not in lines(pilot)[-2]


async def test_hostile_names_do_nothing(tmp_path: Path) -> None:
    root = estate.build(tmp_path, estate.hostile_estate())
    with Project.open(root) as project:
        names = {name: name for name in estate.HOSTILE}
        settings_store.save(
            project, settings_store.validate({"owners": names, "networks": names}, ""), "\x1b[31mann"
        )
    async with settings_of(root, "owners", SMALL) as pilot:
        for block in ("owners", "networks", "disks"):
            place(pilot).select(block)
            await idle(pilot)
            await pilot.press("enter")
            for _ in place(pilot).table.rows:
                await pilot.press("down")
                nothing_took_effect(pilot)
            await pilot.press("escape")
        place(pilot).select("networks")
        await idle(pilot)
        await pilot.press("enter", "enter")
        await pilot.pause()
        nothing_took_effect(pilot)


async def test_a_filter_narrows_the_entries_and_the_mouse_goes_in(tmp_path: Path) -> None:
    root = estate.build(tmp_path, with_networks())
    async with settings_of(root, "networks") as pilot:
        await pilot.press("slash", *"vms<5 vlan-2", "enter")
        await until(lambda: len(place(pilot).table.order) == 1)
        assert "1 match" in text(pilot)
        await pilot.press("escape", "escape")
        assert place(pilot).blocks.has_focus
        await pilot.click("#blocks", offset=(8, 2))
        await until(lambda: place(pilot).block["id"] == "link")
        await pilot.click("#entries", offset=(8, 3))
        await pilot.pause()
        assert place(pilot).table.key == "link.share"
        await pilot.click("#entries", offset=(8, 3), times=2)
        await until(lambda: pilot.app.screen is not place(pilot))


async def test_on_a_narrow_screen_blocks_and_entries_take_turns(tmp_path: Path) -> None:
    async with settings_of(estate.build(tmp_path), "caps", SMALL) as pilot:
        assert "Caps of a wave" in text(pilot)
        assert "engineer_hours" not in text(pilot)
        await pilot.press("tab")
        await pilot.pause()
        assert "engineer_hours" in text(pilot)
        assert "Hours of the link" not in text(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert "Hours of the link" in text(pilot)


@pytest.mark.parametrize("size", [SMALL, BIG, HUGE])
async def test_it_looks_as_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    root = with_target(estate.build(tmp_path, with_networks()))
    shown = []
    async with settings_of(root, "link", size) as pilot:
        for block in ("link", "networks", "datastores", "folders", "disks"):
            place(pilot).select(block)
            await idle(pilot)
            await pilot.press("enter")
            await pilot.pause()
            shown.append("\n".join(lines(pilot)))
            await pilot.press("escape")
    path, now = KEPT / f"settings-{size[0]}x{size[1]}.txt", "\n\n".join(shown) + "\n"
    if os.environ.get("WHERRY_ACCEPT"):
        path.write_text(now, "utf-8")
    assert path.read_text("utf-8") == now


def with_swap() -> Inventory:
    """Return the estate with a disk of swap at ``crm-db-01``, in a file with a hostile name."""
    found = estate.estate()
    swap = Disk("2001", "Hard disk 2", 2**30, path="[ds1] crm-db-01/\x1b[31m-swap\u202e.vmdk", bus=0, unit=1)
    vms = tuple(
        replace(vm, disks=(replace(vm.disks[0], bus=0, unit=0), swap)) if vm.name == "crm-db-01" else vm
        for vm in found.vms
    )
    return replace(found, vms=vms)


async def test_a_disk_is_sent_once_or_never_for_a_reason_and_always_again(tmp_path: Path) -> None:
    root = estate.build(tmp_path, with_swap(), planned=False)
    async with settings_of(root, "disks") as pilot:
        await pilot.press("enter", "a", "ctrl+s")  # without a name: what looks like swap
        await until(lambda: "A word on which disk" in text(pilot))
        assert "its file name says swap" in text(pilot)
        await pilot.press("enter")
        await until(lambda: "What becomes of crm-db-01/Hard disk 2" in text(pilot))
        for key in "never":
            await pilot.press(key)
        await pilot.press("enter")
        await until(lambda: "Why crm-db-01/Hard disk 2 is sent never" in text(pilot))
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert version(root) == 0, "a decision needs a reason"
        fill(pilot, why="swap [red]\x1b[31m\u202e")
        await pilot.press("ctrl+s")
        await written(pilot, root, 1)
        (send,) = stored(root).sends
        assert (send.disk, send.send, send.who != "") == ("vm-4/2001", "never", True)
        row = next(row for row in place(pilot).table.rows if row[0] == "vm-4/2001")
        assert row[-1] == "never"
        await pilot.press("down")
        await until(lambda: "left out by decision" in panel(pilot, "detail"))
        assert "mkswap" in panel(pilot, "detail")
        nothing_took_effect(pilot)
        await pilot.press("d")
        await written(pilot, root, 2)
        assert stored(root).sends == ()
        await pilot.press("g", "enter")
        await until(lambda: "What becomes of shop-db-01/Hard disk 2" in text(pilot))
        assert "nobody wipes a LUN" in text(pilot)
