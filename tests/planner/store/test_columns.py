"""Columns of snapshots: made once, the same as the VMs say, dropped when they are of yesterday."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.errors import NotFound
from planner.fields import FIELDS, TABLE_WORDS, VM_WORDS, Seen
from planner.model import VM, Inventory, Power
from planner.query import parse
from planner.store import columns, inventories
from planner.store.inventories import Role
from planner.store.project import Project
from planner.synth.estate import make_estate
from planner.synth.recipe import Recipe


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "move") as made:
        yield made


ODD = Inventory(
    "test",
    "2026-01-31T12:00:00Z",
    (
        VM("1", "\x1b[31mred", power=Power.ON, tags=(("Env", "prod"), ("", "x")), gaps=("disks",)),
        VM("2", "", tags=None, attributes=(("Owner", "Anna"), ("OWNER", ""))),
        VM("3", "plain", tags=(), cpus=4, memory_bytes=5),
    ),
    gaps=("nics",),
)
SYNTHETIC = make_estate(Recipe(vms=60, seed=7)).inventory


def built(project: Project, inventory: Inventory, role: Role = Role.SOURCE) -> int:
    number = inventories.save(project, inventory, role).id
    columns.build(project, number)
    return number


@pytest.mark.parametrize("inventory", [ODD, SYNTHETIC, Inventory("none", "", ())], ids=lambda i: i.source[:4])
def test_columns_hold_what_the_vms_say(project: Project, inventory: Inventory) -> None:
    number = built(project, inventory)
    seen = Seen.of(inventory)
    names = columns.names(project, number)
    assert set(FIELDS) <= set(names)
    loaded = columns.load(project, number, names)
    for name in names:
        field = VM_WORDS.find(name)
        assert field is not None
        assert list(loaded[name]) == [field.read(vm, seen) for vm in inventory.vms], name


def test_attributes_and_categories_are_columns_whatever_their_case(project: Project) -> None:
    number = built(project, ODD)
    assert columns.names(project, number)[len(FIELDS) :] == ("attr.owner", "tag.", "tag.env")


@pytest.mark.parametrize("name", ["attr.nobody", "tag.nothing"])
def test_what_no_vm_has_is_a_column_too(project: Project, name: str) -> None:
    number = built(project, ODD)
    field = VM_WORDS.find(name)
    assert field is not None
    seen = Seen.of(ODD)
    assert list(columns.load(project, number, [name])[name]) == [field.read(vm, seen) for vm in ODD.vms]


def test_what_the_listing_says_needs_no_building(project: Project) -> None:
    number = inventories.save(project, ODD).id
    listed = ("name", "id", "cluster", "os", "app", "power", "cpu", "ram")
    assert columns.missing(project, number, [*listed, "wave", "checks"]) == frozenset()
    loaded = columns.load(project, number, listed)
    for name in listed:
        assert list(loaded[name]) == [FIELDS[name].read(vm, Seen.of(ODD)) for vm in ODD.vms]
    assert columns.missing(project, number, ["name", "disk", "attr.x"]) == {"disk", "attr.x"}
    with pytest.raises(NotFound):
        columns.load(project, number, ["disk"])


def test_building_reports_and_is_done_once(project: Project) -> None:
    number = inventories.save(project, SYNTHETIC).id
    heard: list[tuple[int, int]] = []
    columns.build(project, number, lambda done, total: heard.append((done, total)))
    total = len(SYNTHETIC.vms)
    assert heard[0] == (0, total)
    assert heard[-1] == (total, total)
    heard.clear()
    columns.build(project, number, lambda done, total: heard.append((done, total)))
    assert heard == []


def test_columns_of_other_code_are_made_anew(project: Project) -> None:
    number = built(project, ODD)
    with project.write() as db:
        db.conn.execute("UPDATE inventory_column SET body = X'00' WHERE field = ''")
        db.conn.execute("UPDATE inventory_column SET body = X'00' WHERE field = 'disk'")
    assert not columns.is_built(project, number)
    columns.build(project, number)
    assert list(columns.load(project, number, ["disk"])["disk"]) == [None, 0, 0]


def test_older_snapshots_of_the_role_lose_theirs(project: Project) -> None:
    old = built(project, ODD)
    target = built(project, SYNTHETIC, Role.TARGET)
    new = built(project, SYNTHETIC)
    assert [columns.is_built(project, number) for number in (old, target, new)] == [False, True, True]


def test_what_a_table_knows_besides_is_handed_in(project: Project) -> None:
    number = built(project, ODD)
    wanted = parse("wave:none or checks:blocked", TABLE_WORDS)
    loaded = columns.load(project, number, wanted.needs())
    assert loaded == {}
    loaded |= columns.placed([("W01", "a"), ("W02", "b"), ("", "")])
    loaded |= columns.judged([(1, 0, 0), (0, 1, 1), None])
    assert wanted.rows(loaded, 3) == [0, 2]
