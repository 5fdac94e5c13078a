"""Where each VM lands, on every paper and in the files for other movers; what nobody mapped says so."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from io import StringIO

import yaml

from planner.export import ansible, forklift, hcx, markdown
from planner.export.gates import go_no_go_1
from planner.export.html import waves as html_waves
from planner.export.printout import Printout, Table, assignment, disks, landings
from planner.model import Inventory
from tests.planner.export.paper import NASTY, nasty, paper
from tests.planner.sketch import disk, estate, plan, rdm, settings, vm

MAPS = {"datastores": {"fast": "Gold Tier"}, "folders": {"Prod": "Moved"}}


def foldered(**more: object) -> Printout:
    """Return the paper with its web servers in a folder."""
    inventory = paper().inventory
    vms = tuple(
        replace(one, folder="/DC/vm/Prod/Web", datacenter="DC") if one.name.startswith("web") else one
        for one in inventory.vms
    )
    return printed(replace(inventory, vms=vms), caps={"vms": 2}, **{**MAPS, **more})


def printed(inventory: Inventory, **more: object) -> Printout:
    return Printout(plan(inventory, **more), inventory, settings=settings(**more))


def column(table: Table, name: str) -> dict[str, object]:
    at = table.columns.index(name)
    return {str(row[0]): row[at] for row in table.rows}


def test_every_sheet_says_where_a_vm_lands() -> None:
    printout = foldered()
    table = assignment(printout)
    assert column(table, "Datastores at the target") == dict.fromkeys(
        ("db1", "db2", "web1", "web2"), "Gold Tier"
    )
    assert column(table, "Folder at the target") == {
        "db1": "not mapped", "db2": "not mapped", "web1": "Moved/Web", "web2": "Moved/Web",
    }  # fmt: skip
    lines = markdown.render(printout).decode().splitlines()
    assert any(line.startswith("| web1 |") and "| Gold Tier | Moved/Web |" in line for line in lines)
    assert any("Moved/Web" in section for section in html_waves.sections(printout))
    assert set(column(disks(printout), "Datastore at the target").values()) == {"Gold Tier"}
    bare = foldered(datastores={}, folders={})
    assert set(column(assignment(bare), "Datastores at the target").values()) == {"not mapped"}
    assert set(column(disks(bare), "Datastore at the target").values()) == {"not mapped"}


def test_the_sheet_of_seven_days_before_adds_up_what_lands_where() -> None:
    asked = "Do the datastores have room"

    def answer(printout: Printout, wave: int) -> object:
        rows = go_no_go_1(printout, printout.plan.waves[wave]).rows
        return next(row[2] for row in rows if row[1] == asked)

    assert answer(foldered(), 0) == "20.0 GiB on Gold Tier"
    assert answer(foldered(datastores={}), 0) == "2 disks not mapped"


def test_disks_apart_from_their_vm_are_said_and_raw_devices_lie_nowhere() -> None:
    inventory = estate(
        vm("a", disk(path="[one] a/a.vmdk"), disk("2001", path="[two] a/b.vmdk"), vmx_path="[one] a/a.vmx"),
        vm("raw", rdm("naa.1", path="[two] r/r.vmdk"), vmx_path="[one] r/r.vmx"),
    )
    keep = {"policies": {"physical_rdm": "keep"}, "luns": [{"name": "naa.t", "size_bytes": 1 << 40}]}
    printout = printed(inventory, datastores={"one": "gold", "two": "silver"}, **keep)
    found = {name: stores for wave in printout.plan.waves for name, (stores, _) in landings(wave).items()}
    assert found == {"id-a": "gold, silver", "id-raw": "gold"}
    assert "none: a raw device" in column(disks(printout), "Datastore at the target").values()
    rows = {row["VM"]: row for row in csv.DictReader(StringIO(hcx.render(printout).decode()))}
    assert (rows["a"]["TargetDatastore"], rows["a"]["Attention"]) == ("gold", "has disks for silver")


def test_movers_get_folder_datastore_and_storage_class() -> None:
    printout = foldered()
    rows = {row["VM"]: row for row in csv.DictReader(StringIO(hcx.render(printout).decode()))}
    assert (rows["web1"]["TargetDatastore"], rows["web1"]["TargetComputeFolder"]) == (
        "Gold Tier",
        "Moved/Web",
    )
    assert rows["db1"]["TargetComputeFolder"] == ""
    body = ansible.render(printout).decode()
    assert 'wherry_datastore: !unsafe "Gold Tier"' in body
    assert 'wherry_folder: !unsafe "Moved/Web"' in body
    assert "wherry_folder" not in ansible.render(foldered(folders={})).decode()


def classes(printout: Printout) -> list[str]:
    (storage,) = (one for one in yaml.safe_load_all(forklift.render(printout)) if one["kind"] == "StorageMap")
    return [one["destination"]["storageClass"] for one in storage["spec"]["map"]]


def test_a_storage_class_is_kept_as_it_is_where_kubernetes_takes_it() -> None:
    assert classes(foldered()) == ["gold-tier"]
    assert classes(foldered(datastores={"fast": "ceph.rbd-fast"})) == ["ceph.rbd-fast"]
    assert classes(foldered(datastores={})) == ["edit-this-storage-class"]


def test_hostile_places_do_nothing() -> None:
    names = [name for name in NASTY if name]
    printout = nasty(datastores={name: name for name in names}, folders={"/": "{{ evil }}<b>\x1b[31m"})
    for data in (markdown.render(printout), hcx.render(printout), ansible.render(printout)):
        assert b"\x1b" not in data
    assert "<b>bold</b>" not in "".join(html_waves.sections(printout))
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", one) for one in classes(printout))
    for row in assignment(printout).rows:
        assert all(str(cell).isprintable() for cell in row)
