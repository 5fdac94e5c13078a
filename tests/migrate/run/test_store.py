"""Runs in the store: what they keep, how they end, and one process at a time."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.history import Entry, Event, History
from migrate.run.record import StepRecord
from migrate.run.waves import check_alone
from planner.errors import Blocked, ProjectBusy
from planner.store.project import Project
from tests.migrate.estate import pair_wave, small_wave
from tests.migrate.stored import store_plan

HOSTILE = "../../W[red]\x1b[2J"
_HOLD = """
import sys
from pathlib import Path
from migrate.run import store as runs
from planner.store.project import Project
with Project.open(Path(sys.argv[1])) as project, runs.held(project, sys.argv[2]):
    sys.stdout.write("held\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p") as project:
        yield project


def test_a_run_keeps_the_runbook_it_began_with(project: Project) -> None:
    wave = pair_wave()
    stored = store_plan(project, wave)
    begun = runs.begin(project, stored, compose(wave))
    assert runs.latest(project, "W02") == begun
    assert runs.latest(project, "W01") is None
    assert (begun.plan, begun.fingerprint) == (stored.version, wave.fingerprint)
    newer = runs.begin(project, stored, compose(wave))
    found = runs.latest(project, "W02")
    assert found is not None
    assert found.id == newer.id > begun.id


def test_a_later_run_counts_as_later_when_the_clock_went_back(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = pair_wave()
    stored = store_plan(project, wave)
    first = runs.begin(project, stored, compose(wave))
    monkeypatch.setattr(runs, "utc_now", lambda: "2001-01-01T00:00:00.000Z")
    second = runs.begin(project, stored, compose(wave))
    third = runs.begin(project, stored, compose(wave))
    assert first.generation < second.generation < third.generation
    assert third == runs.latest(project, "W02")


def test_a_vm_is_in_one_run_at_a_time(project: Project) -> None:
    wave = small_wave()
    run = runs.begin(project, store_plan(project, wave), compose(wave))
    other = wave.model_copy(update={"name": "W07", "vms": wave.vms[1:]})
    store_plan(project, wave, other)
    check_alone(project, wave)
    with pytest.raises(Blocked, match="web of W07 is in the run of W01"):
        check_alone(project, other)
    StepRecord(project, run.id, runs.history(project, run), "me").append(Entry("", Event.ABORT))
    check_alone(project, other)


def test_a_run_that_did_not_end_has_no_outcome(project: Project) -> None:
    wave = small_wave()
    run = runs.begin(project, store_plan(project, wave), compose(wave))
    history = runs.history(project, run)
    assert runs.outcome(history) is None
    StepRecord(project, run.id, history, "me").append(Entry("", Event.ABORT))
    assert runs.outcome(runs.history(project, run)) is Outcome.ABORTED


def test_a_committed_run_says_so() -> None:
    history = History(compose(small_wave()))
    for step in history.runbook.steps:
        if step.is_gate:
            history.append(Entry(step.id, Event.APPROVED))
        else:
            history.append(Entry(step.id, Event.INTENT))
            history.append(Entry(step.id, Event.DONE))
    assert runs.outcome(history) is Outcome.COMMITTED


def test_one_process_at_a_time_and_death_releases(project: Project) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(project.root), HOSTILE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert runs.is_held(project, HOSTILE)
        assert not runs.is_held(project, "W01")
        assert runs.driven(project, ["W01", HOSTILE]) == (HOSTILE,)
        with pytest.raises(ProjectBusy) as caught, runs.held(project, HOSTILE):
            pass
        assert "\x1b" not in caught.value.message
        assert caught.value.exit_code == 5
    finally:
        holder.kill()
        holder.communicate()
    assert not runs.is_held(project, HOSTILE)
    assert runs.driven(project, ["W01", HOSTILE]) == ()
    with runs.held(project, HOSTILE):
        assert runs.is_held(project, HOSTILE)


def test_looking_whether_a_wave_is_held_leaves_nothing_behind(project: Project) -> None:
    assert not runs.is_held(project, "W01")
    assert list(project.run_dir.iterdir()) == []


def test_somebody_who_watches_does_not_keep_a_run_from_starting(project: Project) -> None:
    with runs.held(project, "W01"):
        pass
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            runs.is_held(project, "W01")

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            with runs.held(project, "W01"):
                pass
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()


def test_two_who_look_at_once_do_not_take_each_other_for_a_run(project: Project) -> None:
    with runs.held(project, "W01"):
        pass
    (path,) = project.run_dir.iterdir()
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not runs.is_held(project, "W01")
