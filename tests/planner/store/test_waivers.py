"""Waivers in the store: as they were given, ended but never deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from planner.checks.waivers import Subject
from planner.errors import BadInput, NotFound
from planner.store.project import Project
from planner.store.waivers import all_waivers, give, withdraw


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "move") as made:
        yield made


SUBJECTS = (Subject("vm", "vm-1", "a'; DROP TABLE waiver; --"), Subject("host", "h", "\x1b[31m"))


def given(project: Project, check: str = "disks.cbt") -> int:
    return give(
        project,
        check=check,
        subjects=SUBJECTS,
        reason="because",
        owner="Anna",
        until=date(2027, 3, 31),
        who="root",
        where="app:crm",
    ).id


def test_what_was_given_is_read_back(project: Project) -> None:
    number = given(project)
    given(project, "names.label")
    first, second = all_waivers(project)
    assert (first.id, first.check, second.check) == (number, "disks.cbt", "names.label")
    assert first.subjects == SUBJECTS
    assert (first.reason, first.owner, first.until) == ("because", "Anna", date(2027, 3, 31))
    assert (first.who, first.where, first.withdrawn) == ("root", "app:crm", None)
    assert first.at


def test_a_withdrawn_one_stays_with_who_and_why(project: Project) -> None:
    number = given(project)
    given(project)
    ended = withdraw(project, number, "eve", "was moved")
    assert ended.withdrawn is not None
    assert (ended.withdrawn.who, ended.withdrawn.why) == ("eve", "was moved")
    first, second = all_waivers(project)
    assert first == ended
    assert second.withdrawn is None
    assert len(project.rows("SELECT * FROM waiver")) == 2


def test_it_is_withdrawn_once(project: Project) -> None:
    number = given(project)
    withdraw(project, number, "eve", "was moved")
    with pytest.raises(BadInput, match="withdrawn already, by eve"):
        withdraw(project, number, "bob", "again")
    with pytest.raises(NotFound, match="waiver 99 does not exist"):
        withdraw(project, 99, "bob", "x")
    assert len(project.rows("SELECT * FROM waiver_end")) == 1
