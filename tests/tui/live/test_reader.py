"""What the live places read: the same as 'wherry status' says, at the price of what changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from migrate.run import controls, orders
from migrate.run.following import ProgressFile
from migrate.run.history import Event
from migrate.run.runbook import GO
from migrate.status import project_status
from migrate.transfers.ports import Moving
from planner.store.project import Project
from tests.migrate.gates.standing import Standing, planned, stored
from tui.live.document import EngineState, Live
from tui.live.reader import Reader

_HOLD = """
import sys, time
from pathlib import Path
from migrate.daemons.lock import ServerLock
from migrate.engine.presence import NAME, announce
with ServerLock(Path(sys.argv[1]), NAME):
    announce(Path(sys.argv[1]))
    print("ready", flush=True)
    time.sleep(600)
"""


class Clock:
    """Seconds that a test lets pass."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Standing]:
    with stored(tmp_path / "move", planned()) as run:
        yield run


@contextmanager
def reading(run: Standing, clock: Clock | None = None) -> Iterator[Reader]:
    with Project.open(run.project.root) as project:
        yield Reader(project, clock or Clock())


@contextmanager
def an_engine(run_dir: Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(run_dir)], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def as_status_says(run: Standing, live: Live) -> bool:
    said = json.loads(json.dumps([asdict(wave) for wave in project_status(run.project).waves]))
    shown = json.loads(json.dumps([asdict(wave.status) for wave in live.waves]))
    return bool(shown == said)


def test_one_document_a_wave_is_what_status_says(run: Standing) -> None:
    with reading(run) as reader:
        assert as_status_says(run, reader.look())
        for step in run.history.runbook.steps[:4]:
            run.append(step.id, Event.INTENT)
            assert as_status_says(run, reader.look())
            run.append(step.id, Event.DONE, **run.results.get(step.id, {}))
            assert as_status_says(run, reader.look())
        controls.ask_to_pause(run.project, "W01")
        assert "paused" in reader.look().waves[0].status.flags
        run.go_to(GO)
        assert as_status_says(run, reader.look())


def test_what_did_not_change_stays_the_same_object(run: Standing) -> None:
    with reading(run) as reader:
        before = reader.look()
        assert reader.look() == before
        assert reader.look().waves[0] is before.waves[0]
        orders.place(run.project, "W99", "replicate")  # somebody else's business
        assert reader.look().waves[0] is before.waves[0]
        run.append("check", Event.INTENT)
        assert reader.look().waves[0] is not before.waves[0]


def test_progress_is_of_the_wave_of_its_order(run: Standing) -> None:
    clock = Clock()
    with reading(run, clock) as reader:
        order = orders.place(run.project, "W01", "replicate")
        progress = ProgressFile(run.project.root, order.id)
        assert reader.look().waves[0].moving == {}
        progress.report(Moving("v1", 10, 100, 5, 1.0))
        wave = reader.look().waves[0]
        assert wave.moving["v1"].done_bytes == 10
        assert wave.order is not None
        assert (wave.order.id, wave.order.purpose) == (order.id, "replicate")
        clock.now_s += 7.4
        assert reader.look().waves[0].quiet_s == 7, "nobody said anything of a disk under way"
        progress.report(Moving("v1", 100, 100, 50, 1.0))
        assert reader.look().waves[0].quiet_s == 0
        clock.now_s += 60
        assert reader.look().waves[0].quiet_s == 0, "there is nothing more to be said of it"
        orders.end(run.project, order.id, {})
        assert reader.look().waves[0].moving == {}


def test_an_engine_that_dies_in_the_middle_is_seen_at_the_next_look(run: Standing) -> None:
    run_dir = run.project.run_dir
    with reading(run) as reader:
        assert reader.look().engine.state is EngineState.IDLE
        order = orders.place(run.project, "W01", "replicate")
        assert reader.look().engine.state is EngineState.NONE
        with an_engine(run_dir) as engine:
            orders.begin(run.project, order.id)
            now = reader.look().engine
            assert (now.state, now.pid, now.orders, now.died_at) == (EngineState.WORKING, engine.pid, 1, "")
            engine.kill()
            engine.wait()
            now = reader.look().engine
            assert (now.state, now.pid, bool(now.died_at)) == (EngineState.DEAD, None, True)
        with an_engine(run_dir):
            now = reader.look().engine
            assert (now.state, bool(now.died_at)) == (EngineState.WORKING, True), "it is still known"


def test_an_engine_that_is_stopped_or_has_nothing_to_do_did_not_die(run: Standing) -> None:
    run_dir = run.project.run_dir
    with reading(run) as reader:
        with an_engine(run_dir):
            assert reader.look().engine.state is EngineState.IDLE
        assert reader.look().engine.died_at == "", "it left when nothing was ordered"
        order = orders.place(run.project, "W01", "replicate")
        orders.begin(run.project, order.id)
        with an_engine(run_dir):
            (run_dir / "engine.stopped").touch()
            assert reader.look().engine.state is EngineState.WORKING, "until its next edge"
        now = reader.look().engine
        assert (now.state, now.died_at) == (EngineState.STOPPED, "")


def test_a_project_without_a_plan_has_no_waves(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p") as project:
        live = Reader(project, Clock()).look()
    assert (live.waves, live.complete) == ((), True)


def test_two_readers_see_the_same_and_nothing_is_written(run: Standing) -> None:
    def written() -> list[Any]:
        return [
            run.project.rows("SELECT max(seq) FROM audit")[0][0],
            run.project.rows("PRAGMA data_version")[0][0],
        ]

    before = written()
    with reading(run) as one, reading(run) as other:
        for _ in range(3):
            assert one.look() == other.look()
    assert written() == before
