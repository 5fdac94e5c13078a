"""The schema: older files are brought up, newer ones refused, each untouched when it fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.fingerprint import inventory_fingerprint
from planner.model import VM, Disk, Host, Inventory, Power
from planner.sized import AtLeast
from planner.store import approvals, inventories, plans, schema
from planner.store.project import FILE, Project
from planner.units import GIB
from tests.migrate.estate import pair_wave, small_wave
from tests.migrate.stored import plan_of
from tests.planner.sketch import estate, vm
from tests.planner.sketch import plan as planned


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    yield connection
    connection.close()


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def tables_of(number: int) -> set[str]:
    """Return the tables of an older schema: its migrations made, the later ones not."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for statement in (statement for made in schema.MIGRATIONS[:number] for statement in made):
            if isinstance(statement, str):
                connection.execute(statement)
        return tables(connection)


def test_an_empty_file_gets_every_table(connection: sqlite3.Connection) -> None:
    schema.migrate(connection, "x")
    assert version(connection) == schema.VERSION
    assert {"project", "inventory", "settings", "plan", "approval", "run", "step_record", "audit"} <= tables(
        connection
    )
    schema.migrate(connection, "x")


def test_an_older_file_is_brought_up_with_what_it_holds(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.migrate(connection, "x")
    connection.execute("INSERT INTO project VALUES ('name', 'old')")
    newer = (*schema.MIGRATIONS, ("CREATE TABLE newer (a INTEGER) STRICT",))
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    monkeypatch.setattr(schema, "VERSION", len(newer))
    schema.migrate(connection, "x")
    assert version(connection) == len(newer)
    assert "newer" in tables(connection)
    assert connection.execute("SELECT value FROM project").fetchall() == [("old",)]


def test_a_migration_that_fails_changes_nothing(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.migrate(connection, "x")
    before = tables(connection)
    newer = (*schema.MIGRATIONS, ("CREATE TABLE newer (a INTEGER)", "CREATE TABLE plan (a INTEGER)"))
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    monkeypatch.setattr(schema, "VERSION", len(newer))
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection, "x")
    assert tables(connection) == before
    assert version(connection) == schema.VERSION - 1


def test_a_newer_file_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    Project.create(tmp_path).close()
    other = sqlite3.connect(tmp_path / FILE)
    other.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    other.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(BadInput, match="newer wherry") as caught:
        Project.open(tmp_path)
    assert caught.value.hint == "upgrade wherry"
    assert (tmp_path / FILE).read_bytes() == before


def test_a_project_of_the_first_schema_keeps_its_inventory(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    for statement in schema.MIGRATIONS[0]:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO project VALUES ('name', 'old'), ('id', 'abc')")
    estate = '{"hosts":[{"id":"h","name":"esx"}],"gaps":["nics"],"notes":[]}'
    connection.execute(
        "INSERT INTO inventory VALUES (1, 'f', 'rvtools:a.xlsx', '2026-10-01T00:00:00Z', 'now', 1, 7, ?)",
        (estate,),
    )
    disk = '{"key":"1","label":"d","size_bytes":7,"backing":"vmdk","bus_sharing":null}'
    connection.execute(
        "INSERT INTO inventory_vm VALUES (1, 0, 'vm-1', 'web', 'c', 'poweredOn', '', 2, 0, 7, 'crm', ?)",
        ('{"id":"vm-1","name":"web","power":"poweredOn","disks":[' + disk + '],"rules":[]}',),
    )
    connection.close()
    with Project.open(tmp_path) as project:
        found = inventories.latest(project)
        assert project.name == "old"
    assert found.inventory == Inventory(
        "rvtools:a.xlsx",
        "2026-10-01T00:00:00Z",
        (VM("vm-1", "web", power=Power.ON, disks=(Disk("1", "d", 7),)),),
        hosts=(Host("h", "esx"),),
        gaps=("nics",),
    )


def test_a_project_of_the_first_schema_keeps_its_plans_and_approvals(tmp_path: Path) -> None:
    plan = plan_of(small_wave(), pair_wave())
    connection = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    for statement in schema.MIGRATIONS[0]:
        assert isinstance(statement, str)
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.execute(
        "INSERT INTO plan VALUES (1, ?, 'now', 'ann', ?)",
        (plan.fingerprint, plan.model_dump_json(by_alias=True)),
    )
    connection.execute(
        "INSERT INTO approval VALUES (1, 1, 'W01', ?, 'now', 'ann')", (plan.wave("W01").fingerprint,)
    )
    connection.close()
    with Project.open(tmp_path) as project:
        assert plans.latest(project).plan == plan
        assert plans.wave(project, 1, "W02") == plan.wave("W02")
        assert list(approvals.valid(project, plan)) == list(approvals.standing(project, 1)) == ["W01"]


def test_lines_of_the_second_schema_learn_which_disks_nobody_knows(tmp_path: Path) -> None:
    bare = VM("id-b", "b", power=Power.ON, gaps=("disks",))
    inventory = estate(vm("a"), bare, VM("id-c", "c", power=Power.ON))
    known = estate(vm("a"), VM("id-c", "c", power=Power.ON))
    with Project.create(tmp_path) as project:
        for found in (inventory, known):
            inventories.save(project, found)
            plans.save(project, planned(found), "ann")
        assert inventory_fingerprint(inventory) == plans.head(project, 1).inventory
    connection = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    connection.execute("ALTER TABLE plan_wave DROP COLUMN unsized")
    connection.execute("ALTER TABLE control DROP COLUMN detail")
    connection.execute("ALTER TABLE run DROP COLUMN params")
    connection.execute("DROP INDEX audit_act")
    for table in tables(connection) - tables_of(2):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with Project.open(tmp_path) as project:
        (partly,), (whole,) = plans.waves(project, 1), plans.waves(project, 2)
    assert (partly.unsized, partly.size_bytes, isinstance(partly.size_bytes, AtLeast)) == (1, 10 * GIB, True)
    assert (whole.unsized, whole.size_bytes, isinstance(whole.size_bytes, AtLeast)) == (0, 10 * GIB, False)
