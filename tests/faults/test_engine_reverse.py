"""An engine protects a wave at its source as soon as it is committed, and keeps that up to date."""

from __future__ import annotations

from migrate.engine.presence import ensure
from migrate.run import orders
from migrate.run.execute import Purpose
from migrate.run.store import RunKind
from migrate.status import project_status
from tests.faults.conftest import Stage
from tests.faults.enginelab import await_result, engine_of, order
from tests.faults.killlab import make_template
from tests.faults.labrun import Lab
from tests.faults.test_engine_cycles import await_more, grow_old, rounds
from tests.faults.test_reverse import held, imaged


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

        grow_old(project, 20)
        await_more(project, planned, RunKind.FAILBACK)
        assert not orders.waiting(project)
        assert held(lab) == committed, "nobody wrote to the disks at the source"
        image = imaged(lab, "committed")
        assert image == {volume: committed[volume] for volume in image}
        assert imaged(lab, "latest") != image
