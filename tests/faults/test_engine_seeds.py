"""A seed that an engine has brought in by a mover: the wave stands on it, one that dies is replaced."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from migrate.engine.presence import ensure
from migrate.run import orders
from migrate.run import store as runs
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.enginelab import await_result, engine_of, kill_mover, look_after
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab
from tests.migrate.sites.estate import content

VOLUME = "db/2000"


def image_of(lab: Lab) -> Path:
    """Return a map that names an image of a disk, as it was a moment ago."""
    drive = lab.root / "drive"
    drive.mkdir()
    with lab.site("dc1") as source:
        (drive / "db.img").write_bytes(content(source, VOLUME))
    table = drive / "map.csv"
    table.write_text("vm,disk,path\ndb,Hard disk 1,db.img\n", "utf-8")
    return table


def place(project: Project, table: Path) -> int:
    options = {"uid": os.getuid(), "seed_from": str(table)}
    return orders.place(project, WAVE, "replicate", options).id


def placed(project: Project) -> dict[str, object]:
    run = runs.latest(project, WAVE)
    assert run is not None
    history = runs.history(project, run)
    (found,) = (step for step in history.runbook.steps if step.kind == "place-seed")
    return history.results[found.id]


@pytest.mark.soak
@pytest.mark.parametrize("dies", [False, True])
def test_a_seed_is_brought_in_by_a_mover(stage: Stage, dies: bool) -> None:
    name = f"engine-seeds-{dies}"
    with Lab.copy(stage.template, stage.scratch / name) as lab, engine_of(lab) as project:
        table = image_of(lab)
        ensure(project.root, project.run_dir)
        number = place(project, table)
        while dies and not kill_mover(lab):
            look_after(project)
            assert orders.find(project, number).result is None, "it was over before a mover could die"
            time.sleep(0.001)
        assert await_result(project, number)["stopped"]["gate"] == "go"
        assert int(str(placed(project)["data_bytes"])) > 0
