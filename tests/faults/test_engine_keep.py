"""What a rolled-back target wrote is kept by a mover; whoever dies in the middle, all of it is kept."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.engine.presence import running
from migrate.run import store as runs
from migrate.run.execute import Purpose
from planner.names import content_id
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.endstate import rolled_back
from tests.faults.enginelab import await_result, engine_of, kill_engine, look_after, movers_of, order
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab


@contextlib.contextmanager
def held(project: Project) -> Iterator[Path]:
    """Hold the checkpoint that a rollback will make, so that whoever keeps it waits; give its folder."""
    run = runs.latest(project, WAVE)
    assert run is not None
    name = f"{WAVE} rolled back, run {project.id}-{run.id}-{run.generation}, g0"
    folder = project.root / "checkpoints" / content_id(name)
    folder.mkdir(parents=True, mode=0o700)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)


def keeper_of(project: Project, folder: Path) -> int:
    """Return the mover that has a folder open, once there is one; the engine itself never has."""
    while True:
        look_after(project)
        engine = running(project.run_dir)
        if engine is not None:
            assert not has_open(engine, folder), "the engine keeps it itself"
        for mover in movers_of(engine) if engine else ():
            if has_open(mover, folder):
                return mover
        time.sleep(0.01)


def has_open(pid: int, folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(link.readlink() == folder for link in Path(f"/proc/{pid}/fd").iterdir())
    return False


@pytest.mark.parametrize("dies", ["mover", "engine"])
def test_whoever_dies_while_it_is_kept_all_of_it_is_kept(stage: Stage, dies: str) -> None:
    with Lab.copy(stage.template, stage.scratch / f"keep-{dies}") as lab, engine_of(lab) as project:
        for purpose in (Purpose.REPLICATE, Purpose.CUTOVER):
            assert await_result(project, order(project, purpose))["stopped"]["decide"] is None
        with held(project) as folder:
            number = order(project, Purpose.ROLLBACK)
            mover = keeper_of(project, folder.resolve())
            (folder / "0.new").write_bytes(b"half of it")
            if dies == "mover":
                os.kill(mover, signal.SIGKILL)
            else:
                assert kill_engine(lab)
        assert await_result(project, number)["stopped"]["outcome"] == "rolled back"
        assert rolled_back(lab) == []
        assert [path.name for path in folder.glob("*.new")] == []
        run = runs.latest(project, WAVE)
        assert run is not None
        undone = runs.history(project, run).undone["g0/mark"]
        assert int(undone["bytes"]) > 0
