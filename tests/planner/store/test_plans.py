"""Plans in the store: immutable versions, and approvals that hold for exactly what was approved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.errors import NotFound, PlanTampered
from planner.plan import Wave
from planner.settings import Window
from planner.store import approvals, plans
from planner.store.plans import StoredPlan
from planner.store.project import Project
from tests.migrate.estate import pair_wave, small_wave
from tests.migrate.stored import plan_of, store_plan


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


def test_a_plan_changed_in_the_store_is_refused(project: Project, stored: StoredPlan) -> None:
    row = project.rows("SELECT document FROM plan")[0]
    body = json.loads(row["document"])
    body["waves"][0]["disks"][0]["target_lun"] = "naa.evil"
    with project.write() as db:
        db.execute("UPDATE plan SET document = ?", [json.dumps(body)])
    with pytest.raises(PlanTampered):
        plans.latest(project)


def test_a_plan_is_read_once_while_the_project_is_open_and_a_change_is_still_seen(
    project: Project, stored: StoredPlan
) -> None:
    assert plans.latest(project) is plans.latest(project)
    with project.write() as db:
        db.execute("UPDATE plan SET document = replace(document, '\"cpus\":', '\"cpus\":1')")
    with pytest.raises(PlanTampered):
        plans.get(project, stored.version)


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
