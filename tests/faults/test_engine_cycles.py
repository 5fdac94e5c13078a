"""An engine brings a wave that waits up to date when its copies get old, and gives way to a cutover."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta

from migrate.engine.presence import ensure, running
from migrate.run import cycles, orders
from migrate.run import store as runs
from migrate.run.execute import Purpose
from migrate.run.store import RunKind
from migrate.status import project_status
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.endstate import at_commit_gate
from tests.faults.enginelab import PATIENCE_S, await_result, engine_of, order
from tests.faults.homeward import written_at
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab


def grow_old(project: Project, minutes: float) -> None:
    """Have all snapshots of the record taken that much earlier."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with project.write() as db:
        db.conn.execute(
            "UPDATE step_record SET at = ? WHERE kind = 'intent' AND step LIKE '%/snapshot/%'", (text,)
        )


def rounds(project: Project, kind: RunKind = RunKind.WAVE) -> int:
    """Return how many whole rounds the newest run of a kind has, of the groups together; 0 without one."""
    run = runs.latest(project, WAVE, kind)
    return 0 if run is None else len(cycles.cycles_of(project, run, runs.history(project, run)))


def await_more(project: Project, before: int, kind: RunKind = RunKind.WAVE) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while rounds(project, kind) <= before or orders.waiting(project):
        assert time.monotonic() < deadline, (rounds(project, kind), orders.waiting(project))
        time.sleep(0.05)


def test_copies_that_get_old_are_brought_up_to_date(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "grow-old") as lab, engine_of(lab) as project:
        ensure(project.root, project.run_dir)
        await_result(project, order(project, Purpose.REPLICATE))
        planned = rounds(project)

        grow_old(project, 20)
        await_more(project, planned)
        run = runs.latest(project, WAVE)
        assert run is not None
        assert not orders.waiting(project)
        (wave,) = project_status(project).waves
        age = datetime.now(UTC) - datetime.fromisoformat(wave.copied_at)
        assert age < timedelta(minutes=5)
        assert wave.late == ""

        # once more, with an engine that dies in the middle of it and another one that goes on
        after = rounds(project)
        grow_old(project, 90)
        while not orders.waiting(project):
            time.sleep(0.01)
        pid = running(project.run_dir)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while running(project.run_dir) == pid:
            time.sleep(0.01)
        ensure(project.root, project.run_dir)
        await_more(project, after)
        told = project.rows("SELECT detail FROM audit WHERE act = 'alarm'")
        assert [row for row in told if "over 1 h old" in row["detail"]], "somebody is told of what is too old"
        kept = project.rows("SELECT id FROM work_order WHERE json_extract(options, '$.cycle')")
        assert len(kept) <= 2, "ended orders of cycles are not kept"

        acknowledged = written_at(lab, "dc1")
        result = await_result(project, order(project, Purpose.CUTOVER))
        assert result["stopped"]["gate"] == "commit"
        assert [said for said in at_commit_gate(lab) if said != "nobody saw the finished replicas"] == []
        with lab.site("dc2") as target:
            assert all(target.guest(vm).last_written >= record for vm, record in acknowledged.items())
