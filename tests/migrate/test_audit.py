"""The audit chain: whatever is done to a line is seen at that line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate import audit
from planner.effects import Effect
from planner.store.project import FILE, Project

LINES = 6


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p") as project:
        for number in range(LINES):
            audit.note(project, Effect.LIVE, f"act {number}", "W01\x1b[0m", {"number": number})
        yield project


def tamper(project: Project, *statements: str) -> None:
    with sqlite3.connect(project.root / FILE) as other:
        for statement in statements:
            other.execute(statement)
    other.close()


def test_an_untouched_chain_is_whole(project: Project) -> None:
    assert audit.broken_at(project) is None
    lines = audit.lines(project)
    assert [line.seq for line in lines] == list(range(1, LINES + 1))
    assert {line.who for line in lines} == {audit.person()}
    assert audit.lines(project, since="9999") == []


COLUMNS = ("at", "who", "effect", "act", "subject", "detail", "previous", "digest")


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("seq", [1, 3, LINES])
def test_a_changed_line_is_located(project: Project, seq: int, column: str) -> None:
    tamper(project, f"UPDATE audit SET {column} = {column} || 'x' WHERE seq = {seq}")
    assert audit.broken_at(project) == seq


@pytest.mark.parametrize("seq", range(1, LINES))
def test_a_removed_line_is_located_even_when_the_rest_moves_up(project: Project, seq: int) -> None:
    tamper(project, f"DELETE FROM audit WHERE seq = {seq}")
    assert audit.broken_at(project) == seq
    for number in range(seq, LINES):
        tamper(project, f"UPDATE audit SET seq = {number} WHERE seq = {number + 1}")
    assert audit.broken_at(project) == seq


@pytest.mark.parametrize("seq", range(1, LINES + 2))
def test_an_inserted_line_is_located(project: Project, seq: int) -> None:
    moves = [f"UPDATE audit SET seq = {n + 1} WHERE seq = {n}" for n in range(LINES, seq - 1, -1)]
    tamper(
        project,
        *moves,
        f"INSERT INTO audit SELECT {seq}, at, who, effect, 'forged', subject, detail, previous, digest "
        f"FROM audit WHERE seq = {seq - 1 or 2}",
    )
    assert audit.broken_at(project) == seq


def test_two_lines_that_change_places_are_located(project: Project) -> None:
    tamper(
        project,
        "UPDATE audit SET seq = 99 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = 99",
    )
    assert audit.broken_at(project) == 2


def test_a_line_lives_and_dies_with_the_transaction_it_stands_in(project: Project) -> None:
    def half() -> None:
        with project.write() as db:
            audit.add(db, "me", Effect.LIVE, "never", "W01")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert len(audit.lines(project)) == LINES
    assert audit.broken_at(project) is None


def test_a_line_that_was_changed_and_sealed_anew_is_given_away_by_the_next(project: Project) -> None:
    line = audit.lines(project)[2]
    forged = audit._seal(replace(line, act="nothing"))
    tamper(project, f"UPDATE audit SET act = 'nothing', digest = '{forged}' WHERE seq = {line.seq}")
    assert audit.broken_at(project) == line.seq + 1
