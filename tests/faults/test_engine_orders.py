"""Orders: followed, refused, halted and gone on with, and an engine that leaves by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from migrate.engine.presence import Minder, ensure, halt, running
from migrate.run import orders
from migrate.run import store as runs
from migrate.run.driver import Told
from migrate.run.execute import Onlooker, Purpose
from migrate.run.following import Follower
from migrate.run.history import RUN_EVENTS, Event
from migrate.run.runbook import GO
from planner.errors import Blocked, Paused
from planner.own_code import child_environment
from tests.faults.conftest import Stage
from tests.faults.enginelab import await_result, engine_of, order
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab


def test_orders_are_followed_refused_halted_and_gone_on_with(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "orders") as lab, engine_of(lab) as project:
        ensure(project.root, project.run_dir)

        # what may not be is told to whoever follows, as the error that it is
        since = runs.last_entry(project)
        refused = orders.place(project, WAVE, Purpose.COMMIT.value, {"uid": os.getuid()})
        with pytest.raises(Blocked, match="nothing to commit"):
            Follower(project, refused, since, Onlooker()).follow()

        # an engine that a person stops halts at an edge, and the order stays open
        number = order(project, Purpose.REPLICATE)
        while not project.rows("SELECT 1 FROM step_record WHERE step LIKE '%/seed' AND kind = 'intent'"):
            time.sleep(0.002)
        assert halt(project.run_dir)
        assert running(project.run_dir) is None
        assert orders.find(project, number).result is None
        minder = Minder(project.root, project.run_dir, lambda said: None)
        time.sleep(0.6)
        with pytest.raises(Paused, match="was stopped"):
            minder()

        # the next one goes on, and a follower who comes late is told what is still to come
        heard: list[Told] = []
        since = runs.last_entry(project)
        ensure(project.root, project.run_dir)
        late = Follower(project, orders.find(project, number), since, Onlooker(tell=heard.append))
        (carried,) = late.follow()
        assert carried.stopped.gate is not None
        assert carried.stopped.gate.id == GO
        told = [(one.step.id, one.event) for one in heard]
        rows = project.rows("SELECT step, kind FROM step_record WHERE seq > ? ORDER BY seq", since)
        assert told == [
            (row["step"], Event(row["kind"])) for row in rows if Event(row["kind"]) not in RUN_EVENTS
        ]
        stored = runs.history(project, carried.run)
        assert carried.history.entries == stored.entries


def test_an_engine_with_nothing_to_do_leaves(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "idle") as lab:
        script = (
            "import os, pathlib, sys\n"
            "from migrate.engine.process import Engine\n"
            "Engine(pathlib.Path(sys.argv[1]), idle_s=0.2).run()\n"
            "os._exit(17)\n"
        )
        ended = subprocess.run(
            [sys.executable, "-c", script, str(lab.root)], env=child_environment(), timeout=60, check=False
        )
        assert ended.returncode == 17


def test_the_same_order_may_be_begun_again_after_its_end(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "again") as lab, engine_of(lab) as project:
        first = await_result(project, order(project, Purpose.REPLICATE))
        second = await_result(project, order(project, Purpose.REPLICATE))
        assert first["stopped"] == second["stopped"] == {
            "gate": GO, "decide": None, "outcome": None, "paused": False,
        }  # fmt: skip
        assert first["run"] == second["run"], "one more round of the same run"
