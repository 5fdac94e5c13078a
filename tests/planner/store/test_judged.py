"""What the checks said last: the same as they say now, or not said at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from planner.checks.waivers import Subject
from planner.errors import NotFound
from planner.made_by import code_digest, code_on_disk
from planner.model import VM, Disk, Inventory, Power, Severity, Snapshot
from planner.readiness import judge, situation, today
from planner.settings import Settings
from planner.store import inventories, judged
from planner.store import settings as settings_store
from planner.store.inventories import Role
from planner.store.project import Project
from planner.store.waivers import give, withdraw
from planner.synth.estate import make_estate
from planner.synth.recipe import Recipe

ESTATE = make_estate(Recipe(vms=80, seed=7)).inventory
RULES = """
- id: site.nobody
  title: Belongs to nobody
  when: "owner:"
  severity: warning
  why: Nobody answers.
  remedy: find an owner
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "move") as made:
        inventories.save(made, ESTATE)
        yield made


def waive(project: Project, until: date | None = None) -> int:
    """Waive the first blocker there is, until a day."""
    first = judge(situation(project), today()).findings[0]
    return give(
        project,
        check=first.check,
        subjects=(Subject(first.subject_kind, first.subject, first.subject_name),),
        reason="known",
        owner="Anna",
        until=until or today() + timedelta(days=5),
        who="root",
    ).id


def test_what_is_read_is_what_the_checks_say(project: Project) -> None:
    (project.root / "rules.yaml").write_text(RULES, "utf-8")
    waive(project)
    said = judge(situation(project), today())
    assert judged.readiness(project) is None
    assert judged.judge_and_store(project) == said
    read = judged.readiness(project)
    assert read == said
    assert list(read.unknown) == list(said.unknown)
    assert any(finding.waiver for finding in read.findings)
    assert any(finding.check == "site.nobody" for finding in read.findings)
    assert said.undecided


def test_tallies_count_what_is_open_by_vm(project: Project) -> None:
    waive(project)
    said = judged.judge_and_store(project)
    found = judged.tallies(project)
    assert list(found) == [vm.id for vm in ESTATE.vms]
    assert judged.tally_rows(project) == list(found.values())
    for vm, (blockers, warnings, undecided) in found.items():
        mine = [item.severity for item in said.open if item.subject == vm and item.subject_kind == "vm"]
        assert (blockers, warnings) == (mine.count(Severity.BLOCKER), mine.count(Severity.WARNING))
        assert undecided == said.undecided.get(vm, 0)


def test_a_host_of_the_same_id_is_no_finding_of_the_vm(project: Project) -> None:
    said = judged.judge_and_store(project)
    host = next(item for item in said.findings if item.subject_kind != "vm")
    vm = ESTATE.vms[0].id
    mixed = replace(said, findings=(replace(host, subject=vm),))
    judged.store(project, judged.stamp(project), [one.id for one in ESTATE.vms], mixed)
    assert judged.findings(project, vm=vm) == ()
    assert judged.tallies(project)[vm][:2] == (0, 0)


def test_findings_are_chosen_by_what_is_given(project: Project) -> None:
    waive(project)
    every = judged.judge_and_store(project).findings
    vm, check = every[0].subject, every[-1].check
    assert judged.findings(project) == every
    assert judged.findings(project, vm=vm) == tuple(item for item in every if item.subject == vm)
    assert judged.findings(project, check=check) == tuple(item for item in every if item.check == check)
    assert judged.findings(project, severity=Severity.WARNING) == tuple(
        item for item in every if item.severity is Severity.WARNING
    )
    assert judged.findings(project, waived=True) == tuple(item for item in every if item.waiver)
    assert judged.findings(project, waived=False, severity=Severity.BLOCKER) == tuple(
        item for item in every if not item.waiver and item.severity is Severity.BLOCKER
    )
    assert judged.findings(project, limit=3, offset=5) == every[5:8]
    assert judged.findings(project, vm="' OR 1 --") == ()


def test_checks_are_counted(project: Project) -> None:
    waive(project)
    said = judged.judge_and_store(project)
    found = judged.counts(project)
    assert sum(count.findings for count in found) == len(said.findings)
    assert sum(count.waived for count in found) == 1
    assert {count.check: count.unknown for count in found if count.unknown} == said.unknown
    for count in found:
        mine = [
            item for item in said.findings if (item.check, item.severity) == (count.check, count.severity)
        ]
        assert len(mine) == count.findings
        assert (count.severity is None) is (count.findings == 0)


