"""A staged inventory and a saved one are the same snapshot."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.sources import staging
from planner.sources.rvtools import read_rvtools, staged_rvtools
from planner.store import inventories
from planner.store.adoption import adopt
from planner.store.inventories import Role
from planner.store.project import Project
from tests.planner.sources.workbooks import plain


def test_adopted_is_what_was_read(tmp_path: Path) -> None:
    path = plain(tmp_path / "x.xlsx")
    saved = read_rvtools(path)
    with Project.create(tmp_path / "p") as project:
        stored = inventories.save(project, saved)
        with staged_rvtools(path) as staged, project.write() as db:
            number, fingerprint = adopt(db, staged, Role.TARGET)
        again = inventories.get(project, number)
        assert (again.inventory, fingerprint, again.fingerprint) == (saved, stored.fingerprint, fingerprint)
        first, second = inventories.heads(project)
        assert (first.role, second.role) == (Role.TARGET, Role.SOURCE)
        assert (first.vms, first.size_bytes) == (second.vms, second.size_bytes) == (2, 2 * 1024**3)
        rows = project.rows("SELECT * FROM inventory_vm ORDER BY inventory, position")
        assert [tuple(row)[1:] for row in rows[:2]] == [tuple(row)[1:] for row in rows[2:]]
        assert len(project.rows("SELECT DISTINCT digest FROM inventory_vm")) == 2


def test_nothing_is_half_stored(tmp_path: Path) -> None:
    file = tmp_path / "staging.db"
    with staging.writing(file) as connection:
        staging.put_inventory(connection, read_rvtools(plain(tmp_path / "x.xlsx")))
        connection.execute("INSERT INTO part VALUES ('no_such_part', x'5b5d')")
    with Project.create(tmp_path / "p") as project:
        with (
            staging.reading(file) as connection,
            pytest.raises(BadInput, match="another shape"),
            project.write() as db,
        ):
            adopt(db, staging.Staged.of(connection))
        assert inventories.heads(project) == ()
        assert project.rows("SELECT count(*) AS n FROM content")[0]["n"] == 0


def test_a_digest_is_never_believed(tmp_path: Path) -> None:
    """What a staging file says cannot take the place of another content of the store."""
    columns = {name for _, name, *_ in _columns(tmp_path)}
    assert "digest" not in columns


def _columns(tmp_path: Path) -> list[tuple[int, str, str]]:
    with staging.writing(tmp_path / "staging.db") as connection:
        return list(connection.execute("PRAGMA table_info(vm)"))


def test_a_staging_file_is_opened_for_reading_only(tmp_path: Path) -> None:
    with staging.writing(tmp_path / "staging.db"):
        pass
    with (
        staging.reading(tmp_path / "staging.db") as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("INSERT INTO head VALUES ('a', 'b')")
