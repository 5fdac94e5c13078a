"""A project's file: made, opened, refused, written by several processes, never half."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from planner.errors import BadInput, NotFound
from planner.store.project import FILE, Project, utc_now

_WRITER = """
import sys
import tempfile
from pathlib import Path
from planner.effects import Effect
from migrate import audit
from planner.store.project import Project
with Project.open(Path(sys.argv[1])) as project:
    for number in range(40):
        audit.note(project, Effect.EDIT_PLAN, f"{sys.argv[2]} {number}", "x")
"""


def test_a_project_is_made_named_and_opened_again(tmp_path: Path) -> None:
    with Project.create(tmp_path / "a" / "b", "DC [red]\x1b[0m") as project:
        assert project.name == "DC [red]\x1b[0m"
    with Project.open(tmp_path / "a" / "b") as project:
        assert project.name == "DC [red]\x1b[0m"
        assert project.rows("PRAGMA journal_mode")[0][0] == "wal"
        assert project.rows("PRAGMA synchronous")[0][0] == 2
    assert (tmp_path / "a" / "b" / FILE).stat().st_mode & 0o077 == 0
    assert (tmp_path / "a" / "b" / "run").stat().st_mode & 0o077 == 0


def test_without_a_name_it_is_called_like_its_directory(tmp_path: Path) -> None:
    with Project.create(tmp_path / "north") as project:
        assert project.name == "north"


def test_a_second_project_in_the_same_place_is_refused(tmp_path: Path) -> None:
    Project.create(tmp_path).close()
    with pytest.raises(BadInput):
        Project.create(tmp_path)


def test_a_place_that_cannot_be_a_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput):
        Project.create(tmp_path / "file" / "p")


def test_where_there_is_no_project_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Project.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_what_is_no_database_is_one_sentence_and_stays_as_it_was(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(BadInput) as caught:
        Project.open(tmp_path)
    assert caught.value.hint
    assert (tmp_path / FILE).read_bytes() == content


def test_the_database_of_another_program_stays_as_it_was(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE theirs (a)")
    other.commit()
    other.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(BadInput, match="another program"):
        Project.open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_transaction_that_fails_leaves_nothing_however_many_rows_it_had(tmp_path: Path) -> None:
    with Project.create(tmp_path) as project:
        rows = [{"at": utc_now(), "who": "me", "document": "{}"} for _ in range(300)]

        def half() -> None:
            with project.write() as db:
                db.table("settings").insert(rows[0])
                db.table("settings").insert_all(rows)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            half()
        assert project.rows("SELECT * FROM settings") == []
        with project.write() as db:
            db.table("settings").insert(rows[0])
        assert len(project.rows("SELECT * FROM settings")) == 1


def test_a_reader_is_not_held_up_by_a_writer_and_sees_only_what_is_done(tmp_path: Path) -> None:
    with Project.create(tmp_path) as project, Project.open(tmp_path) as reader:
        with project.write() as db:
            db.table("settings").insert({"at": utc_now(), "who": "me", "document": "{}"})
            assert reader.rows("SELECT * FROM settings") == []
        assert len(reader.rows("SELECT * FROM settings")) == 1


def test_two_processes_that_write_at_once_both_succeed(tmp_path: Path) -> None:
    from migrate import audit

    Project.create(tmp_path).close()
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path), name], stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for writer in writers:
        _, problem = writer.communicate(timeout=60)
        assert writer.returncode == 0, problem.decode()
    with Project.open(tmp_path) as project:
        acts = [line.act for line in audit.lines(project)]
        assert sorted(acts) == sorted(f"{name} {number}" for name in ("one", "two") for number in range(40))
        assert audit.broken_at(project) is None


@pytest.mark.parametrize("value", ["'; DROP TABLE plan; --", "=cmd|' /C calc'!A0", "\x00\x1b[2J", "\u202e"])
def test_values_are_never_sql(tmp_path: Path, value: str) -> None:
    with Project.create(tmp_path, value) as project:
        assert project.name == value
        assert project.rows("SELECT count(*) FROM plan")[0][0] == 0
        assert project.rows("SELECT value FROM project WHERE value = ?", value)[0][0] == value


def test_a_project_of_somebody_else_says_that_it_must_be_writable() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "theirs"
        Project.create(root).close()
        root.parent.chmod(0o755)
        root.chmod(0o555)
        (root / FILE).chmod(0o444)
        me = os.geteuid()
        try:
            if me == 0:
                os.seteuid(65534)  # root may write anywhere
            with pytest.raises(BadInput, match="must be writable") as refused:
                Project.open(root)
            assert "backup" not in refused.value.hint
        finally:
            os.seteuid(me)
            root.chmod(0o755)
