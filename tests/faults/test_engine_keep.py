"""What a rolled-back target wrote is kept by a mover; whoever dies in the middle, all of it is kept."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import signal
import threading
import time
from collections import Counter
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
from tests.faults.enginelab import (
    PATIENCE_S,
    await_result,
    engine_of,
    kill_engine,
    kill_mover,
    kill_receiver,
    look_after,
    movers_of,
    order,
)
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab

_CHANCES = 5  # of a rollback that is over before anybody was killed
_KILLS = {"engine": kill_engine, "mover": kill_mover, "receiver": kill_receiver}


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
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        look_after(project)
        engine = running(project.run_dir)
        if engine is not None:
            assert not has_open(engine, folder), "the engine keeps it itself"
        for mover in movers_of(engine) if engine else ():
            if has_open(mover, folder):
                return mover
        time.sleep(0.01)
    raise AssertionError("no mover keeps it")


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


def _rolled_back_under_kills(stage: Stage, name: str, rng: random.Random, most: int) -> Counter[str]:
    """Cut over in peace, go back under so many kills at random moments; return who died how often."""
    killed: Counter[str] = Counter()
    done = threading.Event()
    with Lab.copy(stage.template, stage.scratch / name) as lab, engine_of(lab) as project:
        for purpose in (Purpose.REPLICATE, Purpose.CUTOVER):
            assert await_result(project, order(project, purpose))["stopped"]["decide"] is None

        def kill() -> None:
            while not done.wait(rng.uniform(0.0, 0.5)) and killed.total() < most:
                who = rng.choice(list(_KILLS))
                killed[who] += _KILLS[who](lab)

        killer = threading.Thread(target=kill)
        number = order(project, Purpose.ROLLBACK)
        killer.start()
        try:
            result = await_result(project, number)
        finally:
            done.set()
            killer.join()
        assert result["stopped"]["outcome"] == "rolled back", result
        assert rolled_back(lab) == []
    return killed


def test_a_rollback_ends_as_if_nobody_had_killed_its_engine_and_movers(
    stage: Stage, rng: random.Random
) -> None:
    killed: Counter[str] = Counter()
    for number in range(_CHANCES):
        if not killed.total():
            killed = _rolled_back_under_kills(stage, f"back-once-{number}", rng, 6)
    print("killed", ", ".join(f"{name} {times}" for name, times in sorted(killed.items())))
    assert killed.total()


@pytest.mark.soak
def test_rollbacks_under_kills_many_times(stage: Stage, rng: random.Random) -> None:
    killed: Counter[str] = Counter()
    for number in range(50):
        killed += _rolled_back_under_kills(stage, f"back-{number}", rng, 12)
    print("killed", ", ".join(f"{name} {times}" for name, times in sorted(killed.items())))
