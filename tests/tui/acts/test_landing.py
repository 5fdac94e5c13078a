"""Datastores and folders with their maps: who is on them, what is odd, and when the target is full."""

from __future__ import annotations

from dataclasses import replace

from planner.model import Datastore, Folder, Inventory, Nic
from planner.units import GIB
from tests.planner.sketch import disk, estate, plan, settings, vm
from tui.acts.landing import Landing, datastore_landings, datastores_of, folder_landings, folders_there
from tui.acts.mapping import network_maps


def source() -> Inventory:
    shared = disk("2001", path="[two] s/s.vmdk")
    known = {"datacenter": "DC", "memory_bytes": GIB}
    return estate(
        vm("a", disk(path="[one] a/a.vmdk"), shared, folder="/DC/vm/Prod/Web", **known),
        vm("b", disk(path="[two] b/b.vmdk"), shared, folder="/DC/vm/Prod", **known),
        vm("c", disk(path="[one] c/c.vmdk"), folder="/DC/vm/Test", **known),
        vm("gold", disk(path="[iso] g/g.vmdk"), template=True, folder="/DC/vm/Gold", datacenter="DC"),
        datastores=(Datastore("d1", "one"), Datastore("d9", "unused")),
    )


def there(**more: object) -> Inventory:
    store = Datastore("t1", "gold", free_bytes=25 * GIB)
    folders = (Folder("f1", "Web", "vm/Moved/Web", "DC2", kind="vm"),)
    return estate(datastores=(replace(store, **more),), folders=folders)  # type: ignore[arg-type]


def by_name(rows: tuple[Landing, ...]) -> dict[str, Landing]:
    return {row.name: row for row in rows}


def test_datastores_count_their_vms_and_each_disk_once_unmapped_ones_first() -> None:
    rows = datastore_landings(source(), there(), settings(datastores={"two": "gold"}), None)
    assert [row.name for row in rows] == ["one", "two", "unused"]
    one, two, unused = rows
    assert (one.vms, one.size_bytes, one.to, one.wrong) == (2, 20 * GIB, "", "not mapped")
    assert (two.vms, two.size_bytes, two.room, two.wrong) == (2, 20 * GIB, "25.0 GiB free", "")
    assert (unused.vms, unused.wrong) == (0, "")
    assert datastores_of(source()) == ("one", "two", "unused"), "what only templates are on does not move"


def test_bytes_of_which_a_part_is_known_are_not_all() -> None:
    found = source()
    nic = Nic("4000", "vlan-1")
    for odd in (
        replace(found.vms[1], disks=(), gaps=("disks",), vmx_path="[two] b/b.vmx"),
        replace(found.vms[1], disks=(replace(found.vms[1].disks[0], size_bytes=0),)),
    ):
        a, _, c, gold = found.vms
        part = replace(
            found, vms=(a, replace(odd, nics=(nic,)), replace(c, nics=(Nic("4000", "vlan-2"),)), gold)
        )
        rows = by_name(
            datastore_landings(part, there(free_bytes=GIB), settings(datastores={"two": "gold"}), None)
        )
        assert {name: row.sized for name, row in rows.items()} == {"one": True, "two": False, "unused": True}
        assert rows["two"].wrong.startswith("too small: at least ")
        folders = by_name(folder_landings(part, None, settings()))
        assert [name for name, row in folders.items() if not row.sized] == ["/", "Prod"]
        networks = {row.name: (row.size_bytes, row.sized) for row in network_maps(part, None, settings())}
        assert networks == {"vlan-1": (0, False), "vlan-2": (10 * GIB, True)}
    nowhere = replace(found, vms=(replace(found.vms[2], disks=(disk(), *found.vms[2].disks)),))
    (row,) = (row for row in datastore_landings(nowhere, None, settings(), None) if row.name == "one")
    assert (row.size_bytes, row.sized) == (10 * GIB, False), "a disk without a datastore may be on it"


def test_what_the_target_lacks_or_cannot_use_is_said() -> None:
    maps = settings(datastores={"two": "gold", "one": "gone"})
    for target, words in (
        (there(), "the target has no such datastore"),
        (there(name="gone", accessible=False), "it is not accessible there"),
        (there(name="gone", maintenance=True), "it is in maintenance mode there"),
        (None, ""),
        (replace(there(), datastores=(), gaps=("datastores",)), ""),
    ):
        assert by_name(datastore_landings(source(), target, maps, None))["one"].wrong == words


def test_room_is_told_of_everything_and_by_wave_once_there_is_a_plan() -> None:
    maps = settings(datastores={"two": "gold", "one": "gold"})
    rows = by_name(datastore_landings(source(), there(), maps, None))
    assert rows["one"].wrong == rows["two"].wrong == "too small: 43.0 GiB land there, 25.0 GiB are free"
    old = plan(source(), caps={"vms": 2})  # a plan that knows no map yet
    full = old.waves[1].name
    rows = by_name(datastore_landings(source(), there(free_bytes=35 * GIB), maps, old))
    assert rows["one"].wrong == f"full from {full} on: 43.0 GiB land there, 35.0 GiB are free"
    assert by_name(datastore_landings(source(), there(free_bytes=0), maps, old))["one"].room == "unknown"


def test_folders_count_what_lies_deeper_and_say_which_path_decides() -> None:
    rows = by_name(folder_landings(source(), there(), settings(folders={"/Prod/": "Moved"})))
    assert list(rows)[:2] == ["/", "Test"], "what needs a map stands first"
    assert rows["/"].wrong == "1 of them not mapped"
    assert (rows["Prod"].vms, rows["Prod"].to, rows["Prod"].wrong) == (2, "Moved", "")
    web = rows["Prod/Web"]
    assert (web.vms, web.to, web.goes, web.by) == (1, "", "Moved/Web", "/Prod/")
    assert (rows["Test"].goes, rows["Test"].wrong) == ("", "not mapped")
    assert "Gold" not in rows


def test_a_folder_that_the_target_lacks_is_said_once_it_is_known() -> None:
    maps = settings(folders={"Test": "Nowhere", "/DC/vm/Prod": "/DC2/vm/Moved"})
    rows = by_name(folder_landings(source(), there(), maps))
    assert rows["Test"].wrong == "the target has no such folder"
    assert (rows["DC/vm/Prod"].vms, rows["DC/vm/Prod"].wrong) == (2, "")
    assert by_name(folder_landings(source(), None, maps))["Test"].wrong == ""
    assert folders_there(there()) == ("Moved/Web",)
    assert folders_there(estate()) is None