def _evidence(project: Project) -> None:
    inventories.save(project, replace(ESTATE, taken_at="2026-10-06T00:00:00Z"))


CHANGES: dict[str, Callable[[Project], object]] = {
    "a newer inventory": _evidence,
    "a target": lambda project: inventories.save(project, ESTATE, Role.TARGET),
    "settings": lambda project: settings_store.save(project, Settings(), "root"),
    "a waiver": waive,
    "own rules": lambda project: (project.root / "rules.yaml").write_text(RULES, "utf-8"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_is_current_after(project: Project, change: Callable[[Project], object]) -> None:
    judged.judge_and_store(project)
    assert judged.fresh(project) == judged.stamp(project)
    change(project)
    assert judged.fresh(project) is None
    assert judged.readiness(project) is None
    for read in (judged.tallies, judged.tally_rows, judged.counts, judged.findings):
        with pytest.raises(NotFound):
            read(project)
        read(project, stale=True)
    assert judged.judge_and_store(project) == judged.readiness(project) == judge(situation(project), today())


def test_rules_that_change_are_seen_though_size_and_time_stay(project: Project) -> None:
    path = project.root / "rules.yaml"
    path.write_text(RULES, "utf-8")
    about = path.stat()
    judged.judge_and_store(project)
    path.write_text(RULES.replace("warning", "blocker"), "utf-8")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert judged.fresh(project) is None


def test_a_waiver_that_ends_or_is_taken_back_makes_it_stale(project: Project) -> None:
    number = waive(project)
    judged.judge_and_store(project)
    ended = today() + timedelta(days=6)
    assert judged.fresh(project, ended - timedelta(days=1)) is not None
    assert judged.fresh(project, ended) is None
    assert judged.readiness(project, ended) is None
    withdraw(project, number, "root", "was mended")
    assert judged.fresh(project) is None


def test_other_code_makes_it_stale(project: Project) -> None:
    judged.store(
        project, replace(judged.stamp(project), code="older"), [], judge(situation(project), today())
    )
    assert judged.fresh(project) is None
    told = judged.fresh(project, on_disk=lambda: "older")
    assert told is not None, "it is newer, in truth: it took our place on the disk"
    assert told.code == "older"
    settings_store.save(project, Settings(), "ben")
    assert judged.fresh(project, on_disk=lambda: "older") is None, "what else it hangs on counts as ever"
    assert code_digest() == code_on_disk()


def test_only_the_last_judgement_is_kept(project: Project) -> None:
    judged.judge_and_store(project)
    small = Inventory("test", "", (VM("1", "\x1b[31m", power=Power.ON, disks=(Disk("1", "d", 5),)),))
    inventories.save(project, small)
    said = judged.judge_and_store(project)
    assert judged.findings(project) == said.findings
    assert project.rows("SELECT count(*) FROM judged")[0][0] == 1
    assert project.rows("SELECT count(*) FROM judged_finding")[0][0] == len(said.findings)
    assert list(judged.tallies(project)) == ["1"]


def test_nothing_judged_and_nothing_discovered_are_said(tmp_path: Path) -> None:
    with Project.create(tmp_path / "empty") as project:
        assert judged.fresh(project) is None
        with pytest.raises(NotFound, match="no inventory"):
            judged.stamp(project)
        with pytest.raises(NotFound, match="not checked yet"):
            judged.tallies(project, stale=True)


def test_a_full_disk_takes_no_answer_away(project: Project) -> None:
    snapshots = tuple(Snapshot("s" * 3000, "") for _ in range(3))
    inventories.save(
        project,
        replace(ESTATE, vms=tuple(replace(vm, name="x" * 4000, snapshots=snapshots) for vm in ESTATE.vms)),
    )
    (pages,) = project.rows("PRAGMA page_count")[0]
    project.rows(f"PRAGMA max_page_count = {pages}")
    assert judged.judge_and_store(project) == judge(situation(project), today())
    assert judged.fresh(project) is None
    project.rows(f"PRAGMA max_page_count = {pages * 100}")
    judged.judge_and_store(project)
    assert judged.fresh(project) is not None
