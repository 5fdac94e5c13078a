"""The step record: checked, durable with its audit line in one transaction, only then counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate import audit
from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.history import Entry, Event, History, IllegalEntry, Status
from migrate.run.record import StepRecord
from migrate.run.store import Run
from planner.store.project import Project
from tests.migrate.estate import small_wave
from tests.migrate.stored import store_plan


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p") as project:
        yield project


@pytest.fixture
def run(project: Project) -> Run:
    wave = small_wave()
    return runs.begin(project, store_plan(project, wave), compose(wave))


def record_of(project: Project, run: Run) -> tuple[StepRecord, History]:
    history = runs.history(project, run)
    return StepRecord(project, run.id, history, "me"), history


def test_what_is_recorded_is_what_another_process_reads(project: Project, run: Run) -> None:
    record, history = record_of(project, run)
    entries = [
        Entry("check", Event.INTENT),
        Entry("check", Event.DONE, 1, {"existing": ["\ud800", "\x1b"], "free_bytes": 1 << 62}),
        Entry("g0/d0/create", Event.INTENT),
    ]
    for entry in entries:
        record.append(entry)
    with Project.open(project.root) as other:
        again = runs.history(other, run)
    assert again.entries == entries == history.entries
    assert again.status == history.status


def test_acts_on_sites_are_audited_and_looks_are_not(project: Project, run: Run) -> None:
    record, _ = record_of(project, run)
    for entry in (
        Entry("check", Event.INTENT),
        Entry("check", Event.DONE),
        Entry("g0/d0/create", Event.INTENT),
        Entry("g0/d0/create", Event.NOT_DONE),
        Entry("g0/d0/create", Event.INTENT, 2),
        Entry("g0/d0/create", Event.DONE, 2),
        Entry("", Event.ABORT),
    ):
        record.append(entry)
    acts = [line.act for line in audit.lines(project)]
    assert acts == [
        "intent g0/d0/create",
        "intent g0/d0/create",
        "done g0/d0/create",
        "abort",
    ]
    assert audit.broken_at(project) is None
    assert {line.subject for line in audit.lines(project)} == {"W01"}


def test_a_skipped_look_is_audited_because_a_person_said_so(project: Project, run: Run) -> None:
    record, _ = record_of(project, run)
    record.append(Entry("check", Event.SKIPPED))
    assert [line.act for line in audit.lines(project)] == ["skipped check"]


def test_an_illegal_entry_is_not_written(project: Project, run: Run) -> None:
    record, history = record_of(project, run)
    with pytest.raises(IllegalEntry):
        record.append(Entry("check", Event.DONE))
    assert runs.history(project, run).entries == history.entries == []
    assert audit.lines(project) == []


@pytest.mark.parametrize("table", ["step_record", "audit"])
def test_what_could_not_be_made_durable_does_not_count(project: Project, run: Run, table: str) -> None:
    record, history = record_of(project, run)
    record.append(Entry("check", Event.INTENT))
    record.append(Entry("check", Event.DONE))
    with project.write() as db:
        db.execute(
            f"CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    with pytest.raises(sqlite3.DatabaseError):
        record.append(Entry("g0/d0/create", Event.INTENT))
    assert history.status["g0/d0/create"] is Status.PENDING
    assert runs.history(project, run).status == history.status
    assert [line.act for line in audit.lines(project)] == []
