"""An engine protects a wave at its source as soon as it is committed, and keeps that up to date."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from migrate.engine.presence import ensure
from migrate.run import orders
from migrate.run.execute import Purpose
from migrate.run.store import RunKind
from migrate.status import project_status
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.enginelab import await_result, engine_of, order
from tests.faults.killlab import RUNNING, WAVE, make_template
from tests.faults.labrun import Lab
from tests.faults.scenario import finish
from tests.faults.test_engine_cycles import await_more, grow_old, rounds
from tests.faults.test_reverse import await_writes, held, imaged


def test_a_committed_wave_is_protected_and_stays_so(stage: Stage) -> None:
    template = make_template(stage.scratch / "protecting", reverse=True)
    with Lab.copy(template, stage.scratch / "protected") as lab, engine_of(lab) as project:
        ensure(project.root, project.run_dir)
        for purpose in (Purpose.REPLICATE, Purpose.CUTOVER):
            await_result(project, order(project, purpose))
        committed = held(lab)
        assert await_result(project, order(project, Purpose.COMMIT))["stopped"]["outcome"] == "committed"
        await_more(project, 1, RunKind.FAILBACK)
        (wave,) = project_status(project).waves
        assert (wave.state, wave.late, wave.why) == ("reverse protected", "", "")
        planned = rounds(project, RunKind.FAILBACK)

        await_writes(lab)
        grow_old(project, 20)
        await_more(project, planned, RunKind.FAILBACK)
        assert not orders.waiting(project)
        assert held(lab) == committed, "nobody wrote to the disks at the source"
        image = imaged(lab, "committed")
        assert image == {volume: committed[volume] for volume in image}
        assert imaged(lab, "latest") != image


def test_a_first_round_that_failed_is_tried_again_by_the_engine(stage: Stage) -> None:
    template = make_template(stage.scratch / "trying", reverse=True)
    with Lab.copy(template, stage.scratch / "tried") as lab, engine_of(lab) as project:
        for purpose in (Purpose.REPLICATE, Purpose.CUTOVER, Purpose.COMMIT):
            finish(lab, purpose)
        with lab.site("dc1") as source:
            source.power_on(RUNNING[0], "somebody")
        first = orders.place(project, WAVE, "reverse", {"uid": os.getuid(), "cycle": True})
        assert await_result(project, first.id)["stopped"]["decide"] == "check"
        (wave,) = project_status(project).waves
        assert (wave.state, bool(wave.why), bool(wave.again_at)) == ("failed", True, True)
        with lab.site("dc1") as source:
            source.power_off(RUNNING[0], "somebody")
        assert not orders.waiting(project), "it is not tried at once"
        make_older(project, 2)
        await_more(project, 1, RunKind.FAILBACK)
        (wave,) = project_status(project).waves
        assert (wave.state, wave.why, wave.again_at) == ("reverse protected", "", "")


def make_older(project: Project, minutes: float) -> None:
    """Have the newest entry of the record written that much earlier."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with project.write() as db:
        db.conn.execute(
            "UPDATE step_record SET at = ? WHERE seq = (SELECT max(seq) FROM step_record)", (text,)
        )
