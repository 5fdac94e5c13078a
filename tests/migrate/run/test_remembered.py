"""Runs and histories that a reader remembers are what is in the record, whatever happened to it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.run import cycles, remembered
from migrate.run import store as runs
from migrate.run.compose import another_cycle, compose
from migrate.run.history import Entry, Event
from migrate.run.record import StepRecord
from migrate.run.runbook import GO, dump_step
from migrate.run.store import Run, RunKind
from planner.store.project import Project
from tests.migrate.estate import pair_wave, small_wave
from tests.migrate.gates.standing import planned, stored
from tests.migrate.stored import store_plan


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p") as project:
        yield project


def same(reader: Project, *every: Run) -> bool:
    """Return whether a reader remembers just what is in the record."""
    found = remembered.histories(reader, every)
    fresh = {run.id: runs.history(reader, run) for run in every}
    return all(
        found[run.id].entries == fresh[run.id].entries
        and found[run.id].status == fresh[run.id].status
        and found[run.id].ready == fresh[run.id].ready
        for run in every
    )


def test_all_runs_at_once_are_what_each_is_alone(project: Project) -> None:
    pair, small = pair_wave(), small_wave()
    stored = store_plan(project, pair, small)
    runs.begin(project, stored, compose(pair))
    for wave in (pair, small):
        run = runs.begin(project, stored, compose(wave))
        record = StepRecord(project, run.id, runs.history(project, run), "ada")
        record.append(Entry("check", Event.INTENT))
        if wave is pair:
            record.append(Entry("check", Event.DONE, 1, {"free_bytes": 7}))
    bare = runs.begin(project, stored, compose(small), RunKind.FAILBACK)
    found = remembered.newest(project)
    assert found == {name: runs.latest(project, name) for name in ("W01", "W02")}
    assert remembered.newest(project, RunKind.REMEDY) == {}
    assert same(project, *found.values(), bare)
    times = runs.last_times(project)
    assert times == {run.id: runs.last_at(project, run) for run in found.values()}, "one has no entry"


def test_what_comes_later_is_taken_in_and_what_is_known_is_not_read_again(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run, Project.open(run.project.root) as reader:
        assert same(reader, run.run)
        first = remembered.histories(reader, [run.run])[run.run.id]
        for _ in range(3):
            run.do(next(step.id for step in run.history.runbook.steps if step.id in _open(run)))
            assert same(reader, run.run)
            assert remembered.histories(reader, [run.run])[run.run.id] is first
        newer = runs.begin(run.project, store_plan(run.project, run.wave), compose(run.wave))
        assert remembered.newest(reader)["W01"] == newer
        assert same(reader, run.run, newer)


def test_cycles_that_are_put_away_are_forgotten(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run, Project.open(run.project.root) as reader:
        run.go_to(GO)
        first = int(run.wave.policies.delta_cycles) + 1
        for number in range(first, first + 4):
            steps = another_cycle(run.wave, number)
            run.append("", Event.CYCLE, gate=GO, steps=[dump_step(step) for step in steps])
            assert same(reader, run.run)
            run.do(*(step.id for step in steps))
            cycles.put_away(run.project, run.run, run.history)
            run.history = runs.history(run.project, run.run)
            assert same(reader, run.run)


def _open(run: object) -> set[str]:
    history = run.history  # type: ignore[attr-defined]
    return {history.runbook.steps[position].id for position in history.ready}
