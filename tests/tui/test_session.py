from pathlib import Path

import pytest

from planner.errors import BadInput, NotFound
from planner.store import approvals, inventories, plans
from planner.store.project import Project
from tests.tui import estate
from tui.session import Session


def test_no_project_is_said_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not a wherry project"):
        Session(tmp_path)


def test_views_come_quickest_first_and_end_complete(tmp_path: Path) -> None:
    session = estate.session(estate.build(tmp_path))
    views = list(session.refresh())
    assert len(views[0].rows) == 12
    assert views[0].plan is None
    last = views[-1]
    assert last.complete
    assert last.plan is not None
    assert last.estate is not None
    assert last.rows[0][8:] == ("W01", "shop", (0, 1, 0))
    assert last.rows[10][10] == (1, 0, 0)
    assert last.rows[11][8:10] == ("", "")
    assert set(last.approvals) == {"W01"}
    assert last.converts["vm-1", "2001"].converts
    session.close()


def test_nothing_new_yields_nothing_and_keeps_the_view(tmp_path: Path) -> None:
    session = estate.session(estate.build(tmp_path), patience_s=60)
    list(session.refresh())
    seen = session.view
    assert list(session.refresh()) == []
    assert session.view is seen
    session.close()


def test_what_others_write_is_seen(tmp_path: Path) -> None:
    session = estate.session(estate.build(tmp_path, planned=False), patience_s=60)
    list(session.refresh())
    with Project.open(tmp_path) as project:
        stored = plans.save(project, estate.plan_of(estate.estate()), "ben")
    assert list(session.refresh())[-1].plan is not None
    assert session.view.approvals == {}
    with Project.open(tmp_path) as project:
        approvals.approve(project, stored, ("W02",), "ben")
    list(session.refresh())
    assert session.view.approvals["W02"].who == "ben"
    with Project.open(tmp_path) as project:
        inventories.save(project, estate.hostile_estate())
    list(session.refresh())
    assert len(session.view.rows) == len(estate.HOSTILE)
    assert session.view.estate is not None
    assert len(session.view.estate.vms) == len(estate.HOSTILE)
    session.close()


def test_an_error_is_shown_once_and_goes_when_it_is_over(tmp_path: Path) -> None:
    broken = [True]

    def status(project: Project) -> estate.StatusRow:
        if broken[0]:
            raise BadInput("the record is odd", "look at it")
        return estate.status_of(project)

    session = estate.session(estate.build(tmp_path), status)
    assert list(session.refresh())[-1].error == "the record is odd"
    assert session.view.hint == "look at it"
    assert list(session.refresh()) == []
    broken[0] = False
    list(session.refresh())
    assert session.view.error == ""
    assert session.view.complete
    session.close()


def test_a_second_reader_is_kept_out(tmp_path: Path) -> None:
    session = estate.session(estate.build(tmp_path))
    reading = session.refresh()
    next(reading)
    assert list(session.refresh()) == []
    reading.close()
    assert list(session.refresh())
    session.close()
