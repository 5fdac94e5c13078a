"""An engine dies between the last entry of a run and the end of its order: the next one tells what was."""

from __future__ import annotations

from migrate.engine.carrying import carry
from migrate.run import orders
from migrate.run import store as runs
from migrate.run.execute import Purpose
from migrate.run.means import Hauling
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.endstate import rolled_back
from tests.faults.enginelab import order, reopen
from tests.faults.labrun import Lab


def done(project: Project, number: int, hauling: Hauling) -> dict[str, object]:
    assert carry(project.root, number, hauling, lambda: False)
    result = orders.find(project, number).result
    assert result is not None
    return result


def test_a_rollback_that_was_over_is_told_as_what_it_was(stage: Stage, hauling: Hauling) -> None:
    with Lab.copy(stage.template, stage.scratch / "unended") as lab, lab.project() as project:
        for purpose in (Purpose.REPLICATE, Purpose.CUTOVER):
            assert "error" not in done(project, order(project, purpose), hauling)
        number = order(project, Purpose.ROLLBACK)
        first = done(project, number, hauling)
        assert rolled_back(lab) == []
        before = runs.last_entry(project)
        reopen(project, number)
        assert done(project, number, hauling) == first
        assert runs.last_entry(project) == before
        reopen(project, number)
        with project.write() as db:
            db.execute("UPDATE work_order SET begun_at = NULL WHERE id = ?", (number,))
        assert "nothing to roll back" in str(done(project, number, hauling)["message"]), "the control"
