"""Plans in the store: immutable versions, and approvals that hold for exactly what was approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from planner.errors import NotFound, PlanTampered
from planner.model import VM, Power
from planner.plan import Unplanned, Wave
from planner.settings import Window
from planner.sized import AtLeast, show_size
from planner.store import approvals, inventories, plans
from planner.store.plans import StoredPlan
from planner.store.project import Project
from tests.migrate.estate import pair_wave, small_wave
from tests.migrate.stored import plan_of, store_plan
from tests.planner.sketch import disk, estate, vm
from tests.planner.sketch import plan as planned


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path) as project:
        yield project


@pytest.fixture
def stored(project: Project) -> StoredPlan:
    return store_plan(project, small_wave(), pair_wave())


def test_a_plan_comes_back_as_it_was(project: Project, stored: StoredPlan) -> None:
    assert plans.latest(project) == stored == plans.get(project, stored.version)
    assert plans.latest(project).plan.fingerprint == stored.plan.fingerprint


def test_an_equal_plan_is_not_stored_twice_and_another_is_a_new_version(
    project: Project, stored: StoredPlan
) -> None:
    assert plans.save(project, stored.plan, "me").version == stored.version
    newer = store_plan(project, small_wave())
    assert newer.version == stored.version + 1
    assert plans.get(project, stored.version) == stored
    back = plans.save(project, stored.plan, "me")  # equal to an older one, not to the newest
    assert back.version == newer.version + 1


def test_where_there_is_no_plan_there_is_a_hint(project: Project) -> None:
    assert plans.find_latest(project) is None
    with pytest.raises(NotFound) as caught:
        plans.latest(project)
    assert "wherry plan" in caught.value.hint
    with pytest.raises(NotFound):
        plans.get(project, 7)


@pytest.mark.parametrize(
    "change",
    [
        'UPDATE plan SET document = replace(document, \'"project": "test"\', \'"project": "evil"\')',
        'UPDATE plan SET unplanned = \'[{"vm": "a", "name": "a", "why": "evil"}]\'',
        "UPDATE content SET body = replace(body, '\"cpus\":', '\"cpus\":1')",
        "UPDATE plan_wave SET digest = (SELECT digest FROM plan_wave ORDER BY position LIMIT 1)",
        "DELETE FROM plan_wave WHERE position = 1",
        "UPDATE plan_wave SET position = 9 - position",
    ],
)
@pytest.mark.parametrize("by", ["us", "another process"])
def test_a_plan_changed_in_the_store_is_refused(
    project: Project, stored: StoredPlan, change: str, by: str
) -> None:
    assert plans.latest(project) is plans.latest(project)  # read once while nobody writes
    with Project.open(project.root) as other, (project if by == "us" else other).write() as db:
        assert db.execute(change).rowcount > 0
    with pytest.raises(PlanTampered):
        plans.get(project, stored.version)


@pytest.mark.parametrize(
    "change", ["substr(document, 1, 100)", "'[]'", "json_remove(document, '$.score')", "json_quote('x')"]
)
def test_a_plan_that_cannot_be_read_is_refused(project: Project, stored: StoredPlan, change: str) -> None:
    with project.write() as db:
        db.execute(f"UPDATE plan SET document = {change}")
    for read in (plans.find_head, plans.get):
        with pytest.raises(PlanTampered, match="plan 1 was changed in the store"):
            read(project, stored.version)


def test_what_others_write_elsewhere_does_not_have_a_plan_read_again(
    project: Project, stored: StoredPlan
) -> None:
    before = plans.latest(project)
    with Project.open(project.root) as other:
        approvals.approve(other, stored, ("W01",), "me")
    assert plans.latest(project) is before


def test_a_head_and_lines_say_what_the_plan_says(project: Project) -> None:
    window = Window.model_validate({"start": "2026-10-03T22:00:00", "hours": 5, "zone": "Europe/Berlin"})
    plan = plan_of(small_wave().model_copy(update={"window": window}), pair_wave()).model_copy(
        update={
            "unplanned": (Unplanned(vm="x", name="\x1b[31mx", why="a template"),),
            "notes": ("mind the gap",),
            "seed": 7,
        }
    )
    version = plans.save(project, plan, "ann").version
    store_plan(project, pair_wave())
    head = plans.head(project, version)
    assert (head.version, head.fingerprint, head.who) == (version, plan.fingerprint, "ann")
    assert (head.waves, head.vms, head.unplanned) == (2, sum(len(wave.vms) for wave in plan.waves), 1)
    assert (head.score, head.waves_bound) == (plan.score, plan.score.waves_bound)
    assert (head.notes, head.seed, head.inventory) == (plan.notes, 7, plan.inventory)
    assert plans.head(project).version == version + 1
    assert plans.unplanned(project, version) == {"x": "a template"}
    rows = plans.waves(project, version)
    assert [row.name for row in rows] == [wave.name for wave in plan.waves]
    for row, wave in zip(rows, plan.waves, strict=True):
        assert (row.title, row.groups, row.vms) == (wave.title, len(wave.groups), len(wave.vms))
        assert (row.size_bytes, row.fingerprint) == (wave.size_bytes, wave.fingerprint)
        down = wave.estimate.downtime_min
        assert (row.downtime_min, row.overrun) == ((down.p50, down.p95), wave.overrun)
        assert row.commit_window_h == wave.policies.commit_window_h
        assert plans.wave(project, version, wave.name.lower()) == wave
    assert rows[1].window is None
    assert rows[0].window is not None
    assert (rows[0].window.start_utc, rows[0].window.end_utc) == (window.start_utc, window.end_utc)
    assert (rows[0].window.hours, rows[0].window.zone) == (5, "Europe/Berlin")
    assert plans.placed(project, version) == {
        vm: (wave.name, group.name) for wave in plan.waves for group in wave.groups for vm in group.vms
    }
    changing = [disk for wave in plan.waves for disk in wave.disks if disk.converts]
    assert changing
    assert plans.becomes(project, version) == {
        (held.vm, held.disk): (disk.target, disk.rule) for disk in changing for held in disk.attachments
    }


def test_what_is_not_there_is_said_as_the_plan_says_it(project: Project, stored: StoredPlan) -> None:
    with pytest.raises(NotFound) as of_plan:
        stored.plan.wave("W99")
    with pytest.raises(NotFound) as of_store:
        plans.wave(project, stored.version, "W99")
    assert (of_store.value.message, of_store.value.hint) == (of_plan.value.message, of_plan.value.hint)
    with pytest.raises(NotFound):
        plans.head(project, 7)
    assert plans.waves(project, 7) == ()
    assert plans.placed(project, 7) == {}


def test_one_wave_changed_in_the_store_is_refused_alone(project: Project, stored: StoredPlan) -> None:
    with project.write() as db:
        db.execute("UPDATE content SET body = replace(body, '\"cpus\":', '\"cpus\":1')")
    with pytest.raises(PlanTampered):
        plans.wave(project, stored.version, "W01")


def test_a_wave_that_stays_as_it_is_is_stored_once(project: Project, stored: StoredPlan) -> None:
    held = project.rows("SELECT count(*) FROM content")[0][0]
    newer = store_plan(project, pair_wave(), created_at="2026-11-01T00:00:00Z")
    assert project.rows("SELECT count(*) FROM content")[0][0] == held
    assert plans.waves(project, newer.version) == plans.waves(project, stored.version)[1:]
    assert plans.get(project, newer.version) == newer


def test_an_approval_says_who_when_and_of_what(project: Project, stored: StoredPlan) -> None:
    (given,) = approvals.approve(project, stored, ("W01",), "me")
    assert (given.who, given.fingerprint) == ("me", stored.plan.wave("W01").fingerprint)
    assert approvals.valid(project, stored.plan) == {"W01": given}


def test_a_wave_that_does_not_exist_approves_nothing(project: Project, stored: StoredPlan) -> None:
    with pytest.raises(NotFound):
        approvals.approve(project, stored, ("W01", "W99"), "me")
    assert approvals.valid(project, stored.plan) == {}


def test_the_newest_approval_counts(project: Project, stored: StoredPlan) -> None:
    for who in ("one", "two"):
        approvals.approve(project, stored, ("w01", "W02"), who)
    assert {item.who for item in approvals.valid(project, stored.plan).values()} == {"two"}


def valid_after(project: Project, stored: StoredPlan, *waves: Wave) -> set[str]:
    approvals.approve(project, stored, ("W01", "W02"), "me")
    return set(approvals.valid(project, plan_of(*waves, created_at="2026-11-01T00:00:00Z")))


def changed(wave: Wave, what: str) -> Wave:
    match what:
        case "members":
            return wave.model_copy(update={"vms": wave.vms[:-1]})
        case "boot":
            return wave.model_copy(update={"boot": tuple(reversed(wave.boot))})
        case "window":
            return wave.model_copy(update={"window": Window.model_validate({"start": "2026-10-03T22:00:00"})})
        case "policies":
            policies = wave.policies.model_copy(update={"delta_cycles": 9})
            return wave.model_copy(update={"policies": policies})
        case "remap":
            disk = wave.disks[0].model_copy(update={"target_lun": "naa.9"})
            return wave.model_copy(update={"disks": (disk, *wave.disks[1:])})
        case "network":
            nic = wave.vms[0].nics[0].model_copy(update={"target": "elsewhere"})
            vm = wave.vms[0].model_copy(update={"nics": (nic,)})
            return wave.model_copy(update={"vms": (vm, *wave.vms[1:])})
        case "order of disks":
            return wave.model_copy(update={"disks": tuple(reversed(wave.disks))})
    raise AssertionError(what)


CHANGES = ["members", "boot", "window", "policies", "remap", "network", "order of disks"]


@pytest.mark.parametrize("what", CHANGES)
def test_changing_a_wave_voids_its_approval_and_keeps_the_others(
    project: Project, stored: StoredPlan, what: str
) -> None:
    assert valid_after(project, stored, small_wave(), changed(pair_wave(), what)) == {"W01"}


def test_what_is_only_said_of_a_wave_voids_nothing(project: Project, stored: StoredPlan) -> None:
    said = pair_wave().model_copy(update={"title": "other", "why": "because"})
    assert valid_after(project, stored, small_wave(), said) == {"W01", "W02"}


def test_an_approval_comes_back_when_the_wave_is_again_what_was_approved(
    project: Project, stored: StoredPlan
) -> None:
    assert valid_after(project, stored, small_wave(), changed(pair_wave(), "boot")) == {"W01"}
    assert set(approvals.valid(project, stored.plan)) == {"W01", "W02"}


def test_an_approval_is_not_for_another_wave_that_does_the_same(project: Project, stored: StoredPlan) -> None:
    renamed = small_wave().model_copy(update={"name": "W03"})
    assert valid_after(project, stored, renamed) == set()


def test_a_line_says_of_how_many_vms_the_disks_are_not_known(project: Project) -> None:
    none = estate(vm("a"), VM("id-b", "b", power=Power.ON), VM("id-c", "c", power=Power.ON), gaps=("disks",))
    small = replace(none, gaps=(), vms=(vm("a", disk("1", size_bytes=0)), *none.vms[1:]))
    for found, unsized in ((none, 2), (small, 1)):
        inventories.save(project, found)
        stored = plans.save(project, planned(found), "ann")
        (line,) = plans.waves(project, stored.version)
        assert line.unsized == unsized
        assert isinstance(line.size_bytes, AtLeast)
    # a plan of an inventory that is not here: a VM without a disk may have any
    elsewhere = replace(none, gaps=(), taken_at="2026-10-02T00:00:00+00:00")
    (line,) = plans.waves(project, plans.save(project, planned(elsewhere), "ann").version)
    assert (line.unsized, show_size(line.size_bytes)) == (2, "at least 10.0 GiB")
