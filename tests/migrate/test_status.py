"""Where a wave stands is read from the record: every state is reached the way people reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.history import Entry, Event, History
from migrate.run.record import StepRecord
from migrate.run.runbook import COMMIT, GO
from migrate.status import ProjectStatus, project_status
from migrate.wave_status import WaveStatus
from planner.model import VM, Inventory
from planner.store import approvals, inventories
from planner.store.project import Project
from tests.migrate.estate import pair_wave, small_wave
from tests.migrate.stored import store_plan


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path) as project:
        inventories.save(project, Inventory("test", "2026-10-01T00:00:00Z", (VM("a", "a"),)))
        yield project


Append = Callable[[str, Event], None]


def finish(history: History, append: Append, until: str) -> None:
    """Do every step before ``until``; open the gates on the way."""
    for step in history.runbook.steps:
        if step.id == until:
            return
        if step.is_gate:
            append(step.id, Event.APPROVED)
        else:
            append(step.id, Event.INTENT)
            append(step.id, Event.DONE)


def first(history: History, append: Append) -> None:
    append("check", Event.INTENT)


def failed(history: History, append: Append) -> None:
    first(history, append)
    append("check", Event.FAILED)


def in_sync(history: History, append: Append) -> None:
    finish(history, append, GO)


def cutting(history: History, append: Append) -> None:
    in_sync(history, append)
    append(GO, Event.APPROVED)


def landed(history: History, append: Append) -> None:
    finish(history, append, COMMIT)


def committing(history: History, append: Append) -> None:
    landed(history, append)
    append(COMMIT, Event.APPROVED)


def committed(history: History, append: Append) -> None:
    finish(history, append, "")


def going_back(history: History, append: Append) -> None:
    landed(history, append)
    append("", Event.ROLLBACK)


def gone_back(history: History, append: Append) -> None:
    cutting(history, append)
    append("", Event.ROLLBACK)


def aborting(history: History, append: Append) -> None:
    in_sync(history, append)
    append("", Event.ABORT)


def aborted(history: History, append: Append) -> None:
    append("", Event.ABORT)


WAYS: list[tuple[Callable[[History, Append], None], str]] = [
    (first, "replicating"),
    (failed, "failed"),
    (in_sync, "in sync"),
    (cutting, "cutting over"),
    (landed, "before commit"),
    (committing, "committing"),
    (committed, "committed"),
    (going_back, "rolling back"),
    (gone_back, "rolled back"),
    (aborting, "aborting"),
    (aborted, "aborted"),
]


def status_after(
    project: Project, way: Callable[[History, Append], None]
) -> tuple[ProjectStatus, WaveStatus]:
    wave = small_wave()
    stored = store_plan(project, wave, pair_wave())
    approvals.approve(project, stored, ("W01",), "me")
    run = runs.begin(project, stored, compose(wave))
    history = runs.history(project, run)
    record = StepRecord(project, run.id, history, "me")
    with pytest.MonkeyPatch.context() as patch:  # durability is proven elsewhere and costs a sync a line
        patch.setattr("migrate.audit.add", lambda *args: None)
        project.rows("PRAGMA synchronous = OFF")
        way(history, lambda step, event: record.append(Entry(step, event)))
    status = project_status(project)
    return status, status.waves[0]


@pytest.mark.parametrize(("way", "state"), WAYS)
def test_each_state_is_read_from_the_record(
    project: Project, way: Callable[[History, Append], None], state: str
) -> None:
    status, wave = status_after(project, way)
    assert wave.state == state
    assert wave.approved_by == "me"
    assert 0 <= wave.steps_done <= wave.steps_total
    assert (wave.gate != "") == (state in ("in sync", "before commit"))
    assert [item.state for item in status.waves] == [state, "planned"]
    assert status.running == ()


@pytest.mark.parametrize(
    ("way", "hint"),
    [
        (first, "wherry replicate W01 --live"),
        (in_sync, "wherry cutover W01 --live"),
        (cutting, "wherry cutover W01 --live"),
        (landed, "wherry commit W01 --live"),
        (committing, "wherry commit W01 --live"),
        (going_back, "wherry rollback W01 --live"),
        (aborting, "wherry abort W01 --live"),
    ],
)
def test_whatever_waits_for_a_person_says_with_which_verb(
    project: Project, way: Callable[[History, Append], None], hint: str
) -> None:
    status, _ = status_after(project, way)
    assert any(hint in need.hint for need in status.needs)


def test_a_committed_wave_needs_nobody(project: Project) -> None:
    status, _ = status_after(project, committed)
    assert not any("W01" in need.text for need in status.needs)


@pytest.mark.parametrize("way", [gone_back, aborted])
def test_a_wave_that_came_back_says_how_to_begin_again(
    project: Project, way: Callable[[History, Append], None]
) -> None:
    status, _ = status_after(project, way)
    assert [need.severity for need in status.needs if "W01" in need.text] == ["info"]
    assert any("wherry replicate W01" in need.hint for need in status.needs)


def test_a_project_without_anything_says_what_to_do_first(tmp_path: Path) -> None:
    with Project.create(tmp_path / "new") as project:
        status = project_status(project)
    assert (status.vms, status.plan_version, status.waves) == (0, None, ())
    assert [need.hint for need in status.needs] == ["wherry discover FILE"]


def test_stages_only_get_fewer(project: Project) -> None:
    for way in (first, in_sync, committed):
        status, _ = status_after(project, way)
        counts = [count for name, count in status.stages if name != "discovered"]
        assert counts == sorted(counts, reverse=True)


def test_looking_changes_nothing(project: Project) -> None:
    status, _ = status_after(project, in_sync)
    before = project.rows("PRAGMA data_version")[0][0], project.rows("SELECT total_changes()")[0][0]
    assert project_status(project) == status
    assert (project.rows("PRAGMA data_version")[0][0], project.rows("SELECT total_changes()")[0][0]) == before


def test_no_wave_is_decoded_for_a_status(project: Project) -> None:
    stored = store_plan(project, small_wave(), pair_wave())
    approvals.approve(project, stored, ("W02",), "me")
    before = project_status(project)
    assert [(wave.name, wave.state, wave.vms) for wave in before.waves] == [
        (wave.name, state, len(wave.vms))
        for wave, state in zip(stored.plan.waves, ("planned", "approved"), strict=True)
    ]
    with project.write() as db:
        db.execute("UPDATE content SET body = 'unreadable'")
    assert project_status(project) == before


def test_the_commit_window_is_that_of_the_plan_the_run_began_with(project: Project) -> None:
    _, wave = status_after(project, landed)
    policies = small_wave().policies.model_copy(update={"commit_window_h": 100.0})
    store_plan(project, small_wave().model_copy(update={"policies": policies}))
    assert project_status(project).waves[0].commit_by == wave.commit_by


def questions(root: Path, waves: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how often the store is asked for the status of so many waves that wait for their go."""
    asked = 0
    plain = Project.rows

    def counted(self: Project, sql: str, *given: object) -> object:
        nonlocal asked
        asked += 1
        return plain(self, sql, *given)

    with Project.create(root) as project:
        inventories.save(project, Inventory("test", "2026-10-01T00:00:00Z", (VM("a", "a"),)))
        made = [small_wave().model_copy(update={"name": f"W{number:02}"}) for number in range(waves)]
        stored = store_plan(project, *made)
        for wave in made:
            run = runs.begin(project, stored, compose(wave))
            history = History(run.runbook)
            record = StepRecord(project, run.id, history, "ada")
            in_sync(history, lambda step, event, record=record: record.append(Entry(step, event)))  # type: ignore[misc]
        with monkeypatch.context() as patch:
            patch.setattr(Project, "rows", counted)
            assert {wave.state for wave in project_status(project).waves} == {"in sync"}
    return asked


def test_more_waves_are_no_more_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert questions(tmp_path / "few", 1, monkeypatch) == questions(tmp_path / "many", 4, monkeypatch)
