"""The session: what screens show is read piece by piece, and nothing stale is taken for current."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from planner.errors import BadInput, NotFound
from planner.model import Backing, Inventory
from planner.settings import Settings
from planner.store import approvals, inventories, judged, plans
from planner.store import settings as settings_store
from planner.store.project import Project
from tests.tui import estate
from tui.session import Session
from tui.study.judge import Judge


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
    assert (last.judging, last.blocked) == ("current", 1)
    assert last.rows[0][8:] == ("W01", "shop", (0, 1, 0))
    assert last.rows[10][10] == (1, 0, 0)
    assert last.rows[11][8:10] == ("", "")
    assert last.wave_tallies == {"W01": (0, 2, 0), "W02": (1, 0, 0)}
    assert [(count.check, count.findings) for count in last.counts] == [("disks.rdm", 2), ("vm.off", 1)]
    assert set(last.approvals) == {"W01"}
    assert last.becomes["vm-1", "2001"] == (Backing.VMDK, "a physical RDM becomes a VMDK by policy")
    assert last.unplanned == {"vm-11": "excluded by name"}
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
    assert [row[1] for row in session.view.rows] == list(estate.HOSTILE)
    vm = session.vm("vm-0")
    assert vm is not None
    assert vm.name == estate.HOSTILE[0]
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


def test_one_vm_its_findings_its_ties_and_its_wave_are_read_when_they_are_looked_at(tmp_path: Path) -> None:
    session = estate.session(estate.build(tmp_path))
    list(session.refresh())
    inventory = estate.estate()
    assert [session.vm(vm.id) for vm in inventory.vms] == list(inventory.vms)
    assert session.vm("vm-99") is None
    assert session.vm("vm-0") is session.vm("vm-0")
    assert [found.check for found in session.findings_of("vm-10")] == ["vm.off"]
    assert session.findings_of("vm-5") == ()
    assert session.ties_of("vm-2") == ((True, "shop-db-01", 1433), (False, "shop-web-01", 8080))
    assert session.ties_of("vm-11") == ()
    plan = estate.plan_of(inventory)
    assert session.wave("W02") == plan.wave("W02")
    with pytest.raises(NotFound, match="W99"):
        session.wave("W99")
    session.close()


def test_a_newer_plan_is_what_waves_are_read_from(tmp_path: Path) -> None:
    session = estate.session(estate.build(tmp_path), patience_s=60)
    list(session.refresh())
    before = session.wave("W01")
    newer = estate.plan_of(estate.estate(), waves=4)
    with Project.open(tmp_path) as project:
        plans.save(project, newer, "ben")
    list(session.refresh())
    assert session.wave("W01") == newer.wave("W01") != before
    assert [row.name for row in session.view.waves] == ["W01", "W02", "W03", "W04"]
    assert session.view.rows[10][8] == "W04"
    session.close()


@pytest.mark.parametrize("change", ["settings", "inventory", "rules"])
def test_what_checks_said_of_something_else_is_not_shown(tmp_path: Path, change: str) -> None:
    session = estate.session(estate.build(tmp_path), patience_s=60)
    list(session.refresh())
    assert session.view.tallies is not None
    with Project.open(tmp_path) as project:
        if change == "settings":
            settings_store.save(project, Settings(), "ben")
        elif change == "inventory":
            inventories.save(project, estate.hostile_estate())
        else:
            (tmp_path / "rules.yaml").write_text("rules: []\n")
    list(session.refresh())
    view = session.view
    assert (view.judging, view.tallies, view.blocked, view.counts) == ("stale", None, None, ())
    assert {row[10] for row in view.rows} == {None}
    assert session.findings_of("vm-10") == ()
    estate.judge(tmp_path)
    list(session.refresh())
    assert session.view.judging == "current"
    assert None not in {row[10] for row in session.view.rows}
    session.close()


def test_checks_are_run_by_another_process_and_come_in_by_themselves(tmp_path: Path) -> None:
    session = Session(estate.build(tmp_path))
    list(session.refresh())
    assert session.view.judging == "running"
    assert session.ties_of("vm-2") is None
    for _ in range(1500):
        list(session.refresh())
        if session.view.judging == "current":
            break
        time.sleep(0.02)
    with Project.open(tmp_path) as project:
        assert session.view.tallies == judged.tallies(project)
    assert session.ties_of("vm-2") == ((True, "shop-db-01", 1433), (False, "shop-web-01", 8080))
    assert session.matching("lun~naa", session.view.rows) == [0, 1]
    session.close()


def test_the_process_that_checks_ends_with_its_parent(tmp_path: Path) -> None:
    estate.build(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; from tui.study import judging; judging.main = lambda root: "
         "__import__('time').sleep(60); sys.argv[1:] = ['x']; judging.run()"],
        stdin=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(120) == 1


def test_filters_are_asked_of_columns_places_and_checks(tmp_path: Path) -> None:
    session = estate.session(estate.build(tmp_path))
    list(session.refresh())
    rows = session.view.rows

    def names(text: str) -> list[str]:
        return [rows[index][1] for index in session.matching(text, rows)]

    assert names("crm") == ["crm-db-01", "crm-app-01", "crm-web-01"]
    assert names("wave:none") == ["tiny"]
    assert names("checks:blocked") == ["old-box"]
    assert (
        names("wave:W02 os~win") == [row[1] for row in rows if row[8] == "W02" and "Windows" in row[4]] != []
    )
    with pytest.raises(BadInput):
        session.matching("nofield:1", rows)
    session.close()


def test_rows_are_shown_anew_once_they_can_be_filtered_by_everything(tmp_path: Path) -> None:
    estate.build(tmp_path)
    session = Session(tmp_path, status_of=estate.status_of, judges=False)  # type: ignore[arg-type]
    list(session.refresh())
    before = session.view.rows
    with pytest.raises(NotFound, match="still being read"):
        session.matching("disks>1", before)
    estate.judge(tmp_path)
    list(session.refresh())
    assert session.view.rows is not before
    session.matching("disks>1", session.view.rows)
    session.close()


def test_what_many_vms_share_is_held_once(tmp_path: Path) -> None:
    vms = tuple(estate.vm(number, f"vm{number}", "shop") for number in range(50))
    session = estate.session(estate.build(tmp_path, Inventory("x", "2026-03-10T09:00:00Z", vms)))
    list(session.refresh())
    for column in (2, 3, 10):
        assert len({id(row[column]) for row in session.view.rows}) == 1
    session.close()


def test_a_process_that_judged_is_buried_though_nobody_looks(tmp_path: Path) -> None:
    judge = Judge(estate.build(tmp_path))
    judge.start()
    child = judge._child
    assert child is not None
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child.pid}").exists() and time.monotonic() < deadline:  # a zombie has a folder too
        time.sleep(0.02)
    assert child.returncode == 0
    assert not judge.running
    judge.close()
