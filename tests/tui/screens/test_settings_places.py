"""Settings maps datastores and folders: picked, by a pattern, taken away; room, read-only, hostile names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from planner.model import Datastore, Folder, Inventory
from planner.store import inventories
from planner.store import settings as settings_store
from planner.store.inventories import Role
from planner.store.project import Project
from planner.units import GIB, TIB
from tests.tui import estate
from tests.tui.screens.test_settings import fill, idle, place, settings_of, stored, version, written
from tests.tui.stage import BIG, SMALL, lines, panel, text, until
from tests.tui.test_hostile import nothing_took_effect

HUGE = (160, 45)


def placed(tmp_path: Path, bare: int | None = None) -> Path:
    """Make a project whose VMs lie on two datastores and in three folders, with a target for them.

    Of the VM numbered ``bare`` no disks are known.
    """
    found = estate.estate()
    vms = tuple(
        replace(
            vm,
            vmx_path=f"[vmfs-{at % 2}] {vm.name}/{vm.name}.vmx",
            disks=tuple(replace(one, path=f"[vmfs-{at % 2}] {vm.name}/{one.key}.vmdk") for one in vm.disks),
            folder=("/DC/vm/Prod/Web", "/DC/vm/Prod", "/DC/vm/Test")[at % 3],
            datacenter="DC",
        )
        for at, vm in enumerate(found.vms)
    )
    if bare is not None:
        vms = (*vms[:bare], replace(vms[bare], disks=(), gaps=("disks",)), *vms[bare + 1 :])
    there = Inventory(
        "target",
        "2026-03-10T09:00:00Z",
        (),
        datastores=(
            Datastore("t0", "gold-0", "VMFS", 9 * TIB, 5 * TIB),
            Datastore("t1", "gold-1", "VMFS", TIB, GIB),
        ),
        folders=(Folder("f1", "Moved", "Moved", kind="vm"), Folder("f2", "Web", "Moved/Web", kind="vm")),
    )
    root = estate.build(tmp_path, replace(found, vms=vms))
    with Project.open(root) as project:
        inventories.save(project, there, Role.TARGET)
    return root


async def test_a_datastore_is_picked_by_its_room_and_a_full_one_says_so(tmp_path: Path) -> None:
    root = placed(tmp_path)
    async with settings_of(root, "datastores") as pilot:
        names = [row[0] for row in place(pilot).table.rows]
        assert sorted(names) == ["vmfs-0", "vmfs-1"]
        assert "not mapped  → enter maps it" in panel(pilot, "detail")
        await pilot.press("enter", "enter")
        await until(lambda: f"Where {names[0]} leads" in text(pilot))
        assert "5.0 TiB free of 9.0 TiB" in text(pilot)
        assert "1.0 GiB free of 1.0 TiB, " in text(pilot)
        await pilot.press("down", "enter")  # the one with the most room stands first
        await written(pilot, root, 1)
        assert stored(root).datastores == {names[0]: "gold-1"}
        assert place(pilot).table.key == names[0], "what was mapped does not jump"
        await until(lambda: "full from W" in panel(pilot, "detail"))
        assert "1.0 GiB free" in panel(pilot, "detail")
        await pilot.press("m")
        fill(pilot, pattern="vmfx-*", target="gold-*")
        await pilot.press("ctrl+s")
        await until(lambda: "no datastore of the source matches" in text(pilot))
        assert "vmfx-*" in text(pilot), "what was written is still there to be mended"
        fill(pilot, pattern="vmfs-*", target="gold-*")
        await pilot.press("ctrl+s")
        await until(lambda: "Map 2 datastores?" in text(pilot))
        assert version(root) == 1
        await pilot.press("shift+tab", "enter")
        await written(pilot, root, 2)
        assert stored(root).datastores == {"vmfs-0": "gold-0", "vmfs-1": "gold-1"}
        await pilot.press("d")
        await written(pilot, root, 3)
        assert len(stored(root).datastores) == 1
        await pilot.press("ctrl+z")
        await written(pilot, root, 4)
        assert len(stored(root).datastores) == 2


async def test_what_is_known_in_part_is_the_least_there_is(tmp_path: Path) -> None:
    async with settings_of(placed(tmp_path, bare=1), "datastores") as pilot:
        table = place(pilot).table
        told = {row[0]: table.columns[3].show(row[5]) for row in table.rows}
        assert told["vmfs-1"].startswith("≥")
        assert not told["vmfs-0"].startswith("≥")
        await pilot.press("enter")
        place(pilot).table.move_to("vmfs-1")
        await until(lambda: "VMs, at least " in panel(pilot, "detail"))
        await pilot.press("enter")
        await until(lambda: "5.0 TiB free of 9.0 TiB, at least " in text(pilot))


async def test_a_storage_class_is_written_where_the_target_lists_none(tmp_path: Path) -> None:
    root = placed(tmp_path)
    async with settings_of(root, "datastores") as pilot:
        await pilot.press("enter", "enter")
        await until(lambda: "another name …" in text(pilot))
        await pilot.press("down", "down", "enter")
        await until(lambda: "Datastore of the target" in text(pilot))
        fill(pilot, to="ceph-rbd")
        await pilot.press("ctrl+s")
        await written(pilot, root, 1)
        assert list(stored(root).datastores.values()) == ["ceph-rbd"]
        await until(lambda: "the target has no such datastore" in panel(pilot, "detail"))


async def test_a_folder_takes_deeper_ones_along_and_one_map_is_taken_away(tmp_path: Path) -> None:
    root = placed(tmp_path)
    async with settings_of(root, "folders") as pilot:
        assert place(pilot).table.rows[0][0] == "/"
        place(pilot).table.move_to("Prod")
        await pilot.press("enter", "enter")
        await until(lambda: "Where Prod leads" in text(pilot))
        await pilot.press("enter")
        await written(pilot, root, 1)
        assert stored(root).folders == {"Prod": "Moved"}
        place(pilot).table.move_to("Prod/Web")
        await until(lambda: "Moved/Web, since Prod is mapped" in panel(pilot, "detail"))
        await pilot.press("d")
        await pilot.pause()
        assert "it has no map of its own: Prod decides" in lines(pilot)[-2]
        place(pilot).table.move_to("Prod")
        await pilot.press("d")
        await written(pilot, root, 2)
        assert stored(root).folders == {}
        await pilot.press("d")
        await pilot.pause()
        assert "it is not mapped" in lines(pilot)[-2]


async def test_nothing_is_mapped_read_only(tmp_path: Path) -> None:
    root = placed(tmp_path)
    async with settings_of(root, "datastores", read_only=True) as pilot:
        await pilot.press("enter", "enter", "m", "d")
        await pilot.pause()
        assert pilot.app.screen is place(pilot)
        assert version(root) == 0


async def test_hostile_datastores_and_folders_do_nothing(tmp_path: Path) -> None:
    root = estate.build(tmp_path, estate.hostile_estate())
    with Project.open(root) as project:
        names = {f"x{name}": name for name in estate.HOSTILE}
        paths = {name.strip("/"): to for name, to in names.items()}
        body = {"datastores": names, "folders": paths, "pools": paths, "storage_policies": names}
        settings_store.save(project, settings_store.validate(body, ""), "ann")
    async with settings_of(root, "datastores", SMALL) as pilot:
        for block in ("datastores", "folders", "pools", "storage_policies"):
            place(pilot).select(block)
            await idle(pilot)
            await pilot.press("enter")
            for _ in place(pilot).table.rows:
                await pilot.press("down")
                nothing_took_effect(pilot)
            await pilot.press("escape")


@pytest.mark.parametrize("size", [SMALL, BIG, HUGE])
async def test_names_targets_and_notes_are_there_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    root = placed(tmp_path)
    with Project.open(root) as project:
        body = {"datastores": {"vmfs-0": "gold-1"}, "folders": {"Prod": "Moved"}}
        settings_store.save(project, settings_store.validate(body, ""), "ann")
    async with settings_of(root, "datastores", size) as pilot:
        await pilot.press("enter")
        await until(lambda: any("vmfs-0" in row and "gold-1" in row for row in lines(pilot)))
        place(pilot).select("folders")
        await idle(pilot)
        await until(lambda: any("Prod/Web" in row and "Moved/Web" in row for row in lines(pilot)))
